/*
 * What a peer is worth to us, from what it did: gossipsub v1.1, "Peer Scoring".
 *
 *     score = min(topic_cap, Σ topics weight (P1 + P2 + P3 + P3b + P4)) + P5 + P6 + P7
 *
 *     P1   how long it is in the mesh                    P4   invalid messages, squared
 *     P2   messages it brought first                     P5   what the application thinks of it
 *     P3   messages it owes the mesh, squared            P6   others behind the same address, squared
 *     P3b  the same, of meshes it has left               P7   broken rules, squared
 *
 * A slow peer loses nothing: as in go and js, what its queue has no room for is dropped, and that is all.
 *
 * Counters decay: each is multiplied once per `decay_ms`, however late we come to it, and is 0 below
 * `decay_to_zero`. Only + - * and one division are used, so every build computes the same.
 *
 * The defaults are js-libp2p's but for two. A topic without parameters counts nothing in js; here it
 * counts P4, so that a default node gets rid of who sends rubbish. And P6 weighs nothing: a browser
 * sees no address of whom it meets through a relay, and all visitors of a page may share one relay.
 * What stands for the address is the host the connection came through, a relay's or the peer's own.
 * An application whose network has many of both can give P6 a weight.
 */
#ifndef PUBSUB_SCORE_H
#define PUBSUB_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The counters of a topic that decay. */
enum score_counter {
    SCORE_FIRST,    /* P2: messages it brought first */
    SCORE_MESH,     /* P3: of those it brought in time, as a member of the mesh */
    SCORE_FAILURES, /* P3b: what it owed, squared, when it left the mesh */
    SCORE_INVALID,  /* P4: messages that were */
    SCORE_COUNTERS
};

struct score_topic_params {
    union {
        struct {
            float weight;
            float time_weight, time_quantum_ms, time_cap; /* P1 */
            float weights[SCORE_COUNTERS];
            float decays[SCORE_COUNTERS];
            float caps[2]; /* of FIRST and MESH */
            float mesh_threshold, mesh_window_ms, mesh_activation_ms;
        };
        float numbers[17];
    };
};

struct score_params {
    union {
        struct {
            float topic_cap;
            float application_weight;              /* P5 */
            float shared_weight, shared_threshold; /* P6 */
            float behaviour_weight, behaviour_threshold, behaviour_decay; /* P7 */
            float decay_ms, decay_to_zero;
            float retain_ms; /* a score below 0 of a peer that has gone is remembered */

            /* Below, a peer is not gossiped with, not published to, not heard at all. */
            float gossip_threshold, publish_threshold, graylist_threshold;
            float px_threshold;     /* from there on it may tell of other peers */
            float opportunistic_threshold; /* a mesh whose median is below looks for better ones */
        };
        float numbers[15];
    };
};

extern const struct score_params SCORE_DEFAULTS;

/* Of a topic that was given parameters, and of one that was not. */
extern const struct score_topic_params SCORE_TOPIC_DEFAULTS, SCORE_TOPIC_PLAIN;

/* What a peer did in one topic. Zero is nothing. */
struct score_topic {
    uint64_t mesh_since; /* 0: not in the mesh */
    float counters[SCORE_COUNTERS];
};

/* What it did besides. */
struct score_peer {
    float application; /* set by the application */
    float shared;      /* how many peers there are behind its address, it among them */
    float behaviour;   /* rules it broke */
};

float score_of_topic(const struct score_topic *s, const struct score_topic_params *p, uint64_t now);

/* `topics` is the sum over all. */
float score_of_peer(const struct score_peer *s, const struct score_params *p, float topics);

/* `beats` times, at once. */
void score_decay(float *counter, float factor, float to_zero, uint32_t beats);

/* It brought a message, by FIRST or MESH: one more, up to the cap. */
void score_count(struct score_topic *s, const struct score_topic_params *p,
                 enum score_counter counter);

/* Takes what is a number. */
void score_set_numbers(float *numbers, const float *given, size_t count);

/* It leaves the mesh: what it owed by P3 becomes P3b. */
void score_leave_mesh(struct score_topic *s, const struct score_topic_params *p, uint64_t now);

#endif
