#include "sim/cable.h"

#include "peerlet.h"

#include <assert.h>

/* As browsers do it: where the driver stops handing bytes to a WebSocket and to a data channel. */
#define SOCKET_HIGH (2u << 20)
#define CHANNEL_HIGH (1u << 20)

static struct end *end_new(struct host *h, enum cable_kind kind)
{
    struct sim *s = h->sim;
    struct end *e = sim_alloc(s, sizeof *e);
    e->host = h;
    e->id = ++s->last_end;
    e->kind = kind;
    e->high = kind == CABLE_SOCKET ? SOCKET_HIGH : CHANNEL_HIGH;
    buf_init(&e->unread, &s->mem, SIZE_MAX);
    list_add(&h->ends, &e->in_host);
    int rc = table_add(&s->ends, e->id, e);
    assert(rc == 0);
    (void)rc;
    return e;
}

static void end_free(struct end *e)
{
    struct sim *s = e->host->sim;
    list_remove(&e->in_host);
    buf_free(&e->unread);
    table_remove(&s->ends, e->id);
    mem_free(&s->mem, e);
}

static void tie(struct end *a, struct end *b)
{
    a->other = b->id;
    a->far = b->host;
    b->other = a->id;
    b->far = a->host;
}

/* Plans what the far end sees of this one, behind everything planned before. */
static void plan_far_value(struct end *e, enum event_type type, uint64_t at, struct view bytes,
                           uint32_t value)
{
    e->last_arrival = MAX(e->last_arrival, at);
    sim_plan(e->host->sim,
             (struct event){.at = e->last_arrival,
                            .type = type,
                            .value = value,
                            .id = e->other,
                            .to = e->far,
                            .from = e->host,
                            .is_udp = e->kind != CABLE_SOCKET},
             bytes);
}

static void plan_far(struct end *e, enum event_type type, uint64_t at, struct view bytes)
{
    plan_far_value(e, type, at, bytes, 0);
}

struct end *cable_dial(struct host *from, struct host *to, enum cable_kind kind, uint32_t link,
                       uint32_t channel, struct view label)
{
    struct end *near = end_new(from, kind);
    struct end *far = end_new(to, kind);
    near->link = link;
    near->channel = channel;
    tie(near, far);
    uint64_t round_trip_ms = sim_round_trip(from, to);
    uint64_t now = from->sim->now;
    switch (kind) {
    case CABLE_SOCKET:  /* TCP's handshake, and then HTTP's request */
    case CABLE_SESSION: /* QUIC's and HTTP's */
        plan_far(near, EVENT_ACCEPT, now + round_trip_ms + round_trip_ms / 2, label);
        break;
    case CABLE_STREAM:
    case CABLE_CHANNEL: /* open as soon as it has asked; the answer is not waited for */
        plan_far(near, EVENT_ACCEPT, now + round_trip_ms / 2, label);
        sim_plan(from->sim,
                 (struct event){.at = now, .type = EVENT_OPENED, .id = near->id, .to = from},
                 (struct view){0});
        break;
    }
    return near;
}

size_t end_room(struct end *e)
{
    size_t most = e->high + CABLE_BUFFER;
    size_t left = most > e->in_flight ? most - e->in_flight : 0;
    e->room_told = MIN(left, e->high);
    return e->room_told;
}

void end_send(struct end *e, struct view bytes)
{
    e->in_flight += bytes.len;
    e->room_told -= MIN(e->room_told, bytes.len);
    plan_far(e, EVENT_BYTES, sim_arrival(e->host->sim, e->host, e->far, bytes.len), bytes);
}

void end_half(struct end *e, uint32_t half)
{
    plan_far_value(e, EVENT_ENDED, sim_arrival(e->host->sim, e->host, e->far, 0), (struct view){0},
                   half);
}

void end_pause(struct end *e, bool is_paused)
{
    struct sim *s = e->host->sim;
    if (is_paused)
        e->is_paused = true;
    else
        sim_plan(s, (struct event){.at = s->now, .type = EVENT_RESUMED, .id = e->id, .to = e->host},
                 (struct view){0});
}

void end_fail(struct end *e)
{
    struct end *far = end_far(e);
    if (far != NULL)
        end_free(far);
    sim_plan(e->host->sim,
             (struct event){
                 .at = e->host->sim->now + 1, .type = EVENT_CLOSED, .id = e->id, .to = e->host},
             (struct view){0});
}

void end_close(struct end *e)
{
    plan_far(e, EVENT_CLOSED, sim_arrival(e->host->sim, e->host, e->far, 0), (struct view){0});
    end_free(e);
}

struct end *end_far(const struct end *e)
{
    return table_find(&e->host->sim->ends, e->other);
}

