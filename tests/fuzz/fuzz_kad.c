/*
 * What a peer answers to FIND_NODE and, with the high bit of the step set, to GET_PROVIDERS, and what a
 * lookup makes of it, which then goes on until nobody is left to ask.
 */
#include "stream.h"

#include "multiformats/multiaddr.h"
#include "routing/lookup.h"

/* KEY1 of the Peer ID specification, and a peer who is asked. */
static const uint8_t KEY1[] = {
    0x00, 0x24, 0x08, 0x01, 0x12, 0x20, 0x1e, 0xd1, 0xe8, 0xfa, 0xe2, 0xc4, 0xa1,
    0x44, 0xb8, 0xbe, 0x8f, 0xd4, 0xb4, 0x7b, 0xf3, 0xd3, 0xb3, 0x4b, 0x87, 0x1c,
    0x3c, 0xac, 0xf6, 0x01, 0x0f, 0x0e, 0x42, 0xd4, 0x74, 0xfc, 0xe2, 0x7e,
};
static const uint8_t ASKED[] = {
    0x12, 0x20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4,
    5,    6,    7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1,
};

static struct lookup lookup;

static void check_addresses(struct view list)
{
    struct cursor c = cursor_of(list);
    while (c.rest.len > 0) {
        struct view address = take_delimited(&c, MULTIADDR_MAX_LEN);
        assert(!c.failed && multiaddr_check(address) == 0);
    }
}

static void go_on(void)
{
    struct lookup_event ev;
    bool is_done = false;
    while (lookup_next(&lookup, &ev, 1) == 1) {
        assert(!is_done);
        is_done = ev.type == LOOKUP_DONE;
        check_addresses(ev.addresses);
        if (ev.type == LOOKUP_ASK)
            lookup_failed(&lookup, peer_id_view(&ev.peer));
    }
    assert(is_done);
}

static void seen(void *state, const struct protocol_event *ev)
{
    const struct kad *k = state;
    assert(ev->type == KAD_ANSWERED && k->is_over);
    assert(ev->kad.closer.count <= SERVICE_LIMITS.kad_peers);
    int rc = lookup_answer(&lookup, view_of(ASKED, sizeof ASKED), &ev->kad);
    assert(rc == 0 || rc == ERR_NOMEM);
    for (size_t i = 1; i < lookup.heard.count; i++)
        assert(memcmp(lookup.heard.at[i - 1].distance, lookup.heard.at[i].distance, SHA256_LEN) <
               0);
    go_on();
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct fuzz_stream s;
    struct kad k;
    struct lookup_event ev;
    if (!fuzz_stream_init(&s, data, len))
        return 0;
    struct lookup_config config = {.goal = LOOKUP_PEER, .k = 20, .alpha = 10};
    if (s.step >= 0x80)
        config.goal = LOOKUP_PROVIDERS;
    s.step &= 0x7f;
    struct view key = view_of(KEY1, sizeof KEY1);
    struct mem mem = {.limit = 1 << 20,
                      .fail_nth = s.mem.fail_nth}; /* of the lookup, which stays */
    int rc = lookup_init(&lookup, &mem, &SERVICE_LIMITS, &config, key, 0);
    if (rc == 0)
        rc = lookup_add(&lookup, view_of(ASKED, sizeof ASKED));
    bool is_asking = rc == 0 && lookup_next(&lookup, &ev, 0) == 1;
    rc = kad_init(&k, &s.mem, &SERVICE_LIMITS, lookup_question(&lookup), key, view_of(NULL, 0), 0);
    if (rc < 0 || !is_asking)
        s.bytes.len = 0;
    uint64_t said = fuzz_stream_run(&s, &KAD_OPS, &k, seen);
    lookup_free(&lookup);
    assert(mem.used == 0);
    return said;
}
