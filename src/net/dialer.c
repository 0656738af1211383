#include "net/dialer.h"

#include "base/log.h"
#include "multiformats/multiaddr.h"

void dialer_init(struct dialer *d, struct mem *mem, const struct peerlet_limits *limits)
{
    *d = (struct dialer){.mem = mem, .limits = limits};
    list_init(&d->dials);
}

void dialer_free(struct dialer *d)
{
    if (d->mem == NULL)
        return;
    LIST_EACH(node, &d->dials)
        dialer_remove(d, LIST_OWNER(node, struct dial, in_dialer));
}

struct dial *dialer_add(struct dialer *d, struct peer *peer, uint64_t now)
{
    if (d->count >= d->limits->dials)
        return NULL;
    struct dial *dial = mem_alloc(d->mem, sizeof *dial);
    if (dial == NULL)
        return NULL;
    dial->id = ++d->last_id;
    dial->peer = peer;
    dial->next_at = now;
    dial->until = after(now, d->limits->dial_ms);
    if (peer != NULL)
        peer->held++;
    list_add(&d->dials, &dial->in_dialer);
    d->count++;
    return dial;
}

void dialer_remove(struct dialer *d, struct dial *dial)
{
    for (size_t i = 0; i < dial->count; i++)
        mem_free(d->mem, dial->targets[i].bytes);
    mem_free(d->mem, dial->targets);
    if (dial->peer != NULL)
        dial->peer->held--;
    list_remove(&dial->in_dialer);
    d->count--;
    mem_free(d->mem, dial);
}

struct dial *dialer_find(const struct dialer *d, uint32_t id)
{
    LIST_EACH(node, &d->dials) {
        struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        if (dial->id == id)
            return dial;
    }
    return NULL;
}

struct dial *dialer_find_peer(const struct dialer *d, const struct peer *peer)
{
    LIST_EACH(node, &d->dials) {
        struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        if (dial->peer == peer)
            return dial;
    }
    return NULL;
}

/* Where it is known who is dialled, an address is the same with and without the name. */
static struct view distinct(const struct dial *dial, struct view multiaddr)
{
    return dial->peer != NULL ? multiaddr_without_peer(multiaddr) : multiaddr;
}

static bool has_address(const struct dial *dial, struct view multiaddr)
{
    multiaddr = distinct(dial, multiaddr);
    for (size_t i = 0; i < dial->count; i++)
        if (view_equal(distinct(dial, target_address(&dial->targets[i])), multiaddr))
            return true;
    return false;
}

int dial_add(struct dialer *d, struct dial *dial, struct view multiaddr, unsigned rank,
             bool failed_lately)
{
    if (has_address(dial, multiaddr))
        return 0;
    if (dial->count >= d->limits->dial_addresses)
        return ERR_FULL;
    if (dial->count == dial->room) {
        size_t room = dial->room ? dial->room * 2 : 4;
        struct target *grown = mem_resize(d->mem, dial->targets, room * sizeof *grown);
        if (grown == NULL)
            return ERR_NOMEM;
        dial->targets = grown;
        dial->room = room;
    }
    uint8_t *bytes = mem_alloc(d->mem, multiaddr.len);
    if (bytes == NULL)
        return ERR_NOMEM;
    memcpy(bytes, multiaddr.data, multiaddr.len);
    unsigned place = 2 * rank + (failed_lately ? 1 : 0);
    size_t at = dial->count++;
    while (at > 0 && dial->targets[at - 1].rank > place) {
        dial->targets[at] = dial->targets[at - 1];
        at--;
    }
    dial->targets[at] =
        (struct target){.rank = place, .bytes = bytes, .len = multiaddr.len, .until = NEVER};
    return 0;
}

static struct target *start(struct target *t, const struct peerlet_limits *limits, uint64_t now)
{
    t->state = TARGET_RUNNING;
    t->until = after(now, limits->dial_address_ms);
    return t;
}

struct target *dial_next(struct dial *dial, const struct peerlet_limits *limits, uint64_t now)
{
    for (size_t i = 0; i < dial->count; i++) {
        struct target *t = &dial->targets[i];
        if ((t->state == TARGET_AGAIN && is_due(t->until, now)) ||
            (t->state == TARGET_WAITING && target_is_name(t)))
            return start(t, limits, now);
    }
    if (!is_due(dial->next_at, now))
        return NULL;
    for (size_t i = 0; i < dial->count; i++) {
        struct target *t = &dial->targets[i];
        if (t->state != TARGET_WAITING)
            continue;
        dial->next_at = after(now, limits->dial_stagger_ms);
        return start(t, limits, now);
    }
    dial->next_at = NEVER;
    return NULL;
}

/* A timeout says least, the transport's own word a little, a relay's or the peer's most. */
static int telling(int code)
{
    return code == 0 ? 0 : code == ERR_TIMEOUT ? 1 : code == ERR_TRANSPORT ? 2 : 3;
}

void dial_failed(struct dial *dial, struct target *target, int code, struct view reason,
                 uint64_t now)
{
    if (target->state == TARGET_FAILED || target->state == TARGET_AGAIN)
        return;
    target->state = TARGET_FAILED;
    target->until = NEVER;
    target->conn = target->stream = target->dial = target->name = 0;
    dial->next_at = now;
    if (telling(code) < telling(dial->code))
        return;
    dial->code = code;
    text_format(dial->reason, sizeof dial->reason, "%v", &reason);
}

void dial_again(struct target *target, uint64_t at)
{
    target->state = TARGET_AGAIN;
    target->until = at;
}

bool dial_is_over(const struct dial *dial)
{
    for (size_t i = 0; i < dial->count; i++)
        if (dial->targets[i].state == TARGET_WAITING || dial->targets[i].state == TARGET_RUNNING)
            return false;
    return true;
}

struct target *dial_overdue(struct dial *dial, uint64_t now)
{
    for (size_t i = 0; i < dial->count; i++)
        if (dial->targets[i].state == TARGET_RUNNING && is_due(dial->targets[i].until, now))
            return &dial->targets[i];
    return NULL;
}

uint64_t dial_deadline(const struct dial *dial)
{
    uint64_t at = dial->until;
    bool waiting = false;
    for (size_t i = 0; i < dial->count; i++) {
        at = earlier(at, dial->targets[i].until);
        waiting |= dial->targets[i].state == TARGET_WAITING;
    }
    return waiting ? earlier(at, dial->next_at) : at;
}
