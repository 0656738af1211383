/*
 * The node on a WebTransport session or a WebRTC Direct connection, whose far end says anything on
 * any channel, before and after the handshake on the first.
 *
 *     input:  kind { operation | argument | length | bytes… }…
 *
 * Only by the operation do_shake does the far end go on with Noise, so that channels and their bytes
 * can come early. Memory must stay bounded, and all of it come back.
 */
#include "fuzz.h"

#include "attackers.h"
#include "base/cursor.h"
#include "multiformats/multihash.h"
#include "native_party.h"
#include "transport/transport.h"

#define CERTIFICATE "12345678901234567890123456789012"
#define CERTHASH "/certhash/uEiAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMg"
#define FINGERPRINT                                                                                \
    "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:"   \
    "1E:1F"

struct far {
    struct attackers w;
    enum link_kind kind;
    char address[256];
    uint32_t link, first;
    struct native_party party;
    bool is_begun;
    struct buf said, unsaid; /* what came on the first channel; what we have to say there */
    bool has_offer, has_answer;
    uint64_t told; /* what the node ordered and told, as a number */
};

static void told(struct attackers *w, const struct peerlet_output *out)
{
    struct far *f = w->context;
    fuzz_say_number(&f->told, out->type);
    fuzz_say_number(&f->told, out->id);
    fuzz_say(&f->told, out->text);
    fuzz_say(&f->told, out->data);
    if (out->type == PEERLET_OPEN_SESSION || out->type == PEERLET_OPEN_RTC) {
        f->link = w->rtc = out->id;
        f->first = 0;
    } else if (out->type == PEERLET_OPEN_CHANNEL && f->first == 0) {
        f->first = out->channel;
    } else if (out->type == PEERLET_RTC_OFFER) {
        f->has_offer = true;
    } else if (out->type == PEERLET_RTC_REMOTE) {
        f->has_answer = true;
    } else if (out->type == PEERLET_SEND && out->channel == f->first) {
        int rc = buf_append(&f->said, out->data);
        assert(rc == 0);
        (void)rc;
    }
}

static void tell(struct far *f, uint8_t type, uint32_t channel, uint64_t value)
{
    attackers_tell(&f->w,
                   (struct input){.type = type, .id = f->link, .channel = channel, .value = value});
}

