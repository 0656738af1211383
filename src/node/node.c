#include "node/node.h"

#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "crypto/signature_check.h"

#include <stdarg.h>

#define VERSION "0.1.0"
#define TEXT_MAX (256u << 10)
/* Of a long RPC, for the fields beside the data; and of a stream's buffer, for what else waits in it. */
#define RPC_SPARE 4096

/* ---- small things everybody needs --------------------------------------------------------------- */

int fail(struct peerlet *p, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    p->reason_len = text_format_args(p->reason, sizeof p->reason, format, args);
    va_end(args);
    return code;
}

struct view peerlet_reason(const struct peerlet *p)
{
    return view_of((const uint8_t *)p->reason, p->reason_len);
}

void emit(struct peerlet *p, const struct peerlet_output *out)
{
    outputs_put(&p->outputs, out);
}

uint64_t unix_ms(const struct peerlet *p)
{
    return p->now + p->unix_offset;
}

struct conn *find_conn(const struct peerlet *p, uint32_t id)
{
    return table_find(&p->conns, id);
}

struct stream *find_stream(const struct peerlet *p, uint32_t id)
{
    return table_find(&p->streams, id);
}

struct peer_text peer_text(const struct peer_id *id)
{
    struct peer_text t;
    t.len = peer_id_format(id, t.text);
    return t;
}

int read_address(struct peerlet *p, struct view given, struct view *addr)
{
    int rc = multiaddr_check(given);
    if (rc != 0)
        return fail(p, rc, "%s", err_text(rc));
    struct writer clean = writer_of(p->address, sizeof p->address);
    multiaddr_normalize(given, &clean);
    *addr = writer_view(&clean);
    return 0;
}

/* ---- signatures that are checked outside ----------------------------------------------------------- */

bool order_verify(struct peerlet *p, uint32_t conn, uint32_t message, const struct public_key *key,
                  struct view bytes, struct view signature)
{
    struct signature_check check;
    if (signature_check_init(&check, key, signature) != 0)
        return false;
    struct verify *v = mem_alloc(&p->mem, sizeof *v);
    if (v == NULL)
        return false;
    v->job = ++p->last_job;
    v->conn = conn;
    v->message = message;
    list_add(&p->verifies, &v->in_node);
    uint8_t hash[SHA256_LEN];
    if (check.algorithm == SIGNATURE_SECP256K1) {
        sha256(bytes, hash);
        bytes = view_of(hash, sizeof hash);
    }
    emit(p, &(struct peerlet_output){
                .type = PEERLET_VERIFY,
                .id = v->job,
                .value = check.algorithm,
                .data = check.key,
                .text = bytes,
                .extra = view_of(check.signature, check.signature_len),
            });
    return true;
}

void peerlet_verified(struct peerlet *p, uint32_t job, bool is_valid, uint64_t now)
{
    p->now = now;
    LIST_EACH(node, &p->verifies) {
        struct verify *v = LIST_OWNER(node, struct verify, in_node);
        if (v->job != job)
            continue;
        struct conn *c = find_conn(p, v->conn);
        uint32_t message = v->message;
        list_remove(&v->in_node);
        mem_free(&p->mem, v);
        if (message != 0 && p->has_gossip)
            gossipsub_judge(&p->gossip, message, is_valid ? GOSSIPSUB_ACCEPT : GOSSIPSUB_REJECT,
                            now);
        struct span held;
        if (c == NULL)
            return;
        if (conn_verified(c, is_valid, &held) != 0)
            conn_end(p, c, ERR_BAD_SIGNATURE,
                     view_of_text("the peer could not prove its identity"));
        else
            conn_push_feed(
                p, (struct feed){
                       .kind = FEED_CONN, .conn = c->id, .channel = c->first_channel, .in = held});
        return;
    }
}

/* ---- life -------------------------------------------------------------------------------------------- */

static int make_identity(struct peerlet *p, struct view private_key)
{
    if (private_key.len == 0)
        identity_generate(&p->rng, &p->identity);
    else if (identity_parse(private_key, &p->identity) != 0)
        return ERR_BAD_PRIVATE_KEY;
    p->self = peer_id_of_identity(&p->identity);
    identity_public(&p->identity, p->public_key);
    peer_id_format(&p->self, p->self_text);
    return 0;
}

