/*
 * One fuzz entry: a file `fuzz_NAME.c` that defines fuzz_input. libFuzzer calls it with whatever it
 * finds; replay.c, linked with all entries, calls it with the files of the corpus.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

#include "base/span.h"

/*
 * Plays one input and says what became of it, as a number: the same on every machine, so nothing
 * may go into it that has another size on a machine of 32 bits.
 */
static uint64_t fuzz_input(const uint8_t *data, size_t len);

/* Adds to what is said: FNV-1a. */
static inline void fuzz_say(uint64_t *said, struct view bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        *said = (*said ^ bytes.data[i]) * UINT64_C(0x100000001b3);
}

static inline void fuzz_say_number(uint64_t *said, uint32_t number)
{
    fuzz_say(said, view_of((const uint8_t *)&number, sizeof number));
}

#ifdef FUZZ_REPLAY
#include "replay.h"

__attribute__((constructor)) static void fuzz_enter(void)
{
    static struct fuzz_entry entry = {.file = __BASE_FILE__, .input = fuzz_input};
    entry.next = fuzz_entries;
    fuzz_entries = &entry;
}
#else
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    (void)fuzz_input(data, len);
    return 0;
}
#endif

#endif
