#include "protocols/rendezvous.h"

#include "rendezvous.pb.h"

enum { REGISTER, REGISTER_RESPONSE, UNREGISTER, DISCOVER, DISCOVER_RESPONSE, NOTHING = 0 };

/* Namespace, envelope and cookie are each bounded; this is what stands around them. */
#define AROUND 64
#define COOKIE_MAX_LEN 4096

const char *rendezvous_status_text(uint32_t status)
{
    switch (status) {
#define RENDEZVOUS_STATUS_ROW(name, number, text)                                                  \
    case number:                                                                                   \
        return text;
        RENDEZVOUS_STATUS_MAP(RENDEZVOUS_STATUS_ROW)
#undef RENDEZVOUS_STATUS_ROW
    default:
        return "the point gave a reason that is not known here";
    }
}

static int init(struct rendezvous *r, struct mem *mem, const struct service_limits *limits,
                struct view ns, uint32_t awaited, peerlet_rendezvous_Message *request, uint64_t now)
{
    *r = (struct rendezvous){
        .awaited = awaited,
        .mem = mem,
        .limits = limits,
        .expires_at = after(now, limits->rendezvous_ms),
    };
    delimited_init(&r->reader, mem, limits->rendezvous_message);
    buf_init(&r->owed, mem,
             limits->rendezvous_namespace + MAX(ENVELOPE_MAX_LEN, COOKIE_MAX_LEN) + AROUND);
    if (ns.len > limits->rendezvous_namespace)
        return ERR_TOO_BIG;
    request->has_type = true;
    int rc = protobuf_append_delimited(&r->owed, peerlet_rendezvous_Message_fields, request);
    return rc == ERR_FULL ? ERR_TOO_BIG : rc;
}

int rendezvous_register_init(struct rendezvous *r, struct mem *mem,
                             const struct service_limits *limits, struct view ns,
                             struct view envelope, uint64_t ttl_s, uint64_t now)
{
    peerlet_rendezvous_Message request = {
        .type = REGISTER,
        .has_registration = true,
        .registration =
            {
                .ns = lend_view(&ns),
                .record = lend_view(&envelope),
                .has_ttl = ttl_s > 0,
                .ttl = ttl_s,
            },
    };
    return init(r, mem, limits, ns, REGISTER_RESPONSE, &request, now);
}

int rendezvous_unregister_init(struct rendezvous *r, struct mem *mem,
                               const struct service_limits *limits, struct view ns, uint64_t now)
{
    peerlet_rendezvous_Message request = {
        .type = UNREGISTER,
        .has_unregister = true,
        .unregister.ns = lend_view(&ns),
    };
    return init(r, mem, limits, ns, NOTHING, &request, now);
}

int rendezvous_discover_init(struct rendezvous *r, struct mem *mem,
                             const struct service_limits *limits,
                             const struct rendezvous_question *question, uint64_t now)
{
    struct view ns = question->ns, cookie = question->cookie;
    if (ns.len == 0)
        ns.data = NULL; /* a field that is there names a namespace, if an empty one */
    if (cookie.len == 0)
        cookie.data = NULL;
    peerlet_rendezvous_Message request = {
        .type = DISCOVER,
        .has_discover = true,
        .discover =
            {
                .ns = lend_view(&ns),
                .has_limit = question->limit > 0,
                .limit = question->limit,
                .cookie = lend_view(&cookie),
            },
    };
    int rc = init(r, mem, limits, ns, DISCOVER_RESPONSE, &request, now);
    if (rc < 0)
        return rc;
    r->registrations = mem_alloc(mem, limits->rendezvous_registrations * sizeof *r->registrations);
    return r->registrations == NULL ? ERR_NOMEM : 0;
}

static void refuse(struct protocol_event *ev, uint32_t status, struct view text)
{
    *ev = (struct protocol_event){
        .type = RENDEZVOUS_REFUSED,
        .rendezvous_refused = {status, text},
    };
}

