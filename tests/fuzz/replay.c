/*
 * Plays files to the fuzz entries that their folders name, and prints what each had to say:
 *
 *     $ replay tests/fuzz/corpus/sdp/offer …
 *     tests/fuzz/corpus/sdp/offer 4cdd1d1d0e0b5a3f
 *
 * Built for this machine and as wasm: both must print the same. Exit status: 2 for a file that
 * cannot be read or that no entry takes.
 */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

struct fuzz_entry *fuzz_entries;

/* Whether the file lies in a folder of the entry's name. */
static int takes(const struct fuzz_entry *e, const char *path)
{
    const char *name = strstr(e->file, "fuzz_");
    const char *end = strrchr(path, '/');
    size_t len = strcspn(name += strlen("fuzz_"), ".");
    return end != NULL && (size_t)(end - path) > len && end[-(ptrdiff_t)len - 1] == '/' &&
           strncmp(end - len, name, len) == 0;
}

static int play(const char *path)
{
    static uint8_t bytes[FILE_MAX];
    const struct fuzz_entry *e = fuzz_entries;
    while (e != NULL && !takes(e, path))
        e = e->next;
    FILE *file = fopen(path, "rb");
    if (e == NULL || file == NULL) {
        fprintf(stderr, "%s: %s\n", path, e == NULL ? "no entry of that name" : "cannot be read");
        return 2;
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);

    /* A block that is no longer than it says, for the sanitizer. */
    uint8_t *block = malloc(len > 0 ? len : 1);
    memcpy(block, bytes, len);
    printf("%s %016" PRIx64 "\n", path, e->input(block, len));
    fflush(stdout);
    free(block);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc && status == 0; i++)
        status = play(argv[i]);
    return status;
}
