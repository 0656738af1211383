/*
 * Everything a node can be told, as data: inputs of the driver and commands of the application.
 *
 * The simulator tells its nodes nothing in any other way, so whatever it does can be recorded and
 * played again (recording.h), and the fuzzer makes its inputs out of bytes. A row of INPUT_MAP is a
 * name and the call it stands for. Multiaddrs are text here, a line for each; what is not one is given
 * to the node as it is.
 */
#ifndef SIM_INPUT_H
#define SIM_INPUT_H

#include "peerlet.h"

/* Of a call, the fields it needs; the others are zero. */
struct input {
    uint8_t type;     /* enum input_type; its numbers are the recording's: only ever add rows */
    uint32_t id;      /* link, connection, stream, dial or job */
    uint32_t channel; /* within a link */
    uint32_t flags;
    uint64_t value; /* room, length, interval, state, time of day */
    struct view text;
    struct span bytes; /* may be written into while the node works on them */
};

#define INPUT_DATA view_of_span(in->bytes)
#define INPUT_ADDRESS input_address(in->text, &scratch)
#define INPUT_LIST input_list(in->text, &scratch)
/* What is no Peer ID is addresses. */
#define INPUT_TARGETS (in->text.len > 0 && *in->text.data == '/' ? INPUT_LIST : view_of(NULL, 0))

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
    X(LISTEN, r.code = peerlet_listen(p, INPUT_ADDRESS, now))                                      \
    X(BOOTSTRAP, r.code = peerlet_bootstrap(p, INPUT_ADDRESS, now))                                \
    X(DISCOVER, r.code = peerlet_discover(p, in->text, (uint32_t)in->value, in->flags != 0, now))  \
    X(DIAL, r.code = peerlet_dial(p, in->text, INPUT_TARGETS, in->flags, &r.id, now))              \
    X(DIAL_CANCEL, peerlet_dial_cancel(p, in->id, now))                                            \
    X(HANG_UP, r.code = peerlet_hang_up(p, in->text, now))                                         \
    X(CONN_CLOSE, peerlet_conn_close(p, in->id, in->flags != 0, now))                              \
    X(HANDLE, r.code = peerlet_handle(p, in->text, in->flags, 0, 0, now))                          \
    X(UNHANDLE, r.code = peerlet_unhandle(p, in->text, now))                                       \
    X(STREAM_OPEN, r.code = peerlet_stream_open(p, in->id, in->text, in->flags, &r.id, now))       \
    X(STREAM_WRITE, r.code = peerlet_stream_write(p, in->id, INPUT_DATA, now))                     \
    X(STREAM_PUT, input_put(p, in, now))                                                           \
    X(STREAM_TOOK, peerlet_stream_took(p, in->id, (size_t)in->value, now))                         \
    X(STREAM_CLOSE_WRITE, peerlet_stream_close_write(p, in->id, now))                              \
    X(STREAM_CLOSE_READ, peerlet_stream_close_read(p, in->id, now))                                \
    X(STREAM_RESET, peerlet_stream_reset(p, in->id, now))                                          \
    X(PING, r.code = peerlet_ping(p, in->id, &r.id, now))                                          \
    X(SUBSCRIBE, r.code = peerlet_subscribe(p, in->text, now))                                     \
    X(UNSUBSCRIBE, r.code = peerlet_unsubscribe(p, in->text, now))                                 \
    X(PUBLISH, r.code = peerlet_publish(p, in->text, INPUT_DATA, now))                             \
    X(ADD_ADDRESSES, r.code = peerlet_add_addresses(p, INPUT_DATA, INPUT_LIST, now))               \
    X(CHANNEL_ENDED,                                                                               \
      peerlet_channel_ended(p, in->id, in->channel, (enum peerlet_channel_end)in->value, now))     \
    X(FOUND, peerlet_found(p, in->id, INPUT_DATA, in->text, now))

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

/* Makes the call. `in->type` must be below INPUT_TYPES. */
struct input_result input_apply(struct peerlet *p, const struct input *in, uint64_t now);

/* "LINK_BYTES" */
const char *input_name(uint8_t type);

#endif
