/*
 * Peerlet: a libp2p node without I/O.
 *
 * The whole of the core behind one face. A driver owns sockets, peer connections, clock and
 * randomness; it tells the node what happened (inputs), the application tells it what it wants
 * (commands), and both take what comes of it (orders to the driver, events for the application):
 *
 *     inputs, commands  -->  struct peerlet  -->  struct peerlet_output
 *
 * After every input or command call peerlet_next until it returns false, perform each output, then
 * set one alarm for peerlet_deadline and call peerlet_tick when it rings. Nothing calls back.
 *
 * Names. Links, connections, streams, dials and jobs are numbers that the node counts up from 1 and
 * never reuses; an input about a number that is gone is ignored. Peer IDs are base58 text. A multiaddr
 * is binary; a list of them has the length of each in front of it, as a uvarint. Any other list is its
 * items joined by '\n'. Text is UTF-8 without a NUL.
 *
 * Time. `now` is a monotonic count of milliseconds; it never runs backwards. The time of day is
 * given once in the configuration and again by peerlet_clock after the machine slept.
 *
 * Borrowing. Bytes given to an input are borrowed, and decrypted where they lie, until peerlet_next
 * has returned false. Views in an output are valid until the next call on the node.
 *
 * Errors are the negative codes of base/err.h; a command that returns one has changed nothing, and
 * peerlet_reason() says in words what was wrong and what to do.
 */
#ifndef PEERLET_H
#define PEERLET_H

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/role.h"
#include "base/span.h"
#include "base/timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peerlet;

/* ---- configuration ------------------------------------------------------------------------ */

/* What of the node is switched on. */
enum peerlet_service {
    PEERLET_IDENTIFY = 1 << 0,
    PEERLET_PUSH = 1 << 1,
    PEERLET_PING = 1 << 2,
    PEERLET_PUBSUB = 1 << 3,
    PEERLET_WEBSOCKET = 1 << 4,
    PEERLET_CIRCUIT = 1 << 5,
    PEERLET_WEBRTC = 1 << 6,
    PEERLET_WEBTRANSPORT = 1 << 7,
    PEERLET_WEBRTC_DIRECT = 1 << 8,
    PEERLET_ALL = (1 << 9) - 1,
};

/* Where the page was loaded from decides what a browser lets it reach. */
enum peerlet_page {
    PEERLET_PAGE_SECURE = 1 << 0,  /* https: plain ws:// only to loopback */
    PEERLET_PAGE_PRIVATE = 1 << 1, /* loopback or LAN: private addresses may be dialled */
    PEERLET_PAGE_ANY = 1 << 2,     /* dial anything the application names */
};

enum peerlet_signing { PEERLET_STRICT_SIGN, PEERLET_STRICT_NO_SIGN };

/* How a pubsub message is named; all peers of a topic should agree. */
enum peerlet_message_id {
    PEERLET_ID_JS,     /* public key protobuf || seqno, what js-libp2p does */
    PEERLET_ID_SPEC,   /* from || seqno, the spec and go-libp2p */
    PEERLET_ID_TEXT,   /* from in base58, seqno in decimal: rust-libp2p */
    PEERLET_ID_SHA256, /* sha2-256 of data */
    PEERLET_ID_GIVEN,  /* what peerlet_name says */
};

/* In all, and of these, what is chosen before `d`. */
#define PEERLET_PUBSUB_NUMBERS 29
#define PEERLET_PUBSUB_SWITCHES 7

struct peerlet_pubsub_config {
    union {
        struct {
            uint32_t signing;    /* enum peerlet_signing */
            uint32_t message_id; /* enum peerlet_message_id */

            /* 0 is no */
            uint32_t emit_self;
            uint32_t exchange_peers; /* whoever is pruned is told of others */
            uint32_t allow_no_peers; /* publish to nobody is fine instead of ERR_NO_PEERS */
            uint32_t on_limited;     /* also over limited connections, where there is no other */
            uint32_t fallback_to_floodsub;

