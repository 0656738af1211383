#include "base/cursor.h"

struct view take(struct cursor *c, size_t len)
{
    if (c->failed || len > c->rest.len) {
        c->failed = true;
        return view_of(NULL, 0);
    }
    struct view front = view_of(c->rest.data, len);
    if (len > 0)
        c->rest.data += len;
    c->rest.len -= len;
    return front;
}

static uint64_t take_be(struct cursor *c, size_t len)
{
    struct view bytes = take(c, len);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

uint8_t take_u8(struct cursor *c)
{
    return (uint8_t)take_be(c, 1);
}

uint16_t take_u16be(struct cursor *c)
{
    return (uint16_t)take_be(c, 2);
}

uint32_t take_u32be(struct cursor *c)
{
    return (uint32_t)take_be(c, 4);
}

uint64_t take_u64be(struct cursor *c)
{
    return take_be(c, 8);
}

int uvarint_peek(struct view in, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < UVARINT_MAX_LEN; i++) {
        if (i == in.len)
            return UVARINT_MORE;
        sum |= (uint64_t)(in.data[i] & 0x7f) << (7 * i);
        if (in.data[i] < 0x80) {
            bool padded = in.data[i] == 0 && i > 0;
            *value = sum;
            return padded ? UVARINT_BAD : (int)i + 1;
        }
    }
    return UVARINT_BAD;
}

uint64_t take_uvarint(struct cursor *c)
{
    uint64_t value = 0;
    int len = c->failed ? UVARINT_BAD : uvarint_peek(c->rest, &value);
    if (len <= 0) {
        c->failed = true;
        return 0;
    }
    take(c, (size_t)len);
    return value;
}

struct view take_delimited(struct cursor *c, size_t limit)
{
    uint64_t len = take_uvarint(c);
    if (len > limit)
        c->failed = true;
    return take(c, c->failed ? 0 : (size_t)len);
}

void put(struct writer *w, struct view bytes)
{
    if (w->failed || bytes.len > w->room - w->len) {
        w->failed = true;
        return;
    }
    if (bytes.len > 0)
        memcpy(w->data + w->len, bytes.data, bytes.len);
    w->len += bytes.len;
}

static void put_be(struct writer *w, uint64_t value, size_t len)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    put(w, view_of(bytes, len));
}

void put_u8(struct writer *w, uint8_t value)
{
    put_be(w, value, 1);
}

void put_u16be(struct writer *w, uint16_t value)
{
    put_be(w, value, 2);
}

void put_u32be(struct writer *w, uint32_t value)
{
    put_be(w, value, 4);
}

void put_u64be(struct writer *w, uint64_t value)
{
    put_be(w, value, 8);
}

size_t uvarint_len(uint64_t value)
{
    size_t len = 1;
    while (value >>= 7)
        len++;
    return len;
}

void put_uvarint(struct writer *w, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;
    do {
        bytes[len++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    put(w, view_of(bytes, len));
}

void put_text(struct writer *w, const char *text)
{
    put(w, view_of_text(text));
}

void put_delimited(struct writer *w, struct view bytes)
{
    put_uvarint(w, bytes.len);
    put(w, bytes);
}
