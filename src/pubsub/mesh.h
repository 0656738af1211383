/*
 * Who is where: topics, and what each peer is to each of them.
 *
 *     topic ──< member >── neighbour      one member for each topic a peer is subscribed to, is in
 *                                         the mesh of, is in backoff for, or is owed control about
 *
 * A topic is kept while it is ours or just was, while we publish to it without being subscribed
 * (its fanout), while it has members, cached messages or parameters of its own, and where topics have to
 * be allowed, if it is.
 *
 * Our own subscriptions are counted: each change has a number, and a neighbour that was told of
 * change n is owed the topics whose number is higher. So however often a topic is joined and left,
 * nothing piles up for a peer that does not read.
 */
#ifndef PUBSUB_MESH_H
#define PUBSUB_MESH_H

#include "base/timers.h"
#include "pubsub/neighbour.h"

struct topic {
    struct index_node by_name;
    struct list in_topics;  /* of struct mesh */
    struct list in_changes; /* the same; linked: ours, or just left */
    uint32_t change;        /* when that was */
    struct list members;    /* struct member, in_topic */
    struct list mesh;       /* struct member, in_mesh */
    struct list recent;     /* struct message, in_topic: cached, oldest first */
    uint32_t number;
    uint32_t mesh_count;
    bool is_ours, is_allowed;
    uint64_t fanout_until;             /* 0: no fanout */
    struct score_topic_params *params; /* null: SCORE_TOPIC_PLAIN */
    size_t len;
    uint8_t name[];
};

enum member_owed { OWES_GRAFT = 1, OWES_PRUNE = 2, OWES_IHAVE = 4, OWES_ANYTHING = 7 };

/* What a member said, or we to it. */
enum member_news { NEWS_GRAFT, NEWS_PRUNE, NEWS_GRAFT_OURS, NEWS_PRUNE_OURS };

struct member {
    struct list in_topic, in_peer;
    struct list in_mesh;  /* linked: in the mesh */
    struct list in_owing; /* of the neighbour; linked: `owed` is not 0 */
    struct list in_news;  /* of the router; linked: the application is to be told of `news` */
    uint8_t owed;         /* enum member_owed, or'ed */
    uint8_t news;         /* enum member_news */
    bool is_subscribed;
    bool is_in_fanout;
    bool is_kept;             /* while a mesh that is too large is being pruned */
    uint64_t prune_backoff_s; /* what the PRUNE owed will say */
    uint64_t backoff_until;   /* a GRAFT from it before is a fault */
    uint64_t pruned_at;       /* when we took it out of the mesh */
    uint64_t graft_from;      /* a GRAFT from us before might be: the same and some slack */
    struct score_topic conduct;
    struct index_node by_pair;
    struct topic *topic;
    struct neighbour *peer;
};

struct mesh {
    struct mem *mem;
    const struct siphash_key *hash_key;
    struct list topics;   /* all */
    struct list changes;  /* by their number */
    struct index by_name; /* topics */
    struct index by_pair; /* members */
    uint32_t last_change, last_topic;
    uint32_t change_count; /* topics in `changes` */
};

void mesh_init(struct mesh *m, struct mem *mem, const struct siphash_key *hash_key);

/* Frees all topics; members must be gone, by member_free. */
void mesh_free(struct mesh *m);

/* ---- topics */

static inline struct view topic_name(const struct topic *t)
{
    return view_of(t->name, t->len);
}

struct topic *topic_find(const struct mesh *m, struct view name);

/* Finds or makes; null when memory is out. */
struct topic *topic_add(struct mesh *m, struct view name);

/* Frees it unless something keeps it. */
void topic_release(struct mesh *m, struct topic *t);

/* We subscribe, or no longer: a change every neighbour is to be told. */
void topic_set_ours(struct mesh *m, struct topic *t, bool is_ours);

/* Nobody is in its fanout any more. */
void topic_end_fanout(struct topic *t);

/* What counts in it. */
static inline const struct score_topic_params *topic_params(const struct topic *t)
{
    return t->params ? t->params : &SCORE_TOPIC_PLAIN;
}

/* Forgets topics left up to this change: everybody has been told. */
void mesh_forget_changes(struct mesh *m, uint32_t change);

/* ---- members */

struct member *member_find(const struct mesh *m, const struct topic *t, const struct neighbour *n);

/* Finds or makes; null when memory is out. */
struct member *member_add(struct mesh *m, struct topic *t, struct neighbour *n);

void member_free(struct mesh *m, struct member *member);

/* Frees the member unless it still says something. */
void member_release(struct mesh *m, struct member *member, uint64_t now);

void member_set_subscribed(struct member *member, bool is_subscribed);

static inline bool member_is_in_mesh(const struct member *member)
{
    return list_is_linked(&member->in_mesh);
}

void member_set_mesh(struct member *member, bool is_in_mesh, uint64_t now);

/* Lengthens the backoff; never shortens it. */
void member_back_off(struct member *member, uint64_t ms, uint64_t slack_ms, uint64_t now);

/* A GRAFT takes the place of a PRUNE that was owed, and the other way about. */
void member_owe(struct member *member, enum member_owed what);
void member_settle(struct member *member, enum member_owed what);

/* ---- choosing */

/* What a member can be chosen for. Whether a peer behaves well enough for it is decided here. */
enum standing {
    IN_MESH,         /* and not `is_kept` */
    IN_MESH_DIALLED, /* the same, and we dialled it */
    GRAFTABLE,       /* may be sent a GRAFT now */
    GRAFTABLE_DIALLED,
    GRAFTABLE_BETTER,   /* with a score above the median of the mesh */
    PUBLISHABLE,        /* may be sent our own messages */
    PUBLISHABLE_INSIDE, /* the same, in mesh or fanout, or flooded */
    PUBLISHABLE_OUTSIDE,
    FLOODED,      /* in no mesh, and to be sent everything */
    EXCHANGEABLE, /* others may be told of it, with its signed record */
    GOSSIPABLE,   /* may be sent IHAVE: none of the three */
};

bool member_is(const struct member *member, enum standing standing, uint64_t now);

/* Whether the median of the scores in the mesh is below this one. */
bool topic_is_mostly_below(const struct topic *t, float score);

/* How many members of the topic have the standing. */
uint32_t topic_count(const struct topic *t, enum standing standing, uint64_t now);

/* A random choice among the members of one standing, each as likely as the others. */
struct choice {
    const struct topic *topic;
    const struct rng *rng;
    struct list *next;
    enum standing standing;
    uint32_t fit, wanted; /* of those not walked yet */
    uint64_t now;
};

struct choice topic_choose(const struct topic *t, enum standing standing, uint32_t wanted,
                           const struct rng *rng, uint64_t now);

/* The next one chosen, null at the end. It may be changed, but not freed, before the next call. */
struct member *choice_next(struct choice *c);

#endif
