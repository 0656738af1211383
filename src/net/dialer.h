/*
 * One dial: the addresses of one peer, ranked, started 250 ms apart, the first to answer wins.
 *
 *     rank, sort ── start best ──250 ms──▶ start next ── … ──▶ one works: done
 *                        └─fails: start next at once        └▶ all failed: the last reason that
 *                                                               helps, or the time is over
 *
 * The dialer knows nothing of transports and links: it says which address to start (DIAL_START) and
 * is told how it went.
 */
#ifndef NET_DIALER_H
#define NET_DIALER_H

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/timers.h"
#include "net/addrbook.h"

/* AGAIN: it failed, and has another try while others are still under way. */
enum target_state { TARGET_WAITING, TARGET_RUNNING, TARGET_FAILED, TARGET_AGAIN };

/* One address of a dial, and how far it has come. */
struct target {
    enum target_state state;
    unsigned rank; /* of its transport; lower is better */
    uint8_t *bytes;
    size_t len;
    uint64_t until; /* deadline of this address alone; AGAIN: when it starts again */
    /* the owner's: what this attempt waits for, numbers or 0 */
    uint32_t conn, stream, dial, name;
};

struct dial {
    struct list in_dialer;
    uint32_t id;
    struct peer *peer; /* null: the address names nobody */
    struct target *targets;
    size_t count, room;
    uint64_t next_at; /* when the next address starts */
    uint64_t until;
    bool is_for_app;   /* DIALED and DIAL_FAILED are events */
    bool is_for_names; /* nobody is dialled: it only looks who is behind names */
    bool wants_direct; /* an unlimited connection is wanted; a relayed one is the fallback */
    uint32_t fallback; /* connection to settle for when all fail */
    int code;          /* of the most telling failure so far */
    char reason[224];
};

struct dialer {
    struct mem *mem;
    const struct peerlet_limits *limits;
    struct list dials;
    uint32_t count;
    uint32_t last_id;
};

void dialer_init(struct dialer *d, struct mem *mem, const struct peerlet_limits *limits);
void dialer_free(struct dialer *d);

/* A new dial without addresses; null: too many dials, or memory. The peer is held until the end. */
struct dial *dialer_add(struct dialer *d, struct peer *peer, uint64_t now);
void dialer_remove(struct dialer *d, struct dial *dial);

struct dial *dialer_find(const struct dialer *d, uint32_t id);

/* A dial to that peer that is under way, or null. */
struct dial *dialer_find_peer(const struct dialer *d, const struct peer *peer);

/* The rank of names: they start at once, and make no other address wait. */
#define DIAL_NAMES 0

/*
 * Adds an address, copied and kept in order of rank; one that failed a short while ago goes behind
 * its equals. A repeated address is ignored. ERR_NOMEM, ERR_FULL past limits->dial_addresses.
 */
MUST_USE int dial_add(struct dialer *d, struct dial *dial, struct view multiaddr, unsigned rank,
                      bool failed_lately);

/* The address to start now, marked as running, or null. Call until null, after any change. */
struct target *dial_next(struct dial *dial, const struct peerlet_limits *limits, uint64_t now);

/* An address failed: the next one may start at once. `reason` is kept when it tells more. */
void dial_failed(struct dial *dial, struct target *target, int code, struct view reason,
                 uint64_t now);

/* The address that has just failed starts again at `at`, if the dial is not over before. */
void dial_again(struct target *target, uint64_t at);

/* No address is under way or waits for its first try. */
bool dial_is_over(const struct dial *dial);

/* The first running address whose own time is over, or null. */
struct target *dial_overdue(struct dial *dial, uint64_t now);

uint64_t dial_deadline(const struct dial *dial);

static inline bool target_is_name(const struct target *t)
{
    return t->rank / 2 == DIAL_NAMES;
}

static inline struct view target_address(const struct target *t)
{
    return view_of(t->bytes, t->len);
}

#endif
