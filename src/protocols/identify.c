#include "protocols/identify.h"

#include "identify.pb.h"
#include "multiformats/envelope.h"
#include "multiformats/multiaddr.h"

static int append_message(struct buf *out, const struct identify_local *local)
{
    peerlet_identify_Identify message = {
        .public_key = lend_view(&local->public_key),
        .listen_addrs = lend_views(&local->addresses),
        .protocols = lend_views(&local->protocols),
        .observed_addr = lend_view(&local->observed),
        .protocol_version = lend_view(&local->protocol_version),
        .agent_version = lend_view(&local->agent_version),
        .signed_peer_record = lend_view(&local->record),
    };
    return protobuf_append_delimited(out, peerlet_identify_Identify_fields, &message);
}

/* The longest list of addresses with which the message fits. */
static int append_trimmed(struct buf *out, const struct identify_local *local)
{
    struct identify_local fit = *local;
    int rc = append_message(out, &fit);
    while (rc == ERR_FULL && fit.addresses.count > 0) {
        fit.addresses.count--;
        rc = append_message(out, &fit);
    }
    return rc;
}

int identify_send_init(struct identify *i, enum identify_kind kind, struct mem *mem,
                       const struct peerlet_limits *limits, const struct identify_local *local,
                       uint64_t now)
{
    *i = (struct identify){
        .state = IDENTIFY_SENDING,
        .mem = mem,
        .limits = limits,
        .expires_at = after(now, limits->identify_ms),
    };
    buf_init(&i->bytes, mem, limits->identify_send);

    struct identify_local told = *local;
    if (kind == IDENTIFY_PUSH) {
        told.public_key = view_of(NULL, 0);
        told.observed = view_of(NULL, 0);
    }
    int rc = append_trimmed(&i->bytes, &told);
    if (rc == ERR_FULL && told.record.data != NULL) {
        told.record = view_of(NULL, 0);
        rc = append_trimmed(&i->bytes, &told);
    }
    return rc == ERR_FULL ? ERR_TOO_BIG : rc;
}

void identify_receive_init(struct identify *i, struct mem *mem, const struct peerlet_limits *limits,
                           const struct peer_id *peer, uint64_t now)
{
    *i = (struct identify){
        .state = IDENTIFY_LISTENING,
        .mem = mem,
        .limits = limits,
        .peer = *peer,
        .expires_at = after(now, limits->identify_ms),
    };
    delimited_init(&i->reader, mem, limits->identify_message);
    buf_init(&i->bytes, mem, limits->identify_messages * limits->identify_message);
}

