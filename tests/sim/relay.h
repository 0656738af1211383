/*
 * A circuit relay, as a js-libp2p one behaves: accepts WebSockets, speaks identify and ping, keeps
 * reservations, splices streams under a limit of bytes and time, forwards pubsub, and ends
 * connections that stay silent. Built from the core's own layers in the other role, so that what a
 * node hears from it is the real thing.
 */
#ifndef SIM_RELAY_H
#define SIM_RELAY_H

#include "sim/sim.h"

#define RELAY_PORT 4001
#define RELAY_ADDRESS_MAX 128

struct relay;

/* What it allows; may be changed while it runs. */
struct relay_terms {
    uint32_t reservation_s;  /* how long one lasts */
    uint32_t reservations;   /* how many at once; over it RESOURCE_LIMIT_EXCEEDED */
    uint32_t limit_s;        /* of a relayed connection; 0: none */
    uint64_t limit_bytes;    /* both directions together; 0: none */
    uint32_t refuse_reserve; /* status it answers to RESERVE instead; 0: none */
    uint32_t refuse_connect; /* to CONNECT */
    bool is_mute;            /* takes requests and never answers */
    bool is_without_hop;     /* is no relay at all */
    bool is_forging;         /* its vouchers are signed by another key */
    uint32_t silence_ms;     /* a visitor is asked after half of it and dropped after it */
};

/* Two hours, 15 at once, 120 s and 128 KiB, as js-libp2p; 30 s of silence. */
extern const struct relay_terms RELAY_TERMS;

struct relay *sim_relay(struct sim *s);

/* Of a relay, for sim_cut and its like. */
struct host *relay_host(struct relay *r);
struct relay_terms *relay_terms(struct relay *r);

/* "/ip4/10.0.0.1/tcp/4001/ws/p2p/12D3Koo…"; its Peer ID. */
const char *relay_address(const struct relay *r);
const char *relay_id(const struct relay *r);

/* Forwards a topic; every relay forwards that of peer discovery. */
void relay_join(struct relay *r, const char *topic);

/* The process dies: connections are reset, reservations forgotten, who dials is refused. */
void relay_kill(struct relay *r);
void relay_start(struct relay *r);

/* Forgets every reservation without a word. */
void relay_forget(struct relay *r);

uint32_t relay_visitors(const struct relay *r);
uint32_t relay_reservations(const struct relay *r);
uint32_t relay_circuits(const struct relay *r);

/* Counted from the beginning. */
uint64_t relay_asked_reserve(const struct relay *r);
uint64_t relay_asked_connect(const struct relay *r);
uint64_t relay_dialled(const struct relay *r);

/* Who dialled and was refused, because it was down. */
uint64_t relay_knocks(const struct relay *r);

#endif
