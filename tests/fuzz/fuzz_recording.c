/* A recording that somebody made up: however it goes on, it is lived through or refused. */
#include "fuzz.h"

#include "record/replay.h"

static uint64_t said;

static void hear(const char *text, size_t len)
{
    fuzz_say(&said, view_of((const uint8_t *)text, len));
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct replay r;
    said = 0;
    enum replay_result result = replay_run(view_of(data, MIN(len, 16384)), &r, hear);
    fuzz_say_number(&said, result);
    fuzz_say_number(&said, (uint32_t)r.inputs);
    fuzz_say_number(&said, (uint32_t)r.outputs);
    return said;
}
