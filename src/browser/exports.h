/*
 * What JavaScript calls.
 *
 * Bytes enter through the inbox: JavaScript asks for room, writes one or more pieces one after the
 * other, and passes their lengths to the call that takes them. What a call gives back as bytes is a
 * `const struct view *` that is valid until the next call. JavaScript reads the enumerators of this
 * header and of peerlet.h from the module that .ci/numbers.mjs makes of them.
 *
 *     page_  inputs of the page          told to the node at once, and drained
 *     rtc_   inputs of library_webrtc.js the same
 *     app_   commands of the application drained by the next app_flush
 *     ask_   questions
 */
#ifndef BROWSER_EXPORTS_H
#define BROWSER_EXPORTS_H

#include "peerlet.h"

#include <emscripten/emscripten.h>

/* `len` bytes to write to, valid until the next call; null when that is too much. */
EMSCRIPTEN_KEEPALIVE uint8_t *inbox(size_t len);

/* ---- life ----------------------------------------------------------------------------------- */

/* The numbers of a configuration, a uint32_t each; 0 is the default. */
enum app_number {
    APP_SERVICES,
    APP_PAGE,
    APP_NO_AUTO_DIAL,
    APP_VERBOSITY, /* 0: silent, else the last enum log_level that is told, plus 1 */
    APP_MAX_CONNECTIONS, /* from here on as in limits.h */
    APP_MAX_DIALS,
    APP_DIAL_ADDRESSES,
    APP_DIAL_MS,
    APP_DIAL_ADDRESS_MS,
    APP_UPGRADE_MS,
    APP_SIGNING, /* from here on as in struct peerlet_pubsub_config */
    APP_MESSAGE_ID,
    APP_EMIT_SELF,
    APP_DO_PX,
    APP_ALLOW_NO_PEERS,
    APP_PUBSUB_ON_LIMITED,
    APP_FLOODSUB,
    APP_D, /* from here on 0, or one more */
    APP_D_LOW,
    APP_D_HIGH,
    APP_D_SCORE,
    APP_D_OUT,
    APP_D_LAZY,
    APP_HEARTBEAT_MS,
    APP_FANOUT_TTL_MS,
    APP_SEEN_TTL_MS,
    APP_MCACHE_LENGTH,
    APP_MCACHE_GOSSIP,
    APP_PRUNE_BACKOFF_S,
    APP_UNSUBSCRIBE_BACKOFF_S,
    APP_OPPORTUNISTIC_PEERS,
    APP_IDONTWANT_BYTES,
    APP_PX_PEERS,
    APP_PROMISE_MS,
    APP_GRAFT_FLOOD_MS,
    APP_GOSSIP_PERCENT,
    APP_OPPORTUNISTIC_MS,
    APP_EXPLICIT_MS,
    APP_LONGEST_RPC,
    APP_NUMBERS
};

/* Inbox: APP_NUMBERS numbers, a PrivateKey protobuf or nothing, the agent or nothing. */
EMSCRIPTEN_KEEPALIVE int app_new(size_t key_len, size_t agent_len);
EMSCRIPTEN_KEEPALIVE void app_delete(void);
EMSCRIPTEN_KEEPALIVE void app_start(void);
EMSCRIPTEN_KEEPALIVE void app_stop(void);

/* Drains what the commands before it have changed. */
EMSCRIPTEN_KEEPALIVE void app_flush(void);

/* ---- inputs --------------------------------------------------------------------------------- */

/* The alarm set by js_alarm. */
EMSCRIPTEN_KEEPALIVE void page_ring(void);
EMSCRIPTEN_KEEPALIVE void page_event(uint32_t event);
EMSCRIPTEN_KEEPALIVE void page_verified(uint32_t job, int is_valid);

/* Inbox: a list of multiaddrs; why there is none, in words. Drained by app_flush. */
EMSCRIPTEN_KEEPALIVE void app_found(size_t list_len, size_t why_len, uint32_t lookup);

EMSCRIPTEN_KEEPALIVE void rtc_opened(uint32_t link, uint32_t channel, size_t room);
EMSCRIPTEN_KEEPALIVE void rtc_room(uint32_t link, uint32_t channel, size_t room);

/* Inbox: one message; why, in words; SDP; JSON of a candidate or nothing. */
EMSCRIPTEN_KEEPALIVE void rtc_message(uint32_t link, uint32_t channel, size_t len);
EMSCRIPTEN_KEEPALIVE void rtc_closed(uint32_t link, uint32_t channel, size_t why_len);
EMSCRIPTEN_KEEPALIVE void rtc_ended(uint32_t link, uint32_t channel, uint32_t end);
EMSCRIPTEN_KEEPALIVE void rtc_description(uint32_t link, size_t len);
EMSCRIPTEN_KEEPALIVE void rtc_candidate(uint32_t link, size_t len);
EMSCRIPTEN_KEEPALIVE void rtc_state(uint32_t link, uint32_t state);

