#include "sim/zone.h"

#include <assert.h>

#include "base/buf.h"
#include "multiformats/multiaddr.h"

struct record {
    struct list in_sim;
    char *name, *text;
};

static struct record *find(const struct sim *s, struct view name)
{
    LIST_EACH(node, &s->names) {
        struct record *r = LIST_OWNER(node, struct record, in_sim);
        if (view_equals_text(name, r->name))
            return r;
    }
    return NULL;
}

static char *copy(struct sim *s, const char *text)
{
    char *c = sim_alloc(s, strlen(text) + 1);
    memcpy(c, text, strlen(text));
    return c;
}

void sim_name(struct sim *s, const char *name, const char *records)
{
    struct record *r = find(s, view_of_text(name));
    if (r == NULL) {
        r = sim_alloc(s, sizeof *r);
        r->name = copy(s, name);
        list_add(&s->names, &r->in_sim);
    }
    mem_free(&s->mem, r->text);
    r->text = copy(s, records);
}

void sim_names_are(struct sim *s, enum zone_state state)
{
    s->zone = state;
}

uint64_t sim_lookups(const struct sim *s)
{
    return s->lookups;
}

void zone_ask(struct host *h, uint32_t lookup, struct view name)
{
    struct sim *s = h->sim;
    s->lookups++;
    if (s->zone == ZONE_SILENT)
        return;
    sim_plan(s, (struct event){.at = s->now + ZONE_MS, .type = EVENT_FOUND, .id = lookup, .to = h},
             name);
}

static void add_record(struct buf *list, struct view line)
{
    uint8_t bytes[MULTIADDR_MAX_LEN], whole[MULTIADDR_MAX_LEN + 8];
    struct writer one = writer_of(bytes, sizeof bytes), w = writer_of(whole, sizeof whole);
    if (multiaddr_parse_text(line, &one, NULL) != 0)
        put(&one, line);
    put_delimited(&w, writer_view(&one));
    int rc = buf_append(list, writer_view(&w));
    assert(rc == 0 && !w.failed && !one.failed);
    (void)rc;
}

void zone_event(struct sim *s, const struct event *e)
{
    const struct record *r = find(s, view_of_span(e->bytes));
    bool is_down = s->zone != ZONE_WELL || e->to->is_offline;
    struct buf list;
    buf_init(&list, &s->mem, 1u << 20);
    for (const char *line = r != NULL && !is_down ? r->text : NULL; line != NULL;) {
        const char *end = strchr(line, '\n');
        size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
        if (len > 0)
            add_record(&list, view_of((const uint8_t *)line, len));
        line = end != NULL ? end + 1 : NULL;
    }
    e->to->ops->found(e->to, e->id, buf_span(&list),
                      view_of_text(is_down ? "no resolver is reached" : ""));
    buf_free(&list);
}

void zone_free(struct sim *s)
{
    LIST_EACH(node, &s->names) {
        struct record *r = LIST_OWNER(node, struct record, in_sim);
        mem_free(&s->mem, r->name);
        mem_free(&s->mem, r->text);
        mem_free(&s->mem, r);
    }
}
