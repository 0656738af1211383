/*
 * yamux against two models: what one machine makes of any frames, and what two machines make of any
 * schedule. SCHEDULES in the environment says how many of each.
 */
#include "test.h"

#include "base/role.h"
#include "wire/yamux.h"

#define SCHEDULES 10000
#define IDS 20

/* Small, so that everything runs full. */
static struct peerlet_limits small_limits(void)
{
    struct peerlet_limits l = PEERLET_LIMITS;
    l.window_initial = 100;
    l.window_stream = 400;
    l.window_conn = 500;
    l.yamux_frame = 40;
    l.streams_inbound = 3;
    l.streams_unacked = 4;
    l.yamux_refusals_owed = 2;
    l.yamux_pongs_owed = 2;
    l.yamux_churn_per_s = 1000;
    return l;
}

static uint64_t schedules(void)
{
    const char *asked = getenv("SCHEDULES");
    return asked != NULL ? strtoull(asked, NULL, 10) : SCHEDULES;
}

static uint32_t pick(uint64_t *seed, uint32_t bound)
{
    return (uint32_t)(test_random(seed) % bound);
}

/* ---- one machine, any frames --------------------------------------------------------------- */

/* What a session knows of a stream, written down as plainly as the rules can be. */
struct reference {
    struct peerlet_limits limits;
    bool pong_heard;
    uint32_t inbound;
    struct {
        bool is_live, is_ours, is_fin, is_reset, is_released;
        uint32_t window, unread, credit;
    } streams[IDS];
};

#define SAID(...) transcript_add(t, __VA_ARGS__)

static void forget(struct reference *r, uint32_t id)
{
    if (r->streams[id].is_live && !r->streams[id].is_ours)
        r->inbound--;
    r->streams[id].is_live = false;
}

/* A stream begins: false when it is none of the peer's to open. */
static bool reference_syn(struct reference *r, const struct yamux_header *h, struct transcript *t)
{
    if (h->id % 2 == 0 || r->streams[h->id].is_live)
        return false;
    if (h->type == YAMUX_TYPE_DATA && h->len > r->limits.window_initial)
        return false;
    if (r->inbound >= r->limits.streams_inbound)
        return true;
    r->inbound++;
    memset(&r->streams[h->id], 0, sizeof r->streams[h->id]);
    r->streams[h->id].is_live = true;
    r->streams[h->id].window = r->streams[h->id].credit = r->limits.window_initial;
    SAID("opened %u\n", (unsigned)h->id);
    return true;
}

/* One frame of a stream; false when the session has to end. */
static bool reference_stream(struct reference *r, const struct yamux_header *h,
                             struct transcript *t)
{
    if (h->id == 0)
        return false;
    if ((h->flags & YAMUX_FLAG_SYN) && !reference_syn(r, h, t))
        return false;
    bool is_data = h->type == YAMUX_TYPE_DATA;
    if (!r->streams[h->id].is_live)
        return !is_data || h->len <= r->limits.window_stream;
    bool is_open = !r->streams[h->id].is_reset && !r->streams[h->id].is_fin;
    if (is_data) {
        if (h->len > r->streams[h->id].window)
            return false;
        r->streams[h->id].window -= h->len;
        r->streams[h->id].unread += h->len;
        if (h->len > 0 && is_open)
            SAID("data %u %u\n", (unsigned)h->id, (unsigned)h->len);
    } else if (!(h->flags & YAMUX_FLAG_RST)) {
        if ((uint64_t)r->streams[h->id].credit + h->len > UINT64_C(1) << 31)
            return false;
        if (r->streams[h->id].credit == 0 && h->len > 0)
            SAID("room %u\n", (unsigned)h->id);
        r->streams[h->id].credit += h->len;
    }
    if (r->streams[h->id].is_reset)
        return true;
    if (h->flags & YAMUX_FLAG_RST) {
        SAID("reset %u\n", (unsigned)h->id);
        forget(r, h->id);
    } else if ((h->flags & YAMUX_FLAG_FIN) && is_open) {
        SAID("fin %u\n", (unsigned)h->id);
        r->streams[h->id].is_fin = true;
    }
    return true;
}

