#include "record/replay.h"

#include "base/cursor.h"
#include "multiformats/multiaddr.h"

/* The largest draw and the largest input that a log may hold. */
#define RANDOM_MAX 65536
#define INPUT_MAX (4u << 20)

/* No page stands for a year. */
#define MS_MAX (UINT64_C(366) * 24 * 3600 * 1000)

struct player {
    struct mem mem;
    struct cursor in;
    struct replay *report;
    void (*line)(const char *text, size_t len);
    uint8_t *borrowed; /* by the node */
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
    if (!is_at_end(p) && take_u8(&p->in) == RECORDING_RANDOM)
        drawn = take_delimited(&p->in, RANDOM_MAX);
    if (drawn.len == len && !p->in.failed) {
        if (len > 0)
            memcpy(out, drawn.data, len);
        return;
    }
    p->in = before;
    p->is_different = true;
}

static uint32_t take_u32(struct cursor *in)
{
    uint64_t number = take_uvarint(in);
    in->failed |= number > UINT32_MAX;
    return (uint32_t)number;
}

static void take_numbers(struct cursor *in, uint32_t *numbers, size_t count)
{
    in->failed |= take_uvarint(in) != count;
    for (size_t i = 0; i < count; i++)
        numbers[i] = take_u32(in);
}

static bool take_limits(struct cursor *in, struct peerlet_limits *limits)
{
    bool is_within = true;
    take_numbers(in, limits->chosen, LIMITS_CHOSEN);
    for (size_t i = 0; i < LIMITS_CHOSEN_SIZES; i++)
        is_within &= limits->chosen[i] <= PEERLET_LIMITS.chosen[i];
    return is_within;
}

static bool take_config(struct player *p, struct peerlet_config *c, struct peerlet_limits *limits)
{
    struct cursor *in = &p->in;
    struct replay *report = p->report;
    bool is_ours = view_equals_text(take(in, strlen(RECORDING_MAGIC)), RECORDING_MAGIC) &&
                   take_u8(in) == RECORDING_CONFIG;
    report->key = take_u32(in) == RECORDING_KEY_MADE ? RECORDING_KEY_MADE : RECORDING_KEY_OWN;
    report->now = take_uvarint(in);
    c->unix_ms = take_uvarint(in);
    c->services = take_u32(in);
    c->page = take_u32(in);
    c->no_auto_dial_discovered = take_uvarint(in) != 0;
    is_ours &= take_limits(in, limits);
    c->private_key = take_delimited(in, INPUT_MAX);
    c->agent = take_delimited(in, INPUT_MAX);
    take_numbers(in, c->pubsub.numbers, PEERLET_PUBSUB_NUMBERS);
    return is_ours && !in->failed && report->now <= MS_MAX &&
           c->pubsub.signing <= PEERLET_STRICT_NO_SIGN && c->pubsub.message_id <= PEERLET_ID_GIVEN;
}

/* The node gets exact blocks, so that reading past one shows. */
static bool take_input(struct player *p, uint8_t type, struct input *in)
{
    struct cursor *c = &p->in;
    *in = (struct input){.type = type};
    uint64_t ms = take_uvarint(c);
    in->id = take_u32(c);
    in->channel = take_u32(c);
    in->flags = take_u32(c);
    in->value = take_uvarint(c);
    in->text = take_delimited(c, INPUT_MAX);
    struct view bytes = take_delimited(c, INPUT_MAX);
    in->bytes = span_of(NULL, bytes.len);
    if (c->failed || ms > MS_MAX || p->report->now + ms > 2 * MS_MAX || !input_is_valid(in))
        return false;
    p->report->now += ms;
    in->bytes.data = mem_alloc(&p->mem, bytes.len);
    if (in->bytes.data != NULL && bytes.len > 0)
        memcpy(in->bytes.data, bytes.data, bytes.len);
    return in->bytes.data != NULL;
}

