/*
 * One gossipsub router among peers whose every word the test writes.
 *
 *     struct scripted s;
 *     scripted_init(&s);                        change s.config or s.limits now
 *     scripted_begin(&s);
 *     meet(&s, 1, GOSSIPSUB_1_2, LISTENER);     peer 1 dialled us; both streams are open
 *     say(&s, 1, "{0a{0801 12{74}}}");          it subscribes to topic "t"
 *     assert_said(&s, 1, "1 graft topic=74\n"); all that was owed to it, as RPCs
 *     assert_heard(&s, "peer 1 joined 74\n");   all events since
 *     scripted_end(&s);
 */
#ifndef TESTS_SCRIPTED_H
#define TESTS_SCRIPTED_H

#include "framed.h"
#include "rpc_text.h"
#include "test.h"

#include "crypto/crypto.h"
#include "pubsub/gossipsub.h"

/* Peers have the handles 1 to SCRIPTED_PEERS; the router itself is 0 where a number is asked for. */
#define SCRIPTED_PEERS 250

#define START_MS 5000000
#define UNIX_MS 1700000000000

struct scripted {
    struct mem mem;
    struct mem elsewhere; /* of the messages that peers write */
    struct gossipsub g;
    struct gossipsub_config config;
    struct peerlet_limits limits;
    struct identity identities[SCRIPTED_PEERS + 1];
    struct peer_id ids[SCRIPTED_PEERS + 1];
    uint64_t now, seed;
    struct rng rng;
    struct transcript heard;
    bool hears_meshes; /* and not only what comes of them */
    enum gossipsub_reach reach;
};

static inline void scripted_init(struct scripted *s)
{
    *s = (struct scripted){
        .config = GOSSIPSUB_DEFAULTS, .limits = PEERLET_LIMITS, .now = START_MS, .seed = 11};
    s->rng = test_rng(&s->seed);
    crypto_init();
    for (size_t i = 0; i <= SCRIPTED_PEERS; i++) {
        identity_generate(&s->rng, &s->identities[i]);
        s->ids[i] = peer_id_of_identity(&s->identities[i]);
    }
}

static inline void scripted_begin(struct scripted *s)
{
    assert_ok(gossipsub_init(&s->g, &s->config, &s->identities[0], &s->mem, &s->rng, &s->limits,
                             s->now, UNIX_MS));
}

static inline void scripted_end(struct scripted *s)
{
    gossipsub_free(&s->g);
    assert_mem_empty(&s->mem);
    assert_mem_empty(&s->elsewhere);
}

/* All but every sixteenth come through one host. */
static inline struct view scripted_host(const struct scripted *s, uint32_t peer)
{
    return peer_id_view(&s->ids[peer % 16 == 0 ? peer : 0]);
}

static inline void meet(struct scripted *s, uint32_t peer, enum gossipsub_version version,
                        enum role role)
{
    assert_ok(gossipsub_add_peer(&s->g, peer, &s->ids[peer], version, role, scripted_host(s, peer)));
    gossipsub_hear(&s->g, peer);
    gossipsub_greet(&s->g, peer, version, s->now);
}

/* ---- in ---------------------------------------------------------------------------------------- */

static inline void scripted_hear(struct scripted *s, const struct gossipsub_event *ev)
{
    switch (ev->type) {
    case GOSSIPSUB_MESSAGE:
        transcript_add(&s->heard, "message %.*s via %u\n", (int)ev->data.len,
                       (const char *)ev->data.data, (unsigned)ev->via);
        break;
    case GOSSIPSUB_NAME:
        transcript_add(&s->heard, "name %u: %.*s via %u\n", (unsigned)ev->job, (int)ev->data.len,
                       (const char *)ev->data.data, (unsigned)ev->via);
        break;
    case GOSSIPSUB_SUBSCRIPTION:
        transcript_add(&s->heard, "peer %u %s ", (unsigned)ev->via,
                       ev->value ? "joined" : "left");
        transcript_add_hex(&s->heard, ev->topic);
        transcript_add(&s->heard, "\n");
        assert_true(peer_id_equal(&ev->peer, &s->ids[ev->via]));
        break;
    case GOSSIPSUB_NEWS:
        if (s->hears_meshes)
            transcript_add(&s->heard, "peer %u %s%s\n", (unsigned)ev->via,
                           ev->value % 2 == 0 ? "grafted" : "pruned",
                           ev->value >= NEWS_GRAFT_OURS ? " by us" : "");
        break;
    case GOSSIPSUB_PEERS: {
        struct rpc_ids peers = ev->peers;
        struct view info;
        while (rpc_next_id(&peers, &info)) {
            transcript_add(&s->heard, "peer %u names ", (unsigned)ev->via);
            transcript_add_hex(&s->heard, info);
            transcript_add(&s->heard, "\n");
        }
        break;
    }
    case GOSSIPSUB_VERIFY:
        transcript_add(&s->heard, "verify %u\n", (unsigned)ev->job);
        break;
    }
}

/* Feeds one exact block; returns what feed returned last. */
static inline int say_bytes(struct scripted *s, uint32_t peer, struct view bytes)
{
    uint8_t *block = malloc(MAX(bytes.len, 1));
    assert_non_null(block);
    if (bytes.len > 0)
        memcpy(block, bytes.data, bytes.len);
    struct span in = span_of(block, bytes.len);
    struct gossipsub_event ev;
    int rc;
    while ((rc = gossipsub_feed(&s->g, peer, &in, &ev, s->now)) > 0)
        scripted_hear(s, &ev);
    if (rc == 0)
        assert_int_equal(in.len, 0);
    while (gossipsub_next(&s->g, &ev))
        scripted_hear(s, &ev);
    free(block);
    return rc;
}