/* A step of the way to READY: the browser's answers, and the far end's Noise. */
static void do_shake(struct far *f, uint8_t n, struct view bytes)
{
    static const char OFFER[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
                                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                                "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n"
                                "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
                                "a=fingerprint:sha-256 " FINGERPRINT "\r\n"
                                "a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";
    (void)n, (void)bytes;
    if (f->has_offer) {
        f->has_offer = false;
        attackers_tell(&f->w, (struct input){.type = INPUT_RTC_DESCRIPTION,
                                             .id = f->link,
                                             .text = view_of_text(OFFER)});
        return;
    }
    if (f->kind == LINK_SESSION && f->first == 0)
        tell(f, INPUT_LINK_OPENED, 0, 0);
    if (f->first == 0 || (f->kind == LINK_DIRECT && !f->has_answer))
        return;
    if (!f->is_begun) {
        uint8_t fingerprint[CERTHASH_LEN], address[256], prologue[128];
        struct writer a = writer_of(address, sizeof address);
        struct writer p = writer_of(prologue, sizeof prologue);
        for (size_t i = 0; i < sizeof fingerprint; i++)
            fingerprint[i] = (uint8_t)i;
        int rc = multiaddr_parse_text(view_of_text(f->address), &a, NULL);
        if (rc == 0 && f->kind == LINK_DIRECT)
            rc = webrtc_direct_prologue(writer_view(&a), fingerprint, &p);
        assert(rc == 0);
        native_party_begin(&f->party, writer_view(&p), &f->w.rng, &f->unsaid);
        f->is_begun = true;
        tell(f, INPUT_LINK_OPENED, f->first, ATTACKERS_ROOM);
    }
    struct span said = buf_span(&f->said);
    if (f->party.row < 3 && native_party_feed(&f->party, said, &f->unsaid) < 0)
        f->party.row = 3;
    buf_take(&f->said, f->said.len);
    if (f->unsaid.len > 0)
        attackers_tell_bytes(&f->w, f->link, f->first, buf_view(&f->unsaid));
    buf_take(&f->unsaid, f->unsaid.len);
}

static uint32_t channel_at(const struct far *f, uint8_t n)
{
    return f->w.channels[n % ATTACKERS_CHANNELS];
}

static void do_incoming(struct far *f, uint8_t n, struct view bytes)
{
    struct input_result r = attackers_tell(&f->w, (struct input){.type = INPUT_CHANNEL_INCOMING,
                                                                 .id = f->link,
                                                                 .text = bytes,
                                                                 .value = (uint64_t)n * n * n});
    if (r.id != 0)
        f->w.channels[f->w.channel_count++ % ATTACKERS_CHANNELS] = r.id;
}

static void do_bytes(struct far *f, uint8_t n, struct view bytes)
{
    attackers_tell_bytes(&f->w, f->link, channel_at(f, n), bytes);
}

/* The same behind multistream's header and a name, in a frame where there are frames. */
static void do_propose(struct far *f, uint8_t n, struct view bytes)
{
    static const char *const NAMES[] = {
        "\x13/multistream/1.0.0\n\x0b/app/1.0.0\n",
        "\x13/multistream/1.0.0\n\x0f/ipfs/id/1.0.0\n",
        "\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n",
        "\x13/multistream/1.0.0\n\x0f/meshsub/1.2.0\n",
    };
    struct view name = view_of_text(NAMES[n / ATTACKERS_CHANNELS % ARRAY_LEN(NAMES)]);
    uint8_t block[512];
    struct writer w = writer_of(block, sizeof block);
    size_t len = name.len + bytes.len;
    if (f->kind == LINK_DIRECT) {
        put_uvarint(&w, 1 + uvarint_len(len) + len);
        put_u8(&w, 0x12);
        put_uvarint(&w, len);
    }
    put(&w, name);
    put(&w, bytes);
    attackers_tell_bytes(&f->w, f->link, channel_at(f, n), writer_view(&w));
}

static void do_channel(struct far *f, uint8_t n, struct view bytes)
{
    static const uint8_t TYPES[] = {INPUT_CHANNEL_ENDED, INPUT_CHANNEL_ENDED, INPUT_LINK_ROOM,
                                    INPUT_LINK_OPENED, INPUT_LINK_CLOSED};
    uint8_t type = TYPES[n / ATTACKERS_CHANNELS % ARRAY_LEN(TYPES)];
    uint64_t value =
        type == INPUT_CHANNEL_ENDED ? PEERLET_END_WRITE + bytes.len % 2 : bytes.len * bytes.len;
    if (channel_at(f, n) != 0)
        tell(f, type, channel_at(f, n), value);
}

static void do_first(struct far *f, uint8_t n, struct view bytes)
{
    (void)n;
    attackers_tell_bytes(&f->w, f->link, f->first, bytes);
}

static void do_time(struct far *f, uint8_t n, struct view bytes)
{
    (void)bytes;
    f->w.now += (uint64_t)n * n;
    if (peerlet_deadline(f->w.p) <= f->w.now)
        attackers_tell(&f->w, (struct input){.type = INPUT_TICK});
}

/* What an application does to a connection and its streams. */
static void do_command(struct far *f, uint8_t n, struct view bytes)
{
    static const uint8_t TYPES[] = {INPUT_STREAM_OPEN,
                                    INPUT_STREAM_WRITE,
                                    INPUT_STREAM_CLOSE_WRITE,
                                    INPUT_STREAM_CLOSE_READ,
                                    INPUT_STREAM_RESET,
                                    INPUT_STREAM_TOOK,
                                    INPUT_PING,
                                    INPUT_CONN_CLOSE};
    uint8_t block[256];
    uint8_t type = TYPES[n % ARRAY_LEN(TYPES)];
    bool is_of_conn = type == INPUT_STREAM_OPEN || type == INPUT_PING || type == INPUT_CONN_CLOSE;
    memcpy(block, bytes.data, bytes.len);
    attackers_tell(&f->w, (struct input){.type = type,
                                         .id = is_of_conn ? f->link : f->w.last_stream + n / 8u,
                                         .value = bytes.len * bytes.len,
                                         .text = view_of_text("/app/1.0.0"),
                                         .bytes = span_of(block, bytes.len)});
}

static void (*const OPERATIONS[])(struct far *f, uint8_t n, struct view bytes) = {
    do_shake, do_incoming, do_bytes, do_propose, do_channel, do_first, do_time, do_command,
};

static void begin(struct far *f, enum link_kind kind)
{
    const char *form = kind == LINK_SESSION ? "/quic-v1/webtransport" : "/webrtc-direct";
    f->kind = kind;
    attackers_init(&f->w, &PEERLET_LIMITS);
    f->w.told = told;
    f->w.context = f;
    text_format(f->address, sizeof f->address, "/ip4/10.0.0.1/udp/4001%s" CERTHASH "%s", form,
                strstr(f->w.addresses[0], "/p2p/"));
    static uint8_t certhash[2 + CERTHASH_LEN];
    struct writer w = writer_of(certhash, sizeof certhash);
    multihash_put(&w, MULTIHASH_SHA2_256, view_of_text(CERTIFICATE));
    native_party_init(&f->party, kind, &f->w.identities[0], writer_view(&w), &f->w.mem);
    buf_init(&f->said, &f->w.mem, 64u << 20);
    buf_init(&f->unsaid, &f->w.mem, 1u << 20);
    attackers_begin(&f->w);
    attackers_tell(&f->w, (struct input){.type = INPUT_DIAL, .text = view_of_text(f->address)});
    assert(f->link != 0);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    static struct far f;
    f = (struct far){0};
    struct cursor in = cursor_of(view_of(data, MIN(len, 4096)));
    begin(&f, take_u8(&in) % 2 == 0 ? LINK_SESSION : LINK_DIRECT);
    while (in.rest.len > 0 && !in.failed) {
        uint8_t operation = take_u8(&in), n = take_u8(&in);
        struct view bytes = take_delimited(&in, 255);
        if (in.failed)
            break;
        OPERATIONS[operation % ARRAY_LEN(OPERATIONS)](&f, n, bytes);
    }
    native_party_free(&f.party);
    buf_free(&f.said);
    buf_free(&f.unsaid);
    attackers_end(&f.w);
    return f.told;
}
