/*
 * Everything a node can be told, as data: inputs of the driver and commands of the application.
 *
 * A row of INPUT_MAP is a name and the call it stands for, with that call's arguments as they were:
 * so what a node is told can be recorded (recording.h) and told again (replay.h).
 */
#ifndef RECORD_INPUT_H
#define RECORD_INPUT_H

#include "peerlet.h"

/* Of a call, the fields it needs; the others are zero. */
struct input {
    uint8_t type;     /* enum input_type; its numbers are the recording's: only ever add rows */
    uint32_t id;      /* link, connection, stream, dial or job */
    uint32_t channel; /* within a link */
    uint32_t flags;
    uint64_t value;    /* room, length, interval, state, time of day */
    struct view text;  /* a name, a description, why */
    struct span bytes; /* payload or multiaddrs; written into while the node works on it */
};

#define INPUT_BYTES view_of_span(in->bytes)

#define INPUT_MAP(X)                                                                               \
    X(TICK, peerlet_tick(p, now))                                                                  \
    X(LINK_OPENED, peerlet_link_opened(p, in->id, in->channel, (size_t)in->value, now))            \
    X(LINK_BYTES, peerlet_link_bytes(p, in->id, in->channel, in->bytes, now))                      \
    X(LINK_ROOM, peerlet_link_room(p, in->id, in->channel, (size_t)in->value, now))                \
    X(LINK_CLOSED, peerlet_link_closed(p, in->id, in->channel, in->text, now))                     \
    X(RTC_DESCRIPTION, peerlet_rtc_description(p, in->id, in->text, now))                          \
    X(RTC_CANDIDATE, peerlet_rtc_candidate(p, in->id, in->text, now))                              \
    X(RTC_STATE, peerlet_rtc_state(p, in->id, (enum peerlet_rtc_state)in->value, now))             \
    X(CHANNEL_INCOMING,                                                                            \
      r.id = peerlet_channel_incoming(p, in->id, in->text, (size_t)in->value, now))                \
    X(VERIFIED, peerlet_verified(p, in->id, in->value != 0, now))                                  \
    X(PAGE_EVENT, peerlet_page_event(p, (enum peerlet_page_event)in->value, now))                  \
    X(CLOCK, peerlet_clock(p, in->value, now))                                                     \
    X(START, peerlet_start(p, now))                                                                \
    X(STOP, peerlet_stop(p, now))                                                                  \
    X(LISTEN, r.code = peerlet_listen(p, INPUT_BYTES, now))                                        \
    X(BOOTSTRAP, r.code = peerlet_bootstrap(p, INPUT_BYTES, now))                                  \
    X(DISCOVER, r.code = peerlet_discover(p, in->text, (uint32_t)in->value, in->flags != 0, now))  \
    X(DIAL, r.code = peerlet_dial(p, in->text, INPUT_BYTES, in->flags, &r.id, now))                \
    X(DIAL_CANCEL, peerlet_dial_cancel(p, in->id, now))                                            \
    X(HANG_UP, r.code = peerlet_hang_up(p, in->text, now))                                         \
    X(CONN_CLOSE, peerlet_conn_close(p, in->id, in->flags != 0, now))                              \
    /* id and channel: the most inbound and outbound streams */                                    \
    X(HANDLE, r.code = peerlet_handle(p, in->text, in->flags, in->id, in->channel, now))           \
    X(UNHANDLE, r.code = peerlet_unhandle(p, in->text, now))                                       \
    X(STREAM_OPEN, r.code = peerlet_stream_open(p, in->id, in->text, in->flags, &r.id, now))       \
    X(STREAM_WRITE, r.code = peerlet_stream_write(p, in->id, INPUT_BYTES, now))                    \
    X(STREAM_PUT, input_put(p, in, now))                                                           \
    X(STREAM_TOOK, peerlet_stream_took(p, in->id, (size_t)in->value, now))                         \
    X(STREAM_CLOSE_WRITE, peerlet_stream_close_write(p, in->id, now))                              \
    X(STREAM_CLOSE_READ, peerlet_stream_close_read(p, in->id, now))                                \
    X(STREAM_RESET, peerlet_stream_reset(p, in->id, now))                                          \
    X(PING, r.code = peerlet_ping(p, in->id, &r.id, now))                                          \
    X(SUBSCRIBE, r.code = peerlet_subscribe(p, in->text, now))                                     \
    X(UNSUBSCRIBE, r.code = peerlet_unsubscribe(p, in->text, now))                                 \
    X(PUBLISH,                                                                                     \
      r.code = peerlet_publish(p, in->text, INPUT_BYTES, (enum peerlet_reach)in->value, now))      \
    X(ADD_ADDRESSES,                                                                               \
      r.code = peerlet_add_addresses(p, in->text, INPUT_BYTES, in->flags != 0, now))               \
    X(CHANNEL_ENDED,                                                                               \
      peerlet_channel_ended(p, in->id, in->channel, (enum peerlet_channel_end)in->value, now))     \
    X(FOUND, peerlet_found(p, in->id, INPUT_BYTES, in->text, now))                                 \
    X(IS_DIALABLE, r.code = peerlet_is_dialable(p, INPUT_BYTES))                                   \
    X(JUDGE, peerlet_judge(p, in->id, (enum peerlet_verdict)in->value, now))                       \
    /* the numbers as IEEE 754 bits, four bytes each, or none */                                   \
    X(TUNE, r.code = input_tune(p, in, now))                                                       \
    X(NAME, peerlet_name(p, in->id, INPUT_BYTES, now))                                             \
    /* flags: the number, likewise */                                                              \
    X(RATE, input_rate(p, in))

enum input_type {
#define INPUT_ENUM(name, call) INPUT_##name,
    INPUT_MAP(INPUT_ENUM)
#undef INPUT_ENUM
        INPUT_TYPES
};

/* What a command returned: its code, and the number it gave out. */
struct input_result {
    int code;
    uint32_t id;
};

/*
 * Makes the call. `in->type` must be below INPUT_TYPES.
 *
 * STREAM_PUT is two calls: `value` bytes were asked for by peerlet_stream_reserve, and `bytes` were
 * committed `flags` ms later.
 */
struct input_result input_apply(struct peerlet *p, const struct input *in, uint64_t now);

/* Whether its numbers are ones the call may get, which only a log that somebody made up lacks. */
bool input_is_valid(const struct input *in);

/* How many numbers peerlet_tune takes for a topic, or for all. */
static inline size_t input_tuned(struct view topic)
{
    return topic.len > 0 ? PEERLET_TUNE_TOPIC_NUMBERS : PEERLET_TUNE_NUMBERS;
}

/* "LINK_BYTES" */
const char *input_name(uint8_t type);

#endif