/* Whole RPCs, as framed() reads them. */
static inline void say(struct scripted *s, uint32_t peer, const char *rpcs)
{
    assert_ok(say_bytes(s, peer, framed(rpcs)));
}

static inline void assert_heard(struct scripted *s, const char *events)
{
    assert_string_equal(s->heard.text, events);
    s->heard = (struct transcript){0};
}

/* An RPC with one message that `author` wrote. Valid during the test. */
static inline struct view written(struct scripted *s, uint32_t author, uint64_t seqno,
                                  const char *topic, const char *data)
{
    struct messages all = {
        .mem = &s->elsewhere,
        .limit = SIZE_MAX,
        .signing = s->config.signing,
        .form = s->config.message_id,
    };
    struct message *m;
    assert_ok(message_write(&all, &s->identities[author], seqno, view_of_text(topic),
                            view_of_text(data), &m));
    uint8_t *bytes = malloc(m->encoded.len + 16);
    assert_non_null(bytes);
    struct writer w = writer_of(bytes, m->encoded.len + 16);
    size_t rpc = rpc_begin(&w);
    rpc_put_message(&w, m->encoded);
    rpc_end(&w, rpc);
    assert_false(w.failed);
    struct span copy = test_copy(writer_view(&w));
    free(bytes);
    message_drop(&all, m);
    return view_of_span(copy);
}

static inline void say_message(struct scripted *s, uint32_t peer, uint32_t author, uint64_t seqno,
                               const char *topic, const char *data)
{
    assert_ok(say_bytes(s, peer, written(s, author, seqno, topic, data)));
}

/* ---- topic "t" --------------------------------------------------------------------------------- */

#define JOIN "{0a{0801 12{74}}}"
#define LEAVE "{0a{0800 12{74}}}"
#define GRAFT "{1a{1a{0a{74}}}}"

/* ---- out --------------------------------------------------------------------------------------- */

/* Everything owed to a peer, drained with so much room at a time, and checked to be whole RPCs. */
static inline void drain_parts(struct scripted *s, uint32_t peer, size_t room, void *context,
                               void (*each)(void *context, const struct rpc_part *part))
{
    struct rpc_reader reader;
    struct buf out;
    size_t len;
    rpc_reader_init(&reader, &s->elsewhere, s->limits.rpc_send);
    buf_init(&out, &s->elsewhere, room);
    do {
        assert_ok(gossipsub_drain(&s->g, peer, &out));
        len = out.len;
        struct span in = buf_span(&out);
        struct rpc_part part;
        int rc;
        while ((rc = rpc_feed(&reader, &in, &part)) == 1)
            each(context, &part);
        assert_ok(rc);
        assert_int_equal(reader.gathered.len, 0);
        buf_take(&out, len);
    } while (len > 0);
    buf_free(&out);
    rpc_reader_free(&reader);
}

static inline void tell_part(void *context, const struct rpc_part *part)
{
    rpc_tell(context, part);
}

static inline void assert_said(struct scripted *s, uint32_t peer, const char *parts)
{
    static struct transcript said;
    said = (struct transcript){0};
    drain_parts(s, peer, 1 << 18, &said, tell_part);
    assert_string_equal(said.text, parts);
}

/* How many parts of each type were owed, and the ids in them. */
struct tally {
    uint32_t parts[RPC_EXTENSIONS + 1];
    uint32_t ids, rpcs;
};

static inline void tally_part(void *context, const struct rpc_part *part)
{
    struct tally *t = context;
    struct rpc_ids ids = part->ids;
    struct view id;
    t->parts[part->type]++;
    t->rpcs = part->rpc;
    while (rpc_next_id(&ids, &id))
        t->ids++;
}

static inline struct tally said(struct scripted *s, uint32_t peer)
{
    struct tally t = {0};
    drain_parts(s, peer, 1 << 18, &t, tally_part);
    return t;
}

/* A router subscribed to "t", and peers 1 to `count` that are too; with nothing owed any more. */
static inline void begin(struct scripted *s, uint32_t count)
{
    scripted_begin(s);
    assert_ok(gossipsub_subscribe(&s->g, view_of_text("t"), s->now));
    for (uint32_t i = 1; i <= count; i++) {
        meet(s, i, GOSSIPSUB_1_2, LISTENER);
        say(s, i, JOIN);
        said(s, i);
    }
    s->heard = (struct transcript){0};
}

/* ---- time -------------------------------------------------------------------------------------- */

/* Lets time pass, each heartbeat in its turn. */
static inline void pass(struct scripted *s, uint64_t ms)
{
    uint64_t until = s->now + ms;
    for (uint64_t at; (at = gossipsub_deadline(&s->g)) <= until;) {
        s->now = MAX(s->now, at);
        gossipsub_tick(&s->g, s->now);
    }
    s->now = until;
}

static inline uint32_t mesh_size(const struct scripted *s, const char *topic)
{
    const struct topic *t = topic_find(&s->g.mesh, view_of_text(topic));
    return t ? t->mesh_count : 0;
}

#endif
