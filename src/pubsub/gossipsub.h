/*
 * The gossipsub router: who gets which message. RPCs in, RPCs out, no connections.
 *
 *     bytes of a peer's stream ─feed──▶ ┌────────┐ ─▶ one event at a time: messages, subscriptions
 *     subscribe, publish ─────────────▶ │ router │
 *     time ─tick──────────────────────▶ └────────┘ ─drain─▶ RPCs for each peer that is owed any
 *
 * Peers are named by a handle the owner chooses. Between two peers run two streams, one opened by
 * each, on which only the opener writes; they may come in any order.
 *
 * A message is kept once, and the cache and the queue of each peer it waits for refer to it. What a
 * peer can make us hold is bounded by struct peerlet_limits, "gossipsub"; a rule that a peer breaks
 * inside an RPC costs it that part, bytes that are no RPC cost it the stream. Everything that repeats
 * goes by instants: a timer that comes late does no harm.
 *
 * specs/pubsub/gossipsub, v1.0 to v1.3. How a peer's standing decides what it gets is in one place,
 * member_is of mesh.c.
 */
#ifndef PUBSUB_GOSSIPSUB_H
#define PUBSUB_GOSSIPSUB_H

#include "base/table.h"
#include "pubsub/mcache.h"
#include "pubsub/mesh.h"
#include "pubsub/score.h"
#include "pubsub/seen.h"

struct gossipsub_config {
    union {
        struct {
            uint32_t d, d_low, d_high; /* peers in a mesh: wanted, at least, at most */
            uint32_t d_score; /* of these, best ones kept in pruning, once peers have scores */
            uint32_t d_out;   /* of these, dialled by us: at least */
            uint32_t d_lazy;  /* peers outside told of messages by IHAVE: at least */
            uint32_t heartbeat_ms;
            uint32_t fanout_ttl_ms; /* peers chosen to publish to without subscribing */
            uint32_t seen_ttl_ms;   /* ids remembered, against duplicates */
            uint32_t mcache_length; /* heartbeats that messages are kept */
            uint32_t mcache_gossip; /* and told of */
            uint32_t prune_backoff_s;
            uint32_t unsubscribe_backoff_s;
            uint32_t opportunistic_peers; /* better ones that a mesh takes in at once */
            uint32_t idontwant_bytes;     /* of data: so much is worth an IDONTWANT */
            uint32_t px_peers;            /* told of in a PRUNE */
            uint32_t promise_ms;          /* to send what was told of and asked for */
            uint32_t graft_flood_ms;      /* a GRAFT so soon after a PRUNE is two faults */
            uint32_t gossip_percent;      /* d_lazy as a share of those outside */
            uint32_t opportunistic_ms;    /* between looks for better peers for a mesh; 0: none */
            uint32_t explicit_ms; /* between dials of explicit peers that are gone; the same */
        };
        uint32_t numbers[21]; /* what an application may choose */
    };
    uint32_t iwant_again_ms;   /* an id asked for may be asked of another then, or at twice it */
    uint32_t idontwant_ttl_ms; /* ids a peer does not want, remembered */
    bool emit_self;            /* our own messages are events, too */
    bool exchange_peers;       /* whoever is pruned is told of others */
    bool allow_no_peers;       /* publish to nobody is no error */
    enum gossipsub_signing signing;
    enum gossipsub_message_id message_id;
};

/* js-libp2p's, whose networks a page is most likely to meet. */
extern const struct gossipsub_config GOSSIPSUB_DEFAULTS;

struct gossipsub {
    struct gossipsub_config config;
    const struct identity *identity;
    struct peer_id self;
    struct mem *mem;
    const struct rng *rng;
    const struct peerlet_limits *limits;
    uint64_t seqno; /* of our last message */

    struct table peers; /* struct neighbour by handle */
    struct list parted; /* those gone, remembered for their backoffs */
    uint32_t parted_count;
    struct list owing; /* those with something to write */
    uint32_t walks;    /* over `owing`, so far */

    struct messages messages;
    struct mesh mesh;
    struct mcache mcache;
    union {
        struct {
            struct seen seen;     /* messages, by id and by origin */
            struct seen asked;    /* ids asked for by IWANT */
            struct seen served;   /* messages sent for an IWANT, with peer and how-manieth time;
                                     and brought by it after another, or while that waited */
            struct seen unwanted; /* ids of IDONTWANT, with peer */
        };
        struct seen sets[4];
    };

    bool has_flooded;     /* peers, or had */
    bool is_restricted;   /* to topics that are allowed */
    bool awaits_verdicts; /* the application judges messages before they go on */
    struct table checks;  /* struct message by job: those being checked or judged elsewhere */
    uint32_t last_job;
    struct list ready;     /* struct message, in_line: for gossipsub_next */
    struct list news;      /* struct member, in_news: the same */
    struct message *given; /* behind the last event; let go at the next call */

