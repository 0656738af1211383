/*
 * The whole node against peers that say anything, also behind Noise.
 *
 *     input:  { operation | argument | length | bytes… }…
 *
 * Whoever the node dials is an attacker with a key of its own and the core's connection in the
 * other role, so that bytes get past the handshake as frames, streams and messages of protocols.
 * An operation is a row of OPERATIONS. Memory must stay bounded, and all of it come back.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "crypto/crypto.h"
#include "multiformats/peer_id.h"
#include "net/conn.h"
#include "sim/input.h"

#define ATTACKERS 4
#define CHANNELS 8
#define ROOM (1u << 20)
#define MEMORY_MAX (4u << 20)
#define ROUNDS 64

struct attacker {
    uint32_t link; /* 0: free */
    struct conn *conn;
    struct buf inbox; /* what the node sent to it */
    bool is_opening;
};

struct fuzz {
    struct peerlet *p;
    struct mem mem; /* the attackers' */
    uint64_t now;
    uint64_t chance;
    struct rng rng;
    struct identity identity;
    uint32_t last_stream;
    struct attacker attackers[ATTACKERS];
    uint32_t rtc; /* the last peer connection */
    uint32_t channels[CHANNELS];
    uint32_t channel_count;
    uint32_t verify; /* a job the browser was given */
};

static void fill(void *context, uint8_t *out, size_t len)
{
    uint64_t *state = context;
    for (size_t i = 0; i < len; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (uint8_t)(*state >> 56);
    }
}

/* ---- the driver ------------------------------------------------------------------------------ */

static struct attacker *attacker_at(struct fuzz *f, uint32_t link)
{
    for (size_t i = 0; i < ATTACKERS; i++)
        if (f->attackers[i].link == link)
            return &f->attackers[i];
    return NULL;
}

static void attacker_free(struct attacker *a)
{
    if (a->conn != NULL)
        conn_free(a->conn);
    buf_free(&a->inbox);
    *a = (struct attacker){0};
}

static void accept_link(struct fuzz *f, uint32_t link)
{
    struct attacker *a = attacker_at(f, 0);
    if (a == NULL)
        return;
    const struct conn_config config = {
        .id = link,
        .role = LISTENER,
        .kind = LINK_SOCKET,
        .mem = &f->mem,
        .rng = &f->rng,
        .limits = &PEERLET_LIMITS,
        .identity = &f->identity,
        .last_stream = &f->last_stream,
    };
    *a = (struct attacker){.link = link, .conn = conn_new(&config, f->now), .is_opening = true};
    assert(a->conn != NULL);
    buf_init(&a->inbox, &f->mem, 64u << 20);
}

static void perform(struct fuzz *f, const struct peerlet_output *out)
{
    struct attacker *a = out->id != 0 ? attacker_at(f, out->id) : NULL;
    if (out->type == PEERLET_OPEN_SOCKET) {
        accept_link(f, out->id);
    } else if (out->type == PEERLET_SEND && a != NULL && out->channel == 0) {
        int rc = buf_append(&a->inbox, out->data);
        assert(rc == 0);
    } else if (out->type == PEERLET_CLOSE_LINK) {
        f->rtc = f->rtc == out->id ? 0 : f->rtc;
        if (a != NULL)
            attacker_free(a);
    } else if (out->type == PEERLET_OPEN_RTC) {
        f->rtc = out->id;
        f->channel_count = 0;
    } else if (out->type == PEERLET_OPEN_CHANNEL) {
        f->channels[f->channel_count++ % CHANNELS] = out->channel;
    } else if (out->type == PEERLET_VERIFY) {
        f->verify = out->id;
    }
}

static struct input_result tell(struct fuzz *f, struct input in)
{
    struct peerlet_output out;
    struct input_result r = input_apply(f->p, &in, f->now);
    uint32_t count = 0;
    while (peerlet_next(f->p, &out)) {
        assert(++count < 100000);
        perform(f, &out);
    }
    assert(peerlet_memory(f->p)->used < MEMORY_MAX);
    return r;
}

