/*
 * A router with two peers that say anything, commands at any time, and a clock.
 *
 *     input:  flags | nth | (op | len | bytes…)…
 *
 * The low bits of an op choose what happens, the high bit to which peer; the `nth` allocation fails,
 * 0 for none. What is written is read back as whole RPCs, everything stays within its limits, and in
 * the end all memory is back.
 */
#include "fuzz.h"

#include "crypto/crypto.h"
#include "pubsub/gossipsub.h"

enum op {
    FEED,      /* bytes as they are */
    FEED_RPC,  /* bytes as one RPC */
    TICK,      /* len * 100 ms pass */
    SUBSCRIBE, /* the bytes are a topic */
    UNSUBSCRIBE,
    PUBLISH,  /* the first byte is a topic */
    DRAIN,    /* len * 64 bytes of room */
    VERIFIED, /* job len, valid if odd */
    MEET,
    PART,
    SILENCE,
    NEXT,
    NAME,   /* the bytes are the id for the latest job */
    CHOOSE, /* the peer is explicit, and the bytes are a topic that is allowed */
    OPS
};

struct fuzz {
    struct mem mem;
    struct gossipsub g;
    struct identity identities[3];
    struct peer_id ids[3];
    struct peerlet_limits limits;
    enum gossipsub_reach reach;
    uint64_t now, seed, said;
    bool is_near_full; /* when, depends on the size of structs: what is said is not compared */
};

static void fill(void *context, uint8_t *out, size_t len)
{
    uint64_t *seed = context;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)((*seed = *seed * 6364136223846793005 + 1) >> 33);
}

static void look(struct fuzz *f, const struct gossipsub_event *ev)
{
    const struct view views[] = {ev->from,      ev->data, ev->seqno, ev->topic,
                                 ev->signature, ev->key,  ev->id,    ev->message};
    fuzz_say_number(&f->said, ev->via + ev->job);
    for (size_t i = 0; i < ARRAY_LEN(views); i++)
        fuzz_say(&f->said, views[i]);
}

static void feed(struct fuzz *f, uint32_t peer, struct view bytes)
{
    uint8_t *block = malloc(bytes.len + 1);
    if (bytes.len > 0)
        memcpy(block, bytes.data, bytes.len);
    struct span in = span_of(block, bytes.len);
    struct gossipsub_event ev;
    int rc;
    while ((rc = gossipsub_feed(&f->g, peer, &in, &ev, f->now)) == 1)
        look(f, &ev);
    assert(rc != 0 || in.len == 0);
    if (rc < 0)
        gossipsub_hear(&f->g, peer);
    free(block);
}

static void feed_rpc(struct fuzz *f, uint32_t peer, struct view bytes)
{
    uint8_t block[256 + 2];
    struct writer w = writer_of(block, sizeof block);
    put_delimited(&w, bytes);
    feed(f, peer, writer_view(&w));
}

static void drain(struct fuzz *f, uint32_t peer, size_t room)
{
    struct mem other = {0};
    struct buf out;
    struct rpc_reader reader;
    struct rpc_part part;
    buf_init(&out, &other, room);
    rpc_reader_init(&reader, &other, f->limits.rpc_send);
    if (gossipsub_drain(&f->g, peer, &out) == 0) {
        struct span in = buf_span(&out);
        fuzz_say(&f->said, buf_view(&out));
        int rc;
        while ((rc = rpc_feed(&reader, &in, &part)) == 1)
            continue;
        assert(rc == 0 && reader.gathered.len == 0);
    }
    rpc_reader_free(&reader);
    buf_free(&out);
}

static void meet(struct fuzz *f, uint32_t peer, size_t how)
{
    enum gossipsub_version version = how % 2 ? GOSSIPSUB_1_2 : GOSSIPSUB_1_0;
    if (gossipsub_add_peer(&f->g, peer, &f->ids[peer], version, how % 4 < 2 ? DIALER : LISTENER,
                           view_of((const uint8_t *)&how, 1)) == 0 &&
        how % 8 != 7)
        gossipsub_greet(&f->g, peer, version, f->now);
}

