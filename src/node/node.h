/*
 * The inside of struct peerlet: the only place that sees everything. Private to src/node.
 *
 *     node.c       the face of peerlet.h: the loop, inputs, life
 *     conns.c      connections come and go; feeding and draining them
 *     streams.c    streams: whose they are, built-in protocols on them, the application's
 *     handlers.c   the table: protocol id to what answers it
 *     dials.c      the attempts of a dial: sockets, circuits, upgrades
 *     circuits.c   connections through a relay, asked for and offered
 *     names.c      /dnsaddr: what is behind a name
 *     sessions.c   how many WebTransport sessions may be opened, and where
 *     relays.c     the relay supervisor: keep connections and reservations
 *     direct.c     relayed connection to WebRTC connection
 *     identity.c   identify, push, our own addresses
 *     gossip.c     the gossipsub router to streams; peer discovery on it
 *     liveness.c   who is still there; page life-cycle
 *     questions.c  lists for the application
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/buf.h"
#include "base/table.h"
#include "crypto/identity.h"
#include "multiformats/multiaddr.h"
#include "net/addrbook.h"
#include "net/conn.h"
#include "net/dialer.h"
#include "node/outputs.h"
#include "peerlet.h"
#include "protocols/identify.h"
#include "protocols/protocol.h"
#include "pubsub/gossipsub.h"

/* Whose a stream is (struct stream, use). */
enum use {
    USE_NONE,    /* not chosen yet */
    USE_APP,     /* the application's; user: null */
    USE_SESSION, /* a built-in protocol; user: struct session */
    USE_LINK,    /* carries a relayed connection; user: struct conn */
    USE_RPC_IN,  /* gossipsub, the peer writes */
    USE_RPC_OUT, /* gossipsub, we write */
    USE_RPC_OLD, /* gossipsub, we wrote, and wait for the peer to close */
};

struct peerlet;
struct session;

/* One built-in protocol: how it is made and what becomes of its events. */
struct service {
    const struct protocol_ops *ops;
    uint32_t needs; /* enum peerlet_service, all of */
    bool listens;   /* accepted from peers, and named in identify */
    size_t size;    /* of the machine */

    /* Makes the machine of an inbound stream; a negative result refuses it. */
    int (*accept)(struct peerlet *p, struct session *s);
    void (*event)(struct peerlet *p, struct session *s, const struct protocol_event *ev);

    /* The stream is the machine's no more (PROTOCOL_RAW): returns the connection it carries now. */
    struct conn *(*raw)(struct peerlet *p, struct session *s);

    /* The stream ended, code 0 or negative; the session is freed afterwards. */
    void (*ended)(struct peerlet *p, struct session *s, int code);
};

/* A built-in protocol on a stream. */
struct session {
    const struct service *service;
    struct stream *stream;
    uint32_t job; /* dial, relay, ping or conn number: the service's */
    uint32_t other;
    bool is_ended; /* the peer closed its half and the machine knows */
    bool is_done;  /* the machine wants no more bytes */
    union {
        max_align_t align;
        uint8_t machine[1];
    } state;
};

enum service_index {
    SERVICE_IDENTIFY,
    SERVICE_PUSH,
    SERVICE_PING,
    SERVICE_HOP_RESERVE,
    SERVICE_HOP_CONNECT,
    SERVICE_STOP,
    SERVICE_SIGNALING,
    SERVICE_COUNT,
};

extern const struct service SERVICES[SERVICE_COUNT];

/* A protocol the application answers. */
struct handler {
    struct list in_node;
    uint32_t flags;
    uint32_t max_inbound, max_outbound;
    size_t name_len;
    char name[];
};

enum feed_kind { FEED_CONN, FEED_SESSION, FEED_RPC };

/* Bytes that wait to be taken, innermost last; a parent's wait while a child's are taken. */
struct feed {
    enum feed_kind kind;
    uint32_t conn; /* FEED_CONN: whom it feeds */
    uint32_t channel;
    uint32_t stream; /* where the bytes came from and credit goes; 0: a link of the driver */
    size_t total;
    struct span in;
};

#define FEED_DEPTH 4

/* Each session that fails makes Chromium wait twice as long with the next, for minutes: 1 s after 8. */
#define FAILED_SESSIONS 8

/* A relay we keep, see relays.c. */
struct relay {
    struct list in_node;
    uint32_t id;
    struct peer *peer; /* held; null: a name, and relays behind it that have places of their own */
    enum peerlet_relay_state state;
    bool is_kept; /* bootstrap or named in a listen address: never given up */
    bool wants_reservation;
    bool is_no_relay; /* it does not speak hop: only kept connected */
    uint32_t dial;    /* ours, under way */
    uint32_t conn;    /* the connection the reservation is made on */
    uint32_t stream;  /* the exchange under way */
    uint64_t down_since;
    uint64_t retry_at;
    uint64_t refresh_at, expires_at;
    struct buf addresses; /* reserved: uvarint length and binary multiaddr, each */
    size_t name_len;
    uint8_t name[]; /* /dnsaddr/h */
};

