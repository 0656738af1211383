#include "sim/node.h"

#include "base/cursor.h"
#include "multiformats/multiaddr.h"
#include "sim/cable.h"
#include "sim/relay.h"
#include "sim/rtc.h"
#include "sim/server.h"
#include "sim/zone.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define DISCOVERY_TOPIC "_peer-discovery._p2p._pubsub"

/* What an echo stream holds that did not fit back into it. */
#define UNSENT_MAX (8u << 20)

/* An alarm that rings so often at one instant would ring for ever. */
#define STUCK 1000

static void copy_text(char *out, size_t room, struct view text)
{
    size_t len = MIN(text.len, room - 1);
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

static void copy_address(char *out, size_t room, struct view addr)
{
    struct writer w = writer_of((uint8_t *)out, room - 1);
    int rc = multiaddr_format(addr, &w);
    assert(rc == 0);
    out[w.len] = '\0';
}

/* A list of addresses, one a line. */
static void copy_addresses(char *out, size_t room, struct view list)
{
    struct cursor c = cursor_of(list);
    struct writer w = writer_of((uint8_t *)out, room - 1);
    while (c.rest.len > 0) {
        put_text(&w, w.len > 0 ? "\n" : "");
        int rc = multiaddr_format(take_delimited(&c, MULTIADDR_MAX_LEN), &w);
        assert(rc == 0);
    }
    out[w.len] = '\0';
}

static const char *room_of(const struct node *n)
{
    return n->config.room != NULL ? n->config.room : "room";
}

/* ---- what the person remembers --------------------------------------------------------------- */

static struct node_conn *find_conn(const struct node *n, uint32_t id)
{
    LIST_EACH(node, &n->conns) {
        struct node_conn *c = LIST_OWNER(node, struct node_conn, in_node);
        if (c->id == id)
            return c;
    }
    return NULL;
}

static struct node_dial *find_dial(const struct node *n, uint32_t id)
{
    LIST_EACH(node, &n->dials) {
        struct node_dial *d = LIST_OWNER(node, struct node_dial, in_node);
        if (d->id == id)
            return d;
    }
    return NULL;
}

static struct node_stream *find_stream(const struct node *n, uint32_t id)
{
    LIST_EACH(node, &n->streams) {
        struct node_stream *s = LIST_OWNER(node, struct node_stream, in_node);
        if (s->id == id)
            return s;
    }
    return NULL;
}

static void conn_opened(struct node *n, const struct peerlet_output *out)
{
    struct node_conn *c = sim_alloc(n->host.sim, sizeof *c);
    c->id = out->id;
    c->flags = out->value;
    copy_text(c->peer, sizeof c->peer, out->peer);
    copy_address(c->address, sizeof c->address, out->data);
    list_add(&n->conns, &c->in_node);
}

static void conn_closed(struct node *n, uint32_t id)
{
    struct node_conn *c = find_conn(n, id);
    assert(c != NULL);
    list_remove(&c->in_node);
    mem_free(&n->host.sim->mem, c);
}

static void relay_changed(struct node *n, const struct peerlet_output *out)
{
    struct node_relay *r = NULL;
    LIST_EACH(node, &n->relays) {
        struct node_relay *known = LIST_OWNER(node, struct node_relay, in_node);
        if (view_equals_text(out->peer, known->peer))
            r = known;
    }
    if (r == NULL) {
        r = sim_alloc(n->host.sim, sizeof *r);
        copy_text(r->peer, sizeof r->peer, out->peer);
        list_add(&n->relays, &r->in_node);
    }
    r->state = (enum peerlet_relay_state)out->value;
    r->code = out->code;
    r->since = n->host.sim->now;
    if (out->data.len > 0)
        copy_address(r->text, sizeof r->text, out->data);
    else
        copy_text(r->text, sizeof r->text, out->text);
}

static void dial_over(struct node *n, const struct peerlet_output *out, uint32_t conn)
{
    struct node_dial *d = find_dial(n, out->id);
    if (d == NULL)
        return;
    assert(!d->is_over);
    d->is_over = true;
    d->code = out->code;
    d->conn = conn;
    copy_text(d->text, sizeof d->text, out->text);
}

static void heard(struct node *n, const struct peerlet_output *out)
{
    if (!view_equals_text(out->text, room_of(n)))
        return;
    struct node_message *m = &n->heard[n->messages++ % NODE_HEARD];
    m->len = out->data.len;
    if (m->len > 0)
        memcpy(m->bytes, out->data.data, MIN(m->len, sizeof m->bytes));
    n->message_bytes += m->len;
    struct cursor c = cursor_of(view_of(m->bytes, MIN(m->len, sizeof m->bytes)));
    uint32_t number = take_u32be(&c);
    n->numbers += number;
    if (n->config.heard_at == NULL)
        return;
    assert(number < n->config.heard_room);
    if (n->config.heard_at[number] != 0) {
        fprintf(stderr, "message %u was given out twice\n", (unsigned)number);
        abort();
    }
    n->config.heard_at[number] = (uint32_t)n->host.sim->now;
}

/* ---- echo streams ---------------------------------------------------------------------------- */

static uint8_t pattern_byte(size_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

static struct node_stream *add_stream(struct node *n, uint32_t id, uint32_t conn, enum role role)
{
    struct node_stream *s = sim_alloc(n->host.sim, sizeof *s);
    s->id = id;
    s->conn = conn;
    s->role = role;
    s->is_intact = true;
    buf_init(&s->unsent, &n->host.sim->mem, UNSENT_MAX);
    list_add(&n->streams, &s->in_node);
    return s;
}

static void stream_opened(struct node *n, const struct peerlet_output *out)
{
    struct node_stream *s = find_stream(n, out->id);
    if (s == NULL)
        s = add_stream(n, out->id, out->channel, (enum role)out->value);
    s->is_open = true;
}

static void stream_data(struct node *n, const struct peerlet_output *out)
{
    struct node_stream *s = find_stream(n, out->id);
    if (s == NULL)
        return;
    if (s->role == LISTENER) {
        int rc = buf_append(&s->unsent, out->data);
        assert(rc == 0);
        (void)rc;
        s->to_send += out->data.len;
        return;
    }
    for (size_t i = 0; i < out->data.len; i++)
        s->is_intact &= out->data.data[i] == pattern_byte(s->received + i);
    s->received += out->data.len;
    s->untaken += out->data.len;
}

static void stream_closed(struct node *n, uint32_t id, int code)
{
    struct node_stream *s = find_stream(n, id);
    if (s == NULL)
        return;
    s->is_open = false;
    s->is_closed = true;
    s->code = code;
}

/* ---- the driver ------------------------------------------------------------------------------ */

/* "ws://10.0.0.1:4001/": who is there, or null. */
static struct host *host_of_url(const struct sim *s, struct view url)
{
    char text[128];
    unsigned high, low, port;
    copy_text(text, sizeof text, url);
    if (sscanf(text, "ws://10.0.%u.%u:%u", &high, &low, &port) != 3 || port != RELAY_PORT)
        return NULL;
    return sim_host_at(s, high, low);
}

/* Nobody at an address is silence, as behind most firewalls; without a network it fails at once. */
static void open_socket(struct node *n, uint32_t link, struct view url)
{
    struct host *to = host_of_url(n->host.sim, url);
    if (to == NULL)
        return;
    struct end *e = cable_dial(&n->host, to, CABLE_SOCKET, link, 0, (struct view){0});
    if (n->host.is_offline)
        end_fail(e);
}

static void send_bytes(struct node *n, const struct peerlet_output *out)
{
    struct end *e = host_end(&n->host, out->id, out->channel);
    if (e == NULL)
        return;
    assert(e->is_open);
    assert(out->data.len <= e->room_told);
    end_send(e, out->data);
}

/* Whoever reads no more hears no more either: the end of it comes at once. */
static void close_channel(struct node *n, const struct peerlet_output *out)
{
    struct end *e = host_end(&n->host, out->id, out->channel);
    if (e == NULL)
        return;
    if (out->value == PEERLET_CLOSE || out->value == PEERLET_RESET) {
        end_close(e);
        return;
    }
    end_half(e, out->value);
    if (out->value == PEERLET_END_READ)
        sim_plan(n->host.sim,
                 (struct event){.at = n->host.sim->now,
                                .type = EVENT_ENDED,
                                .id = e->id,
                                .to = &n->host,
                                .value = PEERLET_END_WRITE},
                 (struct view){0});
}

static void open_session(struct node *n, uint32_t link, struct view url, struct view hashes)
{
    char text[128];
    unsigned high, low, port;
    copy_text(text, sizeof text, url);
    int read = sscanf(text, "https://10.0.%u.%u:%u/.well-known/libp2p-webtransport?type=noise",
                      &high, &low, &port);
    assert(read == 3);
    (void)read;
    struct host *to = sim_host_at(n->host.sim, high, low);
    if (to == NULL || port != SERVER_PORT)
        return;
    struct end *e = cable_dial(&n->host, to, CABLE_SESSION, link, 0, (struct view){0});
    if (n->host.is_offline || !server_has_certificate(to, hashes))
        end_fail(e);
}

static void open_channel(struct node *n, const struct peerlet_output *out)
{
    struct end *session = host_end(&n->host, out->id, 0);
    if (session == NULL || session->kind != CABLE_SESSION) {
        rtc_open_channel(&n->host, out->id, out->channel,
                         out->value == 1 ? view_of_text(SERVER_FIRST) : out->text);
        return;
    }
    struct end *far = end_far(session);
    struct end *e =
        cable_dial(&n->host, session->far, CABLE_STREAM, out->id, out->channel, (struct view){0});
    end_far(e)->link = far != NULL ? far->link : 0;
}

static void perform(struct node *n, const struct peerlet_output *out)
{
    struct host *h = &n->host;
    switch (out->type) {
    case PEERLET_NOTHING:
    case PEERLET_VERIFY: /* every key of the simulated network is an Ed25519 one */
        assert(false);
        break;
    case PEERLET_OPEN_SOCKET:
        open_socket(n, out->id, out->text);
        break;
    case PEERLET_OPEN_SESSION:
        open_session(n, out->id, out->text, out->data);
        break;
    case PEERLET_PAUSE_CHANNEL:
        assert(host_end(h, out->id, out->channel) != NULL);
        end_pause(host_end(h, out->id, out->channel), out->value == 1);
        break;
    case PEERLET_OPEN_RTC:
        rtc_open(h, out->id);
        break;
    case PEERLET_OPEN_CHANNEL:
        open_channel(n, out);
        break;
    case PEERLET_RTC_OFFER:
        rtc_offer(h, out->id, out->text);
        break;
    case PEERLET_RTC_REMOTE:
        rtc_remote(h, out->id, out->value == 0 ? DIALER : LISTENER, out->text);
        break;
    case PEERLET_RTC_CANDIDATE:
        rtc_candidate(h, out->id, out->text);
        break;
    case PEERLET_LOOKUP:
        zone_ask(h, out->id, out->text);
        break;
    case PEERLET_SEND:
        send_bytes(n, out);
        break;
    case PEERLET_CLOSE_CHANNEL:
        close_channel(n, out);
        break;
    case PEERLET_CLOSE_LINK:
        if (!rtc_close(h, out->id))
            cable_close_link(h, out->id);
        break;
    case PEERLET_SELF_UPDATED:
        copy_addresses(n->addresses, sizeof n->addresses, out->data);
        break;
    case PEERLET_PEER_DISCOVERED:
        n->discovered++;
        break;
    case PEERLET_PEER_CONNECTED:
        n->connected++;
        break;
    case PEERLET_PEER_DISCONNECTED:
        n->disconnected++;
        break;
    case PEERLET_CONN_OPENED:
        conn_opened(n, out);
        break;
    case PEERLET_CONN_CLOSED:
        conn_closed(n, out->id);
        break;
    case PEERLET_CONN_RTT:
        if (find_conn(n, out->id) != NULL)
            find_conn(n, out->id)->rtt_ms = out->value;
        break;
    case PEERLET_DIALED:
        dial_over(n, out, out->channel);
        break;
    case PEERLET_DIAL_FAILED:
        assert(out->code != 0 && out->text.len > 0);
        dial_over(n, out, 0);
        break;
    case PEERLET_STREAM_OPENED:
        stream_opened(n, out);
        break;
    case PEERLET_STREAM_DATA:
        stream_data(n, out);
        break;
    case PEERLET_STREAM_ENDED:
        if (find_stream(n, out->id) != NULL)
            find_stream(n, out->id)->is_ended = true;
        break;
    case PEERLET_STREAM_CLOSED:
        stream_closed(n, out->id, out->code);
        break;
    case PEERLET_MESSAGE:
        heard(n, out);
        break;
    case PEERLET_RELAY:
        relay_changed(n, out);
        break;
    case PEERLET_NETWORK:
        n->is_online = out->value != 0;
        break;
    case PEERLET_PINGED:
        n->pings += out->code == 0;
        break;
    case PEERLET_STREAM_ROOM:
    case PEERLET_PEER_IDENTIFIED:
    case PEERLET_DIAL_PROGRESS:
    case PEERLET_NAME:
    case PEERLET_SUBSCRIPTION:
    case PEERLET_MESH:
    case PEERLET_HEARTBEAT:
        break;
    }
}

/* Chatter of a loud world: what was said to which node, and what it said. */
static void chat(const struct node *n, const char *what, unsigned type, uint32_t id,
                 uint32_t channel, struct view text, size_t len)
{
    if (n->host.sim->is_loud)
        fprintf(stderr, "%8u node %u %s %u: %u.%u %.*s (%u bytes)\n", (unsigned)n->host.sim->now,
                n->host.number, what, type, id, channel, (int)text.len, (const char *)text.data,
                (unsigned)len);
}

static struct input_result apply(struct node *n, const struct input *in)
{
    struct told told;
    const struct input *meant = told_of(&told, in);
    if (n->recording != NULL)
        recording_input(n->recording, meant, n->host.sim->now);
    chat(n, input_name(in->type), in->type, in->id, in->channel, in->text, in->bytes.len);
    return input_apply(n->p, meant, n->host.sim->now);
}

static void drain(struct node *n)
{
    struct peerlet_output out;
    if (n->recording != NULL)
        recording_drain(n->recording);
    while (peerlet_next(n->p, &out)) {
        n->outputs++;
        uint64_t digest = output_digest(n->host.sim->hash, &out);
        sim_note(n->host.sim, digest);
        if (n->recording != NULL)
            recording_output(n->recording, &out);
        chat(n, "output", out.type, out.id, out.channel, out.text, out.data.len);
        perform(n, &out);
    }
}

/* ---- the application answers what it heard ------------------------------------------------------ */

static size_t write_stream(struct node *n, struct node_stream *s, struct span bytes)
{
    struct input_result r =
        apply(n, &(struct input){.type = INPUT_STREAM_WRITE, .id = s->id, .bytes = bytes});
    drain(n);
    assert(r.code <= (int)bytes.len);
    if (r.code <= 0)
        return 0;
    s->sent += (size_t)r.code;
    return (size_t)r.code;
}

static size_t write_more(struct node *n, struct node_stream *s)
{
    uint8_t bytes[1024];
    if (s->role == LISTENER)
        return write_stream(n, s, buf_span(&s->unsent));
    size_t len = MIN(sizeof bytes, s->to_send - s->sent);
    for (size_t i = 0; i < len; i++)
        bytes[i] = pattern_byte(s->sent + i);
    return write_stream(n, s, span_of(bytes, len));
}

static void tell(struct node *n, struct input in)
{
    apply(n, &in);
    drain(n);
}

static void go_on(struct node *n, struct node_stream *s)
{
    size_t len;
    while (s->is_open && !s->is_mute && s->sent < s->to_send && (len = write_more(n, s)) > 0) {
        if (s->role == LISTENER) {
            buf_take(&s->unsent, len);
            s->untaken += len;
        }
    }
    if (s->is_open && s->untaken > 0 && !s->is_stalled) {
        tell(n, (struct input){.type = INPUT_STREAM_TOOK, .id = s->id, .value = s->untaken});
        s->untaken = 0;
    }
    bool is_finished = s->role == LISTENER ? s->is_ended : s->close_after;
    if (s->is_open && is_finished && !s->has_closed && s->sent == s->to_send) {
        s->has_closed = true;
        tell(n, (struct input){.type = INPUT_STREAM_CLOSE_WRITE, .id = s->id});
    }
}

static void settle(struct node *n)
{
    drain(n);
    LIST_EACH(node, &n->streams)
        go_on(n, LIST_OWNER(node, struct node_stream, in_node));
    if (n->p != NULL)
        host_set_alarm(&n->host, peerlet_deadline(n->p));
}

struct input_result node_tell(struct node *n, const struct input *in)
{
    if (n->p == NULL)
        return (struct input_result){ERR_CLOSED, 0};
    struct input_result r = apply(n, in);
    settle(n);
    return r;
}

/* ---- what the world does to it ----------------------------------------------------------------- */

static void on_alarm(struct host *h)
{
    struct node *n = node_of_host(h);
    if (n->p == NULL)
        return;
    n->stuck_count = n->stuck_at == h->sim->now ? n->stuck_count + 1 : 0;
    n->stuck_at = h->sim->now;
    assert(n->stuck_count < STUCK);
    if (is_due(peerlet_deadline(n->p), h->sim->now))
        node_tell(n, &(struct input){.type = INPUT_TICK});
    else
        host_set_alarm(h, peerlet_deadline(n->p));
}

static void on_channel(struct host *h, struct end *e, struct view label)
{
    struct node *n = node_of_host(h);
    if (n->p == NULL)
        return;
    struct input_result r = apply(
        n, &(struct input){
               .type = INPUT_CHANNEL_INCOMING, .id = e->link, .text = label, .value = end_room(e)});
    e->channel = r.id;
    if (r.id == 0)
        end_close(e);
    settle(n);
}

static void on_opened(struct host *h, struct end *e)
{
    node_tell(node_of_host(h), &(struct input){.type = INPUT_LINK_OPENED,
                                               .id = e->link,
                                               .channel = e->channel,
                                               .value = end_room(e)});
}

static void on_bytes(struct host *h, struct end *e, struct span bytes)
{
    node_tell(node_of_host(h),
              &(struct input){
                  .type = INPUT_LINK_BYTES, .id = e->link, .channel = e->channel, .bytes = bytes});
}

static void on_room(struct host *h, struct end *e, size_t room)
{
    node_tell(node_of_host(h),
              &(struct input){
                  .type = INPUT_LINK_ROOM, .id = e->link, .channel = e->channel, .value = room});
}

static void on_ended(struct host *h, struct end *e, uint32_t end)
{
    node_tell(node_of_host(h),
              &(struct input){
                  .type = INPUT_CHANNEL_ENDED, .id = e->link, .channel = e->channel, .value = end});
}

static void on_closed(struct host *h, struct end *e, struct view why)
{
    node_tell(node_of_host(h),
              &(struct input){
                  .type = INPUT_LINK_CLOSED, .id = e->link, .channel = e->channel, .text = why});
}

static void on_found(struct host *h, uint32_t lookup, struct span list, struct view why)
{
    node_tell(node_of_host(h),
              &(struct input){.type = INPUT_FOUND, .id = lookup, .bytes = list, .text = why});
}

static void forget_all(struct node *n)
{
    struct mem *mem = &n->host.sim->mem;
    LIST_EACH(node, &n->conns)
        mem_free(mem, LIST_OWNER(node, struct node_conn, in_node));
    LIST_EACH(node, &n->relays)
        mem_free(mem, LIST_OWNER(node, struct node_relay, in_node));
    LIST_EACH(node, &n->dials)
        mem_free(mem, LIST_OWNER(node, struct node_dial, in_node));
    LIST_EACH(node, &n->streams) {
        struct node_stream *s = LIST_OWNER(node, struct node_stream, in_node);
        buf_free(&s->unsent);
        mem_free(mem, s);
    }
    list_init(&n->conns);
    list_init(&n->relays);
    list_init(&n->dials);
    list_init(&n->streams);
}

void node_end(struct node *n)
{
    if (n->p == NULL)
        return;
    if (n->recording != NULL)
        recording_end(n->recording);
    peerlet_delete(n->p);
    n->p = NULL;
    n->host.is_down = true;
}

static void on_free(struct host *h)
{
    struct node *n = node_of_host(h);
    node_end(n);
    forget_all(n);
    if (n->recording != NULL)
        recording_free(n->recording);
    mem_free(&h->sim->mem, n->recording);
    mem_free(&h->sim->mem, n);
}

static const struct host_ops NODE_OPS = {
    .alarm = on_alarm,
    .accept = on_channel,
    .opened = on_opened,
    .bytes = on_bytes,
    .room = on_room,
    .ended = on_ended,
    .closed = on_closed,
    .found = on_found,
    .free = on_free,
};

bool host_is_node(const struct host *h)
{
    return h->ops == &NODE_OPS;
}

/* ---- opening a page -------------------------------------------------------------------------- */

static void log_line_out(void *context, enum log_level level, const char *text, size_t len)
{
    const struct node *n = context;
    fprintf(stderr, "%8u node %u %u: %.*s\n", (unsigned)n->host.sim->now, n->host.number,
            (unsigned)level, (int)len, text);
}

/* Out of memory once is no reason to give up. */
static void must(struct node *n, struct input in)
{
    struct input_result r = node_tell(n, &in);
    if (r.code < 0 && n->config.fail_nth != 0)
        r = node_tell(n, &in);
    if (r.code < 0) {
        struct view why = peerlet_reason(n->p);
        fprintf(stderr, "%s: %s: %.*s\n", input_name(in.type), err_name(r.code), (int)why.len,
                (const char *)why.data);
    }
    assert(r.code >= 0);
}

static void fill_recorded(void *context, uint8_t *out, size_t len)
{
    struct node *n = context;
    const struct rng rng = sim_rng(&n->chance);
    rng_fill(&rng, out, len);
    recording_random(n->recording, view_of(out, len));
}

static void configure(struct node *n)
{
    const struct node_config *c = &n->config;
    const char *listen = c->listen != NULL ? c->listen : "/p2p-circuit";
    if (listen[0] != '\0')
        must(n, (struct input){.type = INPUT_LISTEN, .text = view_of_text(listen)});
    if ((c->services_off & PEERLET_WEBRTC) == 0)
        must(n, (struct input){.type = INPUT_LISTEN, .text = view_of_text("/webrtc")});
    if (c->bootstrap != NULL)
        must(n, (struct input){.type = INPUT_BOOTSTRAP, .text = view_of_text(c->bootstrap)});
    for (size_t i = 0; i < NODE_RELAYS; i++)
        if (c->relays[i] != NULL)
            must(n, (struct input){.type = INPUT_BOOTSTRAP,
                                   .text = view_of_text(relay_address(c->relays[i]))});
    if ((c->services_off & PEERLET_PUBSUB) != 0)
        return;
    for (size_t i = 0; i < NODE_RELAYS && !c->is_undiscoverable; i++) {
        const char *topic = i == 0 && c->discovery[i] == NULL ? DISCOVERY_TOPIC : c->discovery[i];
        if (topic != NULL)
            must(n, (struct input){.type = INPUT_DISCOVER, .text = view_of_text(topic)});
    }
    must(n, (struct input){.type = INPUT_SUBSCRIBE, .text = view_of_text(room_of(n))});
}

void node_start(struct node *n)
{
    configure(n);
    must(n, (struct input){.type = INPUT_START});
}

struct node *sim_node(struct sim *s, const struct node_config *config)
{
    struct node *n = sim_alloc(s, sizeof *n);
    n->config = *config;
    n->is_online = true;
    n->chance = sim_seed(s);
    host_init(&n->host, s, &NODE_OPS);
    n->host.path = config->path;
    if (n->host.path.latency_ms == 0)
        n->host.path.latency_ms = 5;
    list_init(&n->conns);
    list_init(&n->relays);
    list_init(&n->dials);
    list_init(&n->streams);
    struct peerlet_config core = {
        .limits = config->limits,
        .rng = sim_rng(&n->chance),
        .log = {s->is_loud ? log_line_out : NULL, n, LOG_DEBUG},
        .unix_ms = s->epoch_ms + s->now,
        .services = PEERLET_ALL & ~config->services_off,
        .page = PEERLET_PAGE_PRIVATE,
        .no_auto_dial_discovered = config->is_loner,
        .pubsub.on_limited = config->talks_relayed,
        .fail_nth = config->fail_nth,
    };
    if (s->is_recording && config->limits == NULL && config->fail_nth == 0) {
        n->recording = sim_alloc(s, sizeof *n->recording);
        recording_init(n->recording, &s->mem, &core, RECORDING_KEY_MADE, s->now);
        core.rng = (struct rng){fill_recorded, n};
    }
    int error = 0;
    n->p = peerlet_new(&core, s->now, &error);
    if (n->p == NULL) {
        assert(error == ERR_NOMEM && config->fail_nth != 0);
        return NULL;
    }
    copy_text(n->id, sizeof n->id, peerlet_peer_id(n->p));
    must(n, (struct input){.type = INPUT_HANDLE,
                           .flags = PEERLET_ON_LIMITED,
                           .text = view_of_text(NODE_ECHO)});
    node_start(n);
    return n;
}

struct node *sim_page(struct sim *s, struct relay *relay)
{
    return sim_node(s, &(struct node_config){.relays = {relay}});
}

/* ---- what a person does ---------------------------------------------------------------------- */

int node_say(struct node *n, const char *text)
{
    uint8_t bytes[256];
    size_t len = strlen(text);
    assert(len <= sizeof bytes);
    memcpy(bytes, text, len);
    return node_tell(n, &(struct input){.type = INPUT_PUBLISH,
                                        .text = view_of_text(room_of(n)),
                                        .bytes = span_of(bytes, len)})
        .code;
}

int node_say_number(struct node *n, uint32_t number, size_t len)
{
    uint8_t *bytes = sim_alloc(n->host.sim, len);
    assert(len >= 4);
    for (size_t i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (24 - 8 * i));
    int rc = node_tell(n, &(struct input){.type = INPUT_PUBLISH,
                                          .text = view_of_text(room_of(n)),
                                          .bytes = span_of(bytes, len)})
                 .code;
    mem_free(&n->host.sim->mem, bytes);
    return rc;
}

struct node_dial *node_dial(struct node *n, const char *targets)
{
    struct node_dial *d = sim_alloc(n->host.sim, sizeof *d);
    list_add(&n->dials, &d->in_node);
    /* Its number is known before what becomes of it is told. */
    struct input_result r =
        apply(n, &(struct input){.type = INPUT_DIAL, .text = view_of_text(targets)});
    d->id = r.id;
    if (r.code < 0) {
        list_remove(&d->in_node);
        mem_free(&n->host.sim->mem, d);
        d = NULL;
    }
    settle(n);
    return d;
}

void node_abort(struct node *n, uint32_t conn)
{
    node_tell(n, &(struct input){.type = INPUT_CONN_CLOSE, .id = conn, .flags = 1});
}

void node_hang_up(struct node *n, const struct node *peer)
{
    node_tell(n, &(struct input){.type = INPUT_HANG_UP, .text = view_of_text(peer->id)});
}

/* Direct before relayed before limited. */
static const struct node_conn *best_conn(const struct node *n, const char *peer)
{
    static const uint32_t WITHOUT[] = {PEERLET_CONN_RELAYED, PEERLET_CONN_LIMITED, 0};
    const struct node_conn *c = NULL;
    for (size_t i = 0; c == NULL && i < ARRAY_LEN(WITHOUT); i++)
        c = node_conn_to(n, peer, 0, WITHOUT[i]);
    return c;
}

static struct node_stream *open_on(struct node *n, const struct node_conn *c)
{
    uint32_t flags = (c->flags & PEERLET_CONN_LIMITED) != 0 ? PEERLET_ON_LIMITED : 0;
    struct input_result r = apply(n, &(struct input){.type = INPUT_STREAM_OPEN,
                                                     .id = c->id,
                                                     .flags = flags,
                                                     .text = view_of_text(NODE_ECHO)});
    struct node_stream *s = r.code < 0 ? NULL : add_stream(n, r.id, c->id, DIALER);
    settle(n);
    return s;
}

int node_ping(struct node *n, const char *peer)
{
    const struct node_conn *c = best_conn(n, peer);
    if (c == NULL)
        return ERR_CLOSED;
    struct input_result r = node_tell(n, &(struct input){.type = INPUT_PING, .id = c->id});
    return MIN(r.code, 0);
}

struct node_stream *node_open_on(struct node *n, uint32_t conn)
{
    return open_on(n, find_conn(n, conn));
}

struct node_stream *node_open(struct node *n, const struct node *peer)
{
    const struct node_conn *c = best_conn(n, peer->id);
    return c != NULL ? open_on(n, c) : NULL;
}

void node_send(struct node *n, struct node_stream *s, size_t len)
{
    s->to_send += len;
    settle(n);
}

void node_close(struct node *n, struct node_stream *s)
{
    s->close_after = true;
    settle(n);
}

static void page_event(struct node *n, enum peerlet_page_event event)
{
    node_tell(n, &(struct input){.type = INPUT_PAGE_EVENT, .value = event});
}

void node_go_offline(struct node *n)
{
    host_disconnect(&n->host);
    page_event(n, PEERLET_OFFLINE);
}

void node_go_online(struct node *n)
{
    host_reconnect(&n->host);
    page_event(n, PEERLET_ONLINE);
}

void node_hide(struct node *n, uint32_t alarm_step_ms)
{
    n->host.alarm_step_ms = alarm_step_ms;
    page_event(n, PEERLET_HIDDEN);
}

void node_show(struct node *n)
{
    n->host.alarm_step_ms = 0;
    page_event(n, PEERLET_VISIBLE);
}

void node_freeze(struct node *n)
{
    page_event(n, PEERLET_FROZEN);
    host_freeze(&n->host);
}

void node_resume(struct node *n)
{
    host_thaw(&n->host);
    page_event(n, PEERLET_RESUMED);
}

void node_sleep(struct node *n)
{
    host_disconnect(&n->host);
    host_freeze(&n->host);
}

void node_wake(struct node *n)
{
    struct sim *s = n->host.sim;
    host_thaw(&n->host);
    host_reconnect(&n->host);
    page_event(n, PEERLET_RESUMED);
    node_tell(n, &(struct input){.type = INPUT_CLOCK, .value = s->epoch_ms + s->now});
}

void node_turn_away(struct node *n)
{
    page_event(n, PEERLET_PAGE_HIDE);
    host_freeze(&n->host);
}

void node_turn_back(struct node *n)
{
    host_thaw(&n->host);
    page_event(n, PEERLET_PAGE_SHOW);
}

void node_stop(struct node *n)
{
    node_tell(n, &(struct input){.type = INPUT_STOP});
}

void node_leave(struct node *n)
{
    page_event(n, PEERLET_PAGE_HIDE);
    node_end(n);
}

void node_crash(struct node *n)
{
    node_end(n);
    cable_close_all(&n->host);
    rtc_close_all(&n->host);
}

void node_vanish(struct node *n)
{
    host_disconnect(&n->host);
    host_freeze(&n->host);
}

/* ---- what a person sees ---------------------------------------------------------------------- */

const struct node_conn *node_conn_to(const struct node *n, const char *peer, uint32_t with,
                                     uint32_t without)
{
    LIST_EACH(node, &n->conns) {
        const struct node_conn *c = LIST_OWNER(node, struct node_conn, in_node);
        if (strcmp(c->peer, peer) == 0 && (c->flags & with) == with && (c->flags & without) == 0)
            return c;
    }
    return NULL;
}

bool node_is_connected_to(const struct node *n, const struct node *peer)
{
    return node_conn_to(n, peer->id, 0, 0) != NULL;
}

bool node_is_direct_to(const struct node *n, const struct node *peer)
{
    return node_conn_to(n, peer->id, PEERLET_CONN_WEBRTC, PEERLET_CONN_LIMITED) != NULL;
}

bool node_is_relayed_to(const struct node *n, const struct node *peer)
{
    return node_conn_to(n, peer->id, PEERLET_CONN_RELAYED, PEERLET_CONN_WEBRTC) != NULL;
}

bool nodes_are_direct(const struct node *a, const struct node *b)
{
    return node_is_direct_to(a, b) && node_is_direct_to(b, a);
}

bool node_is_on(const struct node *n, const struct relay *r)
{
    return node_conn_to(n, relay_id(r), PEERLET_CONN_WEBSOCKET, 0) != NULL;
}

const struct node_relay *node_relay_state(const struct node *n, const struct relay *r)
{
    LIST_EACH(node, &n->relays) {
        const struct node_relay *known = LIST_OWNER(node, struct node_relay, in_node);
        if (strcmp(known->peer, relay_id(r)) == 0)
            return known;
    }
    return NULL;
}

bool node_is_reserved(const struct node *n, const struct relay *r)
{
    const struct node_relay *known = node_relay_state(n, r);
    return known != NULL && known->state == PEERLET_RELAY_RESERVED && node_is_on(n, r) &&
           node_has_address(n, relay_id(r));
}

size_t node_heard(const struct node *n, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < NODE_HEARD && i < n->messages; i++)
        count += n->heard[i].len == strlen(text) &&
                 memcmp(n->heard[i].bytes, text, n->heard[i].len) == 0;
    return count;
}

bool node_has_address(const struct node *n, const char *part)
{
    return strstr(n->addresses, part) != NULL;
}

const char *node_address(struct node *n, const char *part)
{
    char with_peer[128];
    snprintf(with_peer, sizeof with_peer, "%s/p2p/%s", part, n->id);
    for (const char *line = n->addresses; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
        copy_text(n->address, sizeof n->address, view_of((const uint8_t *)line, len));
        if (strstr(n->address, with_peer) != NULL)
            return n->address;
        line = end != NULL ? end + 1 : NULL;
    }
    assert(false);
    return "";
}

size_t node_conn_count(const struct node *n)
{
    size_t count = 0;
    LIST_EACH(node, &n->conns)
        count++;
    return count;
}

size_t node_memory(const struct node *n)
{
    return peerlet_memory(n->p)->used;
}

void node_dump(const struct node *n)
{
    static const char *const STATES[] = {"connecting", "reserving", "reserved", "waiting", "gone"};
    fprintf(stderr, "node %u %s at %u ms: %u outputs, %u messages\n", n->host.number, n->id,
            (unsigned)n->host.sim->now, (unsigned)n->outputs, (unsigned)n->messages);
    fprintf(stderr, "  addresses %s\n", n->addresses);
    LIST_EACH(node, &n->conns) {
        const struct node_conn *c = LIST_OWNER(node, struct node_conn, in_node);
        fprintf(stderr, "  conn %u to %s flags %x by %s\n", c->id, c->peer, c->flags, c->address);
    }
    LIST_EACH(node, &n->relays) {
        const struct node_relay *r = LIST_OWNER(node, struct node_relay, in_node);
        fprintf(stderr, "  relay %s is %s since %u: %s %s\n", r->peer, STATES[r->state],
                (unsigned)r->since, err_name(r->code), r->text);
    }
    LIST_EACH(node, &n->dials) {
        const struct node_dial *d = LIST_OWNER(node, struct node_dial, in_node);
        fprintf(stderr, "  dial %u %s %s: %s\n", d->id, d->is_over ? "is over" : "goes on",
                err_name(d->code), d->text);
    }
    LIST_EACH(node, &n->streams) {
        const struct node_stream *s = LIST_OWNER(node, struct node_stream, in_node);
        fprintf(stderr, "  stream %u of conn %u: sent %u of %u, received %u, %s\n", s->id, s->conn,
                (unsigned)s->sent, (unsigned)s->to_send, (unsigned)s->received,
                s->is_closed ? err_name(s->code)
                : s->is_open ? "open"
                             : "opening");
    }
}