/* Every block that the node is given is one of its own. */
static void tell_bytes(struct fuzz *f, uint32_t link, uint32_t channel, struct view bytes)
{
    uint8_t *block = malloc(bytes.len > 0 ? bytes.len : 1);
    assert(block != NULL);
    if (bytes.len > 0)
        memcpy(block, bytes.data, bytes.len);
    tell(f, (struct input){.type = INPUT_LINK_BYTES,
                           .id = link,
                           .channel = channel,
                           .bytes = span_of(block, bytes.len)});
    free(block);
}

/* ---- the attackers --------------------------------------------------------------------------- */

static void on_event(struct attacker *a, const struct conn_event *ev, uint64_t now)
{
    (void)a;
    if (ev->type == CONN_STREAM_PROPOSED)
        (void)!stream_accept(ev->stream, ev->protocol);
    if (ev->type == CONN_STREAM_DATA)
        stream_grant(ev->stream, ev->data.len, now);
}

static bool attacker_feed(struct fuzz *f, struct attacker *a)
{
    struct span in = buf_span(&a->inbox);
    struct conn_event ev;
    int rc;
    while ((rc = conn_feed(a->conn, &in, &ev, f->now)) > 0)
        on_event(a, &ev, f->now);
    buf_take(&a->inbox, a->inbox.len);
    return rc == 0;
}

static int attacker_drain(struct fuzz *f, struct attacker *a, struct buf *out)
{
    struct conn_output o;
    struct stream *s;
    int rc;
    conn_room(a->conn, 0, ROOM);
    while ((rc = conn_drain(a->conn, &o, f->now)) > 0 && o.type != CONN_FLUSHED)
        if (o.type == CONN_SEND) {
            assert(buf_append(out, o.data) == 0);
            conn_sent(a->conn);
        }
    while ((s = conn_dead_stream(a->conn)) != NULL)
        conn_forget_stream(a->conn, s);
    return rc;
}

static bool exchange(struct fuzz *f, struct attacker *a)
{
    uint32_t link = a->link;
    struct buf out;
    if (a->is_opening) {
        a->is_opening = false;
        assert(conn_opened(a->conn, ROOM, f->now) == 0);
        tell(f, (struct input){.type = INPUT_LINK_OPENED, .id = link, .value = ROOM});
    }
    if (a->link != link)
        return true;
    buf_init(&out, &f->mem, 64u << 20);
    bool is_well = attacker_feed(f, a) && attacker_drain(f, a, &out) == 0;
    bool has_moved = out.len > 0;
    if (has_moved)
        tell_bytes(f, link, 0, buf_view(&out));
    buf_free(&out);
    if (!is_well && a->link == link) {
        attacker_free(a);
        tell(f, (struct input){.type = INPUT_LINK_CLOSED, .id = link});
    } else if (a->link == link) {
        tell(f, (struct input){.type = INPUT_LINK_ROOM, .id = link, .value = ROOM});
    }
    return has_moved || a->inbox.len > 0;
}

static void settle(struct fuzz *f)
{
    bool has_moved = true;
    for (int round = 0; has_moved && round < ROUNDS; round++) {
        has_moved = false;
        for (size_t i = 0; i < ATTACKERS; i++)
            if (f->attackers[i].link != 0)
                has_moved |= exchange(f, &f->attackers[i]);
    }
}

static struct stream *nth_stream(const struct attacker *a, uint8_t n)
{
    struct stream *found = NULL;
    LIST_EACH(node, &a->conn->streams) {
        struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (s->state != STREAM_DEAD && (found == NULL || n-- > 0))
            found = s;
    }
    return found;
}

