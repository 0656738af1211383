/*
 * Hex in which braces stand around what has its length in front, as protobufs nest:
 *
 *     framed("{0802 1a{0864} 2864}")   is   0b 0802 1a02 0864 2864
 *
 * So a row of a table shows fields and not their lengths.
 */
#ifndef TESTS_FRAMED_H
#define TESTS_FRAMED_H

#include "test.h"

#include "base/cursor.h"

#define FRAMED_DEPTH 8

/* Moves what was written since `from` to make way for its length. */
static inline void framed_close(struct writer *w, size_t from)
{
    size_t len = w->len - from, prefix = uvarint_len(len);
    if (w->room - w->len < prefix)
        fail_msg("framed() has no room left");
    memmove(w->data + from + prefix, w->data + from, len);
    w->len = from;
    put_uvarint(w, len);
    w->len += len;
}

/* Valid during the test. */
static inline struct view framed(const char *text)
{
    static uint8_t bytes[1 << 17];
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t open[FRAMED_DEPTH], depth = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '{' && depth < FRAMED_DEPTH) {
            open[depth++] = w.len;
        } else if (*p == '}' && depth > 0) {
            framed_close(&w, open[--depth]);
        } else if (*p != ' ') {
            int high = test_hex_digit(p[0]), low = high < 0 ? -1 : test_hex_digit(*++p);
            if (low < 0)
                fail_msg("not hex in braces at \"%.16s\"", p);
            put_u8(&w, (uint8_t)(high << 4 | low));
        }
    }
    if (depth > 0 || w.failed)
        fail_msg("braces do not match, or too many bytes");
    return view_of_span(test_copy(writer_view(&w)));
}

#endif
