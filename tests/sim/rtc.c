#include "sim/rtc.h"

#include "sim/cable.h"
#include "sim/node.h"
#include "sim/server.h"

#include <assert.h>
#include <stdio.h>

/* Chromium's times: to give up, to say "disconnected", to say "failed". */
#define CHECKING_MS 15000
#define DISCONNECTED_MS 5000
#define FAILED_MS 30000
#define CHECK_AGAIN_MS 500

/* Making a certificate and a description; finding the candidates. */
#define DESCRIBE_MS 4
#define GATHER_MS 6

/* Round trips of ICE's check, of DTLS and of SCTP before a channel opens; and thinking. */
#define CONNECT_ROUND_TRIPS 4
#define CONNECT_MS 10

#define UFRAG_LEN 4
#define PWD_LEN 24
/* Of either, where a server's are made of ours. */
#define NAME_MAX_LEN 64

enum rtc_state { RTC_NEW, RTC_CHECKING, RTC_CONNECTED, RTC_DISCONNECTED, RTC_FAILED };

/* createDataChannel before there is a connection. */
struct waiting {
    struct list in_rtc;
    uint32_t channel;
    size_t len;
    uint8_t label[64];
};

struct rtc {
    uint32_t id;
    struct host *host;
    uint32_t link;
    enum rtc_state state;
    char ufrag[NAME_MAX_LEN + 1];
    char pwd[NAME_MAX_LEN + 1];
    uint8_t fingerprint[32];
    bool has_local, has_remote, has_heard; /* heard: of a candidate */
    char far_ufrag[NAME_MAX_LEN + 1];
    uint32_t far;    /* number of the other side, 0: not known */
    uint64_t cut_at; /* since when no packet passes; NEVER: they do */
    struct list waiting;
};

/* ---- finding ----------------------------------------------------------------------------------- */

static struct rtc *rtc_find(const struct host *h, uint32_t link)
{
    uint32_t at = 0;
    for (struct rtc *r; (r = table_next(&h->sim->rtcs, &at)) != NULL;)
        if (r->host == h && r->link == link)
            return r;
    return NULL;
}

static struct rtc *far_side(const struct rtc *r)
{
    return r->far != 0 ? table_find(&r->host->sim->rtcs, r->far) : NULL;
}

size_t rtc_count(const struct host *h)
{
    size_t count = 0;
    uint32_t at = 0;
    for (struct rtc *r; (r = table_next(&h->sim->rtcs, &at)) != NULL;)
        count += r->host == h;
    return count;
}

static void plan(struct rtc *r, enum event_type type, uint64_t after_ms, uint32_t value,
                 struct host *to, struct view bytes)
{
    struct sim *s = r->host->sim;
    sim_plan(s,
             (struct event){
                 .at = s->now + after_ms, .type = type, .id = r->id, .value = value, .to = to},
             bytes);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void random_name(struct sim *s, char *out, size_t len)
{
    static const char ICE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i++)
        out[i] = ICE[sim_below(s, 64)];
    out[len] = '\0';
}

static void new_names(struct rtc *r)
{
    random_name(r->host->sim, r->ufrag, UFRAG_LEN);
    random_name(r->host->sim, r->pwd, PWD_LEN);
}

static void format_fingerprint(const struct rtc *r, char out[3 * 32])
{
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 3 * i, 4, i < 31 ? "%02X:" : "%02X", r->fingerprint[i]);
}