static bool reference_frame(struct reference *r, const struct yamux_header *h, struct transcript *t)
{
    if (h->version != 0 || h->type > YAMUX_TYPE_GOAWAY)
        return false;
    if (h->type == YAMUX_TYPE_DATA || h->type == YAMUX_TYPE_WINDOW)
        return reference_stream(r, h, t);
    if (h->id != 0)
        return false;
    if (h->type == YAMUX_TYPE_GOAWAY) {
        SAID("goaway %u\n", (unsigned)h->len);
    } else if ((h->flags & YAMUX_FLAG_ACK) && !(h->flags & YAMUX_FLAG_SYN) && h->len == 0 &&
               !r->pong_heard) {
        SAID("pong\n");
        r->pong_heard = true;
    }
    return true;
}

static struct yamux_header any_frame(const struct reference *r, uint64_t *seed)
{
    static const uint16_t FLAGS[] = {0, 0, 0, 1, 1, 1, 2, 4, 8, 3, 5, 9, 6, 15, 16};
    static const uint32_t LENGTHS[] = {
        0, 1, 5, 20, 50, 99, 100, 101, 400, 401, 0x7fffff9c, 0x7fffff9d, 0x80000000, UINT32_MAX};
    struct yamux_header h = {
        .version = pick(seed, 1000) == 0,
        .type = (uint8_t)(pick(seed, 12) ? pick(seed, 2) : pick(seed, 5)),
        .flags = FLAGS[pick(seed, ARRAY_LEN(FLAGS))],
        .id = pick(seed, 20) ? 1 + pick(seed, 7) : pick(seed, IDS),
        .len = pick(seed, 12) ? pick(seed, 30) : LENGTHS[pick(seed, ARRAY_LEN(LENGTHS))],
    };
    /* Mostly what a peer may do, or every schedule would be over at once. */
    if (pick(seed, 20)) {
        if (h.type >= YAMUX_TYPE_PING)
            h.id = 0;
        if (h.flags & YAMUX_FLAG_SYN)
            h.id |= 1;
        if (r->streams[h.id].is_live)
            h.flags &= (uint16_t)~YAMUX_FLAG_SYN;
    }
    return h;
}

static void machine_told(struct yamux *y, const struct yamux_event *ev, struct yamux_stream **live,
                         struct transcript *t, uint32_t *data)
{
    uint32_t id = ev->stream ? ev->stream->id : 0;
    if (ev->type == YAMUX_DATA) {
        *data += (uint32_t)ev->data.len;
        return;
    }
    switch (ev->type) {
    case YAMUX_OPENED:
        SAID("opened %u\n", (unsigned)id);
        live[id] = ev->stream;
        break;
    case YAMUX_FIN:
        SAID("fin %u\n", (unsigned)id);
        break;
    case YAMUX_RESET:
        SAID("reset %u\n", (unsigned)id);
        live[id] = NULL;
        yamux_release(y, ev->stream);
        break;
    case YAMUX_ROOM:
        SAID("room %u\n", (unsigned)id);
        break;
    case YAMUX_PONG:
        SAID("pong\n");
        break;
    case YAMUX_GOAWAY:
        SAID("goaway %u\n", (unsigned)ev->code);
        break;
    case YAMUX_DATA:
        break;
    }
}

/* Feeds one frame in random pieces; the length of its data is said once, behind it. */
static int machine_frame(struct yamux *y, const struct yamux_header *h, struct yamux_stream **live,
                         struct transcript *t, uint64_t *seed)
{
    uint8_t bytes[YAMUX_HEADER_LEN + 512] = {0};
    struct writer w = writer_of(bytes, sizeof bytes);
    yamux_header_put(&w, h);
    size_t body = h->type == YAMUX_TYPE_DATA && h->version == 0 && h->len <= 500 ? h->len : 0;
    struct span all = span_of(bytes, w.len + body);
    uint32_t data = 0;
    int rc = 0;
    do {
        struct span piece = span_take(&all, 1 + pick(seed, 64));
        do {
            struct yamux_event ev;
            rc = yamux_feed(y, &piece, &ev, 0);
            bool is_data = rc == 1 && ev.type == YAMUX_DATA;
            if (rc == 1 && !is_data && data > 0) {
                SAID("data %u %u\n", (unsigned)h->id, (unsigned)data);
                data = 0;
            }
            if (rc == 1)
                machine_told(y, &ev, live, t, &data);
        } while (rc == 1);
    } while (rc == 0 && all.len > 0);
    if (data > 0)
        SAID("data %u %u\n", (unsigned)h->id, (unsigned)data);
    return rc;
}

