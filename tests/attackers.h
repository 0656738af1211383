/*
 * One node among attackers: whoever it dials has a key of its own and the core's connection in the
 * other role, so that bytes get past the handshake as frames, streams and messages of protocols.
 *
 *     struct attackers w;
 *     attackers_init(&w, &PEERLET_LIMITS);
 *     attackers_bootstrap(&w, 0);                     the node is told to keep attacker 0
 *     attackers_begin(&w);                            it starts; both have shaken hands
 *     attackers_frames(&w, 0, hex("0001000100000002 00000000"));
 *     attackers_settle(&w);
 *     attackers_end(&w);
 *
 * Nothing takes time but attackers_pass. What the node orders and tells goes to `told`, what the
 * attackers' connections hear goes to `heard`; both may be null. Memory of the node stays below
 * `memory_max` at every step, and all of it must come back.
 */
#ifndef TESTS_ATTACKERS_H
#define TESTS_ATTACKERS_H

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "multiformats/peer_id.h"
#include "net/conn.h"
#include "sim/told.h"

#define ATTACKERS 4
#define ATTACKERS_CHANNELS 8
#define ATTACKERS_ROOM (1u << 20)
#define ATTACKERS_ROUNDS 64
#define ATTACKERS_UNIX_MS UINT64_C(1767225600000)

struct attacker {
    uint32_t link; /* 0: free */
    struct conn *conn;
    struct buf inbox; /* what the node sent to it */
    bool is_opening;
    bool is_deaf; /* decrypts what comes into `words`, and answers nothing by itself */
};

struct attackers {
    struct peerlet *p;
    struct mem mem; /* the attackers' */
    uint64_t now;
    uint64_t chance;
    struct rng rng;
    const struct peerlet_limits *limits; /* of all */
    size_t memory_max;
    struct identity identities[ATTACKERS];
    char addresses[ATTACKERS][160];
    uint32_t last_stream;
    struct conn_totals totals[ATTACKERS];
    struct attacker at[ATTACKERS];
    struct buf words; /* plaintext that deaf ones received */
    bool is_absent;   /* nobody accepts links */
    uint32_t rtc;     /* the last peer connection */
    uint32_t channels[ATTACKERS_CHANNELS];
    uint32_t channel_count;
    uint32_t verify; /* a job the browser was given */
    uint32_t lookup; /* the last name it was asked for */
    void (*told)(struct attackers *w, const struct peerlet_output *out);
    void (*heard)(struct attackers *w, struct attacker *a, const struct conn_event *ev);
    void *context;
};

static inline void attackers_fill(void *context, uint8_t *out, size_t len)
{
    uint64_t *state = context;
    for (size_t i = 0; i < len; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (uint8_t)(*state >> 56);
    }
}

/* ---- the driver ------------------------------------------------------------------------------ */

static inline struct attacker *attacker_at(struct attackers *w, uint32_t link)
{
    for (size_t i = 0; i < ATTACKERS; i++)
        if (w->at[i].link == link)
            return &w->at[i];
    return NULL;
}

static inline void attacker_free(struct attacker *a)
{
    if (a->conn != NULL)
        conn_free(a->conn);
    buf_free(&a->inbox);
    *a = (struct attacker){0};
}

/* Who lives at ws://10.0.0.N:4001; every other place is attacker 0's. */
static inline size_t attacker_of_url(struct view url)
{
    const size_t at = sizeof "ws://10.0.0." - 1;
    return url.len > at && url.data[at] >= '1' && url.data[at] < '1' + ATTACKERS
               ? (size_t)(url.data[at] - '1')
               : 0;
}

static inline void attackers_accept(struct attackers *w, uint32_t link, struct view url)
{
    struct attacker *a = &w->at[attacker_of_url(url)];
    for (size_t i = 0; a->link != 0 && i < ATTACKERS; i++)
        a = &w->at[i];
    if (a->link != 0)
        return;
    const struct conn_config config = {
        .id = link,
        .role = LISTENER,
        .kind = LINK_SOCKET,
        .mem = &w->mem,
        .rng = &w->rng,
        .limits = w->limits,
        .identity = &w->identities[attacker_of_url(url)],
        .last_stream = &w->last_stream,
        .totals = &w->totals[a - w->at],
    };
    *a = (struct attacker){.link = link, .conn = conn_new(&config, w->now), .is_opening = true};
    assert(a->conn != NULL);
    buf_init(&a->inbox, &w->mem, 64u << 20);
}

static inline void attacker_decrypt(struct attackers *w, struct attacker *a)
{
    struct span in = buf_span(&a->inbox);
    struct noise_event ev;
    while (noise_feed(&a->conn->noise, &in, &ev) == 1) {
        int rc = buf_append(&w->words, view_of_span(ev.plain));
        assert(rc == 0);
        (void)rc;
    }
    buf_take(&a->inbox, a->inbox.len);
}