static int identify_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    struct identify *i = state;
    if (i->state != IDENTIFY_LISTENING) {
        span_take(in, in->len);
        return 0;
    }
    struct view message;
    int rc;
    while ((rc = delimited_feed(&i->reader, in, &message)) > 0) {
        if (i->messages++ == i->limits->identify_messages)
            return ERR_TOO_BIG;
        rc = buf_append(&i->bytes, message);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static void keep_addresses(struct views *list)
{
    size_t kept = 0;
    for (size_t n = 0; n < list->count; n++)
        if (multiaddr_check(list->at[n]) == 0)
            list->at[kept++] = list->at[n];
    list->count = kept;
}

static void keep_protocols(struct views *list, size_t longest)
{
    size_t kept = 0;
    for (size_t n = 0; n < list->count; n++)
        if (list->at[n].len > 0 && list->at[n].len <= longest)
            list->at[kept++] = list->at[n];
    list->count = kept;
}

/* Room for the three lists of a message, cut from one block. */
static int reserve_lists(struct identify *i, struct views *addresses, struct views *certified,
                         struct views *protocols)
{
    *addresses = *certified = (struct views){.room = i->limits->identify_addresses};
    *protocols = (struct views){.room = i->limits->identify_protocols};
    size_t room = addresses->room + certified->room + protocols->room;
    i->fields = mem_alloc(i->mem, room * sizeof *i->fields);
    if (i->fields == NULL)
        return ERR_NOMEM;
    addresses->at = i->fields;
    certified->at = addresses->at + addresses->room;
    protocols->at = certified->at + certified->room;
    return 0;
}

static int decode(const struct identify *i, struct identify_received *told)
{
    peerlet_identify_Identify message = {
        .public_key = borrow_view(&told->public_key),
        .listen_addrs = borrow_views(&told->addresses),
        .protocols = borrow_views(&told->protocols),
        .observed_addr = borrow_view(&told->observed),
        .protocol_version = borrow_view(&told->protocol_version),
        .agent_version = borrow_view(&told->agent_version),
        .signed_peer_record = borrow_view(&told->record),
    };
    return protobuf_decode(buf_view(&i->bytes), i->bytes.limit, peerlet_identify_Identify_fields,
                           &message);
}

static int check_key(const struct identify *i, struct view key)
{
    struct peer_id named;
    if (key.data == NULL)
        return 0;
    int rc = peer_id_from_key(key, &named);
    if (rc < 0)
        return rc;
    return peer_id_equal(&named, &i->peer) ? 0 : ERR_WRONG_PEER;
}

/* A record that is no good counts as absent; only want of memory is an error. */
static int open_record(const struct identify *i, struct identify_received *told,
                       const struct views *certified)
{
    struct peer_record record = {.addresses = *certified};
    int rc =
        told->record.data == NULL ? ERR_NOT_FOUND : peer_record_open(told->record, i->mem, &record);
    if (rc == 0 && peer_id_equal(&record.peer, &i->peer)) {
        told->addresses = record.addresses;
        told->seq = record.seq;
        return 0;
    }
    told->record = view_of(NULL, 0);
    return rc == ERR_NOMEM ? rc : 0;
}

static int identify_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct identify *i = state;
    bool listening = i->state == IDENTIFY_LISTENING;
    i->state = IDENTIFY_ENDED;
    if (!listening)
        return 0;
    if (i->messages == 0 || !delimited_is_empty(&i->reader))
        return ERR_PROTOCOL;

    *ev = (struct protocol_event){.type = IDENTIFY_RECEIVED};
    struct identify_received *told = &ev->identify;
    struct views certified;
    int rc = reserve_lists(i, &told->addresses, &certified, &told->protocols);
    if (rc == 0)
        rc = decode(i, told);
    if (rc == 0)
        rc = check_key(i, told->public_key);
    if (rc == 0)
        rc = open_record(i, told, &certified);
    if (rc < 0)
        return rc;

    keep_addresses(&told->addresses);
    keep_protocols(&told->protocols, i->limits->protocol_name);
    if (multiaddr_check(told->observed) < 0)
        told->observed = view_of(NULL, 0);
    return 1;
}

static int identify_drain(void *state, struct buf *out)
{
    struct identify *i = state;
    if (i->state == IDENTIFY_SENDING)
        return protocol_give(&i->bytes, out, PROTOCOL_CLOSE_WRITE);
    return i->state == IDENTIFY_ENDED ? PROTOCOL_DONE : PROTOCOL_OPEN;
}

static uint64_t identify_deadline(const void *state)
{
    const struct identify *i = state;
    return i->expires_at;
}

static int identify_tick(void *state, uint64_t now)
{
    return protocol_tick(identify_deadline(state), now);
}

static void identify_free(void *state)
{
    struct identify *i = state;
    delimited_free(&i->reader);
    buf_free(&i->bytes);
    mem_free(i->mem, i->fields);
    i->fields = NULL;
}

const struct protocol_ops IDENTIFY_OPS = {
    .name = "/ipfs/id/1.0.0",
    .on_limited = true,
    .max_inbound = 1,
    .max_outbound = 1,
    .feed = identify_feed,
    .end = identify_end,
    .drain = identify_drain,
    .tick = identify_tick,
    .deadline = identify_deadline,
    .free = identify_free,
};

const struct protocol_ops IDENTIFY_PUSH_OPS = {
    .name = "/ipfs/id/push/1.0.0",
    .on_limited = true,
    .max_inbound = 1,
    .max_outbound = 1,
    .feed = identify_feed,
    .end = identify_end,
    .drain = identify_drain,
    .tick = identify_tick,
    .deadline = identify_deadline,
    .free = identify_free,
};