/* What the owner of a stream may do meanwhile, on both sides. */
static void own_command(struct yamux *y, struct reference *r, struct yamux_stream **live,
                        uint64_t *seed)
{
    uint32_t id = pick(seed, 8);
    int error;
    struct yamux_stream *s = live[id];
    if (s == NULL) {
        if (y->next_id >= 8 || pick(seed, 3) || (s = yamux_open(y, &error)) == NULL)
            return;
        live[s->id] = s;
        memset(&r->streams[s->id], 0, sizeof r->streams[s->id]);
        r->streams[s->id].is_live = r->streams[s->id].is_ours = true;
        r->streams[s->id].window = r->streams[s->id].credit = r->limits.window_initial;
        return;
    }
    uint32_t taken = r->streams[id].unread;
    switch (pick(seed, 4)) {
    case 0:
        yamux_reset(y, s, 0);
        r->streams[id].is_reset = true;
        break;
    case 1:
        yamux_release(y, s);
        live[id] = NULL;
        forget(r, id);
        break;
    case 2:
        yamux_close_write(y, s);
        break;
    case 3:
        /* With no time for the window to grow, what was taken comes back from its half on. */
        yamux_grant(y, s, taken, 0);
        r->streams[id].unread = 0;
        if (r->limits.window_initial - r->streams[id].window >= r->limits.window_initial / 2 &&
            !r->streams[id].is_fin && !r->streams[id].is_reset)
            r->streams[id].window = r->limits.window_initial;
        break;
    }
}

static void test_any_frames(void **state)
{
    (void)state;
    static struct transcript got, expected;
    uint64_t frames = 0;
    for (uint64_t i = 0, count = schedules(); i < count; i++) {
        uint64_t seed = i;
        struct mem mem = {0};
        struct reference r = {.limits = small_limits()};
        r.limits.window_stream = r.limits.window_initial;
        struct yamux y;
        struct yamux_stream *live[IDS] = {NULL};
        yamux_init(&y, LISTENER, &mem, &r.limits, 0);
        bool goes_on = true;
        for (int step = 0; goes_on && step < 60; step++, frames++) {
            static uint8_t out[1024];
            struct writer w = writer_of(out, sizeof out);
            assert_ok(yamux_drain(&y, &w, 0));
            struct yamux_header h = any_frame(&r, &seed);
            got.len = expected.len = 0;
            got.text[0] = expected.text[0] = '\0';
            goes_on = reference_frame(&r, &h, &expected);
            int rc = machine_frame(&y, &h, live, &got, &seed);
            if (goes_on)
                assert_string_equal(got.text, expected.text);
            assert_code(rc, goes_on ? 0 : ERR_PROTOCOL);
            assert_int_equal(y.inbound, r.inbound);
            if (goes_on && pick(&seed, 3) == 0)
                own_command(&y, &r, live, &seed);
        }
        yamux_free(&y);
        assert_mem_empty(&mem);
    }
    assert_true(frames > 10 * schedules());
}

/* ---- two machines, any schedule ------------------------------------------------------------ */

#define STREAMS 64

/* A stream as both ends should see it. Index 0 is the end that opened it. */
struct entry {
    uint32_t id;
    enum role opener;
    struct {
        struct yamux_stream *stream;
        uint32_t written, read, granted;
        bool is_closed; /* this end has closed its half */
        bool is_reset;  /* this end has reset or let go */
        bool fin_seen;
    } end[2];
};

struct pair {
    struct mem mem;
    struct peerlet_limits limits;
    uint64_t seed, now;
    struct yamux yamux[2];
    struct buf wire[2]; /* towards that role */
    struct entry entries[STREAMS];
    size_t count;
};

/* Byte `at` of what end `from` writes. */
static uint8_t byte_at(const struct entry *e, size_t from, uint32_t at)
{
    return (uint8_t)(e->id * 31 + from * 17 + at * 7);
}

static size_t end_of(const struct entry *e, enum role role)
{
    return role == e->opener ? 0 : 1;
}

