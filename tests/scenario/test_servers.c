/* Servers that a page reaches without a relay: WebTransport and WebRTC Direct. */
#include "scenario/story.h"

#include "sim/server.h"

static const enum link_kind BOTH[] = {LINK_SESSION, LINK_DIRECT};

static struct node *loner(struct sim *sim)
{
    return sim_node(sim, &(struct node_config){.is_undiscoverable = true, .listen = ""});
}

static const char *text(const char *format, ...)
{
    static char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return line;
}

static const struct node_conn *conn_to(const struct node *n, const struct server *server,
                                       enum link_kind kind)
{
    uint32_t flag = kind == LINK_SESSION ? PEERLET_CONN_WEBTRANSPORT : PEERLET_CONN_WEBRTC;
    return node_conn_to(n, server_id(server), flag, PEERLET_CONN_RELAYED);
}

static void reach(struct sim *sim, struct node *n, const struct server *server, enum link_kind kind)
{
    struct node_dial *d = node_dial(n, server_address(server, kind));
    assert_non_null(d);
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
    assert_non_null(conn_to(n, server, kind));
}

static void fails(struct sim *sim, struct node *n, const char *targets, uint64_t within_ms,
                  int code, const char *word)
{
    struct node_dial *d = node_dial(n, targets);
    assert_non_null(d);
    assert_within(sim, within_ms, d->is_over);
    assert_code(d->code, code);
    if (strstr(d->text, word) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", word, d->text);
    assert_int_equal(node_conn_count(n), 0);
}

static void hang_up(struct sim *sim, struct node *n, const struct server *server)
{
    node_tell(n, &(struct input){.type = INPUT_HANG_UP, .text = view_of_text(server_id(server))});
    sim_run(sim, 2000);
}

/* Opens an echo stream to a server. */
static struct node_stream *open_echo(struct node *n, const struct server *server,
                                     enum link_kind kind)
{
    struct node_stream *s = node_open_on(n, conn_to(n, server, kind)->id);
    assert_non_null(s);
    return s;
}

static void streams_both_ways(struct sim *sim)
{
    for (size_t i = 0; i < ARRAY_LEN(BOTH); i++) {
        struct server *server = sim_server(sim);
        struct node *alice = loner(sim);
        reach(sim, alice, server, BOTH[i]);
        assert_within(sim, 100, server_visitors(server) == 1);

        struct node_stream *s = open_echo(alice, server, BOTH[i]);
        node_send(alice, s, 300000);
        node_close(alice, s);
        assert_within(sim, 3000, s->received == 300000 && s->is_ended && s->is_closed);
        assert_true(s->is_intact);
        assert_code(s->code, 0);

        server_call(server, 50000);
        assert_within(sim, 3000, server_heard(server) == 50000);
        sim_run(sim, 120000);
        assert_non_null(conn_to(alice, server, BOTH[i]));
        node_leave(alice);
        assert_within(sim, 1000, server_visitors(server) == 0);
    }
}

/* Bytes wait at the server, and no more of them in the page than one reader may leave there. */
static void a_reader_that_waits(struct sim *sim)
{
    struct server *server = sim_server(sim);
    struct node *alice = loner(sim);
    reach(sim, alice, server, LINK_SESSION);
    struct node_stream *s = open_echo(alice, server, LINK_SESSION);
    s->is_stalled = true;
    node_send(alice, s, 6u << 20);
    sim_run(sim, 20000);
    size_t received = s->received;
    assert_true(received >= PEERLET_LIMITS.window_initial);
    assert_true(received < (2u << 20));
    assert_true(node_memory(alice) < (8u << 20));
    s->is_stalled = false;
    node_close(alice, s);
    assert_within(sim, 20000, s->received == (6u << 20) && s->is_closed);
    assert_true(s->is_intact);
}

static void a_stream_is_reset(struct sim *sim)
{
    for (size_t i = 0; i < ARRAY_LEN(BOTH); i++) {
        struct server *server = sim_server(sim);
        struct node *alice = loner(sim);
        reach(sim, alice, server, BOTH[i]);
        server_terms(server)->resets = true;
        struct node_stream *s = open_echo(alice, server, BOTH[i]);
        node_send(alice, s, 1000);
        assert_within(sim, 1000, s->is_closed);
        assert_code(s->code, ERR_RESET);
        server_terms(server)->resets = false;

        s = open_echo(alice, server, BOTH[i]);
        node_send(alice, s, 1000);
        node_tell(alice, &(struct input){.type = INPUT_STREAM_RESET, .id = s->id});
        sim_run(sim, 1000);
        assert_int_equal(server_holds(server), 0);
        assert_non_null(conn_to(alice, server, BOTH[i]));
    }
}

/* Firefox may lose what go-libp2p says of itself over WebTransport: it is asked again, and not for ever. */
static void an_identity_that_is_lost(struct sim *sim)
{
    static const struct {
        enum link_kind kind;
        uint32_t untold;
        uint64_t asked;
    } CASES[] = {
        {LINK_SESSION, 0, 1}, {LINK_SESSION, 2, 3}, {LINK_SESSION, 9, 5}, {LINK_DIRECT, 2, 1}};
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct server *server = sim_server(sim);
        server_terms(server)->untold = CASES[i].untold;
        struct node *alice = loner(sim);
        reach(sim, alice, server, CASES[i].kind);
        sim_run(sim, 1000);
        assert_int_equal(server_streams(server), CASES[i].asked);
        assert_non_null(conn_to(alice, server, CASES[i].kind));
    }
}

