#include "protocols/fetch.h"

#include "fetch.pb.h"

/* Status, tags and lengths around the data of a message, and the length in front of it. */
#define AROUND 32

static void init(struct fetch *f, enum role role, struct mem *mem, size_t longest_in,
                 size_t longest_out, uint64_t expires_at)
{
    *f = (struct fetch){.role = role, .expires_at = expires_at};
    delimited_init(&f->reader, mem, longest_in + AROUND);
    buf_init(&f->owed, mem, longest_out + AROUND);
}

int fetch_ask_init(struct fetch *f, struct mem *mem, const struct service_limits *limits,
                   struct view key, uint64_t now)
{
    init(f, DIALER, mem, limits->fetch_data, limits->fetch_key, after(now, limits->fetch_ms));
    if (key.len > limits->fetch_key)
        return ERR_TOO_BIG;
    peerlet_fetch_Request request = {.identifier = lend_view(&key)};
    return protobuf_append_delimited(&f->owed, peerlet_fetch_Request_fields, &request);
}

void fetch_listen_init(struct fetch *f, struct mem *mem, const struct service_limits *limits,
                       uint64_t now)
{
    init(f, LISTENER, mem, limits->fetch_key, limits->fetch_data, after(now, limits->fetch_ms));
}

int fetch_answer(struct fetch *f, const struct service_limits *limits, enum fetch_status status,
                 struct view data)
{
    if (f->state != FETCH_ASKING)
        return ERR_STREAM_STATE;
    if (data.len > limits->fetch_data)
        return ERR_TOO_BIG;
    peerlet_fetch_Response response = {
        .has_status = true,
        .status = (uint32_t)status,
        .data = lend_view(&data),
    };
    int rc = protobuf_append_delimited(&f->owed, peerlet_fetch_Response_fields, &response);
    if (rc == 0)
        f->state = FETCH_OVER;
    return rc;
}

static int take_request(struct fetch *f, struct view message, struct protocol_event *ev)
{
    struct view key = {0};
    peerlet_fetch_Request request = {.identifier = borrow_view(&key)};
    int rc = protobuf_decode(message, message.len, peerlet_fetch_Request_fields, &request);
    if (rc < 0)
        return rc;
    f->state = FETCH_ASKING;
    *ev = (struct protocol_event){.type = FETCH_ASKED, .fetch_asked.key = key};
    return 1;
}

static int take_response(struct fetch *f, struct view message, struct protocol_event *ev)
{
    struct view data = {0};
    peerlet_fetch_Response response = {.data = borrow_view(&data)};
    int rc = protobuf_decode(message, message.len, peerlet_fetch_Response_fields, &response);
    if (rc < 0)
        return rc;
    f->state = FETCH_OVER;
    *ev = (struct protocol_event){.type = FETCH_ANSWERED, .fetch = {response.status, data}};
    return 1;
}

static int fetch_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct fetch *f = state;
    if (f->state != FETCH_WAITING)
        return 0;
    struct view message;
    int rc = delimited_feed(&f->reader, in, &message);
    if (rc <= 0)
        return rc;
    return f->role == DIALER ? take_response(f, message, ev) : take_request(f, message, ev);
}

static int fetch_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    const struct fetch *f = state;
    return f->state == FETCH_WAITING ? ERR_PROTOCOL : 0;
}

static int fetch_drain(void *state, struct buf *out)
{
    struct fetch *f = state;
    return protocol_give(&f->owed, out, f->state == FETCH_OVER ? PROTOCOL_DONE : PROTOCOL_OPEN);
}

static uint64_t fetch_deadline(const void *state)
{
    const struct fetch *f = state;
    return f->state == FETCH_WAITING ? f->expires_at : NEVER;
}

static int fetch_tick(void *state, uint64_t now)
{
    return protocol_tick(fetch_deadline(state), now);
}

static void fetch_free(void *state)
{
    struct fetch *f = state;
    delimited_free(&f->reader);
    buf_free(&f->owed);
}

const struct protocol_ops FETCH_OPS = {
    .name = "/libp2p/fetch/0.0.1",
    .on_limited = false,
    .max_inbound = 32,
    .max_outbound = 64,
    .feed = fetch_feed,
    .end = fetch_end,
    .drain = fetch_drain,
    .tick = fetch_tick,
    .deadline = fetch_deadline,
    .free = fetch_free,
};
