/*
 * What comes on a fetch stream: to a listener, who gives every second key back as its value, or, with
 * the high bit of the step set, to a dialer.
 */
#include "stream.h"

#include "protocols/fetch.h"

static void seen(void *state, const struct protocol_event *ev)
{
    struct fetch *f = state;
    if (f->role == DIALER) {
        assert(ev->type == FETCH_ANSWERED && f->state == FETCH_OVER);
        assert(ev->fetch.data.len <= SERVICE_LIMITS.fetch_data);
        return;
    }
    assert(ev->type == FETCH_ASKED && f->state == FETCH_ASKING);
    static uint8_t copy[1 << 15];
    struct view key = ev->fetch_asked.key;
    assert(key.len <= sizeof copy);
    if (key.len > 0)
        memcpy(copy, key.data, key.len);
    enum fetch_status status = key.len % 2 == 0 ? FETCH_OK : FETCH_NOT_FOUND;
    int rc = fetch_answer(f, &SERVICE_LIMITS, status, view_of(copy, key.len));
    assert(rc == 0 || rc == ERR_NOMEM);
    assert(rc < 0 ||
           fetch_answer(f, &SERVICE_LIMITS, FETCH_OK, view_of(copy, 0)) == ERR_STREAM_STATE);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct fuzz_stream s;
    struct fetch f;
    if (!fuzz_stream_init(&s, data, len))
        return 0;
    bool dials = s.step >= 0x80;
    s.step &= 0x7f;
    if (!dials)
        fetch_listen_init(&f, &s.mem, &SERVICE_LIMITS, 0);
    else if (fetch_ask_init(&f, &s.mem, &SERVICE_LIMITS, view_of_text("/a/key"), 0) < 0)
        s.bytes.len = 0;
    return fuzz_stream_run(&s, &FETCH_OPS, &f, seen);
}