/* What a server says as soon as it knows us may overtake its last word of the handshake. */
static void a_server_that_speaks_early(struct sim *sim)
{
    struct server *server = sim_server(sim);
    server_terms(server)->speaks_early = true;
    struct node *alice = loner(sim);
    reach(sim, alice, server, LINK_DIRECT);
    assert_within(sim, 2000, server_heard(server) == 10000);
}

static void another_identity(struct sim *sim)
{
    struct server *server = sim_server(sim), *other = sim_server(sim);
    struct node *alice = loner(sim);
    for (size_t i = 0; i < ARRAY_LEN(BOTH); i++) {
        const char *address = server_address(server, BOTH[i]);
        const char *wrong = text("%.*s/p2p/%s", (int)(strstr(address, "/p2p/") - address), address,
                                 server_id(other));
        fails(sim, alice, wrong, 2000, ERR_WRONG_PEER, server_id(server));
    }
}

/* The browser refuses a certificate that the address does not name. */
static void another_certificate(struct sim *sim)
{
    struct server *server = sim_server(sim), *other = sim_server(sim);
    struct node *alice = loner(sim);
    for (size_t i = 0; i < ARRAY_LEN(BOTH); i++) {
        const char *address = server_address(server, BOTH[i]);
        const char *hash = strstr(server_address(other, BOTH[i]), "/certhash/");
        const char *wrong =
            text("%.*s%.*s/p2p/%s", (int)(strstr(address, "/certhash/") - address), address,
                 (int)(strstr(hash, "/p2p/") - hash), hash, server_id(server));
        fails(sim, alice, wrong, 16000, BOTH[i] == LINK_SESSION ? ERR_DIAL : ERR_TIMEOUT, "");
    }
}

/* Noise must confirm what TLS was made to believe. */
static void a_certificate_not_stood_by(struct sim *sim)
{
    struct server *server = sim_server(sim);
    struct node *alice = loner(sim);
    server_terms(server)->hides_certhash = true;
    fails(sim, alice, server_address(server, LINK_SESSION), 2000, ERR_CRYPTO, "certificate");
    reach(sim, alice, server, LINK_DIRECT);
}

static void nobody_is_there(struct sim *sim)
{
    struct server *server = sim_server(sim);
    struct node *alice = loner(sim);
    for (size_t i = 0; i < ARRAY_LEN(BOTH); i++) {
        server_terms(server)->is_mute = true;
        fails(sim, alice, server_address(server, BOTH[i]), 11000, ERR_TIMEOUT, "");
        server_terms(server)->is_mute = false;
    }
    server_kill(server);
    fails(sim, alice, server_address(server, LINK_DIRECT), 16000, ERR_TIMEOUT, "");
    fails(sim, alice, server_address(server, LINK_SESSION), 16000, ERR_DIAL, "");
}

/* Both versions of how the two ends of WebRTC Direct know each other's ICE names. */
static void a_browser_that_keeps_its_name(struct sim *sim)
{
    struct server *server = sim_server(sim);
    struct node *alice = loner(sim);
    alice->host.keeps_ice_name = true;
    reach(sim, alice, server, LINK_DIRECT);
}

