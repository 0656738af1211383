#include "protocols/circuit.h"

#include "circuit.pb.h"

enum { STOP_CONNECT = 0, STOP_STATUS = 1 };

/* An answer is a type and a status. */
#define ANSWER_MAX 16

void circuit_stop_init(struct circuit_stop *s, struct mem *mem, const struct peerlet_limits *limits,
                       uint64_t now)
{
    *s = (struct circuit_stop){
        .state = CIRCUIT_STOP_WAITING,
        .limits = limits,
        .expires_at = after(now, limits->circuit_ms),
    };
    delimited_init(&s->reader, mem, limits->circuit_message);
    buf_init(&s->owed, mem, ANSWER_MAX);
}

static int answer(struct circuit_stop *s, enum circuit_status status)
{
    s->state = status == CIRCUIT_STATUS_OK ? CIRCUIT_STOP_ACCEPTED : CIRCUIT_STOP_REFUSED;
    peerlet_circuit_Stop message = {
        .has_type = true,
        .type = STOP_STATUS,
        .has_status = true,
        .status = status,
    };
    return protobuf_append_delimited(&s->owed, peerlet_circuit_Stop_fields, &message);
}

int circuit_stop_answer(struct circuit_stop *s, enum circuit_status status)
{
    return s->state == CIRCUIT_STOP_ASKING ? answer(s, status) : ERR_STREAM_STATE;
}

/* The status to refuse with, or OK with `*request` filled. */
static enum circuit_status parse_connect(const struct circuit_stop *s, struct view message,
                                         struct circuit_stop_request *request)
{
    struct view id = {0};
    peerlet_circuit_Stop stop = {.peer.id = borrow_view(&id)};
    int rc =
        protobuf_decode(message, s->limits->circuit_message, peerlet_circuit_Stop_fields, &stop);
    if (rc < 0 || !stop.has_type)
        return CIRCUIT_STATUS_MALFORMED_MESSAGE;
    if (stop.type != STOP_CONNECT)
        return CIRCUIT_STATUS_UNEXPECTED_MESSAGE;
    request->limit = circuit_limit_of(s->limits, stop.limit.duration, stop.limit.data);
    return peer_id_parse(id, &request->source) == 0 ? CIRCUIT_STATUS_OK
                                                    : CIRCUIT_STATUS_MALFORMED_MESSAGE;
}

static int stop_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct circuit_stop *s = state;
    if (s->state != CIRCUIT_STOP_WAITING)
        return 0;
    struct view message;
    int rc = delimited_feed(&s->reader, in, &message);
    if (rc <= 0)
        return rc;
    *ev = (struct protocol_event){.type = CIRCUIT_STOP};
    enum circuit_status status = parse_connect(s, message, &ev->stop);
    if (status != CIRCUIT_STATUS_OK)
        return answer(s, status);
    s->state = CIRCUIT_STOP_ASKING;
    return 1;
}

static int stop_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    const struct circuit_stop *s = state;
    return s->state == CIRCUIT_STOP_WAITING || s->state == CIRCUIT_STOP_ASKING ? ERR_PROTOCOL : 0;
}

static int stop_drain(void *state, struct buf *out)
{
    static const enum protocol_stream then[] = {
        [CIRCUIT_STOP_WAITING] = PROTOCOL_OPEN,
        [CIRCUIT_STOP_ASKING] = PROTOCOL_OPEN,
        [CIRCUIT_STOP_ACCEPTED] = PROTOCOL_RAW,
        [CIRCUIT_STOP_REFUSED] = PROTOCOL_DONE,
    };
    struct circuit_stop *s = state;
    return protocol_give(&s->owed, out, then[s->state]);
}

static uint64_t stop_deadline(const void *state)
{
    const struct circuit_stop *s = state;
    bool settled = s->state == CIRCUIT_STOP_ACCEPTED || s->state == CIRCUIT_STOP_REFUSED;
    return settled ? NEVER : s->expires_at;
}

static int stop_tick(void *state, uint64_t now)
{
    return protocol_tick(stop_deadline(state), now);
}

static void stop_free(void *state)
{
    struct circuit_stop *s = state;
    delimited_free(&s->reader);
    buf_free(&s->owed);
}

const struct protocol_ops CIRCUIT_STOP_OPS = {
    .name = "/libp2p/circuit/relay/0.2.0/stop",
    .on_limited = true,
    .max_inbound = 64,
    .max_outbound = 0,
    .feed = stop_feed,
    .end = stop_end,
    .drain = stop_drain,
    .tick = stop_tick,
    .deadline = stop_deadline,
    .free = stop_free,
};
