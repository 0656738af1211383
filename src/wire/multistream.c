#include "wire/multistream.h"

#include <assert.h>

#define HEADER "/multistream/1.0.0"
#define NOT_AVAILABLE "na"

void multistream_init(struct multistream *m, enum role role, struct mem *mem,
                      const struct peerlet_limits *limits)
{
    *m = (struct multistream){.role = role, .limits = limits};
    delimited_init(&m->reader, mem, MULTISTREAM_LINE_MAX);
    buf_init(&m->owed, mem, 4 * MULTISTREAM_LINE_MAX);
    buf_init(&m->proposal, mem, MULTISTREAM_LINE_MAX);
}

void multistream_free(struct multistream *m)
{
    delimited_free(&m->reader);
    buf_free(&m->owed);
    buf_free(&m->proposal);
}

static int owe_line(struct multistream *m, struct view text)
{
    uint8_t prefix[10];
    struct writer w = writer_of(prefix, sizeof prefix);
    put_uvarint(&w, text.len + 1);
    uint8_t *at = buf_reserve(&m->owed, w.len + text.len + 1);
    if (at == NULL)
        return buf_room(&m->owed) < w.len + text.len + 1 ? ERR_FULL : ERR_NOMEM;
    w = writer_of(at, w.len + text.len + 1);
    put_uvarint(&w, text.len + 1);
    put(&w, text);
    put_u8(&w, '\n');
    buf_commit(&m->owed, w.len);
    return 0;
}

static int remember(struct multistream *m, struct view protocol)
{
    buf_truncate(&m->proposal, 0);
    return buf_append(&m->proposal, protocol);
}

int multistream_propose(struct multistream *m, struct view protocol)
{
    assert(m->role == DIALER);
    if (protocol.len == 0 || protocol.len > m->limits->protocol_name)
        return ERR_BAD_ARGUMENT;
    if (m->refusals > m->limits->negotiate_refusals)
        return ERR_FULL;
    int rc = m->proposals++ == 0 ? owe_line(m, view_of_text(HEADER)) : 0;
    if (rc == 0)
        rc = owe_line(m, protocol);
    if (rc == 0)
        rc = remember(m, protocol);
    m->state = MULTISTREAM_WAIT_ANSWER;
    return rc;
}

int multistream_accept(struct multistream *m)
{
    assert(m->state == MULTISTREAM_WAIT_VERDICT);
    m->state = MULTISTREAM_AGREED;
    return owe_line(m, buf_view(&m->proposal));
}

int multistream_refuse(struct multistream *m)
{
    assert(m->state == MULTISTREAM_WAIT_VERDICT);
    m->state = MULTISTREAM_WAIT_PROPOSAL;
    return owe_line(m, view_of_text(NOT_AVAILABLE));
}

static int on_proposal(struct multistream *m, struct view line, struct multistream_event *ev)
{
    if (view_equals_text(line, HEADER)) {
        /* js answers a repeated header; so do we, as often as it may propose. */
        m->header_seen = true;
        if (++m->proposals > m->limits->negotiate_proposals)
            return ERR_FULL;
        return owe_line(m, line);
    }
    if (!m->header_seen)
        return ERR_PROTOCOL;
    if (++m->proposals > m->limits->negotiate_proposals)
        return ERR_FULL;
    if (line.len == 0 || line.data[0] != '/')
        return owe_line(m, view_of_text(NOT_AVAILABLE)); /* `ls` among them */
    int rc = remember(m, line);
    if (rc != 0)
        return rc;
    m->state = MULTISTREAM_WAIT_VERDICT;
    *ev = (struct multistream_event){MULTISTREAM_PROPOSED, buf_view(&m->proposal)};
    return 1;
}

static int on_answer(struct multistream *m, struct view line, struct multistream_event *ev)
{
    if (!m->header_seen) {
        m->header_seen = true;
        return view_equals_text(line, HEADER) ? 0 : ERR_PROTOCOL;
    }
    ev->protocol = buf_view(&m->proposal);
    if (view_equal(line, ev->protocol)) {
        m->state = MULTISTREAM_AGREED;
        ev->type = MULTISTREAM_ACCEPTED;
        return 1;
    }
    if (!view_equals_text(line, NOT_AVAILABLE))
        return ERR_PROTOCOL;
    m->refusals++;
    m->state = MULTISTREAM_WAIT_PROPOSAL;
    ev->type = MULTISTREAM_REFUSED;
    return 1;
}

static int on_line(struct multistream *m, struct view line, struct multistream_event *ev)
{
    if (line.len == 0 || line.data[line.len - 1] != '\n')
        return ERR_PROTOCOL;
    line.len--;
    return m->role == LISTENER ? on_proposal(m, line, ev) : on_answer(m, line, ev);
}

/* Whether the machine wants bytes now: not while the owner has to speak, and not when done. */
static bool wants_bytes(const struct multistream *m)
{
    if (m->state == MULTISTREAM_AGREED || m->state == MULTISTREAM_WAIT_VERDICT)
        return false;
    /* go's listener speaks first; its header is taken before anything was proposed. */
    return m->role == LISTENER || m->state == MULTISTREAM_WAIT_ANSWER || !m->header_seen;
}

int multistream_feed(struct multistream *m, struct span *in, struct multistream_event *ev)
{
    while (wants_bytes(m)) {
        struct view line;
        int rc = delimited_feed(&m->reader, in, &line);
        if (rc == 1)
            rc = on_line(m, line, ev);
        else if (rc == 0)
            return 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

int multistream_drain(struct multistream *m, struct buf *out)
{
    int rc = buf_append(out, buf_view(&m->owed));
    if (rc != 0)
        return rc;
    buf_free(&m->owed);
    return 0;
}