            /* 0 for the default, else one more than what is wanted: see struct gossipsub_config */
            uint32_t d, d_low, d_high, d_score, d_out, d_lazy;
            uint32_t heartbeat_ms, fanout_ttl_ms, seen_ttl_ms, mcache_length, mcache_gossip;
            uint32_t prune_backoff_s, unsubscribe_backoff_s;
            uint32_t opportunistic_peers, idontwant_bytes, px_peers, promise_ms, graft_flood_ms;
            uint32_t gossip_percent, opportunistic_ms, explicit_ms;
            uint32_t longest_rpc; /* bytes that all of the network read, from 64 KiB on: the same */
        };
        uint32_t numbers[PEERLET_PUBSUB_NUMBERS];
    };
};

struct peerlet_config {
    const struct peerlet_limits *limits; /* null: PEERLET_LIMITS */
    struct rng rng;                      /* must be set */
    struct log log;                      /* may be empty */
    struct view private_key;             /* PrivateKey protobuf (Ed25519), or empty: a new one */
    uint64_t unix_ms;                    /* time of day now */
    uint32_t services;                   /* enum peerlet_service, or'ed */
    uint32_t page;                       /* enum peerlet_page, or'ed */
    struct view agent;                   /* identify's agentVersion; empty: "peerlet/<version>" */
    struct peerlet_pubsub_config pubsub;
    bool no_auto_dial_discovered; /* true: a discovered peer is only announced */
    uint64_t fail_nth;            /* tests: the allocation that fails; 0: none */
};

/*
 * Null when memory is out or the key is not an Ed25519 private key; `*error` says which. The
 * configuration is copied. The node does nothing before peerlet_start.
 */
struct peerlet *peerlet_new(const struct peerlet_config *config, uint64_t now, int *error);

/* Frees the node and wipes its secrets. Orders not yet taken are lost: call peerlet_stop first. */
void peerlet_delete(struct peerlet *p);

/* ---- the loop ------------------------------------------------------------------------------ */

enum peerlet_output_type {
    PEERLET_NOTHING,

    /* orders to the driver */
    PEERLET_OPEN_SOCKET,  /* link; text: URL. Open a binary WebSocket */
    PEERLET_OPEN_SESSION, /* link; text: URL; data: sha2-256 of certificates, 32 bytes each. Open a
                              WebTransport session; its bidirectional streams are channels */
    PEERLET_OPEN_RTC,     /* link; value: enum role. Make an RTCPeerConnection */
    PEERLET_OPEN_CHANNEL, /* link, channel; text: label. createDataChannel, ordered, reliable; value:
                              1 for the one whose number, 0, both ends agreed on */
    PEERLET_RTC_OFFER,  /* link. setLocalDescription(); answer by peerlet_rtc_description. text: if
                              the browser lets us, its ICE name and password are to be this, and
                              the description is then what it made of that */
    PEERLET_RTC_REMOTE, /* link; value: 0 offer, 1 answer; text: SDP. setRemoteDescription; after
                              an offer also setLocalDescription(), then peerlet_rtc_description */
    PEERLET_RTC_CANDIDATE, /* link; text: JSON of RTCIceCandidateInit. addIceCandidate */
    PEERLET_SEND,          /* link, channel (0: a socket); data: one message, never over room */
    PEERLET_CLOSE_CHANNEL, /* link, channel; value: enum peerlet_channel_end */
    PEERLET_PAUSE_CHANNEL, /* link, channel of a session; value: 1 to read no more, 0 to go on */
    PEERLET_CLOSE_LINK,    /* link. No input about it is wanted any more */
    PEERLET_VERIFY,        /* id: job; value: enum signature_algorithm; data: key, SPKI DER or a
                              point of secp256k1; text: message, of secp256k1 its SHA-256; extra:
                              signature (RSA as it is, others r || s). Answer by
                              peerlet_verified */
    PEERLET_LOOKUP, /* id: lookup; text: a name. Look up the TXT records of "_dnsaddr.<name>" and
                       answer by peerlet_found; no harm is done if that takes long */

