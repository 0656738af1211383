/* A peer that says anything on a data channel, to an end that closes when the peer does. */
#include "feed.h"

#include "wire/datachannel.h"

struct machine {
    struct datachannel channel;
    uint64_t said;
};

static int feed(void *context, struct span *in)
{
    struct machine *m = context;
    struct datachannel *d = &m->channel;
    struct datachannel_event ev;
    bool was_over = d->is_reset, was_closed = d->peer_closed;
    int rc = datachannel_feed(d, in, &ev);
    if (rc != 1)
        return rc;
    assert(!was_over);
    fuzz_say_number(&m->said, ev.type);
    switch (ev.type) {
    case DATACHANNEL_DATA:
        assert(!was_closed && ev.data.len > 0 && ev.data.len <= DATACHANNEL_ACCEPT_MAX);
        fuzz_say(&m->said, view_of_span(ev.data));
        memset(ev.data.data, 0, ev.data.len);
        break;
    case DATACHANNEL_FIN:
    case DATACHANNEL_STOP_SENDING:
        datachannel_close_write(d);
        break;
    case DATACHANNEL_RESET:
        assert(datachannel_is_done(d));
        break;
    case DATACHANNEL_FIN_ACK:
        assert(d->state == DATACHANNEL_CLOSED);
        break;
    }
    return 1;
}

static uint64_t run(struct view bytes, size_t step, struct mem *mem)
{
    struct machine m = {.said = 0};
    struct buf out;
    datachannel_init(&m.channel, mem, &PEERLET_LIMITS);
    buf_init(&out, mem, 64);
    int rc = fuzz_feed(bytes, step, feed, &m);
    assert(rc == 0 || rc == ERR_PROTOCOL || rc == ERR_TOO_BIG || rc == ERR_NOMEM);
    fuzz_say_number(&m.said, (uint32_t)rc);
    rc = datachannel_drain(&m.channel, &out, 0);
    assert(rc == 0 || rc == ERR_NOMEM);
    fuzz_say(&m.said, buf_view(&out));
    datachannel_reset(&m.channel);
    buf_free(&out);
    datachannel_free(&m.channel);
    return m.said;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    return fuzz_three_runs(data, len, run);
}
