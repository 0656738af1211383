/* What the files of the router share: gossipsub.c, inbox.c, outbox.c, heartbeat.c, standing.c. */
#ifndef PUBSUB_ROUTER_H
#define PUBSUB_ROUTER_H

#include "pubsub/gossipsub.h"

/* Null for a handle that is not there. */
struct neighbour *router_find(const struct gossipsub *g, uint32_t handle);

/* Something waits for it: gossipsub_owing will name it, once it can be written to. */
void router_owe(struct gossipsub *g, struct neighbour *n);

/* ---- standing.c: what a peer did, and what comes of it */

/* It broke a rule of behaviour, so many times: P7. */
void router_blame(struct gossipsub *g, struct neighbour *n, uint32_t times, uint64_t now);

/* It sent a message that is invalid: P4. */
void router_reject(struct gossipsub *g, struct neighbour *n, struct topic *t, uint64_t now);

/* It brought a message, the first to do so or as a member of the mesh: P2, P3. */
void router_credit(struct gossipsub *g, struct neighbour *n, const struct topic *t, bool is_first);

/* It was asked for what it told of by this id, and has so long. One at a time is watched. */
void router_expect(struct gossipsub *g, struct neighbour *n, uint64_t hash, uint64_t now);

/* Decays and computes all scores, and blames who broke a promise. */
void router_score_all(struct gossipsub *g, uint64_t now);

/* Before it parts: until when it is remembered, if its score is below 0. */
void router_remember_score(struct gossipsub *g, struct neighbour *n, uint64_t now);

/* ---- gossipsub.c and the others */

/* The application is told; only of the last where there are several before it asks. */
void router_note(struct gossipsub *g, struct member *member, enum member_news news);

/* Takes it into the mesh, or out of it and into backoff, and owes it the GRAFT or PRUNE. */
void router_graft(struct gossipsub *g, struct member *member, uint64_t now);
void router_prune(struct gossipsub *g, struct member *member, uint64_t backoff_s, uint64_t now);

/* Grafts random members of a standing until there are `wanted` where there were `have`. */
void router_graft_some(struct gossipsub *g, struct topic *t, enum standing standing,
                       uint32_t wanted, uint32_t have, uint64_t now);

/* Neither side may GRAFT for so long; more than limits->backoff_max_s is taken as that. */
void router_back_off(struct gossipsub *g, struct member *member, uint64_t backoff_s, uint64_t now);

/* Queues a message for one peer; `limit` is what may wait for it. False, and counted: no room. */
bool router_send(struct gossipsub *g, struct neighbour *n, struct message *m, size_t limit);

/* A message and a peer, and for `served` the how-manieth time: ids are hashes, so this is one too. */
static inline uint64_t router_mark(uint64_t id, const struct neighbour *n, uint32_t times)
{
    return id ^ ((uint64_t)n->handle << 8 | times);
}

/* Whether it sent an IDONTWANT of the message. */
bool router_is_unwanted(const struct gossipsub *g, const struct message *m,
                        const struct neighbour *n);

/* The id of a message in the form its peer understands, which `room` may be needed for. */
struct view router_id_for(const struct gossipsub *g, const struct neighbour *n,
                          const struct message *m, struct message_id *room);

/* Remembers the ids of a message. False when they were known: it is not new. */
bool router_remember(struct gossipsub *g, const struct message *m, uint64_t now);

/* It waits for somebody else's answer, known by its job, at the cost of a reference if there is room. */
bool router_await_answer(struct gossipsub *g, struct message *m);

/* Our own that was sent is remembered, told of, and heard by ourselves if that is wanted. */
void router_keep_own(struct gossipsub *g, struct message *m, struct topic *t, uint64_t now);

/* Keeps it for IWANT, if it can be sent at all. */
void router_cache(struct gossipsub *g, struct message *m, struct topic *t);

/* Forgets a neighbour that has parted, with its backoffs. */
void router_forget(struct gossipsub *g, struct neighbour *n);

/* Lets go of what the last event lent. */
void router_let_go(struct gossipsub *g);

/* Fills in a message event; takes over the caller's reference. */
void router_give(struct gossipsub *g, struct message *m, struct gossipsub_event *ev);

/* Owes it an IHAVE of what is recent in the topic. Whoever reads slowly is not told of more to read. */
void router_tell_of_news(struct gossipsub *g, struct member *member);

void router_heartbeat(struct gossipsub *g, uint64_t now);

#endif
