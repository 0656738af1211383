#include "sim/recording.h"

#include "base/cursor.h"

#include <assert.h>

#define MAGIC "peerlet-recording 1\n"

enum record { RECORD_DIGEST = 0xfd, RECORD_RANDOM = 0xfe, RECORD_CONFIG = 0xff };

/* The largest draw and the largest input that a log may hold. */
#define RANDOM_MAX 65536
#define INPUT_MAX (4u << 20)

#define PUBSUB_NUMBERS 12

/* ---- the digest ------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t digest, uint64_t number)
{
    uint64_t h = (digest ^ number) * UINT64_C(0x9fb21c651e98df25);
    return h ^ h >> 32;
}

static uint64_t mix_bytes(uint64_t digest, struct view bytes)
{
    digest = mix(digest, bytes.len);
    for (size_t i = 0; i < bytes.len; i += 8) {
        uint64_t eight = 0;
        for (size_t j = i; j < bytes.len && j < i + 8; j++)
            eight = eight << 8 | bytes.data[j];
        digest = mix(digest, eight);
    }
    return digest;
}

uint64_t output_digest(uint64_t digest, const struct peerlet_output *out)
{
    digest = mix(digest, out->type);
    digest = mix(digest, (uint64_t)out->id << 32 | out->channel);
    digest = mix(digest, (uint64_t)out->value << 32 | (uint32_t)out->code);
    digest = mix(digest, out->limit_s);
    digest = mix(digest, out->limit_bytes);
    const struct view views[] = {out->peer, out->text, out->data, out->extra, out->more, out->key};
    for (size_t i = 0; i < ARRAY_LEN(views); i++)
        digest = mix_bytes(digest, views[i]);
    return digest;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void add(struct recording *r, struct view bytes)
{
    int rc = buf_append(&r->bytes, bytes);
    assert(rc == 0);
    (void)rc;
}

static void add_u8(struct recording *r, uint8_t byte)
{
    add(r, view_of(&byte, 1));
}

static void add_number(struct recording *r, uint64_t number)
{
    uint8_t bytes[10];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_uvarint(&w, number);
    add(r, writer_view(&w));
}

static void add_delimited(struct recording *r, struct view bytes)
{
    add_number(r, bytes.len);
    add(r, bytes);
}

static void record_fill(void *context, uint8_t *out, size_t len)
{
    struct recording *r = context;
    rng_fill(&r->rng, out, len);
    if (r->is_over)
        return;
    add_u8(r, RECORD_RANDOM);
    add_delimited(r, view_of(out, len));
}

/* The numbers of the pubsub part in the order of the struct; both ways. */
static void pubsub_numbers(struct peerlet_pubsub_config *c, uint32_t *numbers[PUBSUB_NUMBERS])
{
    uint32_t *const all[PUBSUB_NUMBERS] = {
        &c->d,           &c->d_low,         &c->d_high,        &c->d_score,
        &c->d_out,       &c->d_lazy,        &c->heartbeat_ms,  &c->fanout_ttl_ms,
        &c->seen_ttl_ms, &c->mcache_length, &c->mcache_gossip, &c->prune_backoff_s,
    };
    memcpy(numbers, all, sizeof all);
}

void recording_init(struct recording *r, struct mem *mem, struct peerlet_config *config,
                    uint64_t now)
{
    *r = (struct recording){.rng = config->rng, .last_at = now};
    buf_init(&r->bytes, mem, SIZE_MAX / 4);
    config->rng = (struct rng){record_fill, r};

    struct peerlet_pubsub_config *c = &config->pubsub;
    uint32_t *numbers[PUBSUB_NUMBERS];
    pubsub_numbers(c, numbers);
    add(r, view_of_text(MAGIC));
    add_u8(r, RECORD_CONFIG);
    add_number(r, now);
    add_number(r, config->unix_ms);
    add_number(r, config->services);
    add_number(r, config->page);
    add_number(r, config->no_auto_dial_discovered);
    add_delimited(r, config->private_key);
    add_delimited(r, config->agent);
    add_number(r, c->signing);
    add_number(r, c->message_id);
    add_number(r, (c->no_flood_publish ? 1u : 0) | (c->emit_self ? 2u : 0) |
                      (c->allow_no_peers ? 4u : 0) | (c->fallback_to_floodsub ? 8u : 0) |
                      (c->on_limited ? 16u : 0));
    for (size_t i = 0; i < PUBSUB_NUMBERS; i++)
        add_number(r, *numbers[i]);
    add_number(r, c->unsubscribe_backoff_s);
}

void recording_free(struct recording *r)
{
    buf_free(&r->bytes);
}