/* The multiaddrs of an input as text, one behind the other; what cannot be read is left out. */
static struct view addresses_of(const struct input *in, char *text, size_t room)
{
    struct writer w = writer_of((uint8_t *)text, room);
    struct cursor c = cursor_of(view_of_span(in->bytes));
    if (in->type == INPUT_LISTEN || in->type == INPUT_BOOTSTRAP || in->type == INPUT_IS_DIALABLE)
        return multiaddr_format(c.rest, &w) == 0 ? writer_view(&w) : (struct view){0};
    if (in->type != INPUT_DIAL && in->type != INPUT_ADD_ADDRESSES && in->type != INPUT_FOUND)
        return (struct view){0};
    while (c.rest.len > 0 && !c.failed) {
        struct view addr = take_delimited(&c, MULTIADDR_MAX_LEN);
        size_t before = w.len;
        put_text(&w, w.len > 0 ? " " : "");
        if (c.failed || multiaddr_format(addr, &w) != 0)
            w = (struct writer){.data = w.data, .room = w.room, .len = before};
    }
    return writer_view(&w);
}

static void tell_input(const struct player *p, const struct input *in)
{
    char text[256], addresses[512];
    if (p->line == NULL)
        return;
    struct view addrs = addresses_of(in, addresses, sizeof addresses);
    size_t len = text_format(text, sizeof text, "%U  > %s %u.%u %U %v%v (%u bytes)", p->report->now,
                             input_name(in->type), in->id, in->channel, in->value, &in->text,
                             &addrs, (unsigned)in->bytes.len);
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

/* Bytes that arrived are the node's until it was drained, which drivers do at once. */
static const char *play_input(struct player *p, struct peerlet *node, uint8_t type)
{
    struct input in;
    if (p->borrowed != NULL)
        return "bytes arrived, and the node was not drained";
    if (!take_input(p, type, &in))
        return "an input does not parse";
    tell_input(p, &in);
    input_apply(node, &in, p->report->now);
    p->report->inputs++;
    if (type == INPUT_LINK_BYTES)
        p->borrowed = in.bytes.data;
    else
        mem_free(&p->mem, in.bytes.data);
    return NULL;
}

static void drain(struct player *p, struct peerlet *node)
{
    struct peerlet_output out;
    while (peerlet_next(node, &out)) {
        tell_output(p, &out);
        p->digest = output_digest(p->digest, &out);
        p->report->outputs++;
    }
    mem_free(&p->mem, p->borrowed);
    p->borrowed = NULL;
}

static const char *play_record(struct player *p, struct peerlet *node, uint8_t type)
{
    switch (type) {
    case RECORDING_DRAIN:
        drain(p, node);
        return NULL;
    case RECORDING_DIGEST:
        p->is_different |= take_u64be(&p->in) != p->digest && !p->in.failed;
        return NULL;
    case RECORDING_RANDOM: /* the node did not ask for it */
        p->is_different = true;
        return NULL;
    default:
        return play_input(p, node, type);
    }
}

/* Null, or why it ended before the end. */
static const char *play_records(struct player *p, struct peerlet *node)
{
    const char *why = NULL;
    while (!is_at_end(p) && why == NULL && !p->is_different)
        why = play_record(p, node, take_u8(&p->in));
    return why == NULL && p->in.failed ? "it ends inside a record" : why;
}

static void name_node(struct replay *r, const struct peerlet *node)
{
    struct view peer = peerlet_peer_id(node);
    text_format(r->peer, sizeof r->peer, "%v", &peer);
}

enum replay_result replay_run(struct view log, struct replay *r,
                              void (*line)(const char *text, size_t len))
{
    struct peerlet_limits limits = PEERLET_LIMITS;
    struct player p = {.in = cursor_of(log), .report = r, .line = line};
    struct peerlet_config config = {.rng = {replay_fill, &p}, .limits = &limits};
    *r = (struct replay){0};
    if (!take_config(&p, &config, &limits)) {
        r->why = "it does not begin as a recording of this version";
        return REPLAY_BROKEN;
    }
    int error = 0;
    struct peerlet *node = peerlet_new(&config, r->now, &error);
    if (node == NULL) {
        r->why = err_text(error);
        return REPLAY_BROKEN;
    }
    name_node(r, node);
    r->why = play_records(&p, node);
    r->at = log.len - p.in.rest.len;
    enum replay_result result = r->why != NULL   ? REPLAY_BROKEN
                                : p.is_different ? REPLAY_DIFFERENT
                                                 : REPLAY_SAME;
    if (result == REPLAY_DIFFERENT)
        r->why = "the node said something else than it did when it was recorded";
    peerlet_delete(node);
    mem_free(&p.mem, p.borrowed);
    return result;
}
