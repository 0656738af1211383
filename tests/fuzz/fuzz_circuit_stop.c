/* What a relay asks of us; every second call is accepted. */
#include "stream.h"

#include "protocols/circuit.h"

static void seen(void *state, const struct protocol_event *ev)
{
    struct circuit_stop *s = state;
    struct peer_id same;
    assert(ev->type == CIRCUIT_STOP && s->state == CIRCUIT_STOP_ASKING);
    assert(peer_id_parse(peer_id_view(&ev->stop.source), &same) == 0);
    assert(ev->stop.limit.duration_s <= PEERLET_LIMITS.limited_max_s);
    bool accepts = ev->stop.source.bytes[ev->stop.source.len - 1] % 2 == 0;
    int rc = circuit_stop_answer(s, accepts ? CIRCUIT_STATUS_OK : CIRCUIT_STATUS_PERMISSION_DENIED);
    assert(rc == 0 || rc == ERR_NOMEM);
    assert(circuit_stop_answer(s, CIRCUIT_STATUS_OK) == ERR_STREAM_STATE);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct fuzz_stream s;
    struct circuit_stop stop;
    if (!fuzz_stream_init(&s, data, len))
        return 0;
    circuit_stop_init(&stop, &s.mem, &PEERLET_LIMITS, 0);
    return fuzz_stream_run(&s, &CIRCUIT_STOP_OPS, &stop, seen);
}
