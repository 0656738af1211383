/*
 * /libp2p/fetch/0.0.1: one key goes out, its value comes back.
 *
 *     dialer ──Request { 1: identifier }──▶ listener
 *     dialer ◀─Response { 1: status, 2: data }── listener
 *
 * Messages are length-prefixed, one each way on a stream, each under limits->fetch_ms. What the
 * listener looks the key up in is the application's business. specs/fetch.
 */
#ifndef PROTOCOLS_FETCH_H
#define PROTOCOLS_FETCH_H

#include "base/limits.h"
#include "base/role.h"
#include "protocols/protocol.h"
#include "wire/delimited.h"

extern const struct protocol_ops FETCH_OPS;

enum fetch_status { FETCH_OK = 0, FETCH_NOT_FOUND = 1, FETCH_ERROR = 2 };

enum fetch_state {
    FETCH_WAITING, /* for the other side's message */
    FETCH_ASKING,  /* listener: for fetch_answer */
    FETCH_OVER,
};

struct fetch {
    enum fetch_state state;
    enum role role;
    struct delimited reader;
    struct buf owed;
    uint64_t expires_at;
};

/* Asks for `key`; FETCH_ANSWERED follows. ERR_TOO_BIG past limits->fetch_key, ERR_NOMEM. */
MUST_USE int fetch_ask_init(struct fetch *f, struct mem *mem, const struct service_limits *limits,
                            struct view key, uint64_t now);

/* Waits for a key and raises FETCH_ASKED. */
void fetch_listen_init(struct fetch *f, struct mem *mem, const struct service_limits *limits,
                       uint64_t now);

/*
 * Answers FETCH_ASKED, and the stream is done. ERR_STREAM_STATE when nothing was asked or it was
 * answered, ERR_TOO_BIG past limits->fetch_data, ERR_NOMEM.
 */
MUST_USE int fetch_answer(struct fetch *f, const struct service_limits *limits,
                          enum fetch_status status, struct view data);

#endif
