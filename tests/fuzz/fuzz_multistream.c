/*
 * A peer that negotiates as it likes, with a dialer and with a listener. Both go on until they
 * agree; the listener speaks what is longer than three bytes, the dialer counts its proposals up.
 */
#include "feed.h"

#include "wire/multistream.h"

struct machine {
    struct multistream multistream;
    struct buf out;
    char name[3];
    uint64_t said;
};

static int react(struct machine *m, const struct multistream_event *ev)
{
    fuzz_say_number(&m->said, ev->type);
    fuzz_say(&m->said, ev->protocol);
    switch (ev->type) {
    case MULTISTREAM_ACCEPTED:
        return 0;
    case MULTISTREAM_REFUSED:
        m->name[1]++;
        return multistream_propose(&m->multistream, view_of_text(m->name));
    case MULTISTREAM_PROPOSED:
        return ev->protocol.len > 3 ? multistream_accept(&m->multistream)
                                    : multistream_refuse(&m->multistream);
    }
    return 0;
}

static int feed(void *context, struct span *in)
{
    struct machine *m = context;
    struct multistream_event ev;
    int rc = multistream_feed(&m->multistream, in, &ev);
    if (rc == 1) {
        rc = react(m, &ev);
        return rc == 0 ? 1 : rc;
    }
    return rc;
}

static uint64_t negotiate(enum role role, struct view bytes, size_t step, struct mem *mem)
{
    struct machine m = {.name = "/a"};
    multistream_init(&m.multistream, role, mem, &PEERLET_LIMITS);
    buf_init(&m.out, mem, 8192);
    int rc = role == DIALER ? multistream_propose(&m.multistream, view_of_text(m.name)) : 0;
    if (rc == 0)
        rc = fuzz_feed(bytes, step, feed, &m);
    assert(rc <= 0);
    if (rc == 0)
        rc = multistream_drain(&m.multistream, &m.out);
    assert(rc != ERR_FULL || role == LISTENER || m.multistream.refusals > 0);
    fuzz_say(&m.said, buf_view(&m.out));
    fuzz_say_number(&m.said, (uint32_t)rc);
    fuzz_say_number(&m.said, m.multistream.state);
    buf_free(&m.out);
    multistream_free(&m.multistream);
    return m.said;
}

static uint64_t run(struct view bytes, size_t step, struct mem *mem)
{
    uint64_t dialers = negotiate(DIALER, bytes, step, mem);
    assert(mem->used == 0);
    return dialers ^ negotiate(LISTENER, bytes, step, mem);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    return fuzz_three_runs(data, len, run);
}
