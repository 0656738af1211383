/* All fuzz entries of one program: each enters itself before main. */
#ifndef TESTS_FUZZ_REPLAY_H
#define TESTS_FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_entry {
    const char *file; /* tests/fuzz/fuzz_NAME.c */
    uint64_t (*input)(const uint8_t *data, size_t len);
    struct fuzz_entry *next;
};

extern struct fuzz_entry *fuzz_entries;

#endif