static inline void attackers_perform(struct attackers *w, const struct peerlet_output *out)
{
    struct attacker *a = out->id != 0 ? attacker_at(w, out->id) : NULL;
    if (w->told != NULL)
        w->told(w, out);
    if (out->type == PEERLET_OPEN_SOCKET && !w->is_absent) {
        attackers_accept(w, out->id, out->text);
    } else if (out->type == PEERLET_SEND && a != NULL && out->channel == 0) {
        int rc = buf_append(&a->inbox, out->data);
        assert(rc == 0);
        (void)rc;
        if (a->is_deaf)
            attacker_decrypt(w, a);
    } else if (out->type == PEERLET_CLOSE_LINK) {
        w->rtc = w->rtc == out->id ? 0 : w->rtc;
        if (a != NULL)
            attacker_free(a);
    } else if (out->type == PEERLET_OPEN_RTC) {
        w->rtc = out->id;
        w->channel_count = 0;
    } else if (out->type == PEERLET_OPEN_CHANNEL) {
        w->channels[w->channel_count++ % ATTACKERS_CHANNELS] = out->channel;
    } else if (out->type == PEERLET_VERIFY) {
        w->verify = out->id;
    } else if (out->type == PEERLET_LOOKUP) {
        w->lookup = out->id;
    }
}

static inline struct input_result attackers_tell(struct attackers *w, struct input in)
{
    struct peerlet_output out;
    struct told told;
    struct input_result r = input_apply(w->p, told_of(&told, &in), w->now);
    uint32_t count = 0;
    while (peerlet_next(w->p, &out)) {
        assert(++count < 100000);
        attackers_perform(w, &out);
    }
    assert(peerlet_memory(w->p)->used < w->memory_max);
    return r;
}

/* Every block that the node is given is one of its own. */
static inline void attackers_tell_bytes(struct attackers *w, uint32_t link, uint32_t channel,
                                        struct view bytes)
{
    uint8_t *block = malloc(bytes.len > 0 ? bytes.len : 1);
    assert(block != NULL);
    if (bytes.len > 0)
        memcpy(block, bytes.data, bytes.len);
    attackers_tell(w, (struct input){.type = INPUT_LINK_BYTES,
                                     .id = link,
                                     .channel = channel,
                                     .bytes = span_of(block, bytes.len)});
    free(block);
}

/* ---- the attackers' connections ---------------------------------------------------------------- */

static inline bool attacker_feed(struct attackers *w, struct attacker *a)
{
    if (a->is_deaf) {
        attacker_decrypt(w, a);
        return true;
    }
    struct span in = buf_span(&a->inbox);
    struct conn_event ev;
    int rc;
    while ((rc = conn_feed(a->conn, &in, &ev, w->now)) > 0) {
        if (w->heard != NULL)
            w->heard(w, a, &ev);
        if (ev.type == CONN_STREAM_PROPOSED && ev.stream->state == STREAM_NEGOTIATING)
            (void)!stream_accept(ev.stream, ev.protocol);
        if (ev.type == CONN_STREAM_DATA)
            stream_grant(ev.stream, ev.data.len, w->now);
    }
    buf_take(&a->inbox, a->inbox.len);
    return rc == 0;
}

static inline int attacker_drain(struct attackers *w, struct attacker *a, struct buf *out)
{
    struct conn_output o;
    struct stream *s;
    int rc;
    conn_room(a->conn, 0, ATTACKERS_ROOM, 0);
    while ((rc = conn_drain(a->conn, &o, w->now)) > 0 && o.type != CONN_FLUSHED)
        if (o.type == CONN_SEND) {
            int appended = buf_append(out, o.data);
            assert(appended == 0);
            (void)appended;
            conn_sent(a->conn);
        }
    while ((s = conn_dead_stream(a->conn)) != NULL)
        conn_forget_stream(a->conn, s);
    return rc;
}

static inline bool attackers_exchange(struct attackers *w, struct attacker *a)
{
    uint32_t link = a->link;
    struct buf out;
    if (a->is_opening) {
        a->is_opening = false;
        int rc = conn_opened(a->conn, ATTACKERS_ROOM, w->now);
        assert(rc == 0);
        (void)rc;
        attackers_tell(
            w, (struct input){.type = INPUT_LINK_OPENED, .id = link, .value = ATTACKERS_ROOM});
    }
    if (a->link != link)
        return true;
    buf_init(&out, &w->mem, 64u << 20);
    bool is_well = attacker_feed(w, a) && attacker_drain(w, a, &out) == 0;
    bool has_moved = out.len > 0;
    if (has_moved)
        attackers_tell_bytes(w, link, 0, buf_view(&out));
    buf_free(&out);
    if (!is_well && a->link == link) {
        attacker_free(a);
        attackers_tell(w, (struct input){.type = INPUT_LINK_CLOSED, .id = link});
    } else if (a->link == link) {
        attackers_tell(
            w, (struct input){.type = INPUT_LINK_ROOM, .id = link, .value = ATTACKERS_ROOM});
    }
    return has_moved || a->inbox.len > 0;
}