static void say(struct stream *s, struct view bytes)
{
    if (buf_append(&s->out, bytes) == 0)
        stream_touch(s);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void do_time(struct fuzz *f, uint8_t n, struct view bytes)
{
    (void)bytes;
    f->now += (uint64_t)n * n;
    if (peerlet_deadline(f->p) <= f->now)
        tell(f, (struct input){.type = INPUT_TICK});
}

static void do_raw(struct fuzz *f, uint8_t n, struct view bytes)
{
    tell_bytes(f, f->attackers[n % ATTACKERS].link, 0, bytes);
}

/* Bytes for the muxer, sealed as they are. */
static void do_frames(struct fuzz *f, uint8_t n, struct view bytes)
{
    struct conn *c = f->attackers[n % ATTACKERS].conn;
    if (c == NULL || !conn_is_ready(c) || bytes.len == 0)
        return;
    uint8_t *at = noise_reserve(&c->noise, &c->link.out, bytes.len);
    if (at == NULL)
        return;
    memcpy(at, bytes.data, bytes.len);
    noise_commit(&c->noise, &c->link.out, bytes.len);
}

static void do_open(struct fuzz *f, uint8_t n, struct view bytes)
{
    static const char *const NAMES[] = {
        "/ipfs/id/1.0.0",
        "/ipfs/id/push/1.0.0",
        "/ipfs/ping/1.0.0",
        "/libp2p/circuit/relay/0.2.0/stop",
        "/libp2p/circuit/relay/0.2.0/hop",
        "/webrtc-signaling/0.0.1",
        "/meshsub/1.2.0",
        "/meshsub/1.0.0",
        "/app/1.0.0",
        "/nothing\n/app/1.0.0",
    };
    struct conn *c = f->attackers[n % ATTACKERS].conn;
    int error;
    if (c == NULL || !conn_is_ready(c))
        return;
    const char *name = NAMES[n / ATTACKERS % ARRAY_LEN(NAMES)];
    struct stream *s = conn_open_stream(c, view_of_text(name), &error, f->now);
    if (s != NULL)
        say(s, bytes);
}

static void do_say(struct fuzz *f, uint8_t n, struct view bytes)
{
    struct attacker *a = &f->attackers[n % ATTACKERS];
    struct stream *s = a->conn != NULL ? nth_stream(a, n / ATTACKERS) : NULL;
    if (s != NULL)
        say(s, bytes);
}

static void do_end(struct fuzz *f, uint8_t n, struct view bytes)
{
    struct attacker *a = &f->attackers[n % ATTACKERS];
    struct stream *s = a->conn != NULL ? nth_stream(a, n / ATTACKERS) : NULL;
    if (s != NULL && bytes.len % 2 == 0)
        stream_close_write(s);
    else if (s != NULL)
        stream_reset(s, ERR_RESET);
}

static void do_hang_up(struct fuzz *f, uint8_t n, struct view bytes)
{
    struct attacker *a = &f->attackers[n % ATTACKERS];
    uint32_t link = a->link;
    attacker_free(a);
    tell(f, (struct input){.type = INPUT_LINK_CLOSED, .id = link, .text = bytes});
}

static void do_page(struct fuzz *f, uint8_t n, struct view bytes)
{
    (void)bytes;
    tell(f, (struct input){.type = INPUT_PAGE_EVENT, .value = n % (PEERLET_PAGE_SHOW + 1u)});
    tell(f, (struct input){.type = INPUT_VERIFIED, .id = f->verify, .value = n & 1});
}

static void do_rtc(struct fuzz *f, uint8_t n, struct view bytes)
{
    static const uint8_t TYPES[] = {INPUT_RTC_DESCRIPTION, INPUT_RTC_CANDIDATE, INPUT_RTC_STATE};
    tell(f, (struct input){.type = TYPES[n % 3], .id = f->rtc, .value = n / 3 % 3, .text = bytes});
}

static void do_channel(struct fuzz *f, uint8_t n, struct view bytes)
{
    struct input in = {.id = f->rtc, .value = ROOM, .text = bytes};
    in.type = n % 2 == 0   ? INPUT_CHANNEL_INCOMING
              : n % 4 == 1 ? INPUT_LINK_OPENED
                           : INPUT_LINK_CLOSED;
    in.channel = in.type == INPUT_CHANNEL_INCOMING ? 0 : f->channels[n / 4 % CHANNELS];
    if (f->rtc == 0 || (in.channel == 0 && in.type != INPUT_CHANNEL_INCOMING))
        return;
    struct input_result r = tell(f, in);
    if (r.id != 0)
        f->channels[f->channel_count++ % CHANNELS] = r.id;
}

static void do_channel_bytes(struct fuzz *f, uint8_t n, struct view bytes)
{
    tell_bytes(f, f->rtc, f->channels[n % CHANNELS], bytes);
}

/* Whatever an application may ask, with one text and small numbers. */
static void do_command(struct fuzz *f, uint8_t n, struct view bytes)
{
    uint8_t block[256];
    memcpy(block, bytes.data, bytes.len);
    tell(f, (struct input){.type = (uint8_t)(INPUT_START + n % (INPUT_TYPES - INPUT_START)),
                           .id = bytes.len > 0 ? bytes.data[0] % 32 : 0,
                           .flags = bytes.len % 2,
                           .value = bytes.len,
                           .text = bytes,
                           .bytes = span_of(block, bytes.len)});
}

static void (*const OPERATIONS[])(struct fuzz *f, uint8_t n, struct view bytes) = {
    do_time, do_raw,     do_frames, do_open,    do_say,           do_end,
    do_page, do_hang_up, do_rtc,    do_channel, do_channel_bytes, do_command,
};

/* ---- one input ------------------------------------------------------------------------------- */

static void begin(struct fuzz *f)
{
    char text[160], id[PEER_ID_TEXT_MAX];
    f->rng = (struct rng){fill, &f->chance};
    crypto_init();
    identity_generate(&f->rng, &f->identity);
    struct peer_id peer = peer_id_of_identity(&f->identity);
    peer_id_format(&peer, id);
    text_format(text, sizeof text, "/ip4/10.0.0.1/tcp/4001/ws/p2p/%s", id);

    int error;
    f->p = peerlet_new(&(struct peerlet_config){.rng = f->rng,
                                                .unix_ms = UINT64_C(1767225600000),
                                                .services = PEERLET_ALL,
                                                .page = PEERLET_PAGE_ANY},
                       f->now, &error);
    assert(f->p != NULL);
    const struct input orders[] = {
        {.type = INPUT_HANDLE, .text = view_of_text("/app/1.0.0")},
        {.type = INPUT_LISTEN, .text = view_of_text("/p2p-circuit")},
        {.type = INPUT_LISTEN, .text = view_of_text("/webrtc")},
        {.type = INPUT_BOOTSTRAP, .text = view_of_text(text)},
        {.type = INPUT_DISCOVER, .text = view_of_text("discovery")},
        {.type = INPUT_SUBSCRIBE, .text = view_of_text("room")},
        {.type = INPUT_START},
    };
    for (size_t i = 0; i < ARRAY_LEN(orders); i++)
        tell(f, orders[i]);
    settle(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz f = {.now = 1000, .chance = 1};
    struct cursor in = cursor_of(view_of(data, MIN(len, 4096)));
    begin(&f);
    while (in.rest.len > 0 && !in.failed) {
        uint8_t operation = take_u8(&in), n = take_u8(&in);
        struct view bytes = take_delimited(&in, 255);
        if (in.failed)
            break;
        OPERATIONS[operation % ARRAY_LEN(OPERATIONS)](&f, n, bytes);
        settle(&f);
    }
    tell(&f, (struct input){.type = INPUT_STOP});
    for (size_t i = 0; i < ATTACKERS; i++)
        attacker_free(&f.attackers[i]);
    peerlet_delete(f.p);
    assert(f.mem.used == 0);
    return 0;
}
