#include "protocols/circuit.h"

#include "circuit.pb.h"
#include "multiformats/envelope.h"
#include "multiformats/multiaddr.h"

enum { HOP_RESERVE = 0, HOP_CONNECT = 1, HOP_STATUS = 2 };

/* A request is a type and perhaps a Peer ID. */
#define REQUEST_MAX 64

#define VOUCHER_DOMAIN "libp2p-relay-rsvp"
static const uint8_t VOUCHER_TYPE[] = {0x03, 0x02};

static int init(struct circuit_hop *h, enum circuit_hop_state state, struct mem *mem,
                const struct peerlet_limits *limits, const peerlet_circuit_Hop *request,
                uint64_t now)
{
    *h = (struct circuit_hop){
        .state = state,
        .mem = mem,
        .limits = limits,
        .expires_at = after(now, limits->circuit_ms),
    };
    delimited_init(&h->reader, mem, limits->circuit_message);
    buf_init(&h->owed, mem, REQUEST_MAX);
    return protobuf_append_delimited(&h->owed, peerlet_circuit_Hop_fields, request);
}

int circuit_reserve_init(struct circuit_hop *h, struct mem *mem,
                         const struct peerlet_limits *limits, const struct peer_id *relay,
                         const struct peer_id *self, uint64_t now)
{
    peerlet_circuit_Hop request = {.has_type = true, .type = HOP_RESERVE};
    int rc = init(h, CIRCUIT_HOP_RESERVING, mem, limits, &request, now);
    if (rc < 0)
        return rc;
    h->relay = *relay;
    h->self = *self;
    h->addresses = mem_alloc(mem, limits->addresses * sizeof *h->addresses);
    h->address_room = h->addresses == NULL ? 0 : limits->addresses;
    return h->addresses == NULL ? ERR_NOMEM : 0;
}

int circuit_connect_init(struct circuit_hop *h, struct mem *mem,
                         const struct peerlet_limits *limits, const struct peer_id *target,
                         uint64_t now)
{
    struct view id = peer_id_view(target);
    peerlet_circuit_Hop request = {
        .has_type = true,
        .type = HOP_CONNECT,
        .has_peer = true,
        .peer.id = lend_view(&id),
    };
    return init(h, CIRCUIT_HOP_CONNECTING, mem, limits, &request, now);
}

/*
 * The relay's signed word that it took us in. We have no use for it, but one that is wrong says the
 * relay is. One by a key that cannot be checked here is compared as far as it can be.
 */
static int check_voucher(const struct circuit_hop *h, struct view sealed)
{
    struct envelope envelope;
    int rc = envelope_parse(sealed, VOUCHER_DOMAIN, view_of(VOUCHER_TYPE, sizeof VOUCHER_TYPE),
                            h->mem, &envelope);
    if (rc == ERR_NOMEM)
        return rc;
    if (rc < 0 && rc != ERR_UNSUPPORTED)
        return ERR_BAD_SIGNATURE;

    struct view relay = {0}, peer = {0};
    peerlet_circuit_Voucher voucher = {.relay = borrow_view(&relay), .peer = borrow_view(&peer)};
    rc = protobuf_decode(envelope.payload, h->limits->circuit_message,
                         peerlet_circuit_Voucher_fields, &voucher);
    bool right = rc == 0 && peer_id_equal(&envelope.signer, &h->relay) &&
                 view_equal(relay, peer_id_view(&h->relay)) &&
                 view_equal(peer, peer_id_view(&h->self));
    return right ? 0 : ERR_BAD_SIGNATURE;
}

/* Whether every peer an address names is the relay, and it leads through no other relay. */
static bool is_of_relay(const struct circuit_hop *h, struct view address)
{
    struct multiaddr_part part;
    while (multiaddr_next(&address, &part) > 0) {
        if (part.code == MULTIADDR_P2P_CIRCUIT)
            return false;
        if (part.code == MULTIADDR_P2P && !view_equal(part.value, peer_id_view(&h->relay)))
            return false;
    }
    return true;
}

/* Old go relays say /p2p/R twice, others not at all: none is left. */
static struct view strip_peers(struct view address)
{
    struct view shorter = multiaddr_without_peer(address);
    while (shorter.len < address.len) {
        address = shorter;
        shorter = multiaddr_without_peer(address);
    }
    return address;
}

static void keep_addresses(const struct circuit_hop *h, struct views *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct view address = list->at[i];
        if (multiaddr_check(address) == 0 && is_of_relay(h, address)) {
            address = strip_peers(address);
            if (address.len > 0)
                list->at[kept++] = address;
        }
    }
    list->count = kept;
}

