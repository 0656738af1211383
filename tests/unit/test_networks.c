/* What routers do for each other, and against those that do harm. */
#include "routers.h"
#include "test.h"

static struct routers net;

/* Bytes that a message of 256 costs each of 24 routers whose meshes are full. */
static uint64_t bytes_of_a_message(uint32_t idontwant_bytes)
{
    struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
    config.idontwant_bytes = idontwant_bytes;
    routers_init(&net, 24, &config);
    net.reach = GOSSIPSUB_TO_MESH;
    routers_join_randomly(&net, 10);
    routers_subscribe(&net);
    routers_run(&net, 5000);
    net.bytes = 0;
    for (uint32_t number = 0; number < 24; number++) {
        routers_publish(&net, number, number);
        routers_settle(&net);
    }
    routers_all_heard(&net, 0, 23);
    routers_free(&net);
    return net.bytes / 24 / 24;
}

static void test_idontwant_saves_duplicates(void **state)
{
    (void)state;
    uint64_t with = bytes_of_a_message(256), without = bytes_of_a_message(257);
    print_message("a message costs each router %u bytes, without IDONTWANT %u\n", (unsigned)with,
                  (unsigned)without);
    assert_true(with < without * 3 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idontwant_saves_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
