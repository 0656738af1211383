#include "base/cursor.h"
#include "crypto/crypto.h"
#include "wire/noise_handshake.h"
#include "wire/noise_symmetric.h"

#include <assert.h>

#define LENGTH_LEN 2

int noise_init(struct noise *n, const struct noise_config *config)
{
    *n = (struct noise){
        .role = config->role,
        .mem = config->mem,
        .state = config->role == DIALER ? NOISE_WAIT_E_S : NOISE_WAIT_E,
    };
    buf_init(&n->partial, config->mem, LENGTH_LEN + NOISE_MAX_FRAME);
    return handshake_init(n, config);
}

void noise_free(struct noise *n)
{
    if (n->mem == NULL)
        return;
    handshake_free(n);
    buf_free(&n->partial);
    crypto_wipe(&n->sending, sizeof n->sending);
    crypto_wipe(&n->receiving, sizeof n->receiving);
}

/* ---- up ----------------------------------------------------------------------------------------------- */

static size_t frame_len(const uint8_t *length)
{
    return LENGTH_LEN + ((size_t)length[0] << 8 | length[1]);
}

/* Adds to the split frame; 1 when it is whole. */
static int gather(struct noise *n, struct span *in, struct span *frame)
{
    while (in->len > 0) {
        struct span have = buf_span(&n->partial);
        size_t want = have.len < LENGTH_LEN ? LENGTH_LEN : frame_len(have.data);
        struct span more = span_take(in, want - have.len);
        int rc = buf_append(&n->partial, view_of_span(more));
        if (rc != 0)
            return rc;
        have = buf_span(&n->partial);
        if (have.len >= LENGTH_LEN && have.len == frame_len(have.data)) {
            *frame = have;
            n->given = have.len;
            return 1;
        }
    }
    return 0;
}

/* The next whole frame: in the bytes fed, or gathered. */
static int next_frame(struct noise *n, struct span *in, struct span *frame)
{
    if (n->given > 0) {
        buf_take(&n->partial, n->given);
        buf_trim(&n->partial);
        n->given = 0;
    }
    if (n->partial.len > 0 || in->len < LENGTH_LEN || in->len < frame_len(in->data))
        return gather(n, in, frame);
    *frame = span_take(in, frame_len(in->data));
    return 1;
}

static int open_frame(struct noise *n, struct span body, struct noise_event *ev)
{
    if (body.len < AEAD_TAG_LEN)
        return ERR_PROTOCOL;
    size_t len = body.len - AEAD_TAG_LEN;
    int rc = cipher_open(&n->receiving, view_of(NULL, 0), body.data, len, body.data + len);
    if (rc != 0 || len == 0)
        return rc;
    ev->type = NOISE_DATA;
    ev->plain = span_of(body.data, len);
    return 1;
}

static int on_frame(struct noise *n, struct span frame, struct noise_event *ev)
{
    struct span body = {frame.data + LENGTH_LEN, frame.len - LENGTH_LEN};
    switch (n->state) {
    case NOISE_WAIT_E:
    case NOISE_WAIT_E_S:
    case NOISE_WAIT_S:
        return handshake_read(n, body, ev);
    case NOISE_OPEN:
        return open_frame(n, body, ev);
    case NOISE_WAIT_VERDICT:
    case NOISE_VERIFIED:
    case NOISE_FAILED:
        break;
    }
    return ERR_PROTOCOL;
}

static bool can_read(const struct noise *n)
{
    /* The dialer's keys are split when message 3 is drained; the peer sends nothing before it. */
    bool waits = n->state == NOISE_WAIT_VERDICT || n->state == NOISE_VERIFIED ||
                 n->state == NOISE_FAILED;
    return !waits;
}

int noise_feed(struct noise *n, struct span *in, struct noise_event *ev)
{
    if (n->state == NOISE_VERIFIED && n->resume_owed) {
        n->resume_owed = false;
        return handshake_resume(n, ev);
    }
    /* The listener's handshake lives until NOISE_READY, whose views are in it, was seen. */
    if (n->state == NOISE_OPEN && n->handshake != NULL)
        handshake_free(n);
    while (can_read(n)) {
        struct span frame;
        int rc = next_frame(n, in, &frame);
        if (rc == 1)
            rc = on_frame(n, frame, ev);
        else if (rc == 0)
            return 0;
        if (rc < 0)
            n->state = NOISE_FAILED;
        if (rc != 0)
            return rc;
    }
    return n->state == NOISE_FAILED ? ERR_CLOSED : 0;
}

int noise_verified(struct noise *n, bool is_valid)
{
    if (n->state != NOISE_WAIT_VERDICT)
        return ERR_BAD_ARGUMENT;
    n->state = is_valid ? NOISE_VERIFIED : NOISE_FAILED;
    n->resume_owed = is_valid;
    return is_valid ? 0 : ERR_BAD_SIGNATURE;
}

/* ---- down ---------------------------------------------------------------------------------------------- */

size_t noise_frame_room(const struct noise *n)
{
    return NOISE_MAX_PLAINTEXT - (n->is_frame_open ? n->frame_len : 0);
}

uint8_t *noise_reserve(struct noise *n, struct buf *out, size_t len)
{
    assert(len <= noise_frame_room(n));
    size_t before = n->is_frame_open ? 0 : LENGTH_LEN;
    uint8_t *at = buf_reserve(out, before + len + AEAD_TAG_LEN);
    if (at == NULL)
        return NULL;
    if (!n->is_frame_open) {
        buf_commit(out, LENGTH_LEN);
        n->is_frame_open = true;
        n->frame_len = 0;
    }
    return at + before;
}

void noise_commit(struct noise *n, struct buf *out, size_t len)
{
    buf_commit(out, len);
    n->frame_len += len;
}

int noise_seal(struct noise *n, struct buf *out)
{
    if (!n->is_frame_open)
        return 0;
    n->is_frame_open = false;
    if (n->frame_len == 0) {
        buf_truncate(out, out->len - LENGTH_LEN);
        return 0;
    }
    uint8_t *tag = buf_reserve(out, AEAD_TAG_LEN);
    if (tag == NULL)
        return ERR_NOMEM;
    uint8_t *data = tag - n->frame_len;
    int rc = cipher_seal(&n->sending, view_of(NULL, 0), data, n->frame_len, tag);
    if (rc != 0)
        return rc;
    struct writer w = writer_of(data - LENGTH_LEN, LENGTH_LEN);
    put_u16be(&w, (uint16_t)(n->frame_len + AEAD_TAG_LEN));
    buf_commit(out, AEAD_TAG_LEN);
    return 0;
}

size_t noise_sealed(const struct noise *n, const struct buf *out)
{
    return out->len - (n->is_frame_open ? LENGTH_LEN + n->frame_len : 0);
}
