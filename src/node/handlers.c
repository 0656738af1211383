#include "node/node.h"

#include "protocols/circuit.h"
#include "protocols/ping.h"
#include "protocols/signaling.h"

static int accept_nothing(struct peerlet *p, struct session *s)
{
    (void)p, (void)s;
    return ERR_UNSUPPORTED;
}

static void ended_quietly(struct peerlet *p, struct session *s, int code)
{
    (void)p, (void)s, (void)code;
}

static struct conn *never_raw(struct peerlet *p, struct session *s)
{
    (void)p, (void)s;
    return NULL;
}

/* The built-in protocols. Adding one is a row here. */
const struct service SERVICES[SERVICE_COUNT] = {
    [SERVICE_IDENTIFY] = {&IDENTIFY_OPS, PEERLET_IDENTIFY, true, sizeof(struct identify),
                          identify_accept, identify_event, never_raw, identify_ended},
    [SERVICE_PUSH] = {&IDENTIFY_PUSH_OPS, PEERLET_PUSH, true, sizeof(struct identify), push_accept,
                      identify_event, never_raw, ended_quietly},
    [SERVICE_PING] = {&PING_OPS, PEERLET_PING, true, sizeof(struct ping), ping_accept, ping_event,
                      never_raw, ping_ended},
    [SERVICE_HOP_RESERVE] = {&CIRCUIT_HOP_OPS, PEERLET_CIRCUIT, false, sizeof(struct circuit_hop),
                             accept_nothing, reserve_event, never_raw, reserve_ended},
    [SERVICE_HOP_CONNECT] = {&CIRCUIT_HOP_OPS, PEERLET_CIRCUIT, false, sizeof(struct circuit_hop),
                             accept_nothing, connect_event, connect_raw, connect_ended},
    [SERVICE_STOP] = {&CIRCUIT_STOP_OPS, PEERLET_CIRCUIT, true, sizeof(struct circuit_stop),
                      stop_accept, stop_event, stop_raw, ended_quietly},
    [SERVICE_SIGNALING] = {&SIGNALING_OPS, PEERLET_WEBRTC, true, sizeof(struct signaling),
                           signaling_accept, signaling_event, never_raw, signaling_ended},
};

static bool is_on(const struct peerlet *p, const struct service *row)
{
    return row->listens && (p->services & row->needs) == row->needs;
}

const struct service *service_of(const struct peerlet *p, struct view protocol)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (is_on(p, &SERVICES[i]) && view_equals_text(protocol, SERVICES[i].ops->name))
            return &SERVICES[i];
    return NULL;
}

struct handler *handler_of(const struct peerlet *p, struct view protocol)
{
    LIST_EACH(node, &p->handlers) {
        struct handler *h = LIST_OWNER(node, struct handler, in_node);
        if (view_equal(protocol, view_of((const uint8_t *)h->name, h->name_len)))
            return h;
    }
    return NULL;
}

static const struct {
    const char *name;
    enum gossipsub_version version;
} RPC_PROTOCOLS[] = {
    {"/meshsub/1.3.0", GOSSIPSUB_1_3}, {"/meshsub/1.2.0", GOSSIPSUB_1_2},
    {"/meshsub/1.1.0", GOSSIPSUB_1_1}, {"/meshsub/1.0.0", GOSSIPSUB_1_0},
    {"/floodsub/1.0.0", FLOODSUB},
};

/* The last one only if it is wanted. */
static size_t count_rpc_protocols(const struct peerlet *p)
{
    return ARRAY_LEN(RPC_PROTOCOLS) - !p->has_floodsub;
}

bool is_rpc_protocol(const struct peerlet *p, struct view protocol, enum gossipsub_version *version)
{
    for (size_t i = 0; i < count_rpc_protocols(p); i++)
        if (view_equals_text(protocol, RPC_PROTOCOLS[i].name)) {
            *version = RPC_PROTOCOLS[i].version;
            return true;
        }
    return false;
}

struct view rpc_protocol_of(const struct peerlet *p, const struct peer *peer,
                            enum gossipsub_version *version)
{
    for (size_t i = 0; i < count_rpc_protocols(p); i++)
        if (peer_speaks(peer, RPC_PROTOCOLS[i].name)) {
            *version = RPC_PROTOCOLS[i].version;
            return view_of_text(RPC_PROTOCOLS[i].name);
        }
    return view_of(NULL, 0);
}

static void add_name(struct views *into, struct view name)
{
    if (into->count < into->room)
        into->at[into->count++] = name;
}

void list_protocols(const struct peerlet *p, struct views *into)
{
    into->count = 0;
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (is_on(p, &SERVICES[i]))
            add_name(into, view_of_text(SERVICES[i].ops->name));
    for (size_t i = 0; p->has_gossip && i < count_rpc_protocols(p); i++)
        add_name(into, view_of_text(RPC_PROTOCOLS[i].name));
    LIST_EACH(node, &p->handlers) {
        struct handler *h = LIST_OWNER(node, struct handler, in_node);
        add_name(into, view_of((const uint8_t *)h->name, h->name_len));
    }
}

int peerlet_handle(struct peerlet *p, struct view protocol, uint32_t flags, uint32_t max_inbound,
                   uint32_t max_outbound, uint64_t now)
{
    p->now = now;
    enum gossipsub_version version;
    if (protocol.len == 0 || protocol.data[0] != '/' || memchr(protocol.data, '\n', protocol.len))
        return fail(p, ERR_BAD_ARGUMENT, "a protocol id begins with a slash and is one line");
    if (protocol.len > p->limits.protocol_name)
        return fail(p, ERR_BAD_ARGUMENT, "a protocol id has at most %u characters",
                    (unsigned)p->limits.protocol_name);
    if (handler_of(p, protocol) || service_of(p, protocol) ||
        (p->has_gossip && is_rpc_protocol(p, protocol, &version)))
        return fail(p, ERR_DUPLICATE, "%v has a handler already; call unhandle first", &protocol);
    uint32_t count = 0;
    LIST_EACH(node, &p->handlers)
        count++;
    if (count >= p->limits.handlers)
        return fail(p, ERR_FULL, "%u protocols are registered, the limit", (unsigned)count);
    struct handler *h = mem_alloc(&p->mem, sizeof *h + protocol.len);
    if (h == NULL)
        return fail(p, ERR_NOMEM, "out of memory");
    h->flags = flags;
    h->max_inbound = max_inbound ? max_inbound : p->limits.streams_protocol_in;
    h->max_outbound = max_outbound ? max_outbound : p->limits.streams_protocol_out;
    h->name_len = protocol.len;
    memcpy(h->name, protocol.data, protocol.len);
    list_add(&p->handlers, &h->in_node);
    self_updated(p);
    return 0;
}

int peerlet_unhandle(struct peerlet *p, struct view protocol, uint64_t now)
{
    p->now = now;
    struct handler *h = handler_of(p, protocol);
    if (h == NULL)
        return fail(p, ERR_NOT_FOUND, "%v has no handler", &protocol);
    list_remove(&h->in_node);
    mem_free(&p->mem, h);
    self_updated(p);
    return 0;
}