static void describe(struct rtc *r, enum role role, uint64_t after_ms)
{
    char fingerprint[3 * 32], sdp[1024];
    format_fingerprint(r, fingerprint);
    int len = snprintf(sdp, sizeof sdp,
                       "v=0\r\n"
                       "o=- %u%09u 2 IN IP4 127.0.0.1\r\n"
                       "s=-\r\n"
                       "t=0 0\r\n"
                       "a=group:BUNDLE 0\r\n"
                       "a=extmap-allow-mixed\r\n"
                       "a=msid-semantic: WMS\r\n"
                       "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                       "c=IN IP4 0.0.0.0\r\n"
                       "a=ice-ufrag:%s\r\n"
                       "a=ice-pwd:%s\r\n"
                       "a=ice-options:trickle\r\n"
                       "a=fingerprint:sha-256 %s\r\n"
                       "a=setup:%s\r\n"
                       "a=mid:0\r\n"
                       "a=sctp-port:5000\r\n"
                       "a=max-message-size:262144\r\n",
                       100000000 + r->id, r->id, r->ufrag, r->pwd, fingerprint,
                       role == DIALER ? "actpass" : "active");
    plan(r, EVENT_RTC_DESCRIPTION, after_ms, 0, r->host,
         view_of((const uint8_t *)sdp, (size_t)len));
}

/* One host candidate behind an mDNS name, one seen by STUN, and the end. */
static void gather(struct rtc *r, uint64_t after_ms)
{
    char ip[HOST_IP_MAX], json[512];
    host_ip(r->host, ip);
    uint32_t port = 49152 + r->id % 16000;
    int len = snprintf(json, sizeof json,
                       "{\"candidate\":\"candidate:%u 1 udp 2113937151 "
                       "%08x-5c3e-4b6a-9d0a-%012x.local %u typ host generation 0 ufrag %s "
                       "network-cost 999\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0,"
                       "\"usernameFragment\":\"%s\"}",
                       4000000000u - r->id, 0x7f000000u + r->host->number, r->id, port, r->ufrag,
                       r->ufrag);
    plan(r, EVENT_RTC_CANDIDATE, after_ms, 0, r->host, view_of((uint8_t *)json, (size_t)len));
    len = snprintf(json, sizeof json,
                   "{\"candidate\":\"candidate:%u 1 udp 1677729535 %s %u typ srflx raddr 0.0.0.0 "
                   "rport 0 generation 0 ufrag %s network-cost 999\",\"sdpMid\":\"0\","
                   "\"sdpMLineIndex\":0,\"usernameFragment\":\"%s\"}",
                   842163049u + r->id, ip, port, r->ufrag, r->ufrag);
    plan(r, EVENT_RTC_CANDIDATE, after_ms + 30, 0, r->host, view_of((uint8_t *)json, (size_t)len));
    plan(r, EVENT_RTC_CANDIDATE, after_ms + 60, 0, r->host, (struct view){0});
}

/* The value of a line that begins with `name`, up to its end; false when there is none. */
static bool line_value(struct view sdp, const char *name, char *out, size_t room)
{
    size_t len = strlen(name);
    for (size_t i = 0; i + len <= sdp.len; i++) {
        if (memcmp(sdp.data + i, name, len) != 0 || (i > 0 && sdp.data[i - 1] != '\n'))
            continue;
        size_t n = 0;
        for (size_t at = i + len; at < sdp.len && sdp.data[at] >= ' ' && n + 1 < room; at++)
            out[n++] = (char)sdp.data[at];
        out[n] = '\0';
        return true;
    }
    return false;
}

/* ---- connecting ------------------------------------------------------------------------------ */

static bool can_reach(const struct rtc *r)
{
    const struct rtc *far = far_side(r);
    return far != NULL && !sim_is_cut(r->host->sim, r->host, far->host) &&
           !r->host->is_without_udp && !far->host->is_without_udp;
}

static bool is_agreed(const struct rtc *r)
{
    const struct rtc *far = far_side(r);
    return far != NULL && far->far == r->id && r->has_local && r->has_remote && far->has_local &&
           far->has_remote && (r->has_heard || far->has_heard) &&
           strcmp(r->far_ufrag, far->ufrag) == 0 && strcmp(far->far_ufrag, r->ufrag) == 0;
}

static void try_to_connect(struct rtc *r)
{
    if (!is_agreed(r))
        return;
    uint64_t ms = CONNECT_MS + CONNECT_ROUND_TRIPS * sim_round_trip(r->host, far_side(r)->host);
    plan(r, EVENT_RTC_CONNECT, ms, 0, NULL, (struct view){0});
}

