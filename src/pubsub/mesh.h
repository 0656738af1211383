/*
 * Who is where: topics, and for each peer and topic what they are to one another.
 *
 *     topic ── member ── peer      one member for each topic a peer is subscribed to, in whose mesh
 *                                  it is, or for which it is in backoff
 *
 * A topic lives while we are subscribed, publish to it, or any member is left.
 */
#ifndef PUBSUB_MESH_H
#define PUBSUB_MESH_H

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/span.h"
#include "base/timers.h"

struct router_peer;

struct topic {
    struct list in_mesh;      /* struct mesh, topics */
    struct list members;      /* struct member, in_topic */
    uint32_t number;
    bool is_ours;             /* we are subscribed */
    uint64_t fanout_until;    /* NEVER: we do not publish without subscribing */
    uint32_t mesh_count, member_count;
    size_t len;
    uint8_t name[];
};

struct member {
    struct list in_topic, in_peer;
    struct topic *topic;
    struct router_peer *peer;
    bool is_subscribed;
    bool is_in_mesh;
    bool is_in_fanout;
    uint64_t backoff_until;   /* 0: none; no GRAFT either way before */
};

struct mesh {
    struct mem *mem;
    struct list topics;
    uint32_t count;
    uint32_t last_number;
};

void mesh_init(struct mesh *m, struct mem *mem);
void mesh_free(struct mesh *m);

static inline struct view topic_name(const struct topic *t)
{
    return view_of(t->name, t->len);
}

struct topic *mesh_find(const struct mesh *m, struct view name);

/* Finds or makes; null when memory is out. */
struct topic *mesh_topic(struct mesh *m, struct view name);

/* Frees the topic if nothing holds it any more. */
void mesh_prune_topic(struct mesh *m, struct topic *t);

struct member *member_find(const struct topic *t, const struct router_peer *peer);

/* Finds or makes, linking it into `of_peer`; null when memory is out. */
struct member *member_add(struct mesh *m, struct topic *t, struct router_peer *peer,
                          struct list *of_peer);

/* Frees the member unless it still says something, and then the topic likewise. */
void member_prune(struct mesh *m, struct member *member, uint64_t now);
void member_free(struct mesh *m, struct member *member);

void member_set_mesh(struct member *member, bool in_mesh);

/*
 * Up to `want` random members for which `fits` is true, into `at` (room for `want`); returns how
 * many.
 */
size_t topic_sample(const struct topic *t, const struct rng *rng, size_t want,
                    bool (*fits)(const struct member *, uint64_t now), uint64_t now,
                    struct member **at);

#endif
