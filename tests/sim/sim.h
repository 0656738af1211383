/*
 * A world for nodes: time, paths between hosts, and what goes wrong on them.
 *
 *     struct sim *sim = sim_new(seed);
 *     struct relay *relay = sim_relay(sim);
 *     struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
 *     assert_within(sim, 1500, node_is_direct_to(alice, bob));
 *     relay_kill(relay);
 *
 * Everything happens in one thread at instants of virtual time and in an order that depends on the
 * seed alone: sim_hash of two runs of a story is the same. The real node code runs; what surrounds
 * it in a page is here, by file:
 *
 *     sim      hosts, faults, the event loop         cable    WebSockets and data channels
 *     node     a page: browser driver and a person   rtc      RTCPeerConnections
 *     relay    a circuit relay                       queue    what is to come
 *     server   reached over WebTransport and WebRTC Direct
 *     zone     what is behind names
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/list.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/table.h"
#include "base/timers.h"
#include "sim/queue.h"

struct end;

/* How a host is connected to the middle of the network; a packet pays on both sides. */
struct path {
    uint32_t latency_ms;   /* one way */
    uint32_t jitter_ms;    /* at most so much more */
    uint32_t loss_percent; /* of the packets: they come a retransmission later */
    uint32_t bytes_per_ms; /* upwards; 0: no limit */
};

/* What a host does when something happens to it. Rows may be null for what cannot. */
struct host_ops {
    void (*alarm)(struct host *h);
    void (*accept)(struct host *h, struct end *e, struct view label);
    void (*opened)(struct host *h, struct end *e);
    void (*bytes)(struct host *h, struct end *e, struct span bytes);
    void (*room)(struct host *h, struct end *e, size_t room);
    void (*ended)(struct host *h, struct end *e, uint32_t end);
    void (*closed)(struct host *h, struct end *e, struct view why);
    void (*found)(struct host *h, uint32_t lookup, struct span list, struct view why);
    void (*free)(struct host *h);
};

/* A machine of the network; nodes and relays begin with one. */
struct host {
    struct list in_sim;
    struct sim *sim;
    const struct host_ops *ops;
    uint32_t number; /* from 1; its address is 10.0.x.y, see host_ip */
    struct path path;
    struct list ends; /* struct end, in_host */
    uint64_t sent;    /* bytes */
    uint64_t sends_until_us;
    uint64_t alarm_at;      /* of the alarm in the queue; NEVER: none */
    uint32_t alarm_step_ms; /* timers ring at multiples of it, as in a hidden tab; 0: exactly */
    bool is_down;           /* nothing listens: who dials is refused */
    uint64_t refused;       /* and counted */
    bool is_frozen;         /* it does not run; what happens to it waits */
    bool is_offline;        /* no packet comes or goes */
    bool is_without_udp;    /* no packet of WebRTC or WebTransport comes or goes */
    bool keeps_ice_name;    /* its browser takes none of ours */
};

#define SIM_CUTS 16

enum zone_state { ZONE_WELL, ZONE_DOWN, ZONE_SILENT };

struct sim {
    struct mem mem;
    uint64_t now;
    uint64_t epoch_ms; /* time of day at instant 0 */
    uint64_t seed;
    uint64_t chance; /* state of the world's own randomness */
    uint64_t hash;
    struct queue queue;
    struct list stopped; /* events that a fault holds up, in order */
    struct list hosts;
    struct table ends;
    struct table rtcs;
    uint32_t last_host, last_end, last_rtc;
    struct host *cuts[SIM_CUTS][2];
    struct list names; /* see sim/zone.h */
    enum zone_state zone;
    uint64_t lookups;
    uint64_t events;   /* so far */
    bool is_recording; /* nodes made from now on record what they are told */
    bool is_loud;      /* and log to stderr */
};

struct sim *sim_new(uint64_t seed);

/* Ends the world; asserts that every byte of its memory came back. */
void sim_free(struct sim *s);

/*
 * Lets the next thing happen if it happens until then; otherwise lets time pass until then and
 * returns false.
 */
bool sim_step(struct sim *s, uint64_t until);
void sim_run(struct sim *s, uint64_t ms);

/* Of everything that happened so far. */
static inline uint64_t sim_hash(const struct sim *s)
{
    return s->hash;
}

/* ---- faults -------------------------------------------------------------------------------- */

/* No packet between the two any more, and nobody is told; heal to let the held ones through. */
void sim_cut(struct sim *s, struct host *a, struct host *b);
void sim_heal(struct sim *s, struct host *a, struct host *b);

/* A cut from everybody, without the page being told; see node_offline. */
void host_disconnect(struct host *h);
void host_reconnect(struct host *h);

/* The process stops; sockets stay open. When it runs again it sees all that came meanwhile. */
void host_freeze(struct host *h);
void host_thaw(struct host *h);

/* No more or again packets of WebRTC and WebTransport. */
void host_block_udp(struct host *h);
void host_allow_udp(struct host *h);

/* ---- for the parts of the simulator ---------------------------------------------------------- */

void host_init(struct host *h, struct sim *s, const struct host_ops *ops);

/* "10.0.0.7"; and the host with that address, or null. */
#define HOST_IP_MAX 16
void host_ip(const struct host *h, char out[HOST_IP_MAX]);
struct host *sim_host_at(const struct sim *s, unsigned high, unsigned low);

/* Rings the host's alarm at that instant instead of the one set before. */
void host_set_alarm(struct host *h, uint64_t at);

/* When `len` bytes sent now arrive; never before one way is over. */
uint64_t sim_arrival(struct sim *s, struct host *from, struct host *to, size_t len);

/* A round trip between the two. */
uint64_t sim_round_trip(const struct host *a, const struct host *b);

bool sim_is_cut(const struct sim *s, const struct host *a, const struct host *b);

/* Copies `bytes` into the event and plans it. */
void sim_plan(struct sim *s, struct event e, struct view bytes);

/* Mixes into the hash of the world. */
void sim_note(struct sim *s, uint64_t number);
void sim_note_bytes(struct sim *s, struct view bytes);

/* Never null. */
void *sim_alloc(struct sim *s, size_t len);

/* The world's dice, and the state of another die that a host may own. */
uint32_t sim_below(struct sim *s, uint32_t bound);
uint64_t sim_seed(struct sim *s);
struct rng sim_rng(uint64_t *state);

#endif
