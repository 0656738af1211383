/*
 * The driver of the second module, build/wasm/services.wasm: what a page loads only if it wants fetch,
 * perf, Kademlia or rendezvous. It has no sockets. JavaScript moves bytes between the streams of a
 * node and the protocol machines here, which are called jobs.
 *
 *     stream ──job_feed──▶ ┌─────┐ ─▶ told(): what happened
 *                          │ job │
 *     stream ◀─job_drain── └─────┘ ◀─ commands
 *
 * As in exports.h, bytes enter through the inbox, pieces one behind the other, and a call gets their
 * lengths last. What a call gives back besides its result is in `told()`, valid until the next call. `now`
 * is milliseconds of performance.now(). Results are negative errors of base/err.h, as everywhere.
 */
#ifndef BROWSER_SERVICES_H
#define BROWSER_SERVICES_H

#include "base/span.h"

#include <emscripten/emscripten.h>

/* What `told` points to: eight 32-bit numbers, as js-glue/services/module.js reads them. */
struct service_told {
    uint32_t number;
    uint32_t status;
    struct view data, more, extra;
};

EMSCRIPTEN_KEEPALIVE const struct service_told *told(void);

/* `len` bytes to write to, valid until the next call; null when that is too much. */
EMSCRIPTEN_KEEPALIVE uint8_t *inbox(size_t len);

/* To be called once, first. */
EMSCRIPTEN_KEEPALIVE void services_init(void);

/* ---- jobs: each returns its number ---------------------------------------------------------- */

/* Inbox: the key. FETCH_ANSWERED tells status and data. */
EMSCRIPTEN_KEEPALIVE int fetch_ask(double now, size_t key_len);

/* FETCH_ASKED tells the key as data; fetch_give answers. Inbox: the value. */
EMSCRIPTEN_KEEPALIVE int fetch_listen(double now);
EMSCRIPTEN_KEEPALIVE int fetch_give(uint32_t job, uint32_t status, size_t data_len);

EMSCRIPTEN_KEEPALIVE int perf_dial(double upload, double download);
EMSCRIPTEN_KEEPALIVE int perf_listen(double now);
EMSCRIPTEN_KEEPALIVE double perf_sent(uint32_t job);
EMSCRIPTEN_KEEPALIVE double perf_received(uint32_t job);

/* Asks a peer of LOOKUP_ASK what the lookup wants to know, and tells the lookup. Inbox: the peer. */
EMSCRIPTEN_KEEPALIVE int kad_ask(double now, uint32_t lookup, size_t peer_len);

/* Inbox: the key, our Peer ID, our addresses, each behind its length. */
EMSCRIPTEN_KEEPALIVE int kad_provide(double now, size_t key_len, size_t self_len,
                                     size_t addresses_len);

/* How often a registration may be tried, each time with another kind of record. */
EMSCRIPTEN_KEEPALIVE uint32_t register_attempts(void);

/* Inbox: our Peer ID, addresses. told: what to sign for an attempt, of which 0 is the first. */
EMSCRIPTEN_KEEPALIVE int record_to_sign(uint32_t attempt, double seq, size_t self_len,
                                        size_t addresses_len);

/* Inbox: our PublicKey protobuf, the signature of what was told last, the namespace. */
EMSCRIPTEN_KEEPALIVE int rendezvous_register(double now, uint32_t attempt, double ttl_s,
                                             size_t key_len, size_t signature_len, size_t ns_len);
EMSCRIPTEN_KEEPALIVE int rendezvous_unregister(double now, size_t ns_len);
EMSCRIPTEN_KEEPALIVE int rendezvous_discover(double now, double limit, size_t ns_len,
                                             size_t cookie_len);

/* After RENDEZVOUS_FOUND: 1 with the next Peer ID, addresses, namespace and ttl told; 0 at the end. */
EMSCRIPTEN_KEEPALIVE int rendezvous_next(uint32_t job);

/* Inbox: bytes of the stream. 0, an error, or an event of enum protocol_event_type, told. */
EMSCRIPTEN_KEEPALIVE int job_feed(uint32_t job, double now, size_t len);
EMSCRIPTEN_KEEPALIVE int job_end(uint32_t job, double now);

/* enum protocol_stream, with bytes for the stream told; to be called again while there are any. */
EMSCRIPTEN_KEEPALIVE int job_drain(uint32_t job);

/* Milliseconds until job_tick has to be called, negative when never. */
EMSCRIPTEN_KEEPALIVE double job_wait(uint32_t job, double now);
EMSCRIPTEN_KEEPALIVE int job_tick(uint32_t job, double now);
EMSCRIPTEN_KEEPALIVE void job_close(uint32_t job);

/* ---- lookups --------------------------------------------------------------------------------- */

/* Inbox: the key, our Peer ID. `goal` of enum lookup_goal. Returns the number of the lookup. */
EMSCRIPTEN_KEEPALIVE int lookup_open(double now, uint32_t goal, uint32_t k, uint32_t alpha,
                                     size_t key_len, size_t self_len);

/* Inbox: the Peer ID of a connected peer; of one that could not be asked. */
EMSCRIPTEN_KEEPALIVE int lookup_seed(uint32_t lookup, size_t peer_len);
EMSCRIPTEN_KEEPALIVE void lookup_fail(uint32_t lookup, size_t peer_len);

/* 0 or enum lookup_event_type, with the Peer ID and its addresses, each behind its length, told. */
EMSCRIPTEN_KEEPALIVE int lookup_step(uint32_t lookup, double now);
EMSCRIPTEN_KEEPALIVE double lookup_wait(uint32_t lookup, double now);
EMSCRIPTEN_KEEPALIVE void lookup_close(uint32_t lookup);

#endif