static void let_go(struct pair *p, struct entry *e, enum role role)
{
    size_t me = end_of(e, role);
    yamux_release(&p->yamux[role], e->end[me].stream);
    e->end[me].stream = NULL;
    e->end[me].is_reset = true;
}

static void on_opened(struct pair *p, enum role role, struct yamux_stream *s)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->entries[i].id == s->id && p->entries[i].opener != role) {
            s->owner = &p->entries[i];
            assert_null(p->entries[i].end[1].stream);
            p->entries[i].end[1].stream = s;
            return;
        }
    fail_msg("nobody opened %u", (unsigned)s->id);
}

static void on_data(struct entry *e, size_t me, struct span data)
{
    assert_false(e->end[me].fin_seen);
    assert_true(data.len <= e->end[1 - me].written - e->end[me].read);
    for (size_t i = 0; i < data.len; i++)
        assert_int_equal(data.data[i], byte_at(e, 1 - me, e->end[me].read++));
}

static void on_event(struct pair *p, enum role role, const struct yamux_event *ev)
{
    struct entry *e = ev->stream ? ev->stream->owner : NULL;
    size_t me = e ? end_of(e, role) : 0;
    switch (ev->type) {
    case YAMUX_OPENED:
        on_opened(p, role, ev->stream);
        break;
    case YAMUX_DATA:
        on_data(e, me, ev->data);
        break;
    case YAMUX_FIN:
        assert_true(e->end[1 - me].is_closed && !e->end[me].fin_seen);
        assert_int_equal(e->end[me].read, e->end[1 - me].written);
        e->end[me].fin_seen = true;
        break;
    case YAMUX_RESET:
        /* By the other end, or by its session because it has too many. */
        assert_true(e->end[1 - me].is_reset || e->end[1 - me].stream == NULL);
        let_go(p, e, role);
        break;
    case YAMUX_ROOM:
        assert_true(yamux_credit(ev->stream) > 0);
        break;
    case YAMUX_PONG:
    case YAMUX_GOAWAY:
        break;
    }
}

static void carry(struct pair *p, enum role to, size_t len)
{
    struct span in = buf_span(&p->wire[to]);
    in.len = MIN(in.len, len);
    size_t fed = in.len;
    struct yamux_event ev;
    int rc;
    while ((rc = yamux_feed(&p->yamux[to], &in, &ev, p->now)) == 1)
        on_event(p, to, &ev);
    assert_ok(rc);
    buf_take(&p->wire[to], fed);
}

static void say(struct pair *p, enum role from, size_t room)
{
    uint8_t bytes[512];
    struct writer w = writer_of(bytes, MIN(room, sizeof bytes));
    int more = yamux_drain(&p->yamux[from], &w, p->now);
    assert_int_equal(more, yamux_owes(&p->yamux[from]));
    assert_ok(buf_append(&p->wire[1 - from], writer_view(&w)));
}

static void open_stream(struct pair *p, enum role role)
{
    int error;
    if (p->count == STREAMS)
        return;
    struct yamux_stream *s = yamux_open(&p->yamux[role], &error);
    if (s == NULL) {
        assert_code(error, ERR_FULL);
        assert_int_equal(p->yamux[role].unacked, p->limits.streams_unacked);
        return;
    }
    struct entry *e = &p->entries[p->count++];
    *e = (struct entry){.id = s->id, .opener = role};
    e->end[0].stream = s;
    s->owner = e;
}

static void write_some(struct pair *p, enum role role, struct entry *e)
{
    size_t me = end_of(e, role), room;
    struct yamux_stream *s = e->end[me].stream;
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, pick(&p->seed, sizeof bytes));
    uint8_t *at = yamux_reserve(&p->yamux[role], s, &w, 1 + pick(&p->seed, 100), &room);
    if (at == NULL)
        return;
    assert_true(room <= p->limits.yamux_frame && room <= yamux_credit(s));
    for (size_t i = 0; i < room; i++)
        at[i] = byte_at(e, me, e->end[me].written++);
    yamux_commit(&p->yamux[role], s, &w, room);
    assert_ok(buf_append(&p->wire[1 - role], writer_view(&w)));
}