    /* events for the application */
    PEERLET_SELF_UPDATED,      /* data: own addresses; the protocols we answer may be others, too */
    PEERLET_PEER_DISCOVERED,   /* peer; data: addresses; value: enum peerlet_source */
    PEERLET_PEER_IDENTIFIED,   /* id: connection; peer; data: addresses; text: protocols;
                                 more: agent '\n' protocol version; extra: observed address;
                                 key: public key protobuf; value: 1 with a signed peer record */
    PEERLET_PEER_CONNECTED,    /* peer: its first connection opened */
    PEERLET_PEER_DISCONNECTED, /* peer: its last one closed */
    PEERLET_CONN_OPENED,       /* id: connection; peer; data: remote address; value: enum
                                 peerlet_conn_flags; limit_s, limit_bytes when limited */
    PEERLET_CONN_CLOSED,       /* id; peer; code; text: why */
    PEERLET_CONN_RTT,          /* id; value: microseconds are not known, milliseconds */
    PEERLET_DIALED,            /* id: dial; channel: connection */
    PEERLET_DIAL_FAILED,       /* id: dial; code; text: what happened and what to do */
    PEERLET_DIAL_PROGRESS,     /* id: dial, which goes on; code; text: why one address failed */
    PEERLET_STREAM_OPENED,     /* id: stream; channel: connection; value: enum role (LISTENER: the
                                 peer opened it); text: protocol */
    PEERLET_STREAM_DATA,       /* id; data. Give the credit back by peerlet_stream_took */
    PEERLET_STREAM_ENDED,      /* id: the peer closed its write half */
    PEERLET_STREAM_ROOM,       /* id: a write that was short may go on */
    PEERLET_STREAM_CLOSED,     /* id; code: 0 both halves closed, else why. The number is gone */
    PEERLET_PINGED,            /* id: job; code; value: milliseconds */
    PEERLET_MESSAGE,           /* peer: author, empty if unsigned; text: topic; data; extra: seqno,
                                 8 bytes; more: signature; key: public key protobuf;
                                 id: connection it came by, 0 for our own; value: 0, or a job:
                                 it goes on when peerlet_judge says so */
    PEERLET_NAME, /* the same of a message, our own too, that waits for peerlet_name; value: its job */
    PEERLET_SUBSCRIPTION, /* peer; text: topic; value: 1 subscribed, 0 no more */
    PEERLET_MESH, /* peer; text: topic; value: 0 it has grafted us, 1 pruned, 2 we it, 3 pruned */
    PEERLET_HEARTBEAT, /* the router has been through its peers; not told while there are none */
    PEERLET_RELAY,     /* peer: relay; value: enum peerlet_relay_state; data: its address
                                 when it is reserved; code, text: why not */
    PEERLET_NETWORK,   /* value: 1 online, 0 offline, as told by peerlet_page_event */
};

/* Where a discovered peer was heard of. */
enum peerlet_source { PEERLET_FROM_BOOTSTRAP, PEERLET_FROM_PUBSUB, PEERLET_FROM_PX };

enum peerlet_conn_flags {
    PEERLET_CONN_INBOUND = 1 << 0,
    PEERLET_CONN_LIMITED = 1 << 1,
    PEERLET_CONN_RELAYED = 1 << 2,
    PEERLET_CONN_WEBRTC = 1 << 3,
    PEERLET_CONN_WEBSOCKET = 1 << 4,
    PEERLET_CONN_WEBTRANSPORT = 1 << 5,
};

enum peerlet_relay_state {
    PEERLET_RELAY_CONNECTING,
    PEERLET_RELAY_RESERVING,
    PEERLET_RELAY_RESERVED,
    PEERLET_RELAY_WAITING, /* failed; tried again by itself after a pause */
    PEERLET_RELAY_GONE,    /* no longer wanted */
};

/* Of a data channel there is but CLOSE. */
enum peerlet_channel_end {
    PEERLET_CLOSE,     /* both halves, in order */
    PEERLET_RESET,     /* both halves, at once */
    PEERLET_END_WRITE, /* FIN: no more comes from the side that says so */
    PEERLET_END_READ,  /* STOP_SENDING: that side reads no more */
};

struct peerlet_output {
    enum peerlet_output_type type;
    uint32_t id;      /* link, connection, stream, dial or job */
    uint32_t channel; /* within a link; in some events a second number */
    uint32_t value;
    int code; /* 0 or a negative error */
    uint32_t limit_s;
    uint64_t limit_bytes;
    struct view peer;
    struct view text;
    struct view data;
    struct view extra;
    struct view more;
    struct view key;
};

