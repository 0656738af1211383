/*
 * The client's side of /rendezvous/1.0.0: a meeting point lists who is there under a name.
 *
 *     we ──REGISTER { namespace, signed peer record, ttl }──▶ point   REGISTER_RESPONSE { status, ttl }
 *     we ──UNREGISTER { namespace }─────────────────────────▶ point   no answer
 *     we ──DISCOVER { namespace, limit, cookie }────────────▶ point   DISCOVER_RESPONSE { …, cookie }
 *
 * Messages are length-prefixed, one question per stream, under limits->rendezvous_ms.
 * specs/rendezvous, "Protocol".
 */
#ifndef PROTOCOLS_RENDEZVOUS_H
#define PROTOCOLS_RENDEZVOUS_H

#include "base/limits.h"
#include "multiformats/envelope.h"
#include "protocols/protocol.h"
#include "wire/delimited.h"

/* Name, number, what it means to a person who asked. */
#define RENDEZVOUS_STATUS_MAP(X)                                                                   \
    X(OK, 0, "accepted")                                                                           \
    X(BAD_NAMESPACE, 100, "the namespace is not allowed there")                                    \
    X(BAD_RECORD, 101, "our signed peer record was not understood")                                \
    X(BAD_TTL, 102, "the time to live is too short or too long for that point")                    \
    X(BAD_COOKIE, 103, "the cookie is not of that point; ask without one")                         \
    X(NOT_AUTHORIZED, 200, "the point does not allow this")                                        \
    X(INTERNAL_ERROR, 300, "the point failed")                                                     \
    X(UNAVAILABLE, 400, "the point is too busy; try again later")

enum rendezvous_status {
#define RENDEZVOUS_STATUS_ENUM(name, number, text) RENDEZVOUS_##name = number,
    RENDEZVOUS_STATUS_MAP(RENDEZVOUS_STATUS_ENUM)
#undef RENDEZVOUS_STATUS_ENUM
};

/* "the namespace is not allowed there"; for any number. */
const char *rendezvous_status_text(uint32_t status);

/* Kinds of records that points know, the likeliest first: whoever is refused with one tries the next. */
#define RENDEZVOUS_DOMAINS 2
enum peer_record_domain rendezvous_domain(uint32_t attempt);

extern const struct protocol_ops RENDEZVOUS_OPS;

struct rendezvous {
    uint32_t awaited; /* type of the answer; 0: none */
    struct mem *mem;
    const struct service_limits *limits;
    struct delimited reader;
    struct buf owed;
    struct view *registrations; /* room for the list of the event */
    uint64_t expires_at;
};

/* An empty namespace of a question means all of them. `limit` and `ttl_s` are left out when 0. */
struct rendezvous_question {
    struct view ns;
    uint64_t limit;
    struct view cookie;
};

/* RENDEZVOUS_REGISTERED or RENDEZVOUS_REFUSED follows. All: ERR_TOO_BIG, ERR_NOMEM. */
MUST_USE int rendezvous_register_init(struct rendezvous *r, struct mem *mem,
                                      const struct service_limits *limits, struct view ns,
                                      struct view envelope, uint64_t ttl_s, uint64_t now);

/* RENDEZVOUS_FOUND or RENDEZVOUS_REFUSED follows. */
MUST_USE int rendezvous_discover_init(struct rendezvous *r, struct mem *mem,
                                      const struct service_limits *limits,
                                      const struct rendezvous_question *question, uint64_t now);

/* The stream is done when the message has left. */
MUST_USE int rendezvous_unregister_init(struct rendezvous *r, struct mem *mem,
                                        const struct service_limits *limits, struct view ns,
                                        uint64_t now);

struct rendezvous_registration {
    struct view ns;
    uint64_t ttl_s;
    struct peer_record record; /* whose signature was not checked, see peer_record_peek */
};

/*
 * Reads one of RENDEZVOUS_FOUND. The caller sets `out->record.addresses.at` and `.room`. Errors are
 * those of peer_record_peek.
 */
MUST_USE int rendezvous_registration_parse(struct view in, struct rendezvous_registration *out);

#endif