/*
 * Inbox: the label. Returns the number of the channel or 0 to close it. Does not drain, so that the
 * caller knows the number before there is an order about it: app_flush must follow.
 */
EMSCRIPTEN_KEEPALIVE uint32_t rtc_incoming(uint32_t link, size_t label_len, size_t room);

/* ---- commands: results as in peerlet.h, numbers made by the node as a positive result --------- */

EMSCRIPTEN_KEEPALIVE int app_listen(size_t multiaddr_len);
EMSCRIPTEN_KEEPALIVE int app_bootstrap(size_t multiaddr_len);
EMSCRIPTEN_KEEPALIVE int app_discover(size_t topic_len, uint32_t interval_ms, int listen_only);

EMSCRIPTEN_KEEPALIVE int app_dial(size_t peer_len, size_t multiaddrs_len, uint32_t flags);
EMSCRIPTEN_KEEPALIVE void app_dial_cancel(uint32_t dial);
EMSCRIPTEN_KEEPALIVE int app_is_dialable(size_t multiaddr_len);
EMSCRIPTEN_KEEPALIVE void app_conn_close(uint32_t conn, int abort);

EMSCRIPTEN_KEEPALIVE int app_handle(size_t protocol_len, uint32_t flags, uint32_t max_inbound,
                                    uint32_t max_outbound);
EMSCRIPTEN_KEEPALIVE int app_unhandle(size_t protocol_len);

EMSCRIPTEN_KEEPALIVE int app_stream_open(size_t protocols_len, uint32_t conn, uint32_t flags);

/* Null, or where to put app_stream_given() bytes, at most `wanted`; then app_stream_commit. */
EMSCRIPTEN_KEEPALIVE uint8_t *app_stream_reserve(uint32_t stream, size_t wanted);
EMSCRIPTEN_KEEPALIVE size_t app_stream_given(void);
EMSCRIPTEN_KEEPALIVE void app_stream_commit(uint32_t stream, size_t len);
EMSCRIPTEN_KEEPALIVE void app_stream_took(uint32_t stream, size_t len);
EMSCRIPTEN_KEEPALIVE void app_stream_close_write(uint32_t stream);
EMSCRIPTEN_KEEPALIVE void app_stream_close_read(uint32_t stream);
EMSCRIPTEN_KEEPALIVE void app_stream_reset(uint32_t stream);

EMSCRIPTEN_KEEPALIVE int app_ping(uint32_t conn);

EMSCRIPTEN_KEEPALIVE int app_subscribe(size_t topic_len);
EMSCRIPTEN_KEEPALIVE int app_unsubscribe(size_t topic_len);
EMSCRIPTEN_KEEPALIVE int app_publish(size_t topic_len, size_t data_len, uint32_t reach);

/* Job 0: from now on messages wait for a verdict. 0: it comes too late. */
EMSCRIPTEN_KEEPALIVE int app_judge(uint32_t job, uint32_t verdict);

/* Inbox: the id. */
EMSCRIPTEN_KEEPALIVE void app_name(size_t id_len, uint32_t job);

/* Inbox: a topic or nothing, and its floats or nothing. */
EMSCRIPTEN_KEEPALIVE int app_tune(size_t topic_len, size_t len);
EMSCRIPTEN_KEEPALIVE float app_rate(size_t peer_len, float application);
EMSCRIPTEN_KEEPALIVE int app_add_addresses(size_t peer_len, size_t multiaddrs_len, int is_explicit);

/* ---- questions ------------------------------------------------------------------------------ */

EMSCRIPTEN_KEEPALIVE const struct view *ask_reason(void);

/* What base/err.h says of an error: "NAME JsName text". */
EMSCRIPTEN_KEEPALIVE const struct view *ask_error(int code);
EMSCRIPTEN_KEEPALIVE const struct view *ask_peer_id(void);
EMSCRIPTEN_KEEPALIVE const struct view *ask_private_key(void);
EMSCRIPTEN_KEEPALIVE const struct view *ask_recipients(void);
EMSCRIPTEN_KEEPALIVE const struct view *ask_topics(void);
EMSCRIPTEN_KEEPALIVE const struct view *ask_pubsub_peers(size_t topic_len, uint32_t set);
EMSCRIPTEN_KEEPALIVE const struct view *ask_peer_addresses(size_t peer_len);
EMSCRIPTEN_KEEPALIVE const struct view *ask_peer_protocols(size_t peer_len);

/* Bytes of the node's memory in use. */
EMSCRIPTEN_KEEPALIVE size_t ask_memory(void);

#endif
