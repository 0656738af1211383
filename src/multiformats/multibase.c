#include "multiformats/multibase.h"

#define BASE64_TEXT "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct base {
    enum multibase prefix;
    unsigned bits; /* of one letter; 0: a number in base strlen(alphabet) */
    const char *alphabet;
};

static const struct base BASES[] = {
    {MULTIBASE_BASE16, 4, "0123456789abcdef"},
    {MULTIBASE_BASE32, 5, "abcdefghijklmnopqrstuvwxyz234567"},
    {MULTIBASE_BASE36, 0, "0123456789abcdefghijklmnopqrstuvwxyz"},
    {MULTIBASE_BASE58, 0, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"},
    {MULTIBASE_BASE64, 6, BASE64_TEXT "+/"},
    {MULTIBASE_BASE64URL, 6, BASE64_TEXT "-_"},
};

static const struct base *find(unsigned prefix)
{
    for (size_t i = 0; i < ARRAY_LEN(BASES); i++)
        if ((unsigned)BASES[i].prefix == prefix)
            return &BASES[i];
    return NULL;
}

static int letter_value(const struct base *base, uint8_t letter)
{
    const char *at = letter ? strchr(base->alphabet, letter) : NULL;
    return at ? (int)(at - base->alphabet) : -1;
}

static void encode_bits(struct writer *out, const struct base *base, struct view bytes)
{
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        held = held << 8 | bytes.data[i];
        for (bits += 8; bits >= base->bits; bits -= base->bits)
            put_u8(out, (uint8_t)base->alphabet[held >> (bits - base->bits) &
                                                ((1u << base->bits) - 1)]);
    }
    if (bits > 0)
        put_u8(out, (uint8_t)base->alphabet[held << (base->bits - bits) &
                                            ((1u << base->bits) - 1)]);
}

static int decode_bits(struct writer *out, const struct base *base, struct view text)
{
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = letter_value(base, text.data[i]);
        if (value < 0)
            return ERR_BAD_ARGUMENT;
        held = held << base->bits | (uint32_t)value;
        bits += base->bits;
        if (bits >= 8) {
            bits -= 8;
            put_u8(out, (uint8_t)(held >> bits));
        }
    }
    /* What is left over is padding: less than a letter, and zero. */
    bool is_clean = bits < base->bits && (held & ((1u << bits) - 1)) == 0;
    return is_clean ? 0 : ERR_BAD_ARGUMENT;
}

/*
 * Writes a number given in digits of base `from` in digits of base `to`, most significant first,
 * after one zero digit for each leading zero digit. Returns how many, or 0 past the room.
 */
static size_t convert(const uint8_t *in, size_t len, unsigned from, unsigned to, uint8_t *out,
                      size_t room)
{
    size_t zeros = 0, count = 0;
    while (zeros < len && in[zeros] == 0)
        zeros++;
    /* Least significant first, turned round at the end. */
    for (size_t i = zeros; i < len; i++) {
        unsigned carry = in[i];
        for (size_t j = 0; j < count; j++) {
            carry += out[j] * from;
            out[j] = (uint8_t)(carry % to);
            carry /= to;
        }
        for (; carry > 0; carry /= to) {
            if (count == room)
                return 0;
            out[count++] = (uint8_t)(carry % to);
        }
    }
    if (zeros > room - count)
        return 0;
    memset(out + count, 0, zeros);
    count += zeros;
    for (size_t i = 0; i < count / 2; i++) {
        uint8_t swapped = out[i];
        out[i] = out[count - 1 - i];
        out[count - 1 - i] = swapped;
    }
    return count;
}

#define DIGITS_MAX (2 * MULTIBASE_NUMBER_MAX)

static void encode_number(struct writer *out, const struct base *base, struct view bytes)
{
    uint8_t digits[DIGITS_MAX];
    if (bytes.len > MULTIBASE_NUMBER_MAX) {
        out->failed = true;
        return;
    }
    size_t count = convert(bytes.data, bytes.len, 256, (unsigned)strlen(base->alphabet), digits,
                           sizeof digits);
    for (size_t i = 0; i < count; i++)
        put_u8(out, (uint8_t)base->alphabet[digits[i]]);
}

static int decode_number(struct writer *out, const struct base *base, struct view text)
{
    uint8_t digits[DIGITS_MAX], bytes[MULTIBASE_NUMBER_MAX];
    if (text.len > sizeof digits)
        return ERR_TOO_BIG;
    for (size_t i = 0; i < text.len; i++) {
        int value = letter_value(base, text.data[i]);
        if (value < 0)
            return ERR_BAD_ARGUMENT;
        digits[i] = (uint8_t)value;
    }
    size_t count = convert(digits, text.len, (unsigned)strlen(base->alphabet), 256, bytes,
                           sizeof bytes);
    if (count == 0 && text.len > 0)
        return ERR_TOO_BIG;
    put(out, view_of(bytes, count));
    return 0;
}

void base_encode(struct writer *out, enum multibase base, struct view bytes)
{
    const struct base *b = find((unsigned)base);
    if (b->bits > 0)
        encode_bits(out, b, bytes);
    else
        encode_number(out, b, bytes);
}

int base_decode(struct writer *out, enum multibase base, struct view text)
{
    const struct base *b = find((unsigned)base);
    int rc = b->bits > 0 ? decode_bits(out, b, text) : decode_number(out, b, text);
    return rc == 0 && out->failed ? ERR_TOO_BIG : rc;
}

void multibase_encode(struct writer *out, enum multibase base, struct view bytes)
{
    put_u8(out, (uint8_t)base);
    base_encode(out, base, bytes);
}

int multibase_decode(struct writer *out, struct view text)
{
    const struct base *b = text.len > 0 ? find(text.data[0]) : NULL;
    if (b == NULL)
        return ERR_BAD_ARGUMENT;
    return base_decode(out, b->prefix, view_of(text.data + 1, text.len - 1));
}