static void open_channel(struct rtc *r, uint32_t channel, struct view label)
{
    struct rtc *far = far_side(r);
    if (far == NULL)
        return;
    struct end *e = cable_dial(r->host, far->host, CABLE_CHANNEL, r->link, channel, label);
    end_far(e)->link = far->link;
}

static void set_state(struct rtc *r, enum rtc_state state)
{
    static const enum peerlet_rtc_state TOLD[] = {
        [RTC_CONNECTED] = PEERLET_RTC_CONNECTED,
        [RTC_DISCONNECTED] = PEERLET_RTC_DISCONNECTED,
        [RTC_FAILED] = PEERLET_RTC_FAILED,
    };
    if (r->state == state)
        return;
    r->state = state;
    if (state >= RTC_CONNECTED)
        plan(r, EVENT_RTC_STATE, 0, TOLD[state], r->host, (struct view){0});
}

static void connected(struct rtc *r)
{
    set_state(r, RTC_CONNECTED);
    r->cut_at = NEVER;
    LIST_EACH(node, &r->waiting) {
        struct waiting *w = LIST_OWNER(node, struct waiting, in_rtc);
        open_channel(r, w->channel, view_of(w->label, w->len));
        list_remove(&w->in_rtc);
        mem_free(&r->host->sim->mem, w);
    }
}

static void connect(struct rtc *r)
{
    if (!is_agreed(r) || r->state == RTC_FAILED || r->state == RTC_CONNECTED)
        return;
    if (!can_reach(r)) {
        plan(r, EVENT_RTC_CONNECT, CHECK_AGAIN_MS, 0, NULL, (struct view){0});
        return;
    }
    struct rtc *far = far_side(r);
    connected(r);
    connected(far);
}

/* Looks how long no packet has passed; or, while checking, whether it is time to give up. */
static void check(struct rtc *r)
{
    uint64_t now = r->host->sim->now;
    if (r->state == RTC_CHECKING)
        set_state(r, RTC_FAILED);
    if (r->state < RTC_CONNECTED || r->cut_at == NEVER)
        return;
    if (now - r->cut_at >= FAILED_MS)
        set_state(r, RTC_FAILED);
    else if (now - r->cut_at >= DISCONNECTED_MS && r->state == RTC_CONNECTED)
        set_state(r, RTC_DISCONNECTED);
}

void rtc_paths_changed(struct sim *s)
{
    uint32_t at = 0;
    for (struct rtc *r; (r = table_next(&s->rtcs, &at)) != NULL;) {
        if (r->state != RTC_CONNECTED && r->state != RTC_DISCONNECTED)
            continue;
        bool passes = can_reach(r);
        if (passes && r->state == RTC_DISCONNECTED)
            set_state(r, RTC_CONNECTED);
        if (passes) {
            r->cut_at = NEVER;
        } else if (r->cut_at == NEVER) {
            r->cut_at = s->now;
            plan(r, EVENT_RTC_CHECK, DISCONNECTED_MS, 0, NULL, (struct view){0});
            plan(r, EVENT_RTC_CHECK, FAILED_MS, 0, NULL, (struct view){0});
        }
    }
}

/* ---- orders ---------------------------------------------------------------------------------- */

static struct rtc *rtc_new(struct host *h, uint32_t link)
{
    struct sim *s = h->sim;
    struct rtc *r = sim_alloc(s, sizeof *r);
    *r = (struct rtc){.id = ++s->last_rtc, .host = h, .link = link, .cut_at = NEVER};
    list_init(&r->waiting);
    new_names(r);
    for (size_t i = 0; i < sizeof r->fingerprint; i++)
        r->fingerprint[i] = (uint8_t)sim_below(s, 256);
    int rc = table_add(&s->rtcs, r->id, r);
    assert(rc == 0);
    (void)rc;
    return r;
}

void rtc_open(struct host *h, uint32_t link)
{
    rtc_new(h, link);
}

