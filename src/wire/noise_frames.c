#include "base/cursor.h"
#include "crypto/crypto.h"
#include "wire/noise_handshake.h"
#include "wire/noise_symmetric.h"

#include <assert.h>

#define PREFIX_LEN 2

static const struct view NO_AD = {NULL, 0};

int noise_init(struct noise *n, const struct noise_config *config)
{
    *n = (struct noise){.role = config->role, .mem = config->mem};
    buf_init(&n->partial, config->mem, PREFIX_LEN + NOISE_MAX_FRAME);
    return noise_handshake_init(n, config);
}

void noise_free(struct noise *n)
{
    if (n->mem == NULL)
        return;
    noise_handshake_free(n);
    buf_free(&n->partial);
    crypto_wipe(&n->sending, sizeof n->sending);
    crypto_wipe(&n->receiving, sizeof n->receiving);
}

/* ---- up ------------------------------------------------------------------------------------ */

/* Of a frame with its prefix; PREFIX_LEN while that has not come. */
static size_t frame_len(struct span have)
{
    struct cursor c = cursor_of(view_of_span(have));
    return PREFIX_LEN + take_u16be(&c);
}

static bool is_whole(struct span have)
{
    return have.len >= frame_len(have);
}

/* Adds to the split frame; 1 when it is whole. */
static int gather(struct noise *n, struct span *in, struct span *frame)
{
    *frame = buf_span(&n->partial);
    while (!is_whole(*frame)) {
        if (in->len == 0)
            return 0;
        struct span more = span_take(in, frame_len(*frame) - frame->len);
        int rc = buf_append(&n->partial, view_of_span(more));
        if (rc != 0)
            return rc;
        *frame = buf_span(&n->partial);
    }
    n->given = frame->len;
    return 1;
}

/* The next whole frame, where it lies in the bytes fed or gathered. */
static int next_frame(struct noise *n, struct span *in, struct span *frame)
{
    if (n->given > 0) {
        buf_free(&n->partial);
        n->given = 0;
    }
    if (n->partial.len > 0 || !is_whole(*in))
        return gather(n, in, frame);
    *frame = span_take(in, frame_len(*in));
    return 1;
}

static int open_frame(struct noise *n, struct span body, struct noise_event *ev)
{
    if (body.len < AEAD_TAG_LEN)
        return ERR_PROTOCOL;
    struct span plain = span_take(&body, body.len - AEAD_TAG_LEN);
    int rc = noise_cipher_open(&n->receiving, NO_AD, plain.data, plain.len, body.data);
    if (rc != 0 || plain.len == 0)
        return rc;
    ev->type = NOISE_DATA;
    ev->plain = plain;
    return 1;
}

static int feed(struct noise *n, struct span *in, struct noise_event *ev)
{
    for (;;) {
        switch (n->state) {
        case NOISE_WAIT_DRAIN:
            /* The peer cannot have spoken before it heard us. */
            return in->len == 0 ? 0 : ERR_PROTOCOL;
        case NOISE_WAIT_VERDICT:
            return 0;
        case NOISE_WAIT_FEED:
            return noise_handshake_resume(n, ev);
        case NOISE_FAILED:
            return ERR_CLOSED;
        case NOISE_WAIT_MESSAGE:
        case NOISE_OPEN:
            break;
        }
        struct span frame;
        int rc = next_frame(n, in, &frame);
        if (rc <= 0)
            return rc;
        span_take(&frame, PREFIX_LEN);
        rc = n->state == NOISE_OPEN ? open_frame(n, frame, ev) : noise_handshake_read(n, frame, ev);
        if (rc != 0)
            return rc;
    }
}

int noise_feed(struct noise *n, struct span *in, struct noise_event *ev)
{
    if (n->state == NOISE_OPEN)
        noise_handshake_free(n);
    int rc = feed(n, in, ev);
    if (rc < 0)
        n->state = NOISE_FAILED;
    return rc;
}

/* ---- down ---------------------------------------------------------------------------------- */

size_t noise_frame_room(const struct noise *n)
{
    return NOISE_MAX_PLAINTEXT - (n->is_frame_open ? n->frame_len : 0);
}

uint8_t *noise_reserve(struct noise *n, struct buf *out, size_t len)
{
    assert(n->state == NOISE_OPEN && len <= noise_frame_room(n));
    size_t prefix = n->is_frame_open ? 0 : PREFIX_LEN;
    uint8_t *at = buf_reserve(out, prefix + len + AEAD_TAG_LEN);
    if (at == NULL)
        return NULL;
    if (!n->is_frame_open) {
        buf_commit(out, PREFIX_LEN);
        n->is_frame_open = true;
        n->frame_len = 0;
    }
    return at + prefix;
}

void noise_commit(struct noise *n, struct buf *out, size_t len)
{
    assert(n->is_frame_open && len <= noise_frame_room(n));
    buf_commit(out, len);
    n->frame_len += len;
}

int noise_seal(struct noise *n, struct buf *out)
{
    if (!n->is_frame_open)
        return 0;
    if (n->frame_len == 0) {
        n->is_frame_open = false;
        buf_truncate(out, out->len - PREFIX_LEN);
        return 0;
    }
    uint8_t *tag = buf_reserve(out, AEAD_TAG_LEN);
    if (tag == NULL)
        return ERR_NOMEM;
    uint8_t *data = tag - n->frame_len;
    int rc = noise_cipher_seal(&n->sending, NO_AD, data, n->frame_len, tag);
    if (rc != 0)
        return rc;
    struct writer prefix = writer_of(data - PREFIX_LEN, PREFIX_LEN);
    put_u16be(&prefix, (uint16_t)(n->frame_len + AEAD_TAG_LEN));
    buf_commit(out, AEAD_TAG_LEN);
    n->is_frame_open = false;
    return 0;
}

size_t noise_sealed(const struct noise *n, const struct buf *out)
{
    return out->len - (n->is_frame_open ? PREFIX_LEN + n->frame_len : 0);
}
