/* What the router knows of a peer's conduct, made into its score. */
#include "pubsub/router.h"

static void compute(const struct gossipsub *g, struct neighbour *n, uint64_t now)
{
    float topics = 0;
    LIST_EACH(node, &n->members) {
        const struct member *m = LIST_OWNER(node, struct member, in_peer);
        topics += score_of_topic(&m->conduct, topic_params(m->topic), now);
    }
    n->score = score_of_peer(&n->conduct, &g->scoring, topics);
}

void router_blame(struct gossipsub *g, struct neighbour *n, uint32_t times, uint64_t now)
{
    n->conduct.behaviour += (float)times;
    compute(g, n, now);
}

/* It need not be subscribed to do so. */
void router_reject(struct gossipsub *g, struct neighbour *n, struct topic *t, uint64_t now)
{
    struct member *m = member_add(&g->mesh, t, n);
    if (m == NULL)
        return;
    m->conduct.counters[SCORE_INVALID]++;
    compute(g, n, now);
}

void router_credit(struct gossipsub *g, struct neighbour *n, const struct topic *t, bool is_first)
{
    const struct score_topic_params *p = t->params;
    struct member *m = p ? member_find(&g->mesh, t, n) : NULL;
    if (m == NULL)
        return;
    if (is_first)
        score_count(&m->conduct, p, SCORE_FIRST);
    if (member_is_in_mesh(m))
        score_count(&m->conduct, p, SCORE_MESH);
}

/* ---- what the application says ----------------------------------------------------------------- */

int gossipsub_set_params(struct gossipsub *g, struct view topic, const float *numbers)
{
    g->is_restricted |= numbers == NULL;
    if (topic.len == 0 && numbers != NULL) {
        score_set_numbers(g->scoring.numbers, numbers, ARRAY_LEN(g->scoring.numbers));
        return 0;
    }
    struct topic *t = topic.len <= g->limits->topic_name ? topic_add(&g->mesh, topic) : NULL;
    if (t == NULL)
        return ERR_BAD_ARGUMENT;
    if (numbers == NULL) {
        t->is_allowed = true;
        return 0;
    }
    if (t->params == NULL && (t->params = mem_alloc(g->mem, sizeof *t->params)) == NULL)
        return ERR_NOMEM; /* and the next heartbeat sweeps the topic away */
    *t->params = SCORE_TOPIC_DEFAULTS;
    score_set_numbers(t->params->numbers, numbers, ARRAY_LEN(t->params->numbers));
    return 0;
}

void gossipsub_rate(struct gossipsub *g, uint32_t handle, float score)
{
    struct neighbour *n = router_find(g, handle);
    if (n != NULL && score == score)
        n->conduct.application = score;
}

float gossipsub_score(const struct gossipsub *g, uint32_t handle)
{
    const struct neighbour *n = table_find(&g->peers, handle);
    return n ? n->score : 0;
}

/* ---- promises ---------------------------------------------------------------------------------- */

void router_expect(struct gossipsub *g, struct neighbour *n, uint64_t hash, uint64_t now)
{
    if (n->promise_until != 0)
        return;
    n->promise = hash;
    n->promise_until = after(now, g->config.promise_ms);
}

/* Whoever sent it, the promise is kept. While we slept nobody could keep one, and one that was not
 * may be bad luck: the peer had just forgotten the message, or had too much to send. */
static void judge_promise(struct gossipsub *g, struct neighbour *n, uint64_t now)
{
    if (n->promise_until == 0 || !is_due(n->promise_until, now))
        return;
    n->promise_until = 0;
    if (now - g->beaten_at > 2 * g->config.heartbeat_ms)
        return;
    n->broken = seen_has(&g->seen, n->promise) ? 0 : n->broken + 1;
    if (n->broken >= g->limits->broken_promises)
        n->conduct.behaviour += (float)(n->broken - g->limits->broken_promises + 1);
}

/* ---- every heartbeat --------------------------------------------------------------------------- */

static void decay(const struct gossipsub *g, struct neighbour *n, uint32_t beats)
{
    const float zero = g->scoring.decay_to_zero;
    score_decay(&n->conduct.behaviour, g->scoring.behaviour_decay, zero, beats);
    LIST_EACH(node, &n->members) {
        struct member *m = LIST_OWNER(node, struct member, in_peer);
        const struct score_topic_params *p = topic_params(m->topic);
        for (size_t i = 0; i < SCORE_COUNTERS; i++)
            score_decay(&m->conduct.counters[i], p->decays[i], zero, beats);
    }
}

static float sharing(const struct gossipsub *g, const struct neighbour *n)
{
    uint32_t at = 0, count = 0;
    const struct neighbour *other;
    while ((other = table_next(&g->peers, &at)) != NULL)
        count += other->host == n->host && !neighbour_is_parted(other);
    return n->host != 0 ? (float)count : 0;
}

static uint32_t beats_since(struct gossipsub *g, uint64_t now)
{
    uint64_t beat_ms = MAX((uint64_t)g->scoring.decay_ms, 1);
    uint64_t beats = (now - g->decayed_at) / beat_ms;
    g->decayed_at += beats * beat_ms;
    return (uint32_t)MIN(beats, UINT32_MAX);
}

void router_score_all(struct gossipsub *g, uint64_t now)
{
    uint32_t at = 0, beats = beats_since(g, now);
    struct neighbour *n;
    while ((n = table_next(&g->peers, &at)) != NULL) {
        if (neighbour_is_parted(n))
            continue;
        decay(g, n, beats);
        judge_promise(g, n, now);
        if (g->scoring.shared_weight != 0)
            n->conduct.shared = sharing(g, n);
        compute(g, n, now);
    }
}

void router_remember_score(struct gossipsub *g, struct neighbour *n, uint64_t now)
{
    compute(g, n, now);
    n->remembered_until = n->score < 0 ? after(now, (uint64_t)g->scoring.retain_ms) : 0;
}