/* Without UDP the one address left is a WebSocket's; the others cost it nothing. */
static void the_first_that_answers(struct sim *sim)
{
    struct server *server = sim_server(sim);
    struct node *alice = loner(sim);
    struct node_dial *d =
        node_dial(alice, text("/ip4/10.0.200.1/udp/4433/quic-v1/webtransport%s\n%s",
                              strstr(server_address(server, LINK_SESSION), "/certhash/"),
                              server_address(server, LINK_DIRECT)));
    assert_within(sim, 600, d->is_over);
    assert_code(d->code, 0);
    assert_non_null(conn_to(alice, server, LINK_DIRECT));
}

/* A host that fails is given a rest, and hosts that fail cost a browser its sessions. */
static void sessions_are_scarce(struct sim *sim)
{
    struct server *server = sim_server(sim), *other = sim_server(sim);
    struct node *alice = loner(sim);
    const char *rest = strstr(server_address(server, LINK_SESSION), "/udp/");
    server_terms(other)->hides_certhash = true;
    fails(sim, alice, server_address(other, LINK_SESSION), 1000, ERR_CRYPTO, "certificate");
    fails(sim, alice, server_address(other, LINK_SESSION), 1000, ERR_DIAL, "a moment ago");
    reach(sim, alice, server, LINK_SESSION);
    hang_up(sim, alice, server);
    fails(sim, alice, server_address(other, LINK_SESSION), 1000, ERR_CRYPTO, "certificate");
    for (unsigned host = 1; host <= 6; host++)
        fails(sim, alice, text("/ip4/10.0.200.%u%s", host, rest), 11000, ERR_TIMEOUT, "");
    fails(sim, alice, server_address(server, LINK_SESSION), 1000, ERR_FULL, "too many");
    reach(sim, alice, server, LINK_DIRECT);
    hang_up(sim, alice, server);
    sim_run(sim, PEERLET_LIMITS.session_failed_ms);
    reach(sim, alice, server, LINK_SESSION);
}

static void a_server_that_dies(struct sim *sim)
{
    for (size_t i = 0; i < ARRAY_LEN(BOTH); i++) {
        struct server *server = sim_server(sim);
        struct node *alice = loner(sim);
        reach(sim, alice, server, BOTH[i]);
        struct node_stream *s = open_echo(alice, server, BOTH[i]);
        sim_run(sim, 1000);
        server_kill(server);
        assert_within(sim, 15000, s->is_closed && conn_to(alice, server, BOTH[i]) == NULL);
        assert_true(s->code != 0);
    }
}

/* Dials and opens again what failed; true when an echo came back whole. */
static bool has_echoed(struct node *n, const struct server *server, enum link_kind kind,
                       struct node_dial **d, struct node_stream **s)
{
    const struct node_conn *c = conn_to(n, server, kind);
    if (c == NULL && (*d == NULL || (*d)->is_over))
        *d = node_dial(n, server_address(server, kind));
    if (c != NULL && (*s == NULL || ((*s)->is_closed && (*s)->received < 20000))) {
        *s = node_open_on(n, c->id);
        if (*s != NULL)
            node_send(n, *s, 20000);
    }
    return *s != NULL && (*s)->received == 20000 && (*s)->is_intact;
}

/* Returns how many allocations the node has made. */
static uint64_t live(enum link_kind kind, uint64_t fail_nth)
{
    struct sim *sim = sim_new(STORY_SEED);
    struct server *server = sim_server(sim);
    struct node *n = sim_node(
        sim, &(struct node_config){.is_undiscoverable = true, .listen = "", .fail_nth = fail_nth});
    struct node_dial *d = NULL;
    struct node_stream *s = NULL;
    uint64_t calls = 0;
    if (n != NULL) {
        assert_within(sim, 60000, has_echoed(n, server, kind, &d, &s));
        calls = peerlet_memory(n->p)->calls;
    }
    sim_free(sim);
    return calls;
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BOTH); i++) {
        uint64_t calls = live(BOTH[i], 0);
        assert_true(calls > 40);
        for (uint64_t nth = 1; nth <= calls; nth++)
            live(BOTH[i], nth);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(streams_both_ways),
        STORY(a_reader_that_waits),
        STORY(a_stream_is_reset),
        STORY(an_identity_that_is_lost),
        STORY(a_server_that_speaks_early),
        STORY(another_identity),
        STORY(another_certificate),
        STORY(a_certificate_not_stood_by),
        STORY(nobody_is_there),
        STORY(a_browser_that_keeps_its_name),
        STORY(the_first_that_answers),
        STORY(sessions_are_scarce),
        STORY(a_server_that_dies),
        cmocka_unit_test(each_allocation_fails_once),
    };
    return TELL(tests);
}