void rtc_open_channel(struct host *h, uint32_t link, uint32_t channel, struct view label)
{
    struct rtc *r = rtc_find(h, link);
    assert(r != NULL && label.len <= sizeof((struct waiting *)NULL)->label);
    if (r->state >= RTC_CONNECTED) {
        open_channel(r, channel, label);
        return;
    }
    struct waiting *w = sim_alloc(h->sim, sizeof *w);
    w->channel = channel;
    w->len = label.len;
    if (label.len > 0)
        memcpy(w->label, label.data, label.len);
    list_add(&r->waiting, &w->in_rtc);
}

void rtc_offer(struct host *h, uint32_t link, struct view name)
{
    struct rtc *r = rtc_find(h, link);
    assert(r != NULL && name.len <= NAME_MAX_LEN);
    if (name.len > 0 && !h->keeps_ice_name) {
        snprintf(r->ufrag, sizeof r->ufrag, "%.*s", (int)name.len, (const char *)name.data);
        snprintf(r->pwd, sizeof r->pwd, "%s", r->ufrag);
    }
    r->has_local = true;
    describe(r, DIALER, DESCRIBE_MS);
    gather(r, GATHER_MS);
}

/*
 * The server in an answer that nobody sent: it makes our offer out of the STUN user name, which is
 * both names. Null when it would not: silence, as when nobody is there.
 */
static struct rtc *server_side(struct rtc *r, const char *candidate, const char *ufrag,
                               const char *pwd)
{
    char v2[NAME_MAX_LEN + 1];
    unsigned high, low, port;
    snprintf(v2, sizeof v2, "libp2p+webrtc+v2/%s", r->pwd);
    bool is_v1 = strncmp(ufrag, "libp2p+webrtc+v1/", 17) == 0 && strcmp(ufrag, r->ufrag) == 0 &&
                 strcmp(ufrag, r->pwd) == 0;
    if (strcmp(ufrag, pwd) != 0 || (!is_v1 && strcmp(ufrag, v2) != 0) ||
        sscanf(candidate, "1467250027 1 UDP 1467250027 10.0.%u.%u %u", &high, &low, &port) != 3)
        return NULL;
    struct host *to = sim_host_at(r->host->sim, high, low);
    if (to == NULL || !host_is_server(to) || to->is_down || port != SERVER_PORT)
        return NULL;
    struct rtc *far = rtc_new(to, 0);
    server_answers(to, far->fingerprint);
    snprintf(far->ufrag, sizeof far->ufrag, "%s", ufrag);
    snprintf(far->pwd, sizeof far->pwd, "%s", ufrag);
    snprintf(far->far_ufrag, sizeof far->far_ufrag, "%s", r->ufrag);
    far->link = server_visit(to, r->host, r->link, r->fingerprint);
    far->far = r->id;
    far->has_local = far->has_remote = far->has_heard = true;
    far->state = RTC_CHECKING;
    return far;
}

void rtc_remote(struct host *h, uint32_t link, enum role from, struct view sdp)
{
    struct rtc *r = rtc_find(h, link);
    char pwd[NAME_MAX_LEN + 1], fingerprint[128], expected[3 * 32], candidate[128];
    assert(r != NULL);
    bool is_whole = line_value(sdp, "a=ice-ufrag:", r->far_ufrag, sizeof r->far_ufrag) &&
                    line_value(sdp, "a=ice-pwd:", pwd, sizeof pwd) &&
                    line_value(sdp, "a=fingerprint:sha-256 ", fingerprint, sizeof fingerprint);
    assert(is_whole);
    (void)is_whole;
    r->has_remote = true;
    r->far = 0;
    bool is_lite = line_value(sdp, "a=ice-lite", expected, sizeof expected) &&
                   line_value(sdp, "a=candidate:", candidate, sizeof candidate);
    if (is_lite)
        server_side(r, candidate, r->far_ufrag, pwd);
    uint32_t at = 0;
    for (struct rtc *other; (other = table_next(&h->sim->rtcs, &at)) != NULL;) {
        if (other == r || strcmp(other->ufrag, r->far_ufrag) != 0 || strcmp(other->pwd, pwd) != 0)
            continue;
        format_fingerprint(other, expected);
        if (strcmp(expected, fingerprint) == 0)
            r->far = other->id; /* only then does DTLS come about */
    }
    if (from == DIALER) {
        r->has_local = true;
        describe(r, LISTENER, DESCRIBE_MS);
        gather(r, GATHER_MS);
    }
    set_state(r, RTC_CHECKING);
    plan(r, EVENT_RTC_CHECK, CHECKING_MS, 0, NULL, (struct view){0});
    try_to_connect(r);
}