/* The next order or event; false when there is none. */
bool peerlet_next(struct peerlet *p, struct peerlet_output *out);

/* When to call peerlet_tick at the latest; NEVER when time changes nothing. */
uint64_t peerlet_deadline(const struct peerlet *p);
void peerlet_tick(struct peerlet *p, uint64_t now);

/* ---- inputs: what the driver tells --------------------------------------------------------- */

/*
 * A link ordered by OPEN_SOCKET or OPEN_SESSION is open. (`channel` 0.) For a data channel: it is open. `room` is how
 * many bytes it takes now.
 */
void peerlet_link_opened(struct peerlet *p, uint32_t link, uint32_t channel, size_t room,
                         uint64_t now);

/* Bytes arrived; one message of a socket or data channel. Borrowed and written into, see above. */
void peerlet_link_bytes(struct peerlet *p, uint32_t link, uint32_t channel, struct span bytes,
                        uint64_t now);

/*
 * How many more bytes it takes, replacing the number given before. The node subtracts what it
 * orders to be sent until it is told again.
 */
void peerlet_link_room(struct peerlet *p, uint32_t link, uint32_t channel, size_t room,
                       uint64_t now);

/* It closed or could not be opened. `why` is for a person and may be empty. */
void peerlet_link_closed(struct peerlet *p, uint32_t link, uint32_t channel, struct view why,
                         uint64_t now);

/*
 * The peer ended its half of a session's stream (PEERLET_END_WRITE), or wants no more of ours
 * (PEERLET_END_READ). A stream that it reset is closed.
 */
void peerlet_channel_ended(struct peerlet *p, uint32_t link, uint32_t channel,
                           enum peerlet_channel_end end, uint64_t now);

/* The local description, after PEERLET_RTC_OFFER or an offer in PEERLET_RTC_REMOTE. */
void peerlet_rtc_description(struct peerlet *p, uint32_t link, struct view sdp, uint64_t now);

/* A local candidate as JSON; empty at the end. */
void peerlet_rtc_candidate(struct peerlet *p, uint32_t link, struct view json, uint64_t now);

enum peerlet_rtc_state { PEERLET_RTC_CONNECTED, PEERLET_RTC_DISCONNECTED, PEERLET_RTC_FAILED };
void peerlet_rtc_state(struct peerlet *p, uint32_t link, enum peerlet_rtc_state state,
                       uint64_t now);

/* The peer opened a channel: returns the number to call it by, or 0 to close it. */
uint32_t peerlet_channel_incoming(struct peerlet *p, uint32_t link, struct view label, size_t room,
                                  uint64_t now);

/* The answer to PEERLET_VERIFY. */
void peerlet_verified(struct peerlet *p, uint32_t job, bool is_valid, uint64_t now);

/*
 * The answer to PEERLET_LOOKUP: a list of the multiaddrs in its records dnsaddr=<multiaddr>, of which
 * those that cannot be read are left out. `why`: it failed; for a person.
 */
void peerlet_found(struct peerlet *p, uint32_t lookup, struct view list, struct view why,
                   uint64_t now);

enum peerlet_page_event {
    PEERLET_ONLINE,
    PEERLET_OFFLINE,
    PEERLET_VISIBLE,
    PEERLET_HIDDEN,
    PEERLET_FROZEN,
    PEERLET_RESUMED, /* also: the clock shows that the machine slept */
    PEERLET_PAGE_HIDE,
    PEERLET_PAGE_SHOW,
};
void peerlet_page_event(struct peerlet *p, enum peerlet_page_event event, uint64_t now);

/* The time of day in Unix milliseconds, told again after sleep. It is never used to measure time. */
void peerlet_clock(struct peerlet *p, uint64_t time_of_day, uint64_t now);

/* ---- commands: what the application asks ---------------------------------------------------- */

/* Why the last command failed, in words: what happened, why, what to do. Never empty. */
struct view peerlet_reason(const struct peerlet *p);

void peerlet_start(struct peerlet *p, uint64_t now);

