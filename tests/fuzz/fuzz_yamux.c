/*
 * A peer that says any frames, to an owner who reacts in every way: the first byte says whether we
 * dialled, whether what is owed leaves at once, and where the reactions begin. We have one stream.
 */
#include "feed.h"

#include "base/role.h"
#include "wire/yamux.h"

struct machine {
    struct yamux yamux;
    bool drains;
    uint8_t mood;
    uint64_t said;
};

static void react(struct machine *m, struct yamux_stream *s)
{
    m->mood = (uint8_t)(m->mood * 5 + 1);
    switch (m->mood >> 5) {
    case 0:
        yamux_release(&m->yamux, s);
        break;
    case 1:
        yamux_reset(&m->yamux, s, 1);
        break;
    case 2:
        yamux_close_write(&m->yamux, s);
        break;
    case 3:
        yamux_close_read(&m->yamux, s);
        break;
    default:
        break;
    }
}

static void on_data(struct machine *m, const struct yamux_event *ev)
{
    assert(!ev->stream->is_reset && !ev->stream->peer_closed && ev->data.len > 0);
    for (size_t i = 0; i < ev->data.len; i++) {
        fuzz_say_number(&m->said, ev->stream->id);
        fuzz_say(&m->said, view_of(ev->data.data + i, 1));
    }
    yamux_grant(&m->yamux, ev->stream, ev->data.len, 0);
}

static void drain(struct machine *m)
{
    uint8_t bytes[100];
    struct writer w;
    int more;
    do {
        w = writer_of(bytes, sizeof bytes);
        more = yamux_drain(&m->yamux, &w, 0);
        assert(w.len % YAMUX_HEADER_LEN == 0 && (more == 0 || w.len == 96));
        fuzz_say(&m->said, writer_view(&w));
    } while (more);
}

static int feed(void *context, struct span *in)
{
    struct machine *m = context;
    struct yamux_event ev;
    int rc = yamux_feed(&m->yamux, in, &ev, 0);
    if (rc != 1)
        return rc;
    if (ev.type == YAMUX_DATA) {
        on_data(m, &ev);
        return 1;
    }
    fuzz_say_number(&m->said, ev.type);
    if (ev.stream != NULL)
        fuzz_say_number(&m->said, ev.stream->id);
    if (ev.type == YAMUX_RESET)
        yamux_release(&m->yamux, ev.stream);
    else if (ev.stream != NULL)
        react(m, ev.stream);
    if (m->drains)
        drain(m);
    return 1;
}

static uint64_t run(struct view bytes, size_t step, struct mem *mem)
{
    uint8_t first = bytes.len > 0 ? bytes.data[0] : 0;
    struct machine m = {.drains = first & 2, .mood = first};
    int error;
    yamux_init(&m.yamux, first & 1 ? DIALER : LISTENER, mem, &PEERLET_LIMITS, 0);
    struct yamux_stream *own = yamux_open(&m.yamux, &error);
    assert(own != NULL || error == ERR_NOMEM);
    if (bytes.len > 0)
        bytes = view_of(bytes.data + 1, bytes.len - 1);
    int rc = fuzz_feed(bytes, step, feed, &m);
    assert(rc == 0 || rc == ERR_PROTOCOL);
    assert(m.yamux.inbound <= PEERLET_LIMITS.streams_inbound);
    fuzz_say_number(&m.said, (uint32_t)rc);
    drain(&m);
    yamux_free(&m.yamux);
    return m.said;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    return fuzz_three_runs(data, len, run);
}
