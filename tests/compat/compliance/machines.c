#include "compat/compliance/machines.h"

#include "crypto/crypto.h"
#include "crypto/identity.h"
#include "wire/noise.h"

/* machines.mjs reads struct told as four 32-bit numbers. */
_Static_assert(sizeof(struct told) == 16, "struct told");

/* What js-libp2p's yamux takes; the tests open a thousand at once. */
#define STREAMS 1000
/* Bytes of the link that may lie here, each way. */
#define LINK_MAX (16u << 20)

static struct {
    struct mem mem;
    uint8_t *box;
    size_t box_len;
    struct buf in, out;
    size_t used;   /* of `in`, by the last feed: what it told may lie there */
    size_t handed; /* of `out`, by the last drain */
    struct told told;

    struct identity identity;
    struct noise noise;

    struct peerlet_limits limits;
    struct yamux yamux;
} self;

static void begin(void)
{
    crypto_init();
    buf_init(&self.in, &self.mem, LINK_MAX);
    buf_init(&self.out, &self.mem, LINK_MAX);
}

/* ---- bytes across --------------------------------------------------------------------------- */

const struct told *told(void)
{
    return &self.told;
}

uint8_t *inbox(size_t len)
{
    if (len > self.box_len || self.box == NULL) {
        size_t room = MAX(len, 4096);
        uint8_t *grown = mem_resize(&self.mem, self.box, room);
        if (grown == NULL)
            return NULL;
        self.box = grown;
        self.box_len = room;
    }
    return self.box;
}

static void tell_data(struct view data)
{
    self.told = (struct told){.data = data};
}

void error_name(int code)
{
    tell_data(view_of_text(err_js_name(code)));
}

void error_text(int code)
{
    tell_data(view_of_text(err_text(code)));
}

/* The first `len` bytes of the inbox, behind what waits already. */
static int arrive(size_t len, struct span *in)
{
    buf_take(&self.in, self.used);
    self.used = 0;
    int rc = buf_append(&self.in, view_of(self.box, len));
    *in = buf_span(&self.in);
    return rc;
}

static void depart(size_t len)
{
    self.handed = len;
    tell_data(view_of_span(span_of(buf_span(&self.out).data, len)));
}

/* ---- Noise ---------------------------------------------------------------------------------- */

/* Of randomness that came through the inbox. */
static void draw(void *context, uint8_t *out, size_t len)
{
    struct view bytes = take(context, len);
    if (bytes.len == len)
        memcpy(out, bytes.data, len);
}

int secure_open(enum role role, size_t seed_len, size_t random_len, size_t expected_len,
                size_t muxer_len)
{
    begin();
    struct cursor c =
        cursor_of(view_of(self.box, seed_len + random_len + expected_len + muxer_len));
    struct view seed = take(&c, seed_len);
    struct cursor random = cursor_of(take(&c, random_len));
    struct view name = take(&c, expected_len);
    struct peer_id expected;
    if (seed.len != ED25519_KEY_LEN)
        return ERR_BAD_ARGUMENT;
    identity_from_seed(seed.data, &self.identity);
    int rc = name.len > 0 ? peer_id_parse_text(name, &expected) : 0;
    if (rc != 0)
        return rc;
    rc = noise_init(&self.noise, &(struct noise_config){
                                     .role = role,
                                     .identity = &self.identity,
                                     .expected = name.len > 0 ? &expected : NULL,
                                     .muxer = c.rest,
                                     .rng = &(struct rng){draw, &random},
                                     .mem = &self.mem,
                                 });
    return rc == 0 && random.failed ? ERR_BAD_ARGUMENT : rc;
}

static int tell_secure(const struct noise_event *ev)
{
    static char text[PEER_ID_TEXT_MAX];
    switch (ev->type) {
    case NOISE_VERIFY:
        return ERR_UNSUPPORTED;
    case NOISE_READY:
        peer_id_format(&ev->peer, text);
        self.told = (struct told){.code = ev->muxer_agreed, .data = view_of_text(text)};
        break;
    case NOISE_DATA:
        tell_data(view_of_span(ev->plain));
        break;
    }
    return 1 + (int)ev->type;
}