/* Closes everything. Take the outputs afterwards; the node may be started again. Until it is told otherwise its
 * page is there and online then. */
void peerlet_stop(struct peerlet *p, uint64_t now);

/*
 * "/p2p-circuit": reserve on any relay we meet; "<relay>/p2p-circuit": on that one, and behind
 * "/dnsaddr/<name>/p2p-circuit" on each; "/webrtc".
 */
MUST_USE int peerlet_listen(struct peerlet *p, struct view multiaddr, uint64_t now);

/* A peer to be connected to at start and kept, normally a relay; "/dnsaddr/<name>": all behind it. */
MUST_USE int peerlet_bootstrap(struct peerlet *p, struct view multiaddr, uint64_t now);

/*
 * Pubsub peer discovery on a topic, beside those that were given before; 0 interval: 10 s. The last
 * interval is that of all of them.
 */
MUST_USE int peerlet_discover(struct peerlet *p, struct view topic, uint32_t interval_ms,
                              bool listen_only, uint64_t now);

enum peerlet_dial_flags { PEERLET_DIAL_FORCE = 1 << 0 };

/*
 * By `multiaddrs` of one peer (of "/dnsaddr/<name>": whoever behind it answers first) or, when there are none, to `peer` by the addresses that are known.
 * `*dial` names the attempt; exactly one of DIALED and DIAL_FAILED follows. Errors: BAD_MULTIADDR, BAD_PEER_ID, SELF_DIAL, NO_ADDRESS, DENIED,
 * FULL, NOT_STARTED.
 */
MUST_USE int peerlet_dial(struct peerlet *p, struct view peer, struct view multiaddrs,
                          uint32_t flags, uint32_t *dial, uint64_t now);

/* Its DIAL_FAILED has code ERR_ABORTED. */
void peerlet_dial_cancel(struct peerlet *p, uint32_t dial, uint64_t now);

/* Whether peerlet_dial would try it: 0, or the error and reason it would fail with. */
int peerlet_is_dialable(struct peerlet *p, struct view multiaddr);

/* All connections of a peer. */
MUST_USE int peerlet_hang_up(struct peerlet *p, struct view peer, uint64_t now);

/* One connection; `abort` drops what is queued for it. */
void peerlet_conn_close(struct peerlet *p, uint32_t conn, bool abort, uint64_t now);

enum peerlet_handle_flags { PEERLET_ON_LIMITED = 1 << 0 };

/* Answers a protocol. 0 for a maximum means the default. DUPLICATE, FULL, BAD_ARGUMENT. */
MUST_USE int peerlet_handle(struct peerlet *p, struct view protocol, uint32_t flags,
                            uint32_t max_inbound, uint32_t max_outbound, uint64_t now);
MUST_USE int peerlet_unhandle(struct peerlet *p, struct view protocol, uint64_t now);

/*
 * Opens a stream on a connection, proposing each protocol of the list in turn. STREAM_OPENED or
 * STREAM_CLOSED follows. NOT_FOUND, LIMITED, TOO_MANY_STREAMS, FULL, CLOSED.
 */
MUST_USE int peerlet_stream_open(struct peerlet *p, uint32_t conn, struct view protocols,
                                 uint32_t flags, uint32_t *stream, uint64_t now);

/*
 * Where to put at most `*room` (in: wanted, out: given) bytes of the next write, so that they are
 * encrypted where they are put; null when none fit now: wait for STREAM_ROOM. Nothing is sent
 * before peerlet_stream_commit, which takes the first `len` of them.
 */
uint8_t *peerlet_stream_reserve(struct peerlet *p, uint32_t stream, size_t *room, uint64_t now);
void peerlet_stream_commit(struct peerlet *p, uint32_t stream, size_t len, uint64_t now);

/* Both in one: returns how many bytes were taken, or STREAM_STATE / NOT_FOUND. */
MUST_USE int peerlet_stream_write(struct peerlet *p, uint32_t stream, struct view data,
                                  uint64_t now);

/* The application consumed `len` bytes of STREAM_DATA: the peer may send as many more. */
void peerlet_stream_took(struct peerlet *p, uint32_t stream, size_t len, uint64_t now);

