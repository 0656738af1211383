/* The address book and the order in which addresses are dialled. */
#include "test.h"

#include "base/log.h"
#include "crypto/crypto.h"
#include "multiformats/multiaddr.h"
#include "net/dialer.h"

struct fixture {
    struct mem mem;
    struct peerlet_limits limits;
    struct addrbook book;
    struct dialer dialer;
};

static struct peer_id some_peer(uint8_t n)
{
    uint8_t seed[ED25519_KEY_LEN] = {n};
    struct identity id;
    identity_from_seed(seed, &id);
    return peer_id_of_identity(&id);
}

static struct view address(const char *text)
{
    static uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (multiaddr_parse_text(view_of_text(text), &w, NULL) != 0)
        fail_msg("not an address: %s", text);
    return writer_view(&w);
}

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.limits = PEERLET_LIMITS};
    addrbook_init(&f->book, &f->mem, &f->limits);
    dialer_init(&f->dialer, &f->mem, &f->limits);
}

static void fixture_free(struct fixture *f)
{
    dialer_free(&f->dialer);
    addrbook_free(&f->book);
    assert_mem_empty(&f->mem);
}

static void test_addresses_are_kept_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct peer_id id = some_peer(1);
    struct peer *peer = addrbook_add(&f.book, &id);
    assert_ptr_equal(addrbook_add(&f.book, &id), peer);
    assert_ptr_equal(addrbook_find(&f.book, &id), peer);
    char text[PEER_ID_TEXT_MAX], full[256];
    peer_id_format(&id, text);
    text_format(full, sizeof full, "/ip4/192.0.2.1/tcp/1/ws/p2p/%s/p2p/%s", text, text);
    assert_true(peer_add_address(&f.book, peer, address("/ip4/192.0.2.1/tcp/1/ws"), false, 5));
    assert_false(peer_add_address(&f.book, peer, address(full), false, 5));
    assert_int_equal(peer->address_count, 1);
    fixture_free(&f);
}

static void test_the_least_used_peer_makes_room(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.limits.peers = 3;
    struct peer_id ids[5];
    for (uint8_t i = 0; i < 5; i++)
        ids[i] = some_peer(i);
    addrbook_add(&f.book, &ids[0])->held = 1;
    addrbook_add(&f.book, &ids[1]);
    struct peer *third = addrbook_add(&f.book, &ids[2]);
    addrbook_touch(&f.book, addrbook_find(&f.book, &ids[1]));
    assert_non_null(addrbook_add(&f.book, &ids[3]));
    assert_null(addrbook_find(&f.book, &ids[2]));
    (void)third;
    assert_non_null(addrbook_find(&f.book, &ids[0]));
    assert_non_null(addrbook_find(&f.book, &ids[1]));
    addrbook_find(&f.book, &ids[1])->held = 1;
    addrbook_find(&f.book, &ids[3])->held = 1;
    assert_null(addrbook_add(&f.book, &ids[4]));
    fixture_free(&f);
}

static void test_protocols(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct peer_id id = some_peer(1);
    struct peer *peer = addrbook_add(&f.book, &id);
    assert_false(peer_speaks(peer, "/a/1"));
    const struct view names[] = {view_of_text("/a/1"), view_of_text("/a/10"), view_of_text("/b")};
    assert_ok(peer_set_protocols(&f.book, peer, names, ARRAY_LEN(names)));
    assert_true(peer_speaks(peer, "/a/1") && peer_speaks(peer, "/a/10") && peer_speaks(peer, "/b"));
    assert_false(peer_speaks(peer, "/a") || peer_speaks(peer, "/a/1\n/a/10") ||
                 peer_speaks(peer, ""));
    fixture_free(&f);
}

/* Best first, 250 ms apart; a failure starts the next at once; a repeated address is one. */
static void test_race(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct peer_id id = some_peer(1);
    struct dial *d = dialer_add(&f.dialer, addrbook_add(&f.book, &id), 1000);
    assert_ok(dial_add(&f.dialer, d, view_of_text("worst"), 3, false));
    assert_ok(dial_add(&f.dialer, d, view_of_text("failed lately"), 1, true));
    assert_ok(dial_add(&f.dialer, d, view_of_text("best"), 1, false));
    assert_ok(dial_add(&f.dialer, d, view_of_text("best"), 1, false));
    struct target *t = dial_next(d, &f.limits, 1000);
    assert_view_text(target_address(t), "best");
    assert_null(dial_next(d, &f.limits, 1249));
    assert_true(dial_deadline(d) == 1250);
    t = dial_next(d, &f.limits, 1250);
    assert_view_text(target_address(t), "failed lately");
    dial_failed(d, t, ERR_TIMEOUT, view_of_text("slow"), 1300);
    t = dial_next(d, &f.limits, 1300);
    assert_view_text(target_address(t), "worst");
    dial_failed(d, t, ERR_NO_RESERVATION, view_of_text("nobody there"), 1400);
    assert_false(dial_is_over(d));
    t = dial_overdue(d, 1000 + f.limits.dial_address_ms);
    assert_view_text(target_address(t), "best");
    dial_failed(d, t, ERR_TIMEOUT, view_of_text("slow"), 1500);
    assert_true(dial_is_over(d));
    assert_code(d->code, ERR_NO_RESERVATION);
    assert_string_equal(d->reason, "nobody there");
    fixture_free(&f);
}

static void test_caps(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.limits.dials = 1;
    f.limits.dial_addresses = 2;
    struct dial *d = dialer_add(&f.dialer, NULL, 0);
    assert_null(dialer_add(&f.dialer, NULL, 0));
    assert_ok(dial_add(&f.dialer, d, view_of_text("a"), 0, false));
    assert_ok(dial_add(&f.dialer, d, view_of_text("b"), 0, false));
    assert_code(dial_add(&f.dialer, d, view_of_text("c"), 0, false), ERR_FULL);
    assert_ptr_equal(dialer_find(&f.dialer, d->id), d);
    dialer_remove(&f.dialer, d);
    assert_non_null(dialer_add(&f.dialer, NULL, 0));
    fixture_free(&f);
}

static int begin(void **state)
{
    (void)state;
    crypto_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_kept_once),
        cmocka_unit_test(test_the_least_used_peer_makes_room),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
