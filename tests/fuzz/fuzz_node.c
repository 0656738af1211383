/*
 * The whole node against peers that say anything, also behind Noise.
 *
 *     input:  { operation | argument | length | bytes… }…
 *
 * Whoever the node dials is an attacker with a key of its own and the core's connection in the
 * other role, so that bytes get past the handshake as frames, streams and messages of protocols.
 * An operation is a row of OPERATIONS. Memory must stay bounded, and all of it come back.
 */
#include "fuzz.h"

#include "attackers.h"
#include "base/cursor.h"
#include "multiformats/multiaddr.h"

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

/* ---- operations ------------------------------------------------------------------------------ */

static void do_time(struct attackers *w, uint8_t n, struct view bytes)
{
    (void)bytes;
    w->now += (uint64_t)n * n;
    if (peerlet_deadline(w->p) <= w->now)
        attackers_tell(w, (struct input){.type = INPUT_TICK});
}

static void do_raw(struct attackers *w, uint8_t n, struct view bytes)
{
    attackers_tell_bytes(w, w->at[n % ATTACKERS].link, 0, bytes);
}

static void do_frames(struct attackers *w, uint8_t n, struct view bytes)
{
    attackers_frames(w, n % ATTACKERS, bytes);
}

static void do_open(struct attackers *w, uint8_t n, struct view bytes)
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
    attackers_open(w, n % ATTACKERS, NAMES[n / ATTACKERS % ARRAY_LEN(NAMES)], bytes);
}

static void do_say(struct attackers *w, uint8_t n, struct view bytes)
{
    struct attacker *a = &w->at[n % ATTACKERS];
    struct stream *s = a->conn != NULL ? nth_stream(a, n / ATTACKERS) : NULL;
    if (s != NULL)
        attackers_say(s, bytes);
}

static void do_end(struct attackers *w, uint8_t n, struct view bytes)
{
    struct attacker *a = &w->at[n % ATTACKERS];
    struct stream *s = a->conn != NULL ? nth_stream(a, n / ATTACKERS) : NULL;
    if (s != NULL && bytes.len % 2 == 0)
        stream_close_write(s);
    else if (s != NULL)
        stream_reset(s, ERR_RESET);
}

static void do_hang_up(struct attackers *w, uint8_t n, struct view bytes)
{
    struct attacker *a = &w->at[n % ATTACKERS];
    uint32_t link = a->link;
    attacker_free(a);
    attackers_tell(w, (struct input){.type = INPUT_LINK_CLOSED, .id = link, .text = bytes});
}

static void do_page(struct attackers *w, uint8_t n, struct view bytes)
{
    (void)bytes;
    attackers_tell(w,
                   (struct input){.type = INPUT_PAGE_EVENT, .value = n % (PEERLET_PAGE_SHOW + 1u)});
    attackers_tell(w, (struct input){.type = INPUT_VERIFIED, .id = w->verify, .value = n & 1});
}

static void do_rtc(struct attackers *w, uint8_t n, struct view bytes)
{
    static const uint8_t TYPES[] = {INPUT_RTC_DESCRIPTION, INPUT_RTC_CANDIDATE, INPUT_RTC_STATE};
    attackers_tell(
        w, (struct input){.type = TYPES[n % 3], .id = w->rtc, .value = n / 3 % 3, .text = bytes});
}

static void do_channel(struct attackers *w, uint8_t n, struct view bytes)
{
    struct input in = {.id = w->rtc, .value = ATTACKERS_ROOM, .text = bytes};
    in.type = n % 2 == 0   ? INPUT_CHANNEL_INCOMING
              : n % 4 == 1 ? INPUT_LINK_OPENED
                           : INPUT_LINK_CLOSED;
    in.channel = in.type == INPUT_CHANNEL_INCOMING ? 0 : w->channels[n / 4 % ATTACKERS_CHANNELS];
    if (w->rtc == 0 || (in.channel == 0 && in.type != INPUT_CHANNEL_INCOMING))
        return;
    struct input_result r = attackers_tell(w, in);
    if (r.id != 0)
        w->channels[w->channel_count++ % ATTACKERS_CHANNELS] = r.id;
}

static void do_channel_bytes(struct attackers *w, uint8_t n, struct view bytes)
{
    attackers_tell_bytes(w, w->rtc, w->channels[n % ATTACKERS_CHANNELS], bytes);
}