static struct gossipsub_config router_config(const struct peerlet_pubsub_config *c)
{
    struct gossipsub_config r = GOSSIPSUB_DEFAULTS;
    const uint32_t *wanted = c->numbers + PEERLET_PUBSUB_SWITCHES;
    _Static_assert(ARRAY_LEN(r.numbers) + PEERLET_PUBSUB_SWITCHES + 1 == PEERLET_PUBSUB_NUMBERS,
                   "the same in both, and longest_rpc");
    _Static_assert(offsetof(struct gossipsub_config, iwant_again_ms) == sizeof r.numbers,
                   "no number has a name only");
    for (size_t i = 0; i < ARRAY_LEN(r.numbers); i++)
        if (wanted[i] != 0)
            r.numbers[i] = wanted[i] - 1;
    /* What contradicts d, or how long messages are kept, gives way. */
    r.d_high = MAX(r.d_high, r.d);
    r.d_low = MIN(r.d_low, r.d);
    r.d_out = MIN(r.d_out, r.d);
    r.mcache_gossip = MIN(r.mcache_gossip, r.mcache_length);
    r.emit_self = c->emit_self != 0;
    r.exchange_peers = c->exchange_peers != 0;
    r.allow_no_peers = c->allow_no_peers != 0;
    r.signing =
        c->signing == PEERLET_STRICT_SIGN ? GOSSIPSUB_STRICT_SIGN : GOSSIPSUB_STRICT_NO_SIGN;
    _Static_assert((int)PEERLET_ID_GIVEN == (int)GOSSIPSUB_ID_GIVEN, "the same in both");
    r.message_id = (enum gossipsub_message_id)c->message_id;
    return r;
}

/* js-libp2p's option bounds what is read; here it says, too, what all others read. */
static void set_longest_rpc(struct peerlet_limits *l, uint32_t wanted)
{
    if (wanted == 0)
        return;
    l->rpc = MIN(l->rpc, MAX(wanted - 1, l->rpc_send));
    l->rpc_long = MIN(l->rpc, l->channel_out - RPC_SPARE);
    l->message = l->rpc_long - RPC_SPARE;
}

static int init(struct peerlet *p, const struct peerlet_config *config)
{
    p->rng = config->rng;
    p->log = config->log;
    p->services = config->services;
    p->page = config->page;
    p->no_auto_dial = config->no_auto_dial_discovered;
    p->unix_offset = config->unix_ms - p->now;
    p->tell_at = p->push_at = p->rpc_at = p->explicit_at = p->discovery.next_at = NEVER;
    addrbook_init(&p->peers, &p->mem, &p->limits);
    dialer_init(&p->dialer, &p->mem, &p->limits);
    table_init(&p->conns, &p->mem);
    table_init(&p->streams, &p->mem);
    buf_init(&p->text, &p->mem, TEXT_MAX);
    buf_init(&p->answer, &p->mem, TEXT_MAX);
    buf_init(&p->recipients, &p->mem, TEXT_MAX);
    buf_init(&p->discovery.topics, &p->mem, TEXT_MAX);
    list_init(&p->dirty);
    list_init(&p->handlers);
    list_init(&p->relays);
    list_init(&p->rtcs);
    list_init(&p->upgrades);
    list_init(&p->verifies);
    if (config->agent.len > 0)
        text_format(p->agent, sizeof p->agent, "%v", &config->agent);
    else
        text_format(p->agent, sizeof p->agent, "peerlet/%s", VERSION);
    int rc = outputs_init(&p->outputs, &p->mem, p->limits.outputs);
    if (rc == 0)
        rc = make_identity(p, config->private_key);
    if (rc != 0 || !(p->services & PEERLET_PUBSUB))
        return rc;
    struct gossipsub_config router = router_config(&config->pubsub);
    set_longest_rpc(&p->limits, config->pubsub.longest_rpc);
    p->gossip_on_limited = config->pubsub.on_limited != 0;
    p->has_floodsub = config->pubsub.fallback_to_floodsub != 0;
    rc = gossipsub_init(&p->gossip, &router, &p->identity, &p->mem, &p->rng, &p->limits, p->now,
                        config->unix_ms);
    p->has_gossip = rc == 0;
    return rc;
}

struct peerlet *peerlet_new(const struct peerlet_config *config, uint64_t now, int *error)
{
    crypto_init();
    const struct peerlet_limits *limits = config->limits ? config->limits : &PEERLET_LIMITS;
    struct mem mem = {.limit = limits->memory, .fail_nth = config->fail_nth};
    struct peerlet *p = mem_alloc(&mem, sizeof *p);
    *error = ERR_NOMEM;
    if (p == NULL)
        return NULL;
    p->mem = mem;
    p->limits = *limits;
    p->now = now;
    *error = init(p, config);
    if (*error == 0)
        return p;
    peerlet_delete(p);
    return NULL;
}

void close_conns(struct peerlet *p)
{
    uint32_t at = 0;
    struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL) {
        conn_end(p, c, 0, view_of_text("the node was stopped, or its page left"));
        at = 0;
    }
}

static void free_discovery(struct peerlet *p)
{
    buf_free(&p->discovery.topics);
    p->discovery.next_at = NEVER;
}

void peerlet_stop(struct peerlet *p, uint64_t now)
{
    p->now = now;
    p->is_started = p->is_offline = p->is_left = false;
    p->push_owed = false;
    p->tell_at = p->push_at = NEVER;
    LIST_EACH(node, &p->relays)
        LIST_OWNER(node, struct relay, in_node)->is_kept = false;
    LIST_EACH(node, &p->dialer.dials) {
        struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        dial->reason[0] = '\0';
        end_dial(p, dial, NULL, ERR_ABORTED);
    }
    close_conns(p);
    LIST_EACH(node, &p->upgrades) {
        struct upgrade *u = LIST_OWNER(node, struct upgrade, in_node);
        list_remove(node);
        u->peer->held--;
        mem_free(&p->mem, u);
    }
    LIST_EACH(node, &p->verifies) {
        list_remove(node);
        mem_free(&p->mem, LIST_OWNER(node, struct verify, in_node));
    }
    LIST_EACH(node, &p->relays)
        relay_free(p, LIST_OWNER(node, struct relay, in_node));
    free_discovery(p);
}