    struct score_params scoring;
    uint64_t decayed_at;       /* counters have decayed until then */
    uint64_t opportunistic_at; /* when meshes look for better peers again */

    uint64_t heartbeat_at; /* the next one */
    uint64_t beaten_at;    /* the last one */
    uint64_t gossip_since; /* IHAVE tells of what came since */
    uint64_t lost;         /* messages that found no memory, or the queue of a peer full */
};

enum gossipsub_event_type {
    GOSSIPSUB_MESSAGE, /* from … id, via (0: our own): new, signed, of a topic of ours; job: it
                               goes on after gossipsub_judge, 0: it has gone on */
    GOSSIPSUB_NAME,    /* from … key, job: a new message that goes on after gossipsub_name */
    GOSSIPSUB_VERIFY,  /* job, public_key, message, signature; see gossipsub_judge */
    GOSSIPSUB_SUBSCRIPTION, /* via, peer, topic, value: 1 subscribed, 0 no more */
    GOSSIPSUB_NEWS,         /* via, peer, topic, value: enum member_news */
    GOSSIPSUB_PEERS,        /* via, peers: PeerInfos to be read by rpc_peer_parse and not trusted */
};

/* Views are valid until the next call on the router. */
struct gossipsub_event {
    enum gossipsub_event_type type;
    struct view from, data, seqno, topic, signature, key, id;
    struct view message; /* for VERIFY: the signed bytes */
    struct public_key public_key;
    uint32_t via, job, value;
    struct rpc_ids peers;
    struct peer_id peer;
};

/*
 * `unix_ms` seeds the sequence numbers, which so grow over restarts. What is pointed to must outlive
 * the router. ERR_BAD_ARGUMENT for a heartbeat of 0 ms, and for telling of more heartbeats than
 * messages are kept.
 */
MUST_USE int gossipsub_init(struct gossipsub *g, const struct gossipsub_config *config,
                            const struct identity *identity, struct mem *mem, const struct rng *rng,
                            const struct peerlet_limits *limits, uint64_t now, uint64_t unix_ms);
void gossipsub_free(struct gossipsub *g);

/* ---- peers and their streams */

/*
 * A peer is there; `role` is who dialled it first, `host` names where its connection comes through
 * (P6 of score.h), and is empty when that is not known. For one that is there already nothing changes. A
 * handle stands for one Peer ID, and is not 0. ERR_NOMEM.
 */
MUST_USE int gossipsub_add_peer(struct gossipsub *g, uint32_t handle, const struct peer_id *id,
                                enum gossipsub_version version, enum role role, struct view host);

/* It and we have agreed to send each other everything: gossipsub v1.1, "Explicit Peering Agreements". */
void gossipsub_set_explicit(struct gossipsub *g, uint32_t handle);

/*
 * What its implementation names messages by, until it shows what it does: told of a message by another
 * name, it would ask for it, and blame us when what comes has its own.
 */
void gossipsub_set_form(struct gossipsub *g, uint32_t handle, enum gossipsub_message_id form);

/* Its stream to us begins: an RPC begun on an earlier one is forgotten. */
void gossipsub_hear(struct gossipsub *g, uint32_t handle);

/* Our stream to it begins, and `version` is what it speaks: all our subscriptions are owed. */
void gossipsub_greet(struct gossipsub *g, uint32_t handle, enum gossipsub_version version,
                     uint64_t now);

/* Our stream to it is gone, and what waited for it is lost, until it is greeted again. */
void gossipsub_silence(struct gossipsub *g, uint32_t handle, uint64_t now);

/* It is gone. Its backoffs and a score below 0 are remembered, should it come back under the same
 * handle. */
void gossipsub_remove_peer(struct gossipsub *g, uint32_t handle, uint64_t now);

/* Keeps a copy of its signed peer record, for others, unless it is over limits->px_record. */
void gossipsub_set_record(struct gossipsub *g, uint32_t handle, struct view record);

/* Null for a handle that is not there. */
const struct peer_id *gossipsub_peer_id(const struct gossipsub *g, uint32_t handle);

/* ---- in */

/*
 * Takes bytes of the stream a peer opened to us. 1 with an event; 0 when `in` is used up; or the
 * error to reset that stream with: PROTOCOL, TOO_BIG, NOMEM. Call until it returns 0, also when `in`
 * is empty, with the same bytes, unless the stream ends.
 */
MUST_USE int gossipsub_feed(struct gossipsub *g, uint32_t handle, struct span *in,
                            struct gossipsub_event *ev, uint64_t now);

