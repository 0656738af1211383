/*
 * Borrowed bytes.
 *
 * A `struct span` is bytes that are being handed up: whoever holds it may write into them (noise
 * decrypts in place) and advance it past what was used. A `struct view` is bytes to read. Neither
 * owns anything; both are valid until the next call on whatever gave them.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    uint8_t *data;
    size_t len;
};

struct view {
    const uint8_t *data;
    size_t len;
};

/* A view of the characters of a string literal or C string, without its NUL. */
struct view view_of_text(const char *text);

bool view_equal(struct view a, struct view b);
bool view_equals_text(struct view a, const char *text);

/* Orders by bytes, then by length: <0, 0 or >0 as memcmp. */
int view_compare(struct view a, struct view b);

static inline struct span span_of(uint8_t *data, size_t len)
{
    return (struct span){data, len};
}

static inline struct view view_of(const uint8_t *data, size_t len)
{
    return (struct view){data, len};
}

static inline struct view view_of_span(struct span s)
{
    return (struct view){s.data, s.len};
}

/* Takes at most `len` bytes off the front of `in` and returns them. */
struct span span_take(struct span *in, size_t len);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