void peerlet_delete(struct peerlet *p)
{
    if (p == NULL)
        return;
    if (p->conns.mem != NULL)
        peerlet_stop(p, p->now);
    if (p->has_gossip)
        gossipsub_free(&p->gossip);
    LIST_EACH(node, &p->handlers)
        mem_free(&p->mem, LIST_OWNER(node, struct handler, in_node));
    dialer_free(&p->dialer);
    addrbook_free(&p->peers);
    outputs_free(&p->outputs);
    table_free(&p->conns);
    table_free(&p->streams);
    buf_free(&p->text);
    buf_free(&p->answer);
    buf_free(&p->recipients);
    identity_free(&p->identity);
    struct mem mem = p->mem;
    mem_free_secret(&mem, p);
}

void peerlet_start(struct peerlet *p, uint64_t now)
{
    p->now = now;
    p->is_started = true;
    p->explicit_at = now;
    self_updated(p);
    peerlet_tick(p, now);
}

void peerlet_clock(struct peerlet *p, uint64_t time_of_day, uint64_t now)
{
    p->now = now;
    p->unix_offset = time_of_day - now;
}

const struct mem *peerlet_memory(const struct peerlet *p)
{
    return &p->mem;
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static void release_sent(struct peerlet *p)
{
    struct conn *c = p->sent;
    p->sent = NULL;
    if (c == NULL)
        return;
    conn_sent(c);
    conn_mark(p, c);
}

bool peerlet_next(struct peerlet *p, struct peerlet_output *out)
{
    *out = (struct peerlet_output){0};
    release_sent(p);
    p->has_direct = false;
    if (outputs_take(&p->outputs, out) || conns_feed(p, out) || gossip_next(p, out))
        return true;
    run_dials(p);
    if (outputs_take(&p->outputs, out))
        return true;
    do {
        if (conns_drain(p, out))
            return true;
    } while (gossip_drain(p));
    return false;
}

uint64_t peerlet_deadline(const struct peerlet *p)
{
    if (!p->is_started)
        return NEVER;
    uint64_t at = conns_deadline(p);
    at = earlier(at, dials_deadline(p));
    at = earlier(at, relays_deadline(p));
    at = earlier(at, direct_deadline(p));
    at = earlier(at, pushes_deadline(p));
    return earlier(at, gossip_deadline(p));
}

void peerlet_tick(struct peerlet *p, uint64_t now)
{
    p->now = now;
    if (!p->is_started)
        return;
    conns_tick(p);
    relays_tick(p);
    direct_tick(p);
    pushes_tick(p);
    gossip_tick(p);
}

/* ---- inputs about links ---------------------------------------------------------------------------------- */

void peerlet_link_bytes(struct peerlet *p, uint32_t link, uint32_t channel, struct span bytes,
                        uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, link);
    if (c == NULL || bytes.len == 0)
        return;
    c->heard_at = now;
    conn_push_feed(p,
                   (struct feed){.kind = FEED_CONN, .conn = link, .channel = channel, .in = bytes});
}

void peerlet_channel_ended(struct peerlet *p, uint32_t link, uint32_t channel,
                           enum peerlet_channel_end end, uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, link);
    if (c != NULL && conn_channel_ended(c, channel, end))
        conn_push_feed(p, (struct feed){.kind = FEED_CONN, .conn = link, .channel = channel});
}

void peerlet_link_room(struct peerlet *p, uint32_t link, uint32_t channel, size_t room,
                       uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, link);
    if (c == NULL)
        return;
    conn_room(c, channel, room, now);
    conn_mark(p, c);
}

void peerlet_link_closed(struct peerlet *p, uint32_t link, uint32_t channel, struct view why,
                         uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, link);
    if (c == NULL)
        return;
    conn_mark(p, c);
    if (channel != 0) {
        conn_channel_closed(c, channel);
        return;
    }
    bool was_open = conn_is_ready(c);
    struct view reason = why.len > 0 ? why
                         : was_open  ? view_of_text("the connection was closed")
                                     : view_of_text("nobody answers there, or the browser "
                                                     "refuses it; see the console");
    char text[224];
    if (!was_open && c->link.kind == LINK_SESSION) {
        size_t len = text_format(text, sizeof text,
                                 "WebTransport failed (%v); is the certhash still right? "
                                 "Certificates last two weeks",
                                 &reason);
        reason = view_of((const uint8_t *)text, len);
    }
    conn_end(p, c, c->is_closing ? 0 : was_open ? ERR_CLOSED : ERR_TRANSPORT, reason);
}
