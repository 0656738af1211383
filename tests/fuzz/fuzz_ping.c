/*
 * What comes on a ping stream: to a listener, who echoes it, or, with the high bit of the step set,
 * to a dialer, whose ping began with zeros.
 */
#include "stream.h"

#include "protocols/ping.h"

static void zeros(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0, len);
}

static void seen(void *state, const struct protocol_event *ev)
{
    struct ping *p = state;
    assert(p->role == DIALER && ev->type == PING_RTT && ev->ping.ms == 1);
    /* Only what nobody takes away leaves no room for another. */
    assert(ping_send(p, 0) != ERR_FULL || buf_room(&p->owed) < PING_LEN);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    const struct rng rng = {.fill = zeros};
    struct fuzz_stream s;
    struct ping ping;
    if (!fuzz_stream_init(&s, data, len))
        return 0;
    enum role role = s.step >= 0x80 ? DIALER : LISTENER;
    s.step &= 0x7f;
    ping_init(&ping, role, &s.mem, &PEERLET_LIMITS, &rng, 1000);
    if (role == DIALER && ping_send(&ping, 0) < 0)
        s.bytes.len = 0;
    return fuzz_stream_run(&s, &PING_OPS, &ping, seen);
}