/* A WebRTC session from signaling to data channels, see direct.c. */
struct rtc {
    struct list in_node;
    uint32_t conn;   /* the LINK_RTC connection */
    uint32_t via;    /* the connection it is signalled on */
    uint32_t stream; /* signaling; 0 when it has ended */
    enum role role;
    uint32_t init_channel;
    bool init_open;
    bool is_connected;
    bool is_ready;
    uint64_t until;
};

/* The upgrade of a peer's relayed connection, retried when it failed. */
struct upgrade {
    struct list in_node;
    struct peer *peer; /* held */
    uint64_t at;
    uint8_t tries;
    bool dials; /* where there is no connection to upgrade */
};

/* A WebTransport session that did not come about, see sessions.c. */
struct failed_session {
    uint64_t at; /* 0: none */
    uint32_t host;
};

struct verify {
    struct list in_node;
    uint32_t job;
    uint32_t conn;    /* of a handshake, or 0 */
    uint32_t message; /* the router's job, or 0 */
};

/* Text of a Peer ID in a struct, so that it can be made inside an expression. */
struct peer_text {
    char text[PEER_ID_TEXT_MAX];
    size_t len;
};

struct discovery {
    struct buf topics; /* uvarint(len) || topic for each */
    uint32_t interval_ms;
    bool listen_only;
    uint64_t next_at;
};

struct peerlet {
    struct mem mem;
    struct peerlet_limits limits;
    struct rng rng;
    struct log log;
    struct identity identity;
    struct peer_id self;
    uint8_t public_key[IDENTITY_PUBLIC_LEN];
    char self_text[PEER_ID_TEXT_MAX];
    char agent[96];
    uint32_t services, page;
    bool is_started, is_offline, no_auto_dial;
    bool is_left; /* the page is, for another: it has closed all and keeps no relay */
    uint64_t now;
    uint64_t unix_offset; /* unix_ms - now */

    struct outputs outputs;
    struct feed feeds[FEED_DEPTH];
    size_t feed_count;
    struct conn *sent; /* whose bytes were ordered to be sent last */
    bool has_direct;   /* the output was filled by what is not queued */

    struct addrbook peers;
    struct dialer dialer;
    struct table conns;   /* struct conn */
    struct table streams; /* struct stream */
    struct list dirty;    /* conns with something to drain */
    uint32_t last_conn, last_stream, last_job;
    uint32_t conn_count;
    struct conn_totals totals;

    struct list handlers; /* struct handler */
    struct list relays;   /* struct relay */
    uint32_t last_relay;
    bool listens_circuit, listens_webrtc;
    struct list rtcs;            /* struct rtc */
    uint32_t rtc_this_minute[2]; /* enum role */
    uint64_t rtc_minute_at;
    struct failed_session failed_sessions[FAILED_SESSIONS];
    struct list upgrades; /* struct upgrade */
    struct list verifies; /* struct verify */

    uint64_t record_seq;
    uint64_t tell_at; /* the application, of our changed addresses or protocols */
    bool push_owed;   /* the same to our peers, not more often than they bear */
    uint64_t push_at;

    struct gossipsub gossip;
    bool has_gossip;
    bool gossip_on_limited;
    bool has_floodsub; /* for peers without gossipsub */
    uint64_t explicit_at; /* when explicit peers of pubsub that are gone are dialled again */
    uint64_t rpc_at;      /* when the next of our lost streams of pubsub is opened again */
    struct discovery discovery;
    struct buf recipients;

    struct buf text;         /* our own addresses, binary */
    struct buf answer;       /* to the last question */
    struct peer_text author; /* of the message given out last */
    uint8_t address[MULTIADDR_MAX_LEN];
    char reason[256];
    size_t reason_len;
};

/* ---- node.c */
int fail(struct peerlet *p, int code, const char *format, ...);
void emit(struct peerlet *p, const struct peerlet_output *out);
uint64_t unix_ms(const struct peerlet *p);
struct conn *find_conn(const struct peerlet *p, uint32_t id);
struct stream *find_stream(const struct peerlet *p, uint32_t id);

/* Has the browser check a signature for a handshake or a message; false when it cannot. */
bool order_verify(struct peerlet *p, uint32_t conn, uint32_t message, const struct public_key *key,
                  struct view bytes, struct view signature);

/* Makes p->address of what the application gave for one: checked, normalised. BAD_MULTIADDR. */
MUST_USE int read_address(struct peerlet *p, struct view given, struct view *addr);

