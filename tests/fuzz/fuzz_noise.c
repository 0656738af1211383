/*
 * What a peer can say in Noise once it has got past the encryption.
 *
 *     input:  choices | nth | u16be(len) || payload, len bytes | plaintext of frames, at most 512
 *
 * The lowest bit of the choices is our role, the next says that the payload is the raw message
 * instead; the rest is how many bytes are fed at once. The party has fixed keys, so an honest
 * payload can be in the corpus; then the frames must arrive as they were sent.
 */
#include "feed.h"

#include "crypto/crypto.h"
#include "noise_party.h"

static void fill(void *context, uint8_t *out, size_t len)
{
    uint8_t *next = context;
    memset(out, 0, len);
    out[0] = *next;
    *next = (uint8_t)(*next + 8);
}

struct machine {
    struct noise noise;
    bool is_ready;
    uint8_t received[512];
    size_t len;
};

static int feed(void *context, struct span *in)
{
    struct machine *m = context;
    struct noise_event ev;
    int rc = noise_feed(&m->noise, in, &ev);
    if (rc != 1)
        return rc;
    switch (ev.type) {
    case NOISE_VERIFY:
        assert(ev.key.type != KEY_ED25519);
        rc = noise_verified(&m->noise, ev.signature.len % 2 == 0);
        return rc == 0 ? 1 : rc;
    case NOISE_READY:
        assert(!m->is_ready && ev.peer.len > 0 && ev.certhash_count <= NOISE_CERTHASHES_MAX);
        m->is_ready = true;
        return m->noise.role == DIALER ? 0 : 1;
    case NOISE_DATA:
        assert(m->is_ready && ev.plain.len > 0 && ev.plain.len <= sizeof m->received - m->len);
        memcpy(m->received + m->len, ev.plain.data, ev.plain.len);
        m->len += ev.plain.len;
        return 1;
    }
    return 0;
}

/* Feeds u16be(len) || body. */
static int hear(struct machine *m, struct view body, size_t step)
{
    static uint8_t frame[2 + 4096];
    struct writer w = writer_of(frame, sizeof frame);
    put_u16be(&w, (uint16_t)body.len);
    put(&w, body);
    assert(!w.failed);
    return fuzz_feed(writer_view(&w), step, feed, m);
}

/* What the machine owes, read by the party. */
static int tell(struct machine *m, struct noise_party *p, int row, struct buf *out)
{
    int rc = noise_drain(&m->noise, out);
    if (rc != 0)
        return rc;
    struct span in = buf_span(out), payload;
    span_take(&in, 2);
    rc = noise_party_read(p, row, in, &payload);
    assert(rc == 0);
    buf_take(out, out->len);
    return 0;
}

/* The party's word: the payload in its place, or the raw message. */
static int say(struct machine *m, struct noise_party *p, int row, struct view payload, bool is_raw,
               size_t step)
{
    static uint8_t body[4096];
    struct writer w = writer_of(body, sizeof body);
    if (!is_raw && noise_party_write(p, row, payload, &w) != 0)
        return ERR_TOO_BIG;
    return hear(m, is_raw ? payload : writer_view(&w), step);
}

static int shake_hands(struct machine *m, struct noise_party *p, struct view payload, bool is_raw,
                       size_t step, struct buf *out)
{
    if (m->noise.role == LISTENER) {
        int rc = say(m, p, 0, view_of(NULL, 0), false, step);
        if (rc == 0)
            rc = tell(m, p, 1, out);
        return rc == 0 ? say(m, p, 2, payload, is_raw, step) : rc;
    }
    int rc = tell(m, p, 0, out);
    if (rc == 0)
        rc = say(m, p, 1, payload, is_raw, step);
    return rc == 0 && m->is_ready ? tell(m, p, 2, out) : rc;
}

static int send_frames(struct machine *m, struct noise_party *p, struct view plain, size_t step)
{
    noise_party_split(p);
    for (size_t at = 0; at < plain.len; at += 100) {
        uint8_t body[100 + AEAD_TAG_LEN];
        size_t len = MIN(plain.len - at, 100);
        memcpy(body, plain.data + at, len);
        int rc = noise_cipher_seal(&p->sending, view_of(NULL, 0), body, len, body + len);
        assert(rc == 0);
        rc = hear(m, view_of(body, len + AEAD_TAG_LEN), step);
        if (rc != 0)
            return rc;
    }
    assert(view_equal(view_of(m->received, m->len), plain));
    return 0;
}

static uint64_t run(uint8_t choices, struct view payload, struct view plain, struct mem *mem)
{
    static const uint8_t S[X25519_KEY_LEN] = {24}, E[X25519_KEY_LEN] = {32};
    enum role role = choices & 1 ? DIALER : LISTENER;
    uint8_t next = 8, seed[ED25519_KEY_LEN] = {1};
    struct rng rng = {fill, &next};
    struct identity identity;
    identity_from_seed(seed, &identity);
    struct noise_config config = {
        .role = role,
        .identity = &identity,
        .muxer = view_of_text("/yamux/1.0.0"),
        .rng = &rng,
        .mem = mem,
    };
    struct machine m = {.is_ready = false};
    struct noise_party p;
    struct buf out;
    noise_party_init(&p, role == DIALER ? LISTENER : DIALER, view_of(NULL, 0), S, E);
    buf_init(&out, mem, 1024);
    int rc = noise_init(&m.noise, &config);
    if (rc == 0)
        rc = shake_hands(&m, &p, payload, choices & 2, (choices >> 2) + 1u, &out);
    if (rc == 0 && m.is_ready)
        rc = send_frames(&m, &p, plain, (choices >> 2) + 1u);
    assert(rc <= 0);
    uint64_t said = 0;
    fuzz_say_number(&said, (uint32_t)rc);
    fuzz_say(&said, view_of(m.received, m.len));
    buf_free(&out);
    noise_free(&m.noise);
    return said;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    crypto_init();
    if (len < 4)
        return 0;
    struct mem mem = {.limit = 1 << 20, .fail_nth = data[1]};
    size_t payload_len = MIN((size_t)data[2] << 8 | data[3], len - 4);
    struct view payload = view_of(data + 4, MIN(payload_len, 3000));
    struct view plain = view_of(data + 4 + payload_len, MIN(len - 4 - payload_len, 512));
    uint64_t said = run(data[0], payload, plain, &mem);
    assert(mem.used == 0);
    return said;
}