struct end *host_end(const struct host *h, uint32_t link, uint32_t channel)
{
    LIST_EACH(node, &h->ends) {
        struct end *e = LIST_OWNER(node, struct end, in_host);
        if (e->link == link && e->channel == channel)
            return e;
    }
    return NULL;
}

void cable_close_link(struct host *h, uint32_t link)
{
    LIST_EACH(node, &h->ends) {
        struct end *e = LIST_OWNER(node, struct end, in_host);
        if (e->link == link)
            end_close(e);
    }
}

void cable_close_all(struct host *h)
{
    LIST_EACH(node, &h->ends) {
        struct end *e = LIST_OWNER(node, struct end, in_host);
        switch (e->kind) {
        case CABLE_SOCKET:
            end_close(e);
            break;
        case CABLE_CHANNEL:
        case CABLE_SESSION:
        case CABLE_STREAM:
            end_free(e);
            break;
        }
    }
}

void cable_free(struct host *h)
{
    LIST_EACH(node, &h->ends)
        end_free(LIST_OWNER(node, struct end, in_host));
}

/* ---- what happens to an end ------------------------------------------------------------------ */

static void accepted(struct end *e, struct view label)
{
    struct sim *s = e->host->sim;
    if (e->host->is_down || e->host->ops->accept == NULL) {
        e->host->refused++;
        end_close(e);
        return;
    }
    e->is_open = true;
    if (e->kind == CABLE_SOCKET || e->kind == CABLE_SESSION)
        plan_far(e, EVENT_OPENED, sim_arrival(s, e->host, e->far, 0), (struct view){0});
    e->host->ops->accept(e->host, e, label);
}

/* Tells the sender that there is room again, once it may be short of it. */
static void arrived(struct end *e, size_t len)
{
    if (e == NULL)
        return;
    e->in_flight -= MIN(e->in_flight, len);
    if (e->room_planned || e->room_told >= e->high / 2)
        return;
    e->room_planned = true;
    struct sim *s = e->host->sim;
    sim_plan(s, (struct event){.at = s->now, .type = EVENT_ROOM, .id = e->id, .to = e->host},
             (struct view){0});
}

static void came(struct end *e, struct span bytes)
{
    if (e->is_paused) {
        int rc = buf_append(&e->unread, view_of_span(bytes));
        assert(rc == 0);
        (void)rc;
        return;
    }
    arrived(end_far(e), bytes.len);
    e->host->ops->bytes(e->host, e, bytes);
}

static void ended(struct end *e, uint32_t half)
{
    if (e->is_paused && half == PEERLET_END_WRITE)
        e->ended_unread = half;
    else
        e->host->ops->ended(e->host, e, half);
}

static void resumed(struct sim *s, struct end *e)
{
    struct buf unread = e->unread;
    uint32_t id = e->id, half = e->ended_unread;
    e->is_paused = false;
    e->ended_unread = 0;
    buf_init(&e->unread, &s->mem, SIZE_MAX);
    if (unread.len > 0)
        came(e, buf_span(&unread));
    buf_free(&unread);
    e = table_find(&s->ends, id);
    if (e != NULL && half != 0)
        ended(e, half);
}

static void closed(struct end *e)
{
    struct end gone = *e;
    end_free(e);
    /* Why a socket did not open is for the console alone; a page is not told. */
    struct view why = view_of_text(gone.is_open ? "closed by the other side" : "");
    gone.host->ops->closed(gone.host, &gone, why);
}

void cable_event(struct sim *s, const struct event *event)
{
    struct end *e = table_find(&s->ends, event->id);
    if (e == NULL)
        return;
    struct host *h = e->host;
    switch (event->type) {
    case EVENT_ACCEPT:
        accepted(e, view_of_span(event->bytes));
        break;
    case EVENT_OPENED:
        e->is_open = true;
        h->ops->opened(h, e);
        break;
    case EVENT_BYTES:
        came(e, event->bytes);
        break;
    case EVENT_ENDED:
        ended(e, event->value);
        break;
    case EVENT_RESUMED:
        resumed(s, e);
        break;
    case EVENT_ROOM:
        e->room_planned = false;
        h->ops->room(h, e, end_room(e));
        break;
    case EVENT_CLOSED:
        closed(e);
        break;
    case EVENT_ALARM:
    case EVENT_RTC_DESCRIPTION:
    case EVENT_RTC_CANDIDATE:
    case EVENT_RTC_CONNECT:
    case EVENT_RTC_STATE:
    case EVENT_RTC_CHECK:
    case EVENT_RTC_CLOSED:
    case EVENT_FOUND:
        break;
    }
}