/* Ends all connections, of which the peers hear at once. */
void close_conns(struct peerlet *p);

struct peer_text peer_text(const struct peer_id *id);
static inline struct view peer_text_view(const struct peer_text *t)
{
    return view_of((const uint8_t *)t->text, t->len);
}

/* ---- conns.c */
struct conn *conn_create(struct peerlet *p, enum link_kind kind, enum role role,
                         const struct peer_id *expected, struct view address);
void conn_mark(struct peerlet *p, struct conn *c);
void conn_push_feed(struct peerlet *p, struct feed feed);

/* Ends it now: everybody is told, it is freed. `why` may be empty. */
void conn_end(struct peerlet *p, struct conn *c, int code, struct view why);

/* It became READY with a known peer: tells everybody. */
void conn_established(struct peerlet *p, struct conn *c);
bool conns_feed(struct peerlet *p, struct peerlet_output *out);
bool conns_drain(struct peerlet *p, struct peerlet_output *out);
void conns_tick(struct peerlet *p);
uint64_t conns_deadline(const struct peerlet *p);

/* Best open connection of a peer: direct before limited, older before newer; null if none. */
struct conn *best_conn(const struct peerlet *p, const struct peer *peer, bool direct_only);

/* One that goes through no relay, which the best is if there is any; null for nobody. */
struct conn *unrelayed_conn(const struct peerlet *p, const struct peer *peer);
uint32_t conn_flags(const struct conn *c);
void limit_conn(struct peerlet *p, struct conn *c, struct circuit_limit limit);

/* ---- streams.c */
void stream_event(struct peerlet *p, const struct conn_event *ev, struct peerlet_output *out);
void stream_room_event(struct peerlet *p, struct stream *s);
bool reap_streams(struct peerlet *p, struct conn *c);
bool feed_session(struct peerlet *p, struct feed *f);
void drain_session(struct peerlet *p, struct session *s);

/* Opens a stream with a built-in protocol; `make` fills the machine. Null with the reason set. */
struct session *open_session(struct peerlet *p, struct conn *c, enum service_index service);
void close_session(struct peerlet *p, struct session *s, int code);
void sessions_tick(struct peerlet *p, struct conn *c);
uint64_t sessions_deadline(const struct conn *c);

static inline void *machine(struct session *s)
{
    return s->state.machine;
}

/* ---- handlers.c */
const struct service *service_of(const struct peerlet *p, struct view protocol);
struct handler *handler_of(const struct peerlet *p, struct view protocol);
bool is_rpc_protocol(const struct peerlet *p, struct view protocol,
                     enum gossipsub_version *version);

/* The newest that both speak, so that a peer is asked once; empty when there is none. */
struct view rpc_protocol_of(const struct peerlet *p, const struct peer *peer,
                            enum gossipsub_version *version);
/* Of addresses, and of protocols, that one list of ours has. */
#define LIST_MAX 64

/* Names of everything we answer, as views into constants and handlers. */
void list_protocols(const struct peerlet *p, struct views *into);

/* ---- circuits.c */
void connect_event(struct peerlet *p, struct session *s, const struct protocol_event *ev);
struct conn *connect_raw(struct peerlet *p, struct session *s);
void connect_ended(struct peerlet *p, struct session *s, int code);
int stop_accept(struct peerlet *p, struct session *s);
void stop_event(struct peerlet *p, struct session *s, const struct protocol_event *ev);
struct conn *stop_raw(struct peerlet *p, struct session *s);

/* ---- dials.c */
/* An address of a dial came to nothing; the others go on. */
void target_failed(struct peerlet *p, struct dial *dial, struct target *t, int code,
                   struct view why);
/* One more address: 0, or why not, also in `*why`. It moves the targets that are there. */
int add_target(struct peerlet *p, struct dial *dial, struct view addr, const char **why);
struct dial *start_dial(struct peerlet *p, struct peer *peer);
void run_dials(struct peerlet *p);
void dial_conn_up(struct peerlet *p, struct conn *c);
void dial_conn_down(struct peerlet *p, uint32_t conn, int code, struct view why);
void end_dial(struct peerlet *p, struct dial *dial, struct conn *c, int code);
int dial_known_addresses(struct peerlet *p, struct dial *dial);
uint64_t dials_deadline(const struct peerlet *p);
/* Connects to a peer of ours, unless it is connected or being dialled. */
void dial_in_background(struct peerlet *p, struct peer *peer);

/* ---- sessions.c */
/* 0, or why none may be opened to that address now. */
int session_may_begin(struct peerlet *p, struct view addr);
/* A session is gone; `code` says why it never opened, 0: it had. */
void session_down(struct peerlet *p, const struct conn *c, int code);

