#include "record/recorder.h"

#include "base/cursor.h"

/* The linker names them: NOLINTBEGIN(bugprone-reserved-identifier) */

/*
 * A function of peerlet.h that tells a node something: in its place stands one that writes down `in`,
 * a struct input's fields, and makes the call.
 */
#define CALL(name, parameters, arguments, ...)                                                     \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        enter(p, &(struct input){__VA_ARGS__}, now);                                               \
        __real_##name arguments;                                                                   \
        leave(p);                                                                                  \
    }

/* The same of one that returns something. */
#define ASK(type_, name, parameters, arguments, ...)                                               \
    type_ __real_##name parameters;                                                                \
    type_ __wrap_##name parameters;                                                                \
    type_ __wrap_##name parameters                                                                 \
    {                                                                                              \
        enter(p, &(struct input){__VA_ARGS__}, now);                                               \
        type_ result = __real_##name arguments;                                                    \
        leave(p);                                                                                  \
        return result;                                                                             \
    }

static struct {
    const struct peerlet *node;
    struct recording *recording;
    struct rng rng; /* the node's */
    uint32_t depth; /* calls under way: those that the core makes itself are not recorded */
    uint64_t now;   /* of the last call */
    uint64_t put_at;
    struct input put; /* what was reserved and waits for its bytes */
} recorder;

/* An input's bytes may be written into, which nobody does to these. */
static struct span span_of_view(struct view v)
{
    return span_of((uint8_t *)(uintptr_t)v.data, v.len);
}

static bool is_recorded(const struct peerlet *p)
{
    return p != NULL && p == recorder.node;
}

static void enter(const struct peerlet *p, const struct input *in, uint64_t now)
{
    if (!is_recorded(p) || recorder.depth++ > 0)
        return;
    recorder.now = now;
    recording_input(recorder.recording, in, now);
    recorder_wrote(recorder.recording);
}

static void leave(const struct peerlet *p)
{
    if (is_recorded(p))
        recorder.depth--;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    rng_fill(&recorder.rng, out, len);
    recording_random(recorder.recording, view_of(out, len));
    recorder_wrote(recorder.recording);
}

struct peerlet *__real_peerlet_new(const struct peerlet_config *config, uint64_t now, int *error);
struct peerlet *__wrap_peerlet_new(const struct peerlet_config *config, uint64_t now, int *error);
struct peerlet *__wrap_peerlet_new(const struct peerlet_config *config, uint64_t now, int *error)
{
    enum recording_key key = RECORDING_KEY_OWN;
    struct recording *r = recorder.node == NULL ? recorder_begin(&key) : NULL;
    if (r == NULL)
        return __real_peerlet_new(config, now, error);
    struct peerlet_config recorded = *config;
    recorder.recording = r;
    recorder.rng = config->rng;
    recorder.now = now;
    recorded.rng = (struct rng){.fill = fill};
    recording_init(r, r->bytes.mem, config, key, now);
    recorder_wrote(r);
    recorder.node = __real_peerlet_new(&recorded, now, error);
    return (struct peerlet *)(uintptr_t)recorder.node;
}

void __real_peerlet_delete(struct peerlet *p);
void __wrap_peerlet_delete(struct peerlet *p);
void __wrap_peerlet_delete(struct peerlet *p)
{
    if (is_recorded(p)) {
        recording_end(recorder.recording);
        recorder_wrote(recorder.recording);
        recorder.node = NULL;
    }
    __real_peerlet_delete(p);
}

bool __real_peerlet_next(struct peerlet *p, struct peerlet_output *out);
bool __wrap_peerlet_next(struct peerlet *p, struct peerlet_output *out);
bool __wrap_peerlet_next(struct peerlet *p, struct peerlet_output *out)
{
    if (is_recorded(p)) {
        recording_drain(recorder.recording);
        recorder_wrote(recorder.recording);
    }
    bool is_there = __real_peerlet_next(p, out);
    if (is_there && is_recorded(p))
        recording_output(recorder.recording, out);
    return is_there;
}

/* ---- calls that are not as the others ---------------------------------------------------------- */