static int take_answer(struct rendezvous *r, struct view message, struct protocol_event *ev)
{
    struct views found = {.at = r->registrations};
    found.room = found.at == NULL ? 0 : r->limits->rendezvous_registrations;
    struct view text = {0}, why = {0}, cookie = {0};
    peerlet_rendezvous_Message answer = {
        .registered.text = borrow_view(&text),
        .found.registrations = borrow_views(&found),
        .found.cookie = borrow_view(&cookie),
        .found.text = borrow_view(&why),
    };
    int rc = protobuf_decode(message, r->limits->rendezvous_message,
                             peerlet_rendezvous_Message_fields, &answer);
    if (rc < 0)
        return rc;
    bool is_registered = r->awaited == REGISTER_RESPONSE;
    if (answer.type != r->awaited || !(is_registered ? answer.has_registered : answer.has_found))
        return ERR_PROTOCOL;
    r->awaited = NOTHING;
    if (is_registered && answer.registered.status == RENDEZVOUS_OK)
        *ev = (struct protocol_event){
            .type = RENDEZVOUS_REGISTERED,
            .registered.ttl_s = answer.registered.ttl,
        };
    else if (!is_registered && answer.found.status == RENDEZVOUS_OK)
        *ev = (struct protocol_event){.type = RENDEZVOUS_FOUND, .found = {found, cookie}};
    else if (is_registered)
        refuse(ev, answer.registered.status, text);
    else
        refuse(ev, answer.found.status, why);
    return 1;
}

static int rendezvous_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct rendezvous *r = state;
    if (r->awaited == NOTHING)
        return 0;
    struct view message;
    int rc = delimited_feed(&r->reader, in, &message);
    return rc <= 0 ? rc : take_answer(r, message, ev);
}

static int rendezvous_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    const struct rendezvous *r = state;
    return r->awaited == NOTHING ? 0 : ERR_PROTOCOL;
}

static int rendezvous_drain(void *state, struct buf *out)
{
    struct rendezvous *r = state;
    return protocol_give(&r->owed, out, r->awaited == NOTHING ? PROTOCOL_DONE : PROTOCOL_OPEN);
}

static uint64_t rendezvous_deadline(const void *state)
{
    const struct rendezvous *r = state;
    return r->awaited == NOTHING ? NEVER : r->expires_at;
}

static int rendezvous_tick(void *state, uint64_t now)
{
    return protocol_tick(rendezvous_deadline(state), now);
}

static void rendezvous_free(void *state)
{
    struct rendezvous *r = state;
    delimited_free(&r->reader);
    buf_free(&r->owed);
    mem_free(r->mem, r->registrations);
    r->registrations = NULL;
}

/* rust-libp2p resets the stream of a record under the standard domain; others refuse the older one. */
enum peer_record_domain rendezvous_domain(uint32_t attempt)
{
    return attempt == 0 ? PEER_RECORD_LEGACY : PEER_RECORD_STANDARD;
}

int rendezvous_registration_parse(struct view in, struct rendezvous_registration *out)
{
    struct view envelope = {0};
    out->ns = view_of(NULL, 0);
    peerlet_rendezvous_Register message = {
        .ns = borrow_view(&out->ns),
        .record = borrow_view(&envelope),
    };
    int rc = protobuf_decode(in, in.len, peerlet_rendezvous_Register_fields, &message);
    out->ttl_s = message.ttl;
    return rc == 0 ? peer_record_peek(envelope, &out->record) : rc;
}

const struct protocol_ops RENDEZVOUS_OPS = {
    .name = "/rendezvous/1.0.0",
    .on_limited = false,
    .max_inbound = 0,
    .max_outbound = 64,
    .feed = rendezvous_feed,
    .end = rendezvous_end,
    .drain = rendezvous_drain,
    .tick = rendezvous_tick,
    .deadline = rendezvous_deadline,
    .free = rendezvous_free,
};
