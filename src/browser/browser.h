/*
 * The browser driver: one node per wasm instance, around it the page.
 *
 *     WebSocket (emscripten/websocket.h) ─┐                     ┌─> sockets, peer connections
 *     RTCPeerConnection (js-glue)         ├─> struct peerlet ───┤
 *     alarm, page events, application     ┘                     └─> the application's events
 *
 * browser.c is the loop; exports.c are the functions JavaScript calls. What a call changes is
 * drained by browser_pump: inputs of the page pump at once, commands of the application leave it to
 * one app_flush per turn of the event loop, so that many small writes share a frame. JavaScript is
 * called through the imports below and never calls back before it has returned.
 */
#ifndef BROWSER_BROWSER_H
#define BROWSER_BROWSER_H

#include "peerlet.h"

/* ---- the loop ------------------------------------------------------------------------------ */

/* The node of this instance; null before browser_open. */
struct peerlet *browser_node(void);

/* Milliseconds of performance.now(): monotonic, and stopped while the machine sleeps. */
uint64_t browser_now(void);

/*
 * Makes the node. `config` lacks only rng, log and the time of day; `verbosity` is the last
 * enum log_level that is told, or -1. Returns 0 or why there is none.
 */
MUST_USE int browser_open(struct peerlet_config *config, int verbosity);

/* Closes every socket and frees the node. */
void browser_close(void);

/* Takes outputs until there are none, tells the node about its sockets, sets the one alarm. */
void browser_pump(void);

/* The alarm rang: looks at the clocks, ticks and pumps. */
void browser_ring(void);

/* ---- imports from JavaScript: library_*.js --------------------------------------------- */

/* An event for the application. JavaScript copies what it keeps before it returns. */
void js_event(const struct peerlet_output *event);

/* Calls page_ring of exports.h after `ms`, or never if negative, in place of the alarm set before. */
void js_alarm(int ms);

void js_log(int level, const char *text, size_t len);
void js_random(uint8_t *out, size_t len);

/* WebCrypto's verify, or secp256k1.js; page_verified follows. `algorithm` as in PEERLET_VERIFY. */
void js_verify(uint32_t job, uint32_t algorithm, const uint8_t *key, size_t key_len,
               const uint8_t *message, size_t message_len, const uint8_t *signature,
               size_t signature_len);

/*
 * emscripten_websocket_new, guarded: what the WebSocket constructor throws must not unwind C.
 * Returns 0 instead.
 */
int js_socket_new(const void *attributes);

/*
 * To be called once the callbacks are set. They then report a trap of the module instead of
 * throwing into the page, and hand a large message over in pieces: emscripten does not ask whether
 * its malloc of the whole succeeded.
 */
void js_socket_guard(int socket);

/* emscripten_websocket_get_buffered_amount, whose 64 bits 3.1.6's small runtime cannot write. */
size_t js_socket_buffered(int socket);

/* emscripten_websocket_delete, which in 3.1.6 forgets to forget. */
void js_socket_delete(int socket);

/* One order of peerlet.h each. What fails is told later, by rtc_closed. */
void js_rtc_open(uint32_t link, size_t low, size_t high);
void js_rtc_channel(uint32_t link, uint32_t channel, const uint8_t *label, size_t len,
                    int is_agreed);
void js_rtc_offer(uint32_t link, const uint8_t *ufrag, size_t len);
void js_rtc_remote(uint32_t link, int is_answer, const uint8_t *sdp, size_t len);
void js_rtc_candidate(uint32_t link, const uint8_t *json, size_t len);
void js_rtc_send(uint32_t link, uint32_t channel, const uint8_t *data, size_t len);
void js_rtc_close_channel(uint32_t link, uint32_t channel);
void js_rtc_close(uint32_t link);

/* Then the session is one of the peer connections above, and its streams are channels of it. */
void js_session_open(uint32_t link, const uint8_t *url, size_t url_len, const uint8_t *hashes,
                     size_t hashes_len, size_t low, size_t high);
void js_session_end(uint32_t link, uint32_t channel, uint32_t end);
void js_session_pause(uint32_t link, uint32_t channel, int is_paused);

#endif