/* Carries bytes both ways until all are silent, or have gone on for long. */
static inline void attackers_settle(struct attackers *w)
{
    bool has_moved = true;
    for (int round = 0; has_moved && round < ATTACKERS_ROUNDS; round++) {
        has_moved = false;
        for (size_t i = 0; i < ATTACKERS; i++)
            if (w->at[i].link != 0)
                has_moved |= attackers_exchange(w, &w->at[i]);
    }
}

/* Lets so much time pass, with each alarm in its turn. */
static inline void attackers_pass(struct attackers *w, uint64_t ms)
{
    uint64_t until = w->now + ms;
    for (uint64_t at; (at = peerlet_deadline(w->p)) <= until;) {
        w->now = MAX(w->now, at);
        attackers_tell(w, (struct input){.type = INPUT_TICK});
        attackers_settle(w);
    }
    w->now = until;
}

/* ---- what they say ----------------------------------------------------------------------------- */

/* Bytes for the muxer, sealed as they are; false when that is not possible now. */
static inline bool attackers_frames(struct attackers *w, size_t n, struct view bytes)
{
    struct conn *c = w->at[n].conn;
    if (c == NULL || !conn_is_ready(c) || bytes.len == 0)
        return false;
    uint8_t *at = noise_reserve(&c->noise, &c->link.out, bytes.len);
    if (at == NULL)
        return false;
    memcpy(at, bytes.data, bytes.len);
    noise_commit(&c->noise, &c->link.out, bytes.len);
    return true;
}

static inline void attackers_say(struct stream *s, struct view bytes)
{
    if (buf_append(&s->out, bytes) == 0)
        stream_touch(s);
}

/* Opens a stream, proposing `name`, with bytes behind the proposal; null when that is refused. */
static inline struct stream *attackers_open(struct attackers *w, size_t n, const char *name,
                                            struct view bytes)
{
    struct conn *c = w->at[n].conn;
    int error;
    if (c == NULL || !conn_is_ready(c))
        return NULL;
    struct stream *s = conn_open_stream(c, view_of_text(name), &error, w->now);
    if (s != NULL)
        attackers_say(s, bytes);
    return s;
}

/* A stream of attacker `n`, or null when it is gone. */
static inline struct stream *attackers_stream(const struct attackers *w, size_t n, uint32_t id)
{
    const struct conn *c = w->at[n].conn;
    if (c != NULL)
        LIST_EACH(node, &c->streams) {
            struct stream *s = LIST_OWNER(node, struct stream, in_conn);
            if (s->id == id && s->state != STREAM_DEAD)
                return s;
        }
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------------- */

/* Makes the node; the application answers /app/1.0.0. */
static inline void attackers_init(struct attackers *w, const struct peerlet_limits *limits)
{
    *w = (struct attackers){.now = 1000, .chance = 1, .limits = limits, .memory_max = 4u << 20};
    w->rng = (struct rng){attackers_fill, &w->chance};
    buf_init(&w->words, &w->mem, 64u << 20);
    crypto_init();
    for (size_t i = 0; i < ATTACKERS; i++) {
        char id[PEER_ID_TEXT_MAX];
        identity_generate(&w->rng, &w->identities[i]);
        struct peer_id peer = peer_id_of_identity(&w->identities[i]);
        peer_id_format(&peer, id);
        text_format(w->addresses[i], sizeof w->addresses[i], "/ip4/10.0.0.%u/tcp/4001/ws/p2p/%s",
                    (unsigned)i + 1, id);
    }
    int error;
    w->p = peerlet_new(&(struct peerlet_config){.limits = limits,
                                                .rng = w->rng,
                                                .unix_ms = ATTACKERS_UNIX_MS,
                                                .services = PEERLET_ALL,
                                                .page = PEERLET_PAGE_ANY},
                       w->now, &error);
    assert(w->p != NULL);
    attackers_tell(w, (struct input){.type = INPUT_HANDLE, .text = view_of_text("/app/1.0.0")});
    attackers_tell(w, (struct input){.type = INPUT_LISTEN, .text = view_of_text("/webrtc")});
}

static inline void attackers_bootstrap(struct attackers *w, size_t n)
{
    attackers_tell(w,
                   (struct input){.type = INPUT_BOOTSTRAP, .text = view_of_text(w->addresses[n])});
}

static inline void attackers_begin(struct attackers *w)
{
    attackers_tell(w, (struct input){.type = INPUT_START});
    attackers_settle(w);
}

static inline void attackers_end(struct attackers *w)
{
    attackers_tell(w, (struct input){.type = INPUT_STOP});
    for (size_t i = 0; i < ATTACKERS; i++)
        attacker_free(&w->at[i]);
    buf_free(&w->words);
    peerlet_delete(w->p);
    assert(w->mem.used == 0);
}

#endif