void recording_input(struct recording *r, const struct input *in, uint64_t now)
{
    add_u8(r, in->type);
    add_number(r, now - r->last_at);
    add_number(r, in->id);
    add_number(r, in->channel);
    add_number(r, in->flags);
    add_number(r, in->value);
    add_delimited(r, in->text);
    add_delimited(r, view_of_span(in->bytes));
    r->last_at = now;
}

void recording_output(struct recording *r, const struct peerlet_output *out)
{
    r->digest = output_digest(r->digest, out);
}

void recording_end(struct recording *r)
{
    r->is_over = true;
    uint8_t bytes[8];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_u64be(&w, r->digest);
    add_u8(r, RECORD_DIGEST);
    add(r, writer_view(&w));
}

/* ---- playing --------------------------------------------------------------------------------- */

struct player {
    struct mem *mem;
    struct cursor in;
    struct replay *report;
    void (*line)(const char *text, size_t len);
    bool is_different;
    uint64_t digest;
};

static bool is_at_end(const struct player *p)
{
    return p->in.failed || p->in.rest.len == 0;
}

/* Random bytes come from the log; one that asks for others than were recorded has gone astray. */
static void replay_fill(void *context, uint8_t *out, size_t len)
{
    struct player *p = context;
    struct cursor before = p->in;
    memset(out, 0, len);
    struct view drawn = {0};
    if (!is_at_end(p) && take_u8(&p->in) == RECORD_RANDOM)
        drawn = take_delimited(&p->in, RANDOM_MAX);
    if (drawn.len == len && !p->in.failed) {
        memcpy(out, drawn.data, len);
        return;
    }
    p->in = before;
    p->is_different = true;
}

static bool take_config(struct player *p, struct peerlet_config *c, uint64_t *now)
{
    struct cursor *in = &p->in;
    uint32_t *numbers[PUBSUB_NUMBERS];
    pubsub_numbers(&c->pubsub, numbers);
    bool is_ours = view_equals_text(take(in, strlen(MAGIC)), MAGIC) && take_u8(in) == RECORD_CONFIG;
    *now = take_uvarint(in);
    c->unix_ms = take_uvarint(in);
    c->services = (uint32_t)take_uvarint(in);
    c->page = (uint32_t)take_uvarint(in);
    c->no_auto_dial_discovered = take_uvarint(in) != 0;
    c->private_key = take_delimited(in, INPUT_MAX);
    c->agent = take_delimited(in, INPUT_MAX);
    c->pubsub.signing = (enum peerlet_signing)take_uvarint(in);
    c->pubsub.message_id = (enum peerlet_message_id)take_uvarint(in);
    uint64_t flags = take_uvarint(in);
    c->pubsub.no_flood_publish = (flags & 1) != 0;
    c->pubsub.emit_self = (flags & 2) != 0;
    c->pubsub.allow_no_peers = (flags & 4) != 0;
    c->pubsub.on_limited = (flags & 16) != 0;
    c->pubsub.fallback_to_floodsub = (flags & 8) != 0;
    for (size_t i = 0; i < PUBSUB_NUMBERS; i++)
        *numbers[i] = (uint32_t)take_uvarint(in);
    c->pubsub.unsubscribe_backoff_s = (uint32_t)take_uvarint(in);
    return is_ours && !in->failed;
}

/* The node gets exact blocks, so that reading past one shows. */
static bool take_input(struct player *p, uint8_t type, struct input *in, uint64_t *now)
{
    struct cursor *c = &p->in;
    *in = (struct input){.type = type};
    *now += take_uvarint(c);
    in->id = (uint32_t)take_uvarint(c);
    in->channel = (uint32_t)take_uvarint(c);
    in->flags = (uint32_t)take_uvarint(c);
    in->value = take_uvarint(c);
    in->text = take_delimited(c, INPUT_MAX);
    struct view bytes = take_delimited(c, INPUT_MAX);
    if (c->failed || type >= INPUT_TYPES)
        return false;
    in->bytes = span_of(mem_alloc(p->mem, bytes.len), bytes.len);
    if (in->bytes.data != NULL && bytes.len > 0)
        memcpy(in->bytes.data, bytes.data, bytes.len);
    return in->bytes.data != NULL;
}

static void tell_input(const struct player *p, const struct input *in)
{
    char text[256];
    if (p->line == NULL)
        return;
    size_t len = text_format(text, sizeof text, "%U  > %s %u.%u %U %v (%u bytes)", p->report->now,
                             input_name(in->type), in->id, in->channel, in->value, &in->text,
                             (unsigned)in->bytes.len);
    p->line(text, len);
}

