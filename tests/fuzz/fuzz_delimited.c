/* Any bytes as messages: each is as long as it says and no longer than the limit. */
#include "feed.h"

#include "wire/delimited.h"

#define LIMIT 500

struct machine {
    struct delimited delimited;
    uint64_t said;
};

static int feed(void *context, struct span *in)
{
    struct machine *m = context;
    struct view message;
    int rc = delimited_feed(&m->delimited, in, &message);
    if (rc != 1)
        return rc;
    assert(message.len <= LIMIT);
    fuzz_say_number(&m->said, (uint32_t)message.len);
    fuzz_say(&m->said, message);
    return 1;
}

static uint64_t run(struct view bytes, size_t step, struct mem *mem)
{
    struct machine m = {.said = 0};
    delimited_init(&m.delimited, mem, LIMIT);
    int rc = fuzz_feed(bytes, step, feed, &m);
    assert(rc == 0 || rc == ERR_PROTOCOL || rc == ERR_TOO_BIG || rc == ERR_NOMEM);
    assert(mem->peak <= 2 * bytes.len + 512);
    fuzz_say_number(&m.said, (uint32_t)rc);
    delimited_free(&m.delimited);
    return m.said;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    return fuzz_three_runs(data, len, run);
}