static void grant_some(struct pair *p, enum role role, struct entry *e, uint32_t most)
{
    size_t me = end_of(e, role);
    uint32_t len = MIN(e->end[me].read - e->end[me].granted, most);
    e->end[me].granted += len;
    yamux_grant(&p->yamux[role], e->end[me].stream, len, p->now);
}

static void command_stream(struct pair *p, enum role role, struct entry *e)
{
    size_t me = end_of(e, role);
    if (e->end[me].stream == NULL)
        return;
    switch (pick(&p->seed, 16)) {
    case 0:
        yamux_close_write(&p->yamux[role], e->end[me].stream);
        e->end[me].is_closed = true;
        break;
    case 1:
        if (pick(&p->seed, 4) == 0) {
            yamux_reset(&p->yamux[role], e->end[me].stream, 7);
            e->end[me].is_reset = true;
        }
        break;
    case 2:
        if (pick(&p->seed, 4) == 0 || (e->end[me].is_closed && e->end[me].fin_seen))
            let_go(p, e, role);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        grant_some(p, role, e, 1 + pick(&p->seed, 200));
        break;
    default:
        write_some(p, role, e);
    }
}

static void step(struct pair *p)
{
    enum role role = pick(&p->seed, 2) ? DIALER : LISTENER;
    p->now += pick(&p->seed, 20);
    switch (pick(&p->seed, 8)) {
    case 0:
        open_stream(p, role);
        break;
    case 1:
        yamux_ping(&p->yamux[role], p->now);
        break;
    case 2:
        say(p, role, pick(&p->seed, 100));
        break;
    case 3:
        carry(p, role, pick(&p->seed, 100));
        break;
    default:
        if (p->count > 0)
            command_stream(p, role, &p->entries[pick(&p->seed, (uint32_t)p->count)]);
    }
}

static void settle(struct pair *p)
{
    while (yamux_owes(&p->yamux[0]) || yamux_owes(&p->yamux[1]) || p->wire[0].len > 0 ||
           p->wire[1].len > 0)
        for (enum role role = DIALER; role <= LISTENER; role++) {
            say(p, role, SIZE_MAX);
            carry(p, role, SIZE_MAX);
        }
}

/* Nothing is under way: both ends agree about every stream that both still have. */
static void check_rest(const struct pair *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct entry *e = &p->entries[i];
        for (size_t a = 0; a < 2; a++) {
            const struct yamux_stream *s = e->end[a].stream, *other = e->end[1 - a].stream;
            if (s == NULL || other == NULL || e->end[a].is_reset || e->end[1 - a].is_reset)
                continue;
            assert_int_equal(e->end[1 - a].read, e->end[a].written);
            assert_int_equal(e->end[1 - a].fin_seen, e->end[a].is_closed);
            assert_int_equal(s->credit, other->window);
        }
    }
}

static void test_any_schedule(void **state)
{
    (void)state;
    static struct pair p;
    uint64_t bytes = 0, finished = 0;
    for (uint64_t i = 0, count = schedules(); i < count; i++) {
        p = (struct pair){.limits = small_limits(), .seed = i};
        for (enum role role = DIALER; role <= LISTENER; role++) {
            yamux_init(&p.yamux[role], role, &p.mem, &p.limits, 0);
            buf_init(&p.wire[role], &p.mem, 1 << 20);
        }
        for (int n = 0; n < 150; n++)
            step(&p);
        settle(&p);
        check_rest(&p);
        for (size_t k = 0; k < p.count; k++)
            for (enum role role = DIALER; role <= LISTENER; role++) {
                size_t me = end_of(&p.entries[k], role);
                bytes += p.entries[k].end[me].read;
                finished += p.entries[k].end[me].fin_seen;
                if (p.entries[k].end[me].stream != NULL)
                    let_go(&p, &p.entries[k], role);
            }
        settle(&p);
        for (enum role role = DIALER; role <= LISTENER; role++) {
            const struct yamux *y = &p.yamux[role];
            assert_int_equal(y->streams.count + y->inbound + y->unacked + y->grown, 0);
            yamux_free(&p.yamux[role]);
            buf_free(&p.wire[role]);
        }
        assert_mem_empty(&p.mem);
    }
    assert_true(bytes > 10 * schedules() && finished > schedules() / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_frames),
        cmocka_unit_test(test_any_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