void peerlet_stream_close_write(struct peerlet *p, uint32_t stream, uint64_t now);
void peerlet_stream_close_read(struct peerlet *p, uint32_t stream, uint64_t now);
void peerlet_stream_reset(struct peerlet *p, uint32_t stream, uint64_t now);

/* Measures a round trip on a connection; PINGED follows. NOT_FOUND, FULL. */
MUST_USE int peerlet_ping(struct peerlet *p, uint32_t conn, uint32_t *job, uint64_t now);

MUST_USE int peerlet_subscribe(struct peerlet *p, struct view topic, uint64_t now);
MUST_USE int peerlet_unsubscribe(struct peerlet *p, struct view topic, uint64_t now);

/* To all subscribers, or to the mesh, and others where that is thin. */
enum peerlet_reach { PEERLET_TO_ALL, PEERLET_TO_MESH };

/*
 * Returns how many peers it was queued for. NO_PEERS, FULL (wait and try again), TOO_BIG. The
 * recipients' Peer IDs are then peerlet_recipients().
 */
MUST_USE int peerlet_publish(struct peerlet *p, struct view topic, struct view data,
                             enum peerlet_reach reach, uint64_t now);

/*
 * Remembers addresses of a peer, as peerStore.merge. With `is_explicit` it is one that pubsub keeps
 * connected, as the other side has to, and sends everything instead of having it in a mesh.
 */
MUST_USE int peerlet_add_addresses(struct peerlet *p, struct view peer, struct view multiaddrs,
                                   bool is_explicit, uint64_t now);

/*
 * The application's verdict on a message: accepted, it is sent on; rejected, whoever sent it loses
 * score; ignored, neither. From the first call on, with job 0, those of others wait for it, a minute
 * at most and a thousand of them at most: what finds no answer or no room is ignored. False: that has
 * happened to this one.
 */
enum peerlet_verdict { PEERLET_ACCEPT, PEERLET_IGNORE, PEERLET_REJECT };
bool peerlet_judge(struct peerlet *p, uint32_t job, enum peerlet_verdict verdict, uint64_t now);

/* The id of a message that NAME told of, at most 128 bytes; without one it is ignored. */
void peerlet_name(struct peerlet *p, uint32_t job, struct view id, uint64_t now);

/*
 * What counts in the scores of peers (pubsub/score.h): of all, for an empty topic, or of what they do
 * in that one. What is not a number leaves the default. Null instead of numbers: the topic is one of
 * those that peers may speak of, and they are not heard of others. BAD_ARGUMENT, NOMEM.
 */
#define PEERLET_TUNE_NUMBERS 15
#define PEERLET_TUNE_TOPIC_NUMBERS 17 /* no fewer, so that there is room for either */
MUST_USE int peerlet_tune(struct peerlet *p, struct view topic, const float *numbers, uint64_t now);

/*
 * The score of the peer whose Peer ID is `text`, 0 where none is known. `application`, if it is a
 * number, is what the application thinks of it, and counts from the next heartbeat on.
 */
float peerlet_rate(struct peerlet *p, struct view text, float application);

/* ---- questions: lists, valid until the next call -------------------------------------------- */

struct view peerlet_peer_id(const struct peerlet *p);
/* PrivateKey protobuf, to be stored by the application. */
struct view peerlet_private_key(struct peerlet *p);
struct view peerlet_addresses(struct peerlet *p);
struct view peerlet_recipients(struct peerlet *p);
struct view peerlet_topics(struct peerlet *p);

/* Who speaks pubsub with us, who of them is subscribed to the topic, to whom its messages go at once. */
enum peerlet_pubsub_set { PEERLET_PUBSUB_ALL, PEERLET_PUBSUB_SUBSCRIBERS, PEERLET_PUBSUB_MESH };
struct view peerlet_pubsub_peers(struct peerlet *p, struct view topic, enum peerlet_pubsub_set set);
struct view peerlet_peer_addresses(struct peerlet *p, struct view text);
/* Of nobody: our own. */
struct view peerlet_peer_protocols(struct peerlet *p, struct view text);

/* Memory in use, for limits and the simulator. */
const struct mem *peerlet_memory(const struct peerlet *p);

#endif