/* What fits is known when it is reserved, and what it is when it is committed. */
uint8_t *__real_peerlet_stream_reserve(struct peerlet *p, uint32_t stream, size_t *room,
                                       uint64_t now);
uint8_t *__wrap_peerlet_stream_reserve(struct peerlet *p, uint32_t stream, size_t *room,
                                       uint64_t now);
uint8_t *__wrap_peerlet_stream_reserve(struct peerlet *p, uint32_t stream, size_t *room,
                                       uint64_t now)
{
    struct input put = {.type = INPUT_STREAM_PUT, .id = stream, .value = *room};
    uint8_t *at = __real_peerlet_stream_reserve(p, stream, room, now);
    if (!is_recorded(p))
        return at;
    recorder.put_at = now;
    recorder.put = put;
    recorder.put.bytes.data = at;
    if (at == NULL) {
        enter(p, &put, now);
        leave(p);
    }
    return at;
}

void __real_peerlet_stream_commit(struct peerlet *p, uint32_t stream, size_t len, uint64_t now);
void __wrap_peerlet_stream_commit(struct peerlet *p, uint32_t stream, size_t len, uint64_t now);
void __wrap_peerlet_stream_commit(struct peerlet *p, uint32_t stream, size_t len, uint64_t now)
{
    if (is_recorded(p)) {
        recorder.put.bytes.len = len;
        recorder.put.flags = (uint32_t)(now - recorder.put_at);
    }
    enter(p, &recorder.put, recorder.put_at);
    __real_peerlet_stream_commit(p, stream, len, now);
    leave(p);
}

int __real_peerlet_is_dialable(struct peerlet *p, struct view multiaddr);
int __wrap_peerlet_is_dialable(struct peerlet *p, struct view multiaddr);
int __wrap_peerlet_is_dialable(struct peerlet *p, struct view multiaddr)
{
    enter(p, &(struct input){.type = INPUT_IS_DIALABLE, .bytes = span_of_view(multiaddr)},
          recorder.now);
    int rc = __real_peerlet_is_dialable(p, multiaddr);
    leave(p);
    return rc;
}