void rtc_candidate(struct host *h, uint32_t link, struct view json)
{
    struct rtc *r = rtc_find(h, link);
    assert(r != NULL);
    if (json.len == 0 || r->has_heard)
        return;
    r->has_heard = true;
    try_to_connect(r);
}

static void free_one(struct rtc *r)
{
    struct sim *s = r->host->sim;
    LIST_EACH(node, &r->waiting)
        mem_free(&s->mem, LIST_OWNER(node, struct waiting, in_rtc));
    table_remove(&s->rtcs, r->id);
    mem_free(&s->mem, r);
}

bool rtc_close(struct host *h, uint32_t link)
{
    struct rtc *r = rtc_find(h, link);
    if (r == NULL)
        return false;
    cable_close_link(h, link);
    if (r->state >= RTC_CONNECTED && can_reach(r))
        sim_plan(h->sim,
                 (struct event){
                     .at = sim_arrival(h->sim, h, far_side(r)->host, 0),
                     .type = EVENT_RTC_CLOSED,
                     .id = r->far,
                     .to = far_side(r)->host,
                 },
                 (struct view){0});
    free_one(r);
    rtc_paths_changed(h->sim);
    return true;
}

/* SCTP's ABORT and the close_notify of DTLS, after what the channels had to say. */
static void closed_by_peer(struct rtc *r)
{
    struct host *h = r->host;
    const struct input in = {
        .type = INPUT_LINK_CLOSED,
        .id = r->link,
        .text = view_of_text("the peer closed the connection"),
    };
    cable_close_link(h, r->link);
    free_one(r);
    if (host_is_node(h))
        node_tell(node_of_host(h), &in);
}

static void close_each(struct host *h)
{
    for (;;) {
        uint32_t at = 0;
        struct rtc *r;
        while ((r = table_next(&h->sim->rtcs, &at)) != NULL && r->host != h)
            ;
        if (r == NULL)
            return;
        free_one(r);
    }
}

void rtc_close_all(struct host *h)
{
    close_each(h);
    rtc_paths_changed(h->sim);
}

void rtc_free(struct host *h)
{
    close_each(h);
}

void rtc_event(struct sim *s, const struct event *e)
{
    struct rtc *r = table_find(&s->rtcs, e->id);
    if (r == NULL)
        return;
    struct input in = {.id = r->link, .text = view_of_span(e->bytes), .value = e->value};
    switch (e->type) {
    case EVENT_RTC_DESCRIPTION:
        in.type = INPUT_RTC_DESCRIPTION;
        break;
    case EVENT_RTC_CANDIDATE:
        in.type = INPUT_RTC_CANDIDATE;
        break;
    case EVENT_RTC_STATE:
        in.type = INPUT_RTC_STATE;
        break;
    case EVENT_RTC_CONNECT:
        connect(r);
        return;
    case EVENT_RTC_CHECK:
        check(r);
        return;
    case EVENT_RTC_CLOSED:
        closed_by_peer(r);
        return;
    case EVENT_ALARM:
    case EVENT_ACCEPT:
    case EVENT_OPENED:
    case EVENT_BYTES:
    case EVENT_ROOM:
    case EVENT_ENDED:
    case EVENT_RESUMED:
    case EVENT_CLOSED:
    case EVENT_FOUND:
        return;
    }
    if (host_is_node(r->host))
        node_tell(node_of_host(r->host), &in);
}
