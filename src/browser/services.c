#include "browser/services.h"

#include "base/table.h"
#include "crypto/sha2_constants.h"
#include "multiformats/multiaddr.h"
#include "protocols/fetch.h"
#include "protocols/perf.h"
#include "protocols/rendezvous.h"
#include "routing/lookup.h"

/* js-glue/services/module.js reads struct service_told as eight 32-bit numbers. */
_Static_assert(sizeof(struct service_told) == 32, "struct service_told");

/* What a stream takes at once; a machine that has more is asked again. */
#define CHUNK (64u << 10)

struct job {
    const struct protocol_ops *ops;
    union {
        struct fetch fetch;
        struct perf perf;
        struct kad kad;
        struct rendezvous rendezvous;
    };
    uint32_t lookup; /* that a kad answer is for */
    struct peer_id peer;
    struct views registrations; /* of RENDEZVOUS_FOUND, not yet told */
};

static struct {
    struct mem mem;
    uint32_t last; /* number of a job or lookup */
    struct table jobs, lookups;
    uint8_t *box;
    size_t box_len;
    struct buf out;     /* a chunk for a stream; bytes to sign */
    struct buf record;  /* the peer record that was told to be signed */
    struct view *views; /* room for a list of addresses */
    struct service_told told;
} page;

const struct service_told *told(void)
{
    return &page.told;
}

uint8_t *inbox(size_t len)
{
    if (len > page.box_len || page.box == NULL) {
        size_t room = MAX(len, 4096);
        uint8_t *grown = mem_resize(&page.mem, page.box, room);
        if (grown == NULL)
            return NULL;
        page.box = grown;
        page.box_len = room;
    }
    return page.box;
}

void services_init(void)
{
    sha2_constants_init();
    page.mem.limit = SERVICE_LIMITS.memory;
    table_init(&page.jobs, &page.mem);
    table_init(&page.lookups, &page.mem);
    buf_init(&page.out, &page.mem, CHUNK);
    buf_init(&page.record, &page.mem, ENVELOPE_MAX_LEN);
    page.views = mem_alloc(&page.mem, SERVICE_LIMITS.lookup_addresses * sizeof *page.views);
}

/* The pieces of the inbox, taken from its front. */
struct pieces {
    const uint8_t *at;
};

static struct view piece(struct pieces *p, size_t len)
{
    struct view v = view_of(p->at, len);
    p->at += len;
    return v;
}