/* ---- names.c */
/* Orders what is behind /dnsaddr/h to be looked up; returns the number of the lookup. */
uint32_t look_up(struct peerlet *p, struct view name);

/* ---- relays.c */
/* Keeps /dnsaddr/h/p2p/R, found in the dial of a name that is a relay: 0, or why not. */
int relay_behind_name(struct peerlet *p, uint32_t dial, struct view addr);
void relay_free(struct peerlet *p, struct relay *r);
void relays_tick(struct peerlet *p);
uint64_t relays_deadline(const struct peerlet *p);
void relay_conn_up(struct peerlet *p, struct conn *c);
void relay_conn_down(struct peerlet *p, const struct conn *c);
/* When an address that failed in a dial to a relay of ours is worth another try; NEVER: any other dial. */
uint64_t relay_again_at(struct peerlet *p, uint32_t dial);
void relay_dial_over(struct peerlet *p, uint32_t dial, int code, struct view why);
void relay_identified(struct peerlet *p, struct peer *peer);
void relays_wake(struct peerlet *p);
struct relay *relay_of_conn(const struct peerlet *p, const struct conn *c);

int reserve_begin(struct peerlet *p, struct session *s);
void reserve_event(struct peerlet *p, struct session *s, const struct protocol_event *ev);
void reserve_ended(struct peerlet *p, struct session *s, int code);

/* ---- direct.c */
int signaling_accept(struct peerlet *p, struct session *s);
void signaling_event(struct peerlet *p, struct session *s, const struct protocol_event *ev);
void signaling_ended(struct peerlet *p, struct session *s, int code);
/* Begins a WebRTC connection signalled on `via`; null with the reason set when it cannot. */
struct rtc *direct_start(struct peerlet *p, struct conn *via, struct view address);
/* Whether one more RTCPeerConnection may be made, and counts it; false with the reason set. */
bool rtc_may_begin(struct peerlet *p, enum role role);
/* Orders the peer connection of a LINK_DIRECT: the server in the address needs no signaling. */
int rtc_dial_server(struct peerlet *p, struct conn *c);
struct rtc *direct_of_peer(const struct peerlet *p, const struct peer *peer);
struct rtc *direct_of_conn(const struct peerlet *p, uint32_t conn);
void direct_conn_down(struct peerlet *p, struct conn *c);
void direct_tick(struct peerlet *p);
uint64_t direct_deadline(const struct peerlet *p);
/* A connection is down whose peer we want to have a direct one with, again. */
void direct_missed(struct peerlet *p, const struct conn *c, struct peer *peer);
/* A relayed connection is up or identified: upgrade it. */
void upgrade_relayed(struct peerlet *p, struct conn *c);

/* ---- identity.c */
int identify_accept(struct peerlet *p, struct session *s);
int push_accept(struct peerlet *p, struct session *s);
void identify_event(struct peerlet *p, struct session *s, const struct protocol_event *ev);
void identify_ended(struct peerlet *p, struct session *s, int code);
void identify_conn(struct peerlet *p, struct conn *c);
void self_updated(struct peerlet *p);
void pushes_tick(struct peerlet *p);
uint64_t pushes_deadline(const struct peerlet *p);
/* Our own addresses, binary, without our own /p2p; the views live in p->text until it changes. */
void self_addresses(struct peerlet *p, struct views *into);

/* ---- gossip.c */
bool gossip_is_allowed(const struct peerlet *p, const struct conn *c);
void gossip_conn_up(struct peerlet *p, struct conn *c);
void gossip_identified(struct peer *peer, struct view agent);
void gossip_conn_down(struct peerlet *p, struct conn *c);
void gossip_accept(struct peerlet *p, struct stream *s, enum gossipsub_version version);
void gossip_stream_down(struct peerlet *p, struct stream *s);
bool gossip_feed(struct peerlet *p, struct feed *f, struct peerlet_output *out);
bool gossip_next(struct peerlet *p, struct peerlet_output *out);
bool gossip_drain(struct peerlet *p);
void gossip_tick(struct peerlet *p);
uint64_t gossip_deadline(const struct peerlet *p);
void discovery_announce(struct peerlet *p);

/* ---- questions.c */
/* Appends to a list of addresses, with the /p2p of `peer` unless that is null. */
void add_address(struct buf *list, struct view addr, const struct peer_id *peer);

/* ---- liveness.c */
int ping_accept(struct peerlet *p, struct session *s);
void ping_event(struct peerlet *p, struct session *s, const struct protocol_event *ev);
void ping_ended(struct peerlet *p, struct session *s, int code);
/* Asks for a sign of life; the verdict is the tick's. */
void liveness_ask(struct peerlet *p, struct conn *c);
void liveness_tick(struct peerlet *p, struct conn *c);
uint64_t liveness_deadline(const struct peerlet *p, const struct conn *c);

#endif