struct answer {
    uint32_t status;
    struct circuit_limit limit;
    bool has_reservation;
    uint64_t expire;
    struct views addresses;
    struct view voucher;
};

static int parse_answer(const struct circuit_hop *h, struct view message, struct answer *answer)
{
    *answer = (struct answer){.addresses = {.at = h->addresses, .room = h->address_room}};
    peerlet_circuit_Hop hop = {
        .reservation.addrs = borrow_views(&answer->addresses),
        .reservation.voucher = borrow_view(&answer->voucher),
    };
    int rc = protobuf_decode(message, h->limits->circuit_message, peerlet_circuit_Hop_fields, &hop);
    if (rc < 0)
        return rc;
    answer->status = hop.status;
    answer->limit = circuit_limit_of(h->limits, hop.limit.duration, hop.limit.data);
    answer->has_reservation = hop.has_reservation;
    answer->expire = hop.reservation.expire;
    return hop.has_type && hop.type == HOP_STATUS ? 0 : ERR_PROTOCOL;
}

static int take_reservation(struct circuit_hop *h, struct answer *answer, struct protocol_event *ev)
{
    if (!answer->has_reservation)
        return ERR_PROTOCOL;
    int rc = answer->voucher.len == 0 ? 0 : check_voucher(h, answer->voucher);
    if (rc < 0)
        return rc;
    keep_addresses(h, &answer->addresses);
    h->state = CIRCUIT_HOP_DONE;
    *ev = (struct protocol_event){
        .type = CIRCUIT_RESERVED,
        .reserved = {answer->expire, answer->addresses, answer->limit},
    };
    return 1;
}

static int take_answer(struct circuit_hop *h, struct view message, struct protocol_event *ev)
{
    struct answer answer;
    int rc = parse_answer(h, message, &answer);
    if (rc < 0)
        return rc;
    if (answer.status != CIRCUIT_STATUS_OK) {
        h->state = CIRCUIT_HOP_DONE;
        *ev = (struct protocol_event){.type = CIRCUIT_REFUSED, .refused.status = answer.status};
        return 1;
    }
    if (h->state == CIRCUIT_HOP_RESERVING)
        return take_reservation(h, &answer, ev);
    h->state = CIRCUIT_HOP_CONNECTED;
    *ev = (struct protocol_event){.type = CIRCUIT_CONNECTED, .connected.limit = answer.limit};
    return 1;
}

static bool is_waiting(const struct circuit_hop *h)
{
    return h->state == CIRCUIT_HOP_RESERVING || h->state == CIRCUIT_HOP_CONNECTING;
}

static int hop_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct circuit_hop *h = state;
    if (!is_waiting(h))
        return 0;
    struct view message;
    int rc = delimited_feed(&h->reader, in, &message);
    return rc <= 0 ? rc : take_answer(h, message, ev);
}

static int hop_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    const struct circuit_hop *h = state;
    return is_waiting(h) ? ERR_PROTOCOL : 0;
}

static int hop_drain(void *state, struct buf *out)
{
    static const enum protocol_stream then[] = {
        [CIRCUIT_HOP_RESERVING] = PROTOCOL_OPEN,
        [CIRCUIT_HOP_CONNECTING] = PROTOCOL_OPEN,
        [CIRCUIT_HOP_CONNECTED] = PROTOCOL_RAW,
        [CIRCUIT_HOP_DONE] = PROTOCOL_DONE,
    };
    struct circuit_hop *h = state;
    return protocol_give(&h->owed, out, then[h->state]);
}

static uint64_t hop_deadline(const void *state)
{
    const struct circuit_hop *h = state;
    return is_waiting(h) ? h->expires_at : NEVER;
}

static int hop_tick(void *state, uint64_t now)
{
    return protocol_tick(hop_deadline(state), now);
}

static void hop_free(void *state)
{
    struct circuit_hop *h = state;
    delimited_free(&h->reader);
    buf_free(&h->owed);
    mem_free(h->mem, h->addresses);
    h->addresses = NULL;
}

const struct protocol_ops CIRCUIT_HOP_OPS = {
    .name = "/libp2p/circuit/relay/0.2.0/hop",
    .on_limited = true,
    .max_inbound = 0,
    .max_outbound = 64,
    .feed = hop_feed,
    .end = hop_end,
    .drain = hop_drain,
    .tick = hop_tick,
    .deadline = hop_deadline,
    .free = hop_free,
};