static struct view first(size_t len)
{
    return view_of(page.box, len);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static struct job *job_of(uint32_t number)
{
    return table_find(&page.jobs, number);
}

static struct job *job_new(const struct protocol_ops *ops)
{
    struct job *j = mem_alloc(&page.mem, sizeof *j);
    if (j != NULL)
        j->ops = ops;
    return j;
}

static void job_free(struct job *j)
{
    j->ops->free(&j->fetch);
    mem_free(&page.mem, j);
}

/* The number of a job whose machine was initialised with this result. */
static int job_add(struct job *j, int rc)
{
    if (rc == 0)
        rc = table_add(&page.jobs, ++page.last, j);
    if (rc == 0)
        return (int)page.last;
    job_free(j);
    return rc;
}

void job_close(uint32_t number)
{
    struct job *j = table_remove(&page.jobs, number);
    if (j != NULL)
        job_free(j);
}

int fetch_ask(double now, size_t key_len)
{
    struct job *j = job_new(&FETCH_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    return job_add(
        j, fetch_ask_init(&j->fetch, &page.mem, &SERVICE_LIMITS, first(key_len), (uint64_t)now));
}

int fetch_listen(double now)
{
    struct job *j = job_new(&FETCH_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    fetch_listen_init(&j->fetch, &page.mem, &SERVICE_LIMITS, (uint64_t)now);
    return job_add(j, 0);
}

int fetch_give(uint32_t number, uint32_t status, size_t data_len)
{
    struct job *j = job_of(number);
    return j == NULL ? ERR_CLOSED
                     : fetch_answer(&j->fetch, &SERVICE_LIMITS, (enum fetch_status)status,
                                    first(data_len));
}

int perf_dial(double upload, double download)
{
    struct job *j = job_new(&PERF_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    perf_dial_init(&j->perf, (uint64_t)upload, (uint64_t)download);
    return job_add(j, 0);
}

int perf_listen(double now)
{
    struct job *j = job_new(&PERF_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    perf_listen_init(&j->perf, &SERVICE_LIMITS, (uint64_t)now);
    return job_add(j, 0);
}

double perf_sent(uint32_t number)
{
    const struct job *j = job_of(number);
    return j == NULL ? 0 : (double)j->perf.sent;
}

double perf_received(uint32_t number)
{
    const struct job *j = job_of(number);
    return j == NULL ? 0 : (double)j->perf.received;
}

int kad_ask(double now, uint32_t number, size_t peer_len)
{
    const struct lookup *l = table_find(&page.lookups, number);
    struct job *j = job_new(&KAD_OPS);
    if (l == NULL || j == NULL) {
        mem_free(&page.mem, j);
        return l == NULL ? ERR_CLOSED : ERR_NOMEM;
    }
    j->lookup = number;
    int rc = peer_id_parse(first(peer_len), &j->peer);
    if (rc == 0)
        rc = kad_init(&j->kad, &page.mem, &SERVICE_LIMITS, lookup_question(l),
                      view_of(l->key, l->key_len), view_of(NULL, 0), (uint64_t)now);
    return job_add(j, rc);
}

static struct views read_addresses(struct view list)
{
    struct views addresses = {.at = page.views, .room = SERVICE_LIMITS.lookup_addresses};
    struct cursor c = cursor_of(list);
    while (c.rest.len > 0 && addresses.at != NULL && addresses.count < addresses.room) {
        struct view address = take_delimited(&c, MULTIADDR_MAX_LEN);
        if (c.failed)
            break;
        addresses.at[addresses.count++] = address;
    }
    return addresses;
}

int kad_provide(double now, size_t key_len, size_t self_len, size_t addresses_len)
{
    struct pieces in = {page.box};
    struct view key = piece(&in, key_len);
    struct peer_id self;
    int rc = peer_id_parse(piece(&in, self_len), &self);
    struct views addresses = read_addresses(piece(&in, addresses_len));
    struct job *j = job_new(&KAD_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    buf_truncate(&page.out, 0);
    if (rc == 0)
        rc = kad_peer_append(&page.out, &self, &addresses);
    if (rc == 0)
        rc = kad_init(&j->kad, &page.mem, &SERVICE_LIMITS, KAD_ADD_PROVIDER, key,
                      buf_view(&page.out), (uint64_t)now);
    return job_add(j, rc);
}

uint32_t register_attempts(void)
{
    return RENDEZVOUS_DOMAINS;
}

int record_to_sign(uint32_t attempt, double seq, size_t self_len, size_t addresses_len)
{
    struct pieces in = {page.box};
    struct peer_record r = {.seq = (uint64_t)seq};
    int rc = peer_id_parse(piece(&in, self_len), &r.peer);
    r.addresses = read_addresses(piece(&in, addresses_len));
    buf_truncate(&page.record, 0);
    buf_truncate(&page.out, 0);
    if (rc == 0)
        rc = peer_record_append(&r, &page.record);
    if (rc == 0)
        rc =
            peer_record_signed_bytes(rendezvous_domain(attempt), buf_view(&page.record), &page.out);
    page.told = (struct service_told){.data = buf_view(&page.out)};
    return rc;
}

int rendezvous_register(double now, uint32_t attempt, double ttl_s, size_t key_len,
                        size_t signature_len, size_t ns_len)
{
    struct pieces in = {page.box};
    struct view key = piece(&in, key_len);
    struct view signature = piece(&in, signature_len);
    struct view ns = piece(&in, ns_len);
    struct job *j = job_new(&RENDEZVOUS_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    buf_truncate(&page.out, 0);
    int rc = envelope_append(key, peer_record_type(rendezvous_domain(attempt)),
                             buf_view(&page.record), signature, &page.out);
    if (rc == 0)
        rc = rendezvous_register_init(&j->rendezvous, &page.mem, &SERVICE_LIMITS, ns,
                                      buf_view(&page.out), (uint64_t)ttl_s, (uint64_t)now);
    return job_add(j, rc);
}

int rendezvous_unregister(double now, size_t ns_len)
{
    struct job *j = job_new(&RENDEZVOUS_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    return job_add(j, rendezvous_unregister_init(&j->rendezvous, &page.mem, &SERVICE_LIMITS,
                                                 first(ns_len), (uint64_t)now));
}

int rendezvous_discover(double now, double limit, size_t ns_len, size_t cookie_len)
{
    struct pieces in = {page.box};
    struct rendezvous_question question = {.limit = (uint64_t)limit};
    question.ns = piece(&in, ns_len);
    question.cookie = piece(&in, cookie_len);
    struct job *j = job_new(&RENDEZVOUS_OPS);
    if (j == NULL)
        return ERR_NOMEM;
    return job_add(j, rendezvous_discover_init(&j->rendezvous, &page.mem, &SERVICE_LIMITS,
                                               &question, (uint64_t)now));
}

/* Addresses as JavaScript reads lists, each behind its length. */
static struct view write_list(const struct views *addresses)
{
    buf_truncate(&page.out, 0);
    for (size_t i = 0; i < addresses->count; i++) {
        size_t whole = addresses->at[i].len + uvarint_len(addresses->at[i].len);
        uint8_t *tail = buf_reserve(&page.out, whole);
        if (tail == NULL)
            break;
        struct writer w = writer_of(tail, whole);
        put_delimited(&w, addresses->at[i]);
        buf_commit(&page.out, w.len);
    }
    return buf_view(&page.out);
}

int rendezvous_next(uint32_t number)
{
    static struct peer_id peer;
    struct job *j = job_of(number);
    while (j != NULL && j->registrations.count > 0) {
        struct rendezvous_registration r = {.record.addresses = {
                                                .at = page.views,
                                                .room = SERVICE_LIMITS.lookup_addresses,
                                            }};
        struct view next = *j->registrations.at++;
        j->registrations.count--;
        if (page.views == NULL || rendezvous_registration_parse(next, &r) < 0)
            continue;
        peer = r.record.peer;
        page.told = (struct service_told){
            .number = (uint32_t)r.ttl_s,
            .data = peer_id_view(&peer),
            .more = write_list(&r.record.addresses),
            .extra = r.ns,
        };
        return 1;
    }
    return 0;
}

static int tell(struct job *j, const struct protocol_event *ev)
{
    page.told = (struct service_told){0};
    if (ev->type == FETCH_ASKED)
        page.told.data = ev->fetch_asked.key;
    else if (ev->type == FETCH_ANSWERED)
        page.told = (struct service_told){.status = ev->fetch.status, .data = ev->fetch.data};
    else if (ev->type == RENDEZVOUS_REGISTERED)
        page.told.number = (uint32_t)ev->registered.ttl_s;
    else if (ev->type == RENDEZVOUS_FOUND) {
        j->registrations = ev->found.registrations;
        page.told.data = ev->found.cookie;
    } else if (ev->type == RENDEZVOUS_REFUSED)
        page.told = (struct service_told){
            .status = ev->rendezvous_refused.status,
            .data = view_of_text(rendezvous_status_text(ev->rendezvous_refused.status)),
            .more = ev->rendezvous_refused.text,
        };
    else if (ev->type == KAD_ANSWERED) {
        struct lookup *l = table_find(&page.lookups, j->lookup);
        int rc = l == NULL ? 0 : lookup_answer(l, peer_id_view(&j->peer), &ev->kad);
        if (rc < 0)
            return rc;
    }
    return (int)ev->type;
}

int job_feed(uint32_t number, double now, size_t len)
{
    struct job *j = job_of(number);
    if (j == NULL)
        return ERR_CLOSED;
    struct span in = span_of(page.box, len);
    struct protocol_event ev;
    int rc = j->ops->feed(&j->fetch, &in, &ev, (uint64_t)now);
    /* What is behind an event is not wanted by any of these protocols. */
    return rc > 0 ? tell(j, &ev) : rc;
}

int job_end(uint32_t number, double now)
{
    struct job *j = job_of(number);
    if (j == NULL)
        return ERR_CLOSED;
    struct protocol_event ev;
    int rc = j->ops->end(&j->fetch, &ev, (uint64_t)now);
    return rc > 0 ? tell(j, &ev) : rc;
}

int job_drain(uint32_t number)
{
    struct job *j = job_of(number);
    if (j == NULL)
        return ERR_CLOSED;
    buf_truncate(&page.out, 0);
    int rc = j->ops->drain(&j->fetch, &page.out);
    page.told = (struct service_told){.data = buf_view(&page.out)};
    return rc;
}

static double wait_of(uint64_t deadline, double now)
{
    return deadline == NEVER ? -1 : MAX((double)deadline - now, 0);
}

double job_wait(uint32_t number, double now)
{
    const struct job *j = job_of(number);
    return j == NULL ? -1 : wait_of(j->ops->deadline(&j->fetch), now);
}

int job_tick(uint32_t number, double now)
{
    struct job *j = job_of(number);
    return j == NULL ? 0 : j->ops->tick(&j->fetch, (uint64_t)now);
}

/* ---- lookups --------------------------------------------------------------------------------- */

static void lookup_delete(struct lookup *l)
{
    lookup_free(l);
    mem_free(&page.mem, l);
}

int lookup_open(double now, uint32_t goal, uint32_t k, uint32_t alpha, size_t key_len,
                size_t self_len)
{
    struct pieces in = {page.box};
    struct view key = piece(&in, key_len);
    struct lookup_config config = {
        .goal = (enum lookup_goal)goal,
        .k = MAX(k, 1),
        .alpha = MAX(alpha, 1),
    };
    int rc = peer_id_parse(piece(&in, self_len), &config.self);
    if (rc < 0)
        return rc;
    struct lookup *l = mem_alloc(&page.mem, sizeof *l);
    if (l == NULL)
        return ERR_NOMEM;
    rc = lookup_init(l, &page.mem, &SERVICE_LIMITS, &config, key, (uint64_t)now);
    if (rc == 0)
        rc = table_add(&page.lookups, ++page.last, l);
    if (rc == 0)
        return (int)page.last;
    lookup_delete(l);
    return rc;
}

int lookup_seed(uint32_t number, size_t peer_len)
{
    struct lookup *l = table_find(&page.lookups, number);
    return l == NULL ? ERR_CLOSED : lookup_add(l, first(peer_len));
}

void lookup_fail(uint32_t number, size_t peer_len)
{
    struct lookup *l = table_find(&page.lookups, number);
    if (l != NULL)
        lookup_failed(l, first(peer_len));
}

int lookup_step(uint32_t number, double now)
{
    static struct lookup_event ev;
    struct lookup *l = table_find(&page.lookups, number);
    if (l == NULL || lookup_next(l, &ev, (uint64_t)now) == 0)
        return 0;
    page.told = (struct service_told){.data = peer_id_view(&ev.peer), .more = ev.addresses};
    return (int)ev.type;
}

double lookup_wait(uint32_t number, double now)
{
    const struct lookup *l = table_find(&page.lookups, number);
    return l == NULL ? -1 : wait_of(lookup_deadline(l), now);
}

void lookup_close(uint32_t number)
{
    struct lookup *l = table_remove(&page.lookups, number);
    if (l != NULL)
        lookup_delete(l);
}
