/*
 * A party to Noise XX that says any payload: the Noise specification's walk through the pattern, by
 * hand, over wire/noise_symmetric. It is honest about the pattern itself, so that what it says gets
 * past the encryption; keys and payloads are the caller's.
 */
#ifndef TESTS_NOISE_PARTY_H
#define TESTS_NOISE_PARTY_H

#include "base/cursor.h"
#include "wire/noise_symmetric.h"

struct noise_pair {
    uint8_t secret[X25519_KEY_LEN], public_key[X25519_KEY_LEN];
};

struct noise_party {
    enum role role;
    struct noise_symmetric symmetric;
    struct noise_pair s, e;
    uint8_t remote_s[X25519_KEY_LEN], remote_e[X25519_KEY_LEN];
    struct noise_cipher sending, receiving;
};

static inline struct noise_pair noise_pair_of(const uint8_t secret[X25519_KEY_LEN])
{
    struct noise_pair pair;
    memcpy(pair.secret, secret, X25519_KEY_LEN);
    x25519_public_key(secret, pair.public_key);
    return pair;
}

static inline void noise_party_init(struct noise_party *p, enum role role, struct view prologue,
                                    const uint8_t s[X25519_KEY_LEN],
                                    const uint8_t e[X25519_KEY_LEN])
{
    *p = (struct noise_party){.role = role, .s = noise_pair_of(s), .e = noise_pair_of(e)};
    noise_symmetric_init(&p->symmetric, prologue);
}

static inline int noise_party_mix(struct noise_party *p, const struct noise_pair *ours,
                                  const uint8_t theirs[X25519_KEY_LEN])
{
    uint8_t secret[X25519_KEY_LEN];
    int rc = x25519_shared_secret(ours->secret, theirs, secret);
    if (rc == 0)
        noise_symmetric_mix_key(&p->symmetric, secret);
    return rc;
}

/* es, and se: the letter of each party is its own key. */
static inline int noise_party_mix_static(struct noise_party *p, enum role whose)
{
    return p->role == whose ? noise_party_mix(p, &p->s, p->remote_e)
                            : noise_party_mix(p, &p->e, p->remote_s);
}

static inline int noise_party_say(struct noise_party *p, struct writer *w, struct view bytes)
{
    uint8_t *at = w->data + w->len;
    size_t len = bytes.len;
    if (bytes.len + AEAD_TAG_LEN > w->room - w->len)
        return ERR_FULL;
    put(w, bytes);
    int rc = noise_symmetric_seal(&p->symmetric, at, &len);
    w->len += len - bytes.len;
    return rc;
}

static inline int noise_party_hear(struct noise_party *p, struct span *in, size_t len,
                                   struct span *plain)
{
    *plain = span_take(in, len);
    return plain->len == len ? noise_symmetric_open(&p->symmetric, plain->data, &plain->len)
                             : ERR_PROTOCOL;
}

/* Message `row` of the pattern, 0 to 2, without a length in front. */
static inline int noise_party_write(struct noise_party *p, int row, struct view payload,
                                    struct writer *w)
{
    int rc = 0;
    if (row < 2) {
        struct view e = view_of(p->e.public_key, X25519_KEY_LEN);
        put(w, e);
        noise_symmetric_mix_hash(&p->symmetric, e);
    }
    if (row == 1)
        rc = noise_party_mix(p, &p->e, p->remote_e);
    if (rc == 0 && row > 0)
        rc = noise_party_say(p, w, view_of(p->s.public_key, X25519_KEY_LEN));
    if (rc == 0 && row > 0)
        rc = noise_party_mix_static(p, row == 1 ? LISTENER : DIALER);
    return rc == 0 ? noise_party_say(p, w, payload) : rc;
}

static inline int noise_party_read(struct noise_party *p, int row, struct span in,
                                   struct span *payload)
{
    int rc = 0;
    if (row < 2) {
        struct span e = span_take(&in, X25519_KEY_LEN);
        if (e.len < X25519_KEY_LEN)
            return ERR_PROTOCOL;
        memcpy(p->remote_e, e.data, X25519_KEY_LEN);
        noise_symmetric_mix_hash(&p->symmetric, view_of_span(e));
    }
    if (row == 1)
        rc = noise_party_mix(p, &p->e, p->remote_e);
    if (rc == 0 && row > 0) {
        struct span s;
        rc = noise_party_hear(p, &in, X25519_KEY_LEN + AEAD_TAG_LEN, &s);
        if (rc == 0)
            memcpy(p->remote_s, s.data, X25519_KEY_LEN);
    }
    if (rc == 0 && row > 0)
        rc = noise_party_mix_static(p, row == 1 ? LISTENER : DIALER);
    return rc == 0 ? noise_party_hear(p, &in, in.len, payload) : rc;
}

/* After the third message. */
static inline void noise_party_split(struct noise_party *p)
{
    bool dials = p->role == DIALER;
    noise_symmetric_split(&p->symmetric, dials ? &p->sending : &p->receiving,
                          dials ? &p->receiving : &p->sending);
}

#endif