static void act(struct fuzz *f, enum op op, uint32_t peer, struct view bytes)
{
    struct gossipsub_event ev;
    int rc = 0;
    switch (op) {
    case FEED:
        feed(f, peer, bytes);
        break;
    case FEED_RPC:
        feed_rpc(f, peer, bytes);
        break;
    case TICK:
        f->now += bytes.len * 100;
        gossipsub_tick(&f->g, f->now);
        break;
    case SUBSCRIBE:
        rc = gossipsub_subscribe(&f->g, bytes, f->now);
        break;
    case UNSUBSCRIBE:
        rc = gossipsub_unsubscribe(&f->g, bytes, f->now);
        break;
    case PUBLISH:
        rc = gossipsub_publish(&f->g, view_of(bytes.data, MIN(bytes.len, 1)), bytes, f->reach, NULL,
                               f->now);
        break;
    case DRAIN:
        drain(f, peer, bytes.len * 64);
        break;
    case VERIFIED:
        gossipsub_judge(&f->g, (uint32_t)bytes.len, (enum gossipsub_verdict)(bytes.len % 3),
                        f->now);
        break;
    case MEET:
        meet(f, peer, bytes.len);
        break;
    case PART:
        gossipsub_remove_peer(&f->g, peer, f->now);
        break;
    case SILENCE:
        gossipsub_silence(&f->g, peer, f->now);
        break;
    case NEXT:
        if (gossipsub_next(&f->g, &ev))
            look(f, &ev);
        break;
    case NAME:
        gossipsub_name(&f->g, f->g.last_job, bytes, f->now);
        break;
    case CHOOSE:
        gossipsub_set_explicit(&f->g, peer);
        rc = gossipsub_set_params(&f->g, bytes, NULL);
        break;
    case OPS:
        break;
    }
    fuzz_say_number(&f->said, (uint32_t)rc);
    assert(rc >= 0 || rc == ERR_NOMEM || rc == ERR_BAD_ARGUMENT || rc == ERR_FULL ||
           rc == ERR_NO_PEERS || rc == ERR_PUBLISHED);
}

static void check(struct fuzz *f)
{
    const struct gossipsub *g = &f->g;
    assert(g->messages.held <= f->limits.messages && g->mcache.bytes <= f->limits.mcache);
    f->is_near_full |= g->messages.held > f->limits.messages / 2;
    assert(g->mesh.change_count <= f->limits.topics && g->checks.count <= f->limits.unverified);
    LIST_EACH(node, &g->mesh.topics) {
        const struct topic *t = LIST_OWNER(node, struct topic, in_topics);
        assert(t->mesh_count == topic_count(t, IN_MESH, f->now) && t->mesh_count <= 2);
    }
    for (uint32_t peer = 1; peer <= 2; peer++) {
        const struct neighbour *n = table_find(&g->peers, peer);
        if (n == NULL)
            continue;
        assert(n->subscription_count <= f->limits.topics_per_peer);
        assert(n->queue_bytes <= f->limits.gossip_own_out);
        f->is_near_full |= n->queue_bytes > f->limits.gossip_out / 2;
        assert(n->is_writable ||
               (n->queue_bytes <= f->limits.gossip_out && !list_is_linked(&n->in_owing)));
        assert(!neighbour_is_parted(n) || n->queue_len == 0);
    }
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    static struct fuzz f;
    struct rng rng = {fill, &f.seed};
    if (len < 2)
        return 0;
    f = (struct fuzz){.limits = PEERLET_LIMITS, .now = 1000};
    f.limits.topics = f.limits.topics_per_peer = 4;
    f.limits.unverified = 2;
    f.limits.mcache = 2048;
    f.limits.messages = f.limits.gossip_own_out = 8192;
    f.limits.gossip_out = 4096;
    crypto_init();
    for (size_t i = 0; i < 3; i++) {
        identity_generate(&rng, &f.identities[i]);
        f.ids[i] = peer_id_of_identity(&f.identities[i]);
    }
    struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
    config.signing = data[0] & 1 ? GOSSIPSUB_STRICT_SIGN : GOSSIPSUB_STRICT_NO_SIGN;
    f.reach = data[0] & 2 ? GOSSIPSUB_TO_ALL : GOSSIPSUB_TO_MESH;
    config.emit_self = data[0] & 4;
    config.message_id = (enum gossipsub_message_id)(data[0] >> 3) % (GOSSIPSUB_ID_GIVEN + 1);
    f.mem.fail_nth = data[1];
    assert(gossipsub_init(&f.g, &config, &f.identities[0], &f.mem, &rng, &f.limits, f.now, 1) == 0);
    meet(&f, 1, 1);
    meet(&f, 2, 0);
    for (struct cursor c = cursor_of(view_of(data + 2, len - 2)); c.rest.len >= 2;) {
        uint8_t op = take_u8(&c);
        size_t wanted = take_u8(&c);
        struct view bytes = take(&c, MIN(wanted, c.rest.len));
        act(&f, (enum op)((op & 0x7f) % OPS), op & 0x80 ? 2 : 1, bytes);
        check(&f);
    }
    gossipsub_free(&f.g);
    assert(f.mem.used == 0);
    return f.is_near_full ? 1 : f.said;
}
