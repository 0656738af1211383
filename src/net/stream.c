#include "net/stream.h"

#include "net/conn.h"
#include "net/mux.h"

#include <assert.h>

struct view stream_protocol(const struct stream *s)
{
    return s->state == STREAM_OPEN && s->protocol ? view_of_text(s->protocol) : view_of(NULL, 0);
}

void stream_touch(struct stream *s)
{
    if (s->state == STREAM_DEAD)
        return;
    list_remove(&s->in_pending);
    list_add(&s->conn->pending, &s->in_pending);
}

static int keep_protocol(struct stream *s, struct view protocol)
{
    char *copy = mem_alloc(s->conn->mem, protocol.len + 1);
    if (copy == NULL)
        return ERR_NOMEM;
    memcpy(copy, protocol.data, protocol.len);
    mem_free(s->conn->mem, s->protocol);
    s->protocol = copy;
    return 0;
}

int stream_accept(struct stream *s, struct view protocol)
{
    assert(s->state == STREAM_NEGOTIATING && s->role == LISTENER);
    int rc = keep_protocol(s, protocol);
    if (rc == 0)
        rc = multistream_accept(s->negotiation);
    /* The answer goes first into `out`, so that the protocol may write on behind it. */
    if (rc == 0)
        rc = multistream_drain(s->negotiation, &s->out);
    if (rc != 0) {
        stream_reset(s, rc);
        return rc;
    }
    s->state = STREAM_OPEN;
    stream_touch(s);
    return 0;
}

void stream_refuse(struct stream *s)
{
    int rc = multistream_refuse(s->negotiation);
    if (rc != 0)
        stream_reset(s, rc);
    else
        stream_touch(s);
}

/* Nothing may overtake what waits in `out`, which is first of all the negotiation. */
uint8_t *stream_reserve(struct stream *s, size_t *room)
{
    uint8_t *at = NULL;
    if (stream_is_writable(s) && s->out.len == 0 && s->negotiation == NULL)
        at = s->conn->mux->reserve(s->conn, s, room);
    if (at == NULL) {
        *room = 0;
        s->wants_room = true;
        if (s->out.len > 0 || s->negotiation != NULL)
            stream_touch(s);
    }
    return at;
}

void stream_commit(struct stream *s, size_t len)
{
    s->conn->mux->commit(s->conn, s, len);
}

size_t stream_write(struct stream *s, struct view data)
{
    size_t done = 0;
    while (done < data.len) {
        size_t room = data.len - done;
        uint8_t *at = stream_reserve(s, &room);
        if (at == NULL)
            break;
        memcpy(at, data.data + done, room);
        stream_commit(s, room);
        done += room;
    }
    return done;
}

size_t stream_room(struct stream *s)
{
    size_t room = SIZE_MAX;
    return stream_reserve(s, &room) ? room : 0;
}

void stream_grant(struct stream *s, size_t len, uint64_t now)
{
    if (s->state != STREAM_DEAD && len > 0)
        s->conn->mux->grant(s->conn, s, len, now);
}

void stream_close_write(struct stream *s)
{
    if (s->state == STREAM_DEAD || s->write_closed)
        return;
    s->close_wanted = true;
    stream_touch(s);
}

void stream_close_read(struct stream *s)
{
    if (s->state == STREAM_DEAD || s->read_closed)
        return;
    s->read_closed = true;
    s->conn->mux->close_read(s->conn, s);
}

void stream_reset(struct stream *s, int code)
{
    if (s->state == STREAM_DEAD)
        return;
    s->conn->mux->reset(s->conn, s);
    conn_stream_died(s, code);
}
