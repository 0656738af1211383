/*
 * The driver of build/wasm/compliance.wasm: our Noise and our yamux alone, for js-libp2p's own compliance
 * tests. Each instance is one end of one connection. It has no sockets; JavaScript moves the bytes.
 *
 *     link ──x_feed──▶ ┌─────────┐ ─▶ told(): what happened
 *                      │ machine │
 *     link ◀─x_drain── └─────────┘ ◀─ commands
 *
 * As in browser/services.h, bytes enter through the inbox, pieces one behind the other, and a call gets
 * their lengths last; what a call gives back besides its result is in `told()`, valid until the next call.
 * `now` is milliseconds of performance.now(). Results are negative errors of base/err.h, as everywhere.
 */
#ifndef TESTS_COMPAT_MACHINES_H
#define TESTS_COMPAT_MACHINES_H

#include "wire/yamux.h"

#include <emscripten/emscripten.h>

struct told {
    struct yamux_stream *stream;
    uint32_t code;
    struct view data;
};

EMSCRIPTEN_KEEPALIVE const struct told *told(void);

/* `len` bytes to write to, valid until the next call; null without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *inbox(size_t len);

/* Tell the name of an error, as js-libp2p's users match it, and its text. */
EMSCRIPTEN_KEEPALIVE void error_name(int code);
EMSCRIPTEN_KEEPALIVE void error_text(int code);

/* ---- Noise ---------------------------------------------------------------------------------- */

/*
 * Inbox: the seed of our key, randomness for two keys more, the Peer ID that is expected, as text, and
 * the muxer we name; the last two may be empty.
 */
EMSCRIPTEN_KEEPALIVE int secure_open(enum role role, size_t seed_len, size_t random_len,
                                     size_t expected_len, size_t muxer_len);

/*
 * Inbox: bytes of the link. 1 + enum noise_event_type: to be called again, without bytes. 0: all are used.
 * NOISE_READY tells the Peer ID as text and, as code, whether the muxer is agreed upon; NOISE_DATA
 * tells plaintext. ERR_UNSUPPORTED for a key that only WebCrypto could check.
 */
EMSCRIPTEN_KEEPALIVE int secure_feed(size_t len);

/* Inbox: plaintext, all of which is taken. */
EMSCRIPTEN_KEEPALIVE int secure_write(size_t len);

/* Tells bytes for the link, which are gone at the next call. */
EMSCRIPTEN_KEEPALIVE int secure_drain(void);
EMSCRIPTEN_KEEPALIVE void secure_close(void);

/* ---- yamux ---------------------------------------------------------------------------------- */

EMSCRIPTEN_KEEPALIVE void mux_open(enum role role, double now);

/* Likewise with enum yamux_event_type; stream, code and data are told. */
EMSCRIPTEN_KEEPALIVE int mux_feed(double now, size_t len);
EMSCRIPTEN_KEEPALIVE int mux_drain(double now);
EMSCRIPTEN_KEEPALIVE void mux_goaway(enum yamux_code code);

/* Frees every stream too. */
EMSCRIPTEN_KEEPALIVE void mux_close(void);

/* Tells a stream of ours. As one that YAMUX_OPENED tells, it may be used until stream_release. */
EMSCRIPTEN_KEEPALIVE int stream_open(void);

/* Inbox: bytes for the peer. Returns how many were taken; after fewer, YAMUX_ROOM follows. */
EMSCRIPTEN_KEEPALIVE int stream_write(struct yamux_stream *s, size_t len);
EMSCRIPTEN_KEEPALIVE void stream_close_write(struct yamux_stream *s);
EMSCRIPTEN_KEEPALIVE void stream_close_read(struct yamux_stream *s);
EMSCRIPTEN_KEEPALIVE void stream_reset(struct yamux_stream *s, uint32_t code);
EMSCRIPTEN_KEEPALIVE void stream_grant(struct yamux_stream *s, size_t len, double now);
EMSCRIPTEN_KEEPALIVE void stream_release(struct yamux_stream *s);

#endif