int secure_feed(size_t len)
{
    struct span in;
    struct noise_event ev;
    int rc = arrive(len, &in);
    if (rc == 0)
        rc = noise_feed(&self.noise, &in, &ev);
    self.used = self.in.len - in.len;
    return rc == 1 ? tell_secure(&ev) : rc;
}

int secure_write(size_t len)
{
    struct span rest = span_of(self.box, len);
    while (rest.len > 0) {
        struct span part = span_take(&rest, noise_frame_room(&self.noise));
        uint8_t *at = noise_reserve(&self.noise, &self.out, part.len);
        if (at == NULL)
            return ERR_FULL;
        memcpy(at, part.data, part.len);
        noise_commit(&self.noise, &self.out, part.len);
        int rc = noise_seal(&self.noise, &self.out);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int secure_drain(void)
{
    buf_take(&self.out, self.handed);
    int rc = noise_drain(&self.noise, &self.out);
    depart(noise_sealed(&self.noise, &self.out));
    return rc;
}

void secure_close(void)
{
    noise_free(&self.noise);
    identity_free(&self.identity);
}

/* ---- yamux ---------------------------------------------------------------------------------- */

void mux_open(enum role role, double now)
{
    begin();
    self.limits = PEERLET_LIMITS;
    self.limits.streams_inbound = self.limits.streams_unacked = STREAMS;
    yamux_init(&self.yamux, role, &self.mem, &self.limits, (uint64_t)now);
}

int mux_feed(double now, size_t len)
{
    struct span in;
    struct yamux_event ev;
    int rc = arrive(len, &in);
    if (rc == 0)
        rc = yamux_feed(&self.yamux, &in, &ev, (uint64_t)now);
    self.used = self.in.len - in.len;
    if (rc != 1)
        return rc;
    self.told = (struct told){ev.stream, ev.code, view_of_span(ev.data)};
    return 1 + (int)ev.type;
}

/* Frames leave behind the data that was written before them. */
int mux_drain(double now)
{
    buf_take(&self.out, self.handed);
    self.handed = 0;
    int more = 1;
    while (more == 1) {
        struct writer w = writer_of(buf_reserve(&self.out, 4096), 4096);
        if (w.data == NULL)
            return ERR_FULL;
        more = yamux_drain(&self.yamux, &w, (uint64_t)now);
        buf_commit(&self.out, w.len);
    }
    depart(self.out.len);
    return more;
}

void mux_goaway(enum yamux_code code)
{
    yamux_goaway(&self.yamux, code);
}

void mux_close(void)
{
    yamux_free(&self.yamux);
}

int stream_open(void)
{
    int error = 0;
    self.told = (struct told){.stream = yamux_open(&self.yamux, &error)};
    return error;
}

int stream_write(struct yamux_stream *s, size_t len)
{
    struct span rest = span_of(self.box, len);
    while (rest.len > 0) {
        size_t room = MIN(rest.len, (size_t)self.limits.yamux_frame) + YAMUX_HEADER_LEN;
        uint8_t *at = buf_reserve(&self.out, room);
        if (at == NULL)
            return ERR_FULL;
        struct writer w = writer_of(at, room);
        size_t taken = yamux_write(&self.yamux, s, view_of_span(rest), &w);
        if (taken == 0)
            break;
        span_take(&rest, taken);
        buf_commit(&self.out, w.len);
    }
    return (int)(len - rest.len);
}

void stream_close_write(struct yamux_stream *s)
{
    yamux_close_write(&self.yamux, s);
}

void stream_close_read(struct yamux_stream *s)
{
    yamux_close_read(&self.yamux, s);
}

void stream_reset(struct yamux_stream *s, uint32_t code)
{
    yamux_reset(&self.yamux, s, code);
}

void stream_grant(struct yamux_stream *s, size_t len, double now)
{
    yamux_grant(&self.yamux, s, len, (uint64_t)now);
}

void stream_release(struct yamux_stream *s)
{
    yamux_release(&self.yamux, s);
}