#define OUTPUT_NAME(name) [PEERLET_##name] = #name
static const char *const OUTPUTS[] = {
    OUTPUT_NAME(NOTHING),
    OUTPUT_NAME(OPEN_SOCKET),
    OUTPUT_NAME(OPEN_SESSION),
    OUTPUT_NAME(OPEN_RTC),
    OUTPUT_NAME(OPEN_CHANNEL),
    OUTPUT_NAME(RTC_OFFER),
    OUTPUT_NAME(RTC_REMOTE),
    OUTPUT_NAME(RTC_CANDIDATE),
    OUTPUT_NAME(SEND),
    OUTPUT_NAME(CLOSE_CHANNEL),
    OUTPUT_NAME(PAUSE_CHANNEL),
    OUTPUT_NAME(CLOSE_LINK),
    OUTPUT_NAME(VERIFY),
    OUTPUT_NAME(LOOKUP),
    OUTPUT_NAME(SELF_UPDATED),
    OUTPUT_NAME(PEER_DISCOVERED),
    OUTPUT_NAME(PEER_IDENTIFIED),
    OUTPUT_NAME(PEER_CONNECTED),
    OUTPUT_NAME(PEER_DISCONNECTED),
    OUTPUT_NAME(CONN_OPENED),
    OUTPUT_NAME(CONN_CLOSED),
    OUTPUT_NAME(CONN_RTT),
    OUTPUT_NAME(DIALED),
    OUTPUT_NAME(DIAL_FAILED),
    OUTPUT_NAME(DIAL_PROGRESS),
    OUTPUT_NAME(STREAM_OPENED),
    OUTPUT_NAME(STREAM_DATA),
    OUTPUT_NAME(STREAM_ENDED),
    OUTPUT_NAME(STREAM_ROOM),
    OUTPUT_NAME(STREAM_CLOSED),
    OUTPUT_NAME(PINGED),
    OUTPUT_NAME(MESSAGE),
    OUTPUT_NAME(NAME),
    OUTPUT_NAME(SUBSCRIPTION),
    OUTPUT_NAME(MESH),
    OUTPUT_NAME(HEARTBEAT),
    OUTPUT_NAME(RELAY),
    OUTPUT_NAME(NETWORK),
};

static void tell_output(const struct player *p, const struct peerlet_output *out)
{
    char text[256];
    if (p->line == NULL)
        return;
    size_t len = text_format(text, sizeof text, "%U    < %s %u.%u %u %s %v (%u bytes)",
                             p->report->now, OUTPUTS[out->type], out->id, out->channel, out->value,
                             err_name(out->code), &out->text, (unsigned)out->data.len);
    p->line(text, len);
}

static void drain(struct player *p, struct peerlet *node)
{
    struct peerlet_output out;
    while (peerlet_next(node, &out)) {
        tell_output(p, &out);
        p->digest = output_digest(p->digest, &out);
        p->report->outputs++;
    }
}

static const char *play_input(struct player *p, struct peerlet *node, uint8_t type)
{
    struct input in;
    if (!take_input(p, type, &in, &p->report->now))
        return "an input does not parse";
    tell_input(p, &in);
    input_apply(node, &in, p->report->now);
    drain(p, node);
    mem_free(p->mem, in.bytes.data);
    p->report->inputs++;
    return NULL;
}

/* Null, or why it ended before the end. */
static const char *play_records(struct player *p, struct peerlet *node)
{
    while (!is_at_end(p)) {
        uint8_t type = take_u8(&p->in);
        const char *why = NULL;
        if (type == RECORD_DIGEST)
            p->is_different |= take_u64be(&p->in) != p->digest;
        else if (type == RECORD_RANDOM)
            p->is_different = true;
        else
            why = play_input(p, node, type);
        if (why != NULL || p->is_different)
            return why;
    }
    return p->in.failed ? "it ends inside a record" : NULL;
}

enum replay_result replay_run(struct view log, struct replay *r,
                              void (*line)(const char *text, size_t len))
{
    struct mem mem = {0};
    struct player p = {.in = cursor_of(log), .report = r, .line = line, .mem = &mem};
    struct peerlet_config config = {.rng = {replay_fill, &p}};
    *r = (struct replay){0};
    if (!take_config(&p, &config, &r->now)) {
        r->why = "it does not begin as a recording";
        return REPLAY_BROKEN;
    }
    int error = 0;
    struct peerlet *node = peerlet_new(&config, r->now, &error);
    if (node == NULL) {
        r->why = err_text(error);
        return REPLAY_BROKEN;
    }
    r->why = play_records(&p, node);
    r->at = log.len - p.in.rest.len;
    bool is_same = r->why == NULL && !p.is_different;
    enum replay_result result = r->why != NULL ? REPLAY_BROKEN : REPLAY_DIFFERENT;
    peerlet_delete(node);
    if (is_same)
        return REPLAY_SAME;
    if (result == REPLAY_DIFFERENT)
        r->why = "the node said something else than it did when it was recorded";
    return result;
}
