/*
 * /perf/1.0.0: how fast a connection is.
 *
 *     dialer ──8 bytes, big endian: how much to send back ‖ any upload──▶ listener, to the end
 *     dialer ◀──that many bytes, of any content────────────────────────── listener, to the end
 *
 * Bytes are counted, not kept. The dialer's time is its caller's business. specs/perf.
 */
#ifndef PROTOCOLS_PERF_H
#define PROTOCOLS_PERF_H

#include "base/limits.h"
#include "base/role.h"
#include "protocols/protocol.h"

#define PERF_HEAD_LEN 8

extern const struct protocol_ops PERF_OPS;

enum perf_state {
    PERF_HEAD,   /* listener: for the 8 bytes */
    PERF_UPLOAD, /* from the dialer to the listener, until its end */
    PERF_DOWNLOAD,
    PERF_OVER,
};

struct perf {
    enum perf_state state;
    enum role role;
    uint8_t head[PERF_HEAD_LEN];
    size_t head_len;   /* read or written */
    uint64_t upload;   /* dialer: to be sent */
    uint64_t download; /* to be sent back */
    uint64_t sent;     /* behind the head */
    uint64_t received; /* behind the head */
    uint64_t expires_at;
};

/* Uploads and asks for so many bytes; PERF_DONE comes from `end`. */
void perf_dial_init(struct perf *p, uint64_t upload, uint64_t download);

/* Answers one measurement. PERF_DONE does not come: what is left to do is done by drain. */
void perf_listen_init(struct perf *p, const struct service_limits *limits, uint64_t now);

#endif
