#include "wire/multistream.h"

#include <assert.h>

#define HEADER "/multistream/1.0.0"
#define NOT_AVAILABLE "na"

/* Bytes of a line: its length, its text, its newline. */
static size_t line_len(struct view text)
{
    return uvarint_len(text.len + 1) + text.len + 1;
}

void multistream_init(struct multistream *m, enum role role, struct mem *mem,
                      const struct peerlet_limits *limits)
{
    /* The most a listener can owe: a header for all that may be proposed, and one long echo. */
    size_t headers = limits->negotiate_proposals * line_len(view_of_text(HEADER));
    size_t echo = uvarint_len(MULTISTREAM_LINE_MAX) + MULTISTREAM_LINE_MAX;
    *m = (struct multistream){.role = role, .limits = limits};
    delimited_init(&m->reader, mem, MULTISTREAM_LINE_MAX);
    buf_init(&m->owed, mem, headers + echo);
    buf_init(&m->proposal, mem, MULTISTREAM_LINE_MAX);
}

void multistream_free(struct multistream *m)
{
    delimited_free(&m->reader);
    buf_free(&m->owed);
    buf_free(&m->proposal);
}

static void put_line(struct writer *w, struct view text)
{
    put_uvarint(w, text.len + 1);
    put(w, text);
    put_u8(w, '\n');
}

/* One line, with the header in front where it is still to be said. All of it, or ERR_NOMEM. */
static int owe(struct multistream *m, bool with_header, struct view text)
{
    struct view header = view_of_text(HEADER);
    size_t len = line_len(text) + (with_header ? line_len(header) : 0);
    uint8_t *at = buf_reserve(&m->owed, len);
    if (at == NULL)
        return ERR_NOMEM;
    struct writer w = writer_of(at, len);
    if (with_header)
        put_line(&w, header);
    put_line(&w, text);
    buf_commit(&m->owed, len);
    return 0;
}

static int remember(struct multistream *m, struct view protocol)
{
    buf_truncate(&m->proposal, 0);
    return buf_append(&m->proposal, protocol);
}

int multistream_propose(struct multistream *m, struct view protocol)
{
    assert(m->role == DIALER && m->state == MULTISTREAM_WAIT_PROPOSAL);
    if (protocol.len == 0 || protocol.len > m->limits->protocol_name)
        return ERR_BAD_ARGUMENT;
    if (m->refusals > m->limits->negotiate_refusals)
        return ERR_FULL;
    int rc = remember(m, protocol);
    if (rc == 0)
        rc = owe(m, m->proposals == 0, protocol);
    if (rc != 0)
        return rc;
    m->proposals++;
    m->state = MULTISTREAM_WAIT_ANSWER;
    return 0;
}

static int answer(struct multistream *m, struct view text, enum multistream_state next)
{
    assert(m->state == MULTISTREAM_WAIT_VERDICT);
    int rc = owe(m, false, text);
    if (rc == 0)
        m->state = next;
    return rc;
}

int multistream_accept(struct multistream *m)
{
    return answer(m, buf_view(&m->proposal), MULTISTREAM_AGREED);
}

int multistream_refuse(struct multistream *m)
{
    return answer(m, view_of_text(NOT_AVAILABLE), MULTISTREAM_WAIT_PROPOSAL);
}

static int on_proposal(struct multistream *m, struct view line, struct multistream_event *ev)
{
    bool is_header = view_equals_text(line, HEADER);
    if (!is_header && !m->header_seen)
        return ERR_PROTOCOL;
    m->header_seen = true;
    if (++m->proposals > m->limits->negotiate_proposals)
        return ERR_FULL;
    if (is_header)
        return owe(m, false, line);
    if (line.len == 0 || line.data[0] != '/')
        return owe(m, false, view_of_text(NOT_AVAILABLE));
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
    struct view proposal = buf_view(&m->proposal);
    if (view_equal(line, proposal)) {
        m->state = MULTISTREAM_AGREED;
        *ev = (struct multistream_event){MULTISTREAM_ACCEPTED, proposal};
        return 1;
    }
    if (!view_equals_text(line, NOT_AVAILABLE))
        return ERR_PROTOCOL;
    m->refusals++;
    m->state = MULTISTREAM_WAIT_PROPOSAL;
    *ev = (struct multistream_event){MULTISTREAM_REFUSED, proposal};
    return 1;
}

static int on_line(struct multistream *m, struct view line, struct multistream_event *ev)
{
    if (line.len == 0 || line.data[line.len - 1] != '\n')
        return ERR_PROTOCOL;
    line.len--;
    return m->role == LISTENER ? on_proposal(m, line, ev) : on_answer(m, line, ev);
}

static bool wants_bytes(const struct multistream *m)
{
    switch (m->state) {
    case MULTISTREAM_WAIT_PROPOSAL:
        return m->role == LISTENER || !m->header_seen;
    case MULTISTREAM_WAIT_ANSWER:
        return true;
    case MULTISTREAM_WAIT_VERDICT:
    case MULTISTREAM_AGREED:
        break;
    }
    return false;
}

int multistream_feed(struct multistream *m, struct span *in, struct multistream_event *ev)
{
    while (wants_bytes(m)) {
        struct view line;
        int rc = delimited_feed(&m->reader, in, &line);
        if (rc <= 0)
            return rc;
        rc = on_line(m, line, ev);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int multistream_drain(struct multistream *m, struct buf *out)
{
    int rc = buf_append(out, buf_view(&m->owed));
    if (rc == 0)
        buf_free(&m->owed);
    return rc;
}
