/*
 * Everything fails at random for a quarter of an hour, and then nothing does: whatever state that left
 * the pages in, they find back to their relays and to one another.
 */
#include "scenario/story.h"

#define PAGES 4
#define RELAYS 2
#define TROUBLES 60

struct world {
    struct sim *sim;
    struct relay *relays[RELAYS];
    struct node *pages[PAGES];
    struct node_config config;
    bool page_is_ill[PAGES][6], relay_is_ill[RELAYS][4];
};

/* ---- one fault of a page ----------------------------------------------------------------------- */

static void cut(struct node *n, bool begins)
{
    begins ? host_disconnect(&n->host) : host_reconnect(&n->host);
}

static void block_udp(struct node *n, bool begins)
{
    begins ? host_block_udp(&n->host) : host_allow_udp(&n->host);
}

static void go_offline(struct node *n, bool begins)
{
    begins ? node_go_offline(n) : node_go_online(n);
}

static void freeze(struct node *n, bool begins)
{
    begins ? node_freeze(n) : node_resume(n);
}

static void doze(struct node *n, bool begins)
{
    begins ? node_sleep(n) : node_wake(n);
}

static void hide(struct node *n, bool begins)
{
    if (begins)
        node_hide(n, 60000);
    else
        node_show(n);
}

static void (*const PAGE_FAULTS[])(struct node *n, bool begins) = {
    cut, block_udp, go_offline, freeze, doze, hide,
};

/* Which of them cannot be together: what is offline or does not run is not unplugged again. */
static bool excludes_others(size_t fault)
{
    return PAGE_FAULTS[fault] != block_udp;
}

static void trouble_page(struct world *w, size_t n, size_t fault, bool begins)
{
    if (w->page_is_ill[n][fault] == begins)
        return;
    for (size_t i = 0; begins && i < ARRAY_LEN(PAGE_FAULTS); i++)
        if (excludes_others(i) && excludes_others(fault) && w->page_is_ill[n][i])
            return;
    w->page_is_ill[n][fault] = begins;
    PAGE_FAULTS[fault](w->pages[n], begins);
}

static bool is_well(const struct world *w, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(PAGE_FAULTS); i++)
        if (w->page_is_ill[n][i])
            return false;
    return true;
}

/* The tab crashes, or is closed, and is opened again. */
static void replace_page(struct world *w, size_t n)
{
    if (!is_well(w, n))
        return;
    if (sim_below(w->sim, 2) == 0)
        node_crash(w->pages[n]);
    else
        node_leave(w->pages[n]);
    w->pages[n] = sim_node(w->sim, &w->config);
}

/* ---- one fault of a relay ---------------------------------------------------------------------- */

static void kill(struct relay *r, bool begins)
{
    begins ? relay_kill(r) : relay_start(r);
}

static void freeze_relay(struct relay *r, bool begins)
{
    begins ? host_freeze(relay_host(r)) : host_thaw(relay_host(r));
}

static void refuse(struct relay *r, bool begins)
{
    relay_terms(r)->refuse_reserve = relay_terms(r)->refuse_connect = begins ? 200 : 0;
}

static void be_mute(struct relay *r, bool begins)
{
    relay_terms(r)->is_mute = begins;
}

static void (*const RELAY_FAULTS[])(struct relay *r, bool begins) = {
    kill,
    freeze_relay,
    refuse,
    be_mute,
};

static void trouble_relay(struct world *w, size_t n, size_t fault, bool begins)
{
    if (w->relay_is_ill[n][fault] == begins)
        return;
    if (begins && fault < 2 && w->relay_is_ill[n][1 - fault])
        return; /* a dead one does not freeze */
    w->relay_is_ill[n][fault] = begins;
    RELAY_FAULTS[fault](w->relays[n], begins);
}

/* ---- the story --------------------------------------------------------------------------------- */

static void one_trouble(struct world *w)
{
    bool begins = sim_below(w->sim, 2) == 0;
    size_t page = sim_below(w->sim, PAGES), relay = sim_below(w->sim, RELAYS);
    switch (sim_below(w->sim, 4)) {
    case 0:
        replace_page(w, page);
        break;
    case 1:
        trouble_relay(w, relay, sim_below(w->sim, ARRAY_LEN(RELAY_FAULTS)), begins);
        break;
    default:
        trouble_page(w, page, sim_below(w->sim, ARRAY_LEN(PAGE_FAULTS)), begins);
        break;
    }
}

static void end_all(struct world *w)
{
    for (size_t n = 0; n < RELAYS; n++)
        for (size_t i = 0; i < ARRAY_LEN(RELAY_FAULTS); i++)
            trouble_relay(w, n, i, false);
    for (size_t n = 0; n < PAGES; n++)
        for (size_t i = 0; i < ARRAY_LEN(PAGE_FAULTS); i++)
            trouble_page(w, n, i, false);
}

static bool are_reserved(const struct world *w)
{
    for (size_t n = 0; n < PAGES; n++)
        for (size_t i = 0; i < RELAYS; i++)
            if (!node_is_reserved(w->pages[n], w->relays[i]))
                return false;
    return true;
}

static bool are_connected(const struct world *w, bool directly)
{
    for (size_t a = 0; a < PAGES; a++)
        for (size_t b = 0; b < PAGES; b++)
            if (a != b && !(directly ? node_is_direct_to(w->pages[a], w->pages[b])
                                     : node_is_connected_to(w->pages[a], w->pages[b])))
                return false;
    return true;
}

static bool all_heard(const struct world *w, size_t from, const char *text)
{
    for (size_t n = 0; n < PAGES; n++)
        if (n != from && node_heard(w->pages[n], text) != 1)
            return false;
    return true;
}

static void everything_fails(struct sim *sim)
{
    struct world w = {.sim = sim};
    for (size_t i = 0; i < RELAYS; i++)
        w.config.relays[i] = w.relays[i] = sim_relay(sim);
    for (size_t i = 0; i < PAGES; i++)
        w.pages[i] = sim_node(sim, &w.config);
    for (int i = 0; i < TROUBLES; i++) {
        sim_run(sim, sim_below(sim, 30000));
        one_trouble(&w);
    }
    end_all(&w);
    assert_within(sim, 16000, are_reserved(&w));
    assert_within(sim, 15000, are_connected(&w, false));
    assert_within(sim, 90000, are_connected(&w, true));
    sim_run(sim, 70000); /* the longest back-off of a mesh */
    assert_true(are_connected(&w, true) && are_reserved(&w));
    for (size_t n = 0; n < PAGES; n++) {
        char text[] = "hello from 0";
        text[sizeof text - 2] = (char)('0' + n);
        assert_int_equal(node_say(w.pages[n], text), PAGES - 1);
        assert_within(sim, 3000, all_heard(&w, n, text));
        assert_true(node_memory(w.pages[n]) < 1u << 20);
        assert_true(rtc_count(&w.pages[n]->host) < 2 * PAGES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORY(everything_fails)};
    return TELL(tests);
}