/* Accepted, it goes on, and whoever else has brought it meanwhile has the credit of P3; rejected, whoever
 * sent it pays for it by P4; ignored, neither. */
enum gossipsub_verdict { GOSSIPSUB_ACCEPT, GOSSIPSUB_IGNORE, GOSSIPSUB_REJECT };

/*
 * The answer to GOSSIPSUB_VERIFY, where a message that is accepted then comes of gossipsub_next, or
 * to a GOSSIPSUB_MESSAGE with a job. One that has no answer after limits->verdict_ms is ignored, and
 * so is what comes while limits->unverified wait. From the first call with job 0 on, messages of
 * others are the application's to judge. False: nothing waits by that job.
 */
bool gossipsub_judge(struct gossipsub *g, uint32_t job, enum gossipsub_verdict verdict,
                     uint64_t now);

/*
 * The answer to GOSSIPSUB_NAME: the id of the message, at most MESSAGE_ID_GIVEN_MAX bytes. Without one,
 * and with one that was there before, it is no message of a peer's; our own is with its receivers already.
 */
void gossipsub_name(struct gossipsub *g, uint32_t job, struct view id, uint64_t now);

/* Events that do not come of bytes: such messages, our own with emit_self, what the mesh was told. False:
 * none. */
bool gossipsub_next(struct gossipsub *g, struct gossipsub_event *ev);

/* ---- out */

/*
 * Walks the peers something can be written to: the next one's handle, 0 at the end. Start with
 * *at = 0. Draining while walking is fine.
 */
uint32_t gossipsub_owing(struct gossipsub *g, uint32_t *at);

/*
 * Appends whole RPCs as `out` has room, which must reach limits->rpc_send and RPC_PREFIX_MAX more
 * before a long message can leave. ERR_NOMEM, with nothing lost.
 */
MUST_USE int gossipsub_drain(struct gossipsub *g, uint32_t handle, struct buf *out);

/* ---- commands. A topic has 1 to limits->topic_name bytes, else ERR_BAD_ARGUMENT. */

/* ERR_FULL past limits->topics, ERR_NOMEM. */
MUST_USE int gossipsub_subscribe(struct gossipsub *g, struct view topic, uint64_t now);
MUST_USE int gossipsub_unsubscribe(struct gossipsub *g, struct view topic, uint64_t now);

/* All of the topic's subscribers; or the mesh, and others where that is thin. */
enum gossipsub_reach { GOSSIPSUB_TO_ALL, GOSSIPSUB_TO_MESH };

/*
 * Sends `data` to subscribers of a topic, ours or not; it waits for one that has not been greeted yet,
 * within limits->gossip_out. Returns for how many it was queued; their handles are put into
 * `recipients`, four bytes each, big endian, unless it is null. ERR_NO_PEERS when nobody is subscribed, ERR_FULL when no queue has room, ERR_TOO_BIG past limits->message,
 * ERR_PUBLISHED for an id that was there before, ERR_NOMEM; nothing has changed then.
 */
MUST_USE int gossipsub_publish(struct gossipsub *g, struct view topic, struct view data,
                               enum gossipsub_reach reach, struct buf *recipients, uint64_t now);

/*
 * What counts in the scores: struct score_params for an empty topic, else struct score_topic_params
 * of that one. `numbers` are theirs; one that is no number leaves the default. Where they are null the
 * topic is allowed, and from the first time on peers are not heard of others. ERR_BAD_ARGUMENT for a
 * topic's name that is too long, ERR_NOMEM.
 */
MUST_USE int gossipsub_set_params(struct gossipsub *g, struct view topic, const float *numbers);

/* What the application thinks of a peer: P5, from the next heartbeat on. What is no number is nothing. */
void gossipsub_rate(struct gossipsub *g, uint32_t handle, float score);

/* The score of a peer as of the last heartbeat or fault, also when it has gone; 0 when it is not known. */
float gossipsub_score(const struct gossipsub *g, uint32_t handle);

/* ---- time */

/* True when that was a heartbeat. */
bool gossipsub_tick(struct gossipsub *g, uint64_t now);

/* NEVER while there are no peers. */
uint64_t gossipsub_deadline(const struct gossipsub *g);

/* ---- questions: start with *at = 0 and change nothing */

enum gossipsub_set { GOSSIPSUB_ALL, GOSSIPSUB_SUBSCRIBERS, GOSSIPSUB_MESH };

/* The next of our topics, oldest first. */
bool gossipsub_next_topic(const struct gossipsub *g, uint32_t *at, struct view *topic);

/* The next peer of a set, 0 at the end. `topic` says nothing for GOSSIPSUB_ALL. */
uint32_t gossipsub_next_peer(const struct gossipsub *g, enum gossipsub_set set, struct view topic,
                             uint32_t *at);

#endif
