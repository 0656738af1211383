#include "pubsub/score.h"

const struct score_params SCORE_DEFAULTS = {
    .topic_cap = 10,
    .application_weight = 10,
    .shared_threshold = 10,
    .behaviour_weight = -10,
    .behaviour_decay = 0.2f,
    .decay_ms = 1000,
    .decay_to_zero = 0.1f,
    .retain_ms = 3600000,
    .gossip_threshold = -10,
    .publish_threshold = -50,
    .graylist_threshold = -80,
    .px_threshold = 10,
    .opportunistic_threshold = 20,
};

const struct score_topic_params SCORE_TOPIC_DEFAULTS = {
    .weight = 0.5f,
    .time_weight = 1,
    .time_quantum_ms = 1,
    .time_cap = 3600,
    .weights = {1, -1, -1, -1},
    .decays = {0.5f, 0.5f, 0.5f, 0.3f},
    .caps = {2000, 100},
    .mesh_threshold = 20,
    .mesh_window_ms = 10,
    .mesh_activation_ms = 5000,
};

const struct score_topic_params SCORE_TOPIC_PLAIN = {
    .weight = 0.5f,
    .weights = {[SCORE_INVALID] = -1},
    .decays = {[SCORE_INVALID] = 0.3f},
};

static float above(float value, float threshold)
{
    return value > threshold ? value - threshold : 0;
}

static float at_most(float value, float cap)
{
    return value < cap ? value : cap;
}

static float mesh_ms(const struct score_topic *s, uint64_t now)
{
    return s->mesh_since != 0 ? (float)(now - s->mesh_since) : 0;
}

static float p1_time_in_mesh(const struct score_topic *s, const struct score_topic_params *p,
                             uint64_t now)
{
    if (p->time_weight == 0)
        return 0;
    return p->time_weight * at_most(mesh_ms(s, now) / p->time_quantum_ms, p->time_cap);
}

static float p2_first_deliveries(const struct score_topic *s, const struct score_topic_params *p)
{
    return p->weights[SCORE_FIRST] * s->counters[SCORE_FIRST];
}

/* Squared, once it has had its time in the mesh. */
static float mesh_deficit(const struct score_topic *s, const struct score_topic_params *p,
                          uint64_t now)
{
    if (mesh_ms(s, now) <= p->mesh_activation_ms)
        return 0;
    float deficit = above(p->mesh_threshold, s->counters[SCORE_MESH]);
    return deficit * deficit;
}

static float p3_mesh_deliveries(const struct score_topic *s, const struct score_topic_params *p,
                                uint64_t now)
{
    return p->weights[SCORE_MESH] * mesh_deficit(s, p, now);
}

static float p3b_mesh_failures(const struct score_topic *s, const struct score_topic_params *p)
{
    return p->weights[SCORE_FAILURES] * s->counters[SCORE_FAILURES];
}

static float p4_invalid_messages(const struct score_topic *s, const struct score_topic_params *p)
{
    float invalid = s->counters[SCORE_INVALID];
    return p->weights[SCORE_INVALID] * invalid * invalid;
}

static float p5_application(const struct score_peer *s, const struct score_params *p)
{
    return p->application_weight * s->application;
}

static float p6_shared_address(const struct score_peer *s, const struct score_params *p)
{
    float surplus = above(s->shared, p->shared_threshold);
    return p->shared_weight * surplus * surplus;
}

static float p7_behaviour(const struct score_peer *s, const struct score_params *p)
{
    float excess = above(s->behaviour, p->behaviour_threshold);
    return p->behaviour_weight * excess * excess;
}

float score_of_topic(const struct score_topic *s, const struct score_topic_params *p, uint64_t now)
{
    float score = p1_time_in_mesh(s, p, now);
    score += p2_first_deliveries(s, p);
    score += p3_mesh_deliveries(s, p, now);
    score += p3b_mesh_failures(s, p);
    score += p4_invalid_messages(s, p);
    return p->weight * score;
}

float score_of_peer(const struct score_peer *s, const struct score_params *p, float topics)
{
    float score = p->topic_cap > 0 ? at_most(topics, p->topic_cap) : topics;
    score += p5_application(s, p);
    score += p6_shared_address(s, p);
    score += p7_behaviour(s, p);
    return score;
}

void score_decay(float *counter, float factor, float to_zero, uint32_t beats)
{
    for (; beats > 0 && *counter != 0; beats--) {
        *counter *= factor;
        if (*counter < to_zero)
            *counter = 0;
    }
}

void score_count(struct score_topic *s, const struct score_topic_params *p,
                 enum score_counter counter)
{
    s->counters[counter] = at_most(s->counters[counter] + 1, p->caps[counter]);
}

void score_leave_mesh(struct score_topic *s, const struct score_topic_params *p, uint64_t now)
{
    s->counters[SCORE_FAILURES] += mesh_deficit(s, p, now);
    s->mesh_since = 0;
}

void score_set_numbers(float *numbers, const float *given, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (given[i] == given[i])
            numbers[i] = given[i];
}