static uint32_t bits_of(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

int __real_peerlet_tune(struct peerlet *p, struct view topic, const float *numbers, uint64_t now);
int __wrap_peerlet_tune(struct peerlet *p, struct view topic, const float *numbers, uint64_t now);
int __wrap_peerlet_tune(struct peerlet *p, struct view topic, const float *numbers, uint64_t now)
{
    uint8_t bytes[4 * PEERLET_TUNE_TOPIC_NUMBERS];
    struct writer w = writer_of(bytes, sizeof bytes);
    for (size_t i = 0; numbers != NULL && i < input_tuned(topic); i++)
        put_u32be(&w, bits_of(numbers[i]));
    enter(p, &(struct input){.type = INPUT_TUNE, .text = topic, .bytes = span_of(bytes, w.len)},
          now);
    int rc = __real_peerlet_tune(p, topic, numbers, now);
    leave(p);
    return rc;
}

float __real_peerlet_rate(struct peerlet *p, struct view peer, float application);
float __wrap_peerlet_rate(struct peerlet *p, struct view peer, float application);
float __wrap_peerlet_rate(struct peerlet *p, struct view peer, float application)
{
    enter(p, &(struct input){.type = INPUT_RATE, .text = peer, .flags = bits_of(application)},
          recorder.now);
    float score = __real_peerlet_rate(p, peer, application);
    leave(p);
    return score;
}

/* ---- all others ------------------------------------------------------------------------------ */

/* It would take the stars for products. */
/* clang-format off */
CALL(peerlet_tick, (struct peerlet *p, uint64_t now), (p, now), .type = INPUT_TICK)
CALL(peerlet_link_opened,
     (struct peerlet *p, uint32_t link, uint32_t channel, size_t room, uint64_t now),
     (p, link, channel, room, now), .type = INPUT_LINK_OPENED, .id = link, .channel = channel,
     .value = room)
CALL(peerlet_link_bytes,
     (struct peerlet *p, uint32_t link, uint32_t channel, struct span bytes, uint64_t now),
     (p, link, channel, bytes, now), .type = INPUT_LINK_BYTES, .id = link, .channel = channel,
     .bytes = bytes)
CALL(peerlet_link_room,
     (struct peerlet *p, uint32_t link, uint32_t channel, size_t room, uint64_t now),
     (p, link, channel, room, now), .type = INPUT_LINK_ROOM, .id = link, .channel = channel,
     .value = room)
CALL(peerlet_link_closed,
     (struct peerlet *p, uint32_t link, uint32_t channel, struct view why, uint64_t now),
     (p, link, channel, why, now), .type = INPUT_LINK_CLOSED, .id = link, .channel = channel,
     .text = why)
CALL(peerlet_channel_ended,
     (struct peerlet *p, uint32_t link, uint32_t channel, enum peerlet_channel_end end,
      uint64_t now),
     (p, link, channel, end, now), .type = INPUT_CHANNEL_ENDED, .id = link, .channel = channel,
     .value = end)
CALL(peerlet_rtc_description, (struct peerlet *p, uint32_t link, struct view sdp, uint64_t now),
     (p, link, sdp, now), .type = INPUT_RTC_DESCRIPTION, .id = link, .text = sdp)
CALL(peerlet_rtc_candidate, (struct peerlet *p, uint32_t link, struct view json, uint64_t now),
     (p, link, json, now), .type = INPUT_RTC_CANDIDATE, .id = link, .text = json)
CALL(peerlet_rtc_state,
     (struct peerlet *p, uint32_t link, enum peerlet_rtc_state state, uint64_t now),
     (p, link, state, now), .type = INPUT_RTC_STATE, .id = link, .value = state)
ASK(uint32_t, peerlet_channel_incoming,
    (struct peerlet *p, uint32_t link, struct view label, size_t room, uint64_t now),
    (p, link, label, room, now), .type = INPUT_CHANNEL_INCOMING, .id = link, .text = label,
    .value = room)
CALL(peerlet_verified, (struct peerlet *p, uint32_t job, bool is_valid, uint64_t now),
     (p, job, is_valid, now), .type = INPUT_VERIFIED, .id = job, .value = is_valid)
CALL(peerlet_found,
     (struct peerlet *p, uint32_t lookup, struct view list, struct view why, uint64_t now),
     (p, lookup, list, why, now), .type = INPUT_FOUND, .id = lookup, .bytes = span_of_view(list),
     .text = why)
CALL(peerlet_page_event, (struct peerlet *p, enum peerlet_page_event event, uint64_t now),
     (p, event, now), .type = INPUT_PAGE_EVENT, .value = event)
CALL(peerlet_clock, (struct peerlet *p, uint64_t time_of_day, uint64_t now), (p, time_of_day, now),
     .type = INPUT_CLOCK, .value = time_of_day)
CALL(peerlet_start, (struct peerlet *p, uint64_t now), (p, now), .type = INPUT_START)
CALL(peerlet_stop, (struct peerlet *p, uint64_t now), (p, now), .type = INPUT_STOP)
ASK(int, peerlet_listen, (struct peerlet *p, struct view multiaddr, uint64_t now),
    (p, multiaddr, now), .type = INPUT_LISTEN, .bytes = span_of_view(multiaddr))
ASK(int, peerlet_bootstrap, (struct peerlet *p, struct view multiaddr, uint64_t now),
    (p, multiaddr, now), .type = INPUT_BOOTSTRAP, .bytes = span_of_view(multiaddr))
ASK(int, peerlet_discover,
    (struct peerlet *p, struct view topic, uint32_t interval_ms, bool listen_only, uint64_t now),
    (p, topic, interval_ms, listen_only, now), .type = INPUT_DISCOVER, .text = topic,
    .value = interval_ms, .flags = listen_only)
ASK(int, peerlet_dial,
    (struct peerlet *p, struct view peer, struct view multiaddrs, uint32_t flags, uint32_t *dial,
     uint64_t now),
    (p, peer, multiaddrs, flags, dial, now), .type = INPUT_DIAL, .text = peer,
    .bytes = span_of_view(multiaddrs), .flags = flags)
CALL(peerlet_dial_cancel, (struct peerlet *p, uint32_t dial, uint64_t now), (p, dial, now),
     .type = INPUT_DIAL_CANCEL, .id = dial)
ASK(int, peerlet_hang_up, (struct peerlet *p, struct view peer, uint64_t now), (p, peer, now),
    .type = INPUT_HANG_UP, .text = peer)
CALL(peerlet_conn_close, (struct peerlet *p, uint32_t conn, bool abort, uint64_t now),
     (p, conn, abort, now), .type = INPUT_CONN_CLOSE, .id = conn, .flags = abort)
ASK(int, peerlet_handle,
    (struct peerlet *p, struct view protocol, uint32_t flags, uint32_t max_inbound,
     uint32_t max_outbound, uint64_t now),
    (p, protocol, flags, max_inbound, max_outbound, now), .type = INPUT_HANDLE, .text = protocol,
    .flags = flags, .id = max_inbound, .channel = max_outbound)
ASK(int, peerlet_unhandle, (struct peerlet *p, struct view protocol, uint64_t now),
    (p, protocol, now), .type = INPUT_UNHANDLE, .text = protocol)
ASK(int, peerlet_stream_open,
    (struct peerlet *p, uint32_t conn, struct view protocols, uint32_t flags, uint32_t *stream,
     uint64_t now),
    (p, conn, protocols, flags, stream, now), .type = INPUT_STREAM_OPEN, .id = conn,
    .text = protocols, .flags = flags)
ASK(int, peerlet_stream_write,
    (struct peerlet *p, uint32_t stream, struct view data, uint64_t now), (p, stream, data, now),
    .type = INPUT_STREAM_WRITE, .id = stream, .bytes = span_of_view(data))
CALL(peerlet_stream_took, (struct peerlet *p, uint32_t stream, size_t len, uint64_t now),
     (p, stream, len, now), .type = INPUT_STREAM_TOOK, .id = stream, .value = len)
CALL(peerlet_stream_close_write, (struct peerlet *p, uint32_t stream, uint64_t now),
     (p, stream, now), .type = INPUT_STREAM_CLOSE_WRITE, .id = stream)
CALL(peerlet_stream_close_read, (struct peerlet *p, uint32_t stream, uint64_t now),
     (p, stream, now), .type = INPUT_STREAM_CLOSE_READ, .id = stream)
CALL(peerlet_stream_reset, (struct peerlet *p, uint32_t stream, uint64_t now), (p, stream, now),
     .type = INPUT_STREAM_RESET, .id = stream)
ASK(int, peerlet_ping, (struct peerlet *p, uint32_t conn, uint32_t *job, uint64_t now),
    (p, conn, job, now), .type = INPUT_PING, .id = conn)
ASK(int, peerlet_subscribe, (struct peerlet *p, struct view topic, uint64_t now), (p, topic, now),
    .type = INPUT_SUBSCRIBE, .text = topic)
ASK(int, peerlet_unsubscribe, (struct peerlet *p, struct view topic, uint64_t now),
    (p, topic, now), .type = INPUT_UNSUBSCRIBE, .text = topic)
ASK(int, peerlet_publish,
    (struct peerlet *p, struct view topic, struct view data, enum peerlet_reach reach,
     uint64_t now),
    (p, topic, data, reach, now), .type = INPUT_PUBLISH, .text = topic, .bytes = span_of_view(data),
    .value = reach)
ASK(int, peerlet_add_addresses,
    (struct peerlet *p, struct view peer, struct view multiaddrs, bool is_explicit, uint64_t now),
    (p, peer, multiaddrs, is_explicit, now), .type = INPUT_ADD_ADDRESSES, .text = peer,
    .bytes = span_of_view(multiaddrs), .flags = is_explicit)
CALL(peerlet_name, (struct peerlet *p, uint32_t job, struct view id, uint64_t now),
     (p, job, id, now), .type = INPUT_NAME, .id = job, .bytes = span_of_view(id))
ASK(bool, peerlet_judge,
    (struct peerlet *p, uint32_t job, enum peerlet_verdict verdict, uint64_t now),
    (p, job, verdict, now), .type = INPUT_JUDGE, .id = job, .value = verdict)

/* NOLINTEND(bugprone-reserved-identifier) */