/* A resolver's answer: of text lines, of any bytes, or that there is none. */
static void do_found(struct attackers *w, uint8_t n, struct view bytes)
{
    uint8_t block[512];
    struct writer list = writer_of(block, sizeof block);
    for (struct view rest = bytes; n % 3 == 0 && rest.len > 0;) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len,
               skip = MIN(len + 1, rest.len);
        uint8_t one[256];
        struct writer addr = writer_of(one, sizeof one);
        if (multiaddr_parse_text(view_of(rest.data, len), &addr, NULL) == 0)
            put_delimited(&list, writer_view(&addr));
        rest = view_of(rest.data + skip, rest.len - skip);
    }
    if (n % 3 == 1)
        put(&list, bytes);
    attackers_tell(w, (struct input){.type = INPUT_FOUND,
                                     .id = w->lookup - n / 3 % 4,
                                     .bytes = span_of(block, list.len),
                                     .text = n % 3 == 2 ? bytes : view_of(NULL, 0)});
}

/* Whatever an application may ask, with one text and small numbers. */
static void do_command(struct attackers *w, uint8_t n, struct view bytes)
{
    uint8_t block[256];
    memcpy(block, bytes.data, bytes.len);
    attackers_tell(w,
                   (struct input){.type = (uint8_t)(INPUT_START + n % (INPUT_TYPES - INPUT_START)),
                                  .id = bytes.len > 0 ? bytes.data[0] % 32 : 0,
                                  .flags = bytes.len % 2,
                                  .value = bytes.len,
                                  .text = bytes,
                                  .bytes = span_of(block, bytes.len)});
}

/* The machine slept, for up to some hundred years. */
static void do_sleep(struct attackers *w, uint8_t n, struct view bytes)
{
    (void)bytes;
    w->now += UINT64_C(1) << n % 42;
    attackers_tell(w, (struct input){.type = INPUT_CLOCK, .value = w->now / (n / 42 + 1u)});
    attackers_tell(w, (struct input){.type = INPUT_TICK});
}

/* One of the next allocations fails. */
static void do_fail(struct attackers *w, uint8_t n, struct view bytes)
{
    struct mem *m = (struct mem *)(uintptr_t)peerlet_memory(w->p);
    (void)bytes;
    m->fail_nth = m->calls + 1 + n % 64;
}

static void (*const OPERATIONS[])(struct attackers *w, uint8_t n, struct view bytes) = {
    do_time,    do_raw, do_frames,  do_open,          do_say,     do_end,   do_page,
    do_hang_up, do_rtc, do_channel, do_channel_bytes, do_command, do_found,
};

/* ---- one input ------------------------------------------------------------------------------- */

/* What the node orders and tells is what it says. */
static void told(struct attackers *w, const struct peerlet_output *out)
{
    uint64_t *said = w->context;
    fuzz_say_number(said, out->type);
    fuzz_say_number(said, out->id);
    fuzz_say(said, out->text);
    fuzz_say(said, out->data);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct attackers w;
    uint64_t said = 0;
    struct cursor in = cursor_of(view_of(data, MIN(len, 4096)));
    attackers_init(&w, &PEERLET_LIMITS);
    w.told = told;
    w.context = &said;
    attackers_bootstrap(&w, 0);
    const struct input orders[] = {
        {.type = INPUT_LISTEN, .text = view_of_text("/p2p-circuit")},
        {.type = INPUT_DISCOVER, .text = view_of_text("discovery")},
        {.type = INPUT_SUBSCRIBE, .text = view_of_text("room")},
        {.type = INPUT_BOOTSTRAP, .text = view_of_text("/dnsaddr/relays.example")},
    };
    for (size_t i = 0; i < ARRAY_LEN(orders); i++)
        attackers_tell(&w, orders[i]);
    attackers_begin(&w);
    while (in.rest.len > 0 && !in.failed) {
        uint8_t operation = take_u8(&in), n = take_u8(&in);
        struct view bytes = take_delimited(&in, 255);
        if (in.failed)
            break;
        if (operation == 0xff)
            do_fail(&w, n, bytes);
        else if (operation == 0xfe)
            do_sleep(&w, n, bytes);
        else
            OPERATIONS[operation % ARRAY_LEN(OPERATIONS)](&w, n, bytes);
        attackers_settle(&w);
    }
    attackers_end(&w);
    return said;
}
