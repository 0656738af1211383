/*
 * Lives through a recorded session again, in a native build under a debugger or a sanitizer:
 *
 *     build/native/replay FILE         says whether the node did the same
 *     build/native/replay -v FILE      and prints everything it was told and said
 *
 * How a page is recorded is in docs/recording.md, the format in record/recording.h. Exit status: 0 the
 * same, 1 different, 2 no recording.
 */
#include "record/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest recording that is read: an hour of a busy page. */
#define FILE_MAX (1u << 30)

static void print_line(const char *text, size_t len)
{
    printf("%.*s\n", (int)len, text);
}

static int read_file(const char *name, struct buf *out)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL)
        return ERR_NOT_FOUND;
    int rc = 0;
    uint8_t block[1024];
    for (size_t len; rc == 0 && (len = fread(block, 1, sizeof block, file)) > 0;)
        rc = buf_append(out, view_of(block, len));
    if (ferror(file) != 0)
        rc = ERR_TRANSPORT;
    fclose(file);
    return rc;
}

static void print_key(const struct replay *r)
{
    if (r->peer[0] == '\0')
        return;
    if (r->key == RECORDING_KEY_OWN)
        printf("%s: this file holds its PRIVATE KEY and all that was said; do not pass it on\n",
               r->peer);
    else
        printf("%s: its key was made for this recording; all that was said is in it\n", r->peer);
}

int main(int argc, char **argv)
{
    bool is_verbose = argc == 3 && strcmp(argv[1], "-v") == 0;
    if (argc != 2 && !is_verbose) {
        fprintf(stderr, "usage: replay [-v] FILE\n");
        return 2;
    }
    struct mem mem = {0};
    struct buf log;
    buf_init(&log, &mem, FILE_MAX);
    int rc = read_file(argv[argc - 1], &log);
    if (rc != 0) {
        fprintf(stderr, "replay: cannot read %s: %s\n", argv[argc - 1], err_text(rc));
        buf_free(&log);
        return 2;
    }
    struct replay r;
    enum replay_result result = replay_run(buf_view(&log), &r, is_verbose ? print_line : NULL);
    buf_free(&log);
    print_key(&r);
    printf("%u inputs, %u outputs, until %u ms: %s\n", (unsigned)r.inputs, (unsigned)r.outputs,
           (unsigned)r.now, r.why != NULL ? r.why : "the same");
    switch (result) {
    case REPLAY_SAME:
        return 0;
    case REPLAY_DIFFERENT:
        return 1;
    case REPLAY_BROKEN:
        return 2;
    }
    return 2;
}
