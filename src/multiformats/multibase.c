#include "multiformats/multibase.h"

/* Longest text or bytes of a big number: base 36 takes 199 letters for MULTIBASE_NUMBER_MAX bytes. */
#define DIGITS_MAX 200

struct encoding {
    enum multibase base;
    unsigned bits; /* of one letter; 0 when the bytes are one big number */
    bool any_case;
    const char *alphabet;
};

static const struct encoding BASE58 = {
    MULTIBASE_BASE58, 0, false, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"};

static const struct encoding OTHERS[] = {
    {MULTIBASE_BASE16, 4, true, "0123456789abcdef"},
    {MULTIBASE_BASE32, 5, true, "abcdefghijklmnopqrstuvwxyz234567"},
    {MULTIBASE_BASE36, 0, true, "0123456789abcdefghijklmnopqrstuvwxyz"},
    {MULTIBASE_BASE64, 6, false,
     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"},
    {MULTIBASE_BASE64URL, 6, false,
     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"},
};

static const struct encoding *find_encoding(uint8_t prefix)
{
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++)
        if (prefix == OTHERS[i].base)
            return &OTHERS[i];
    return prefix == MULTIBASE_BASE58 ? &BASE58 : NULL;
}

/* The value of a letter, or -1. */
static int letter_value(const struct encoding *e, uint8_t letter)
{
    if (e->any_case && letter >= 'A' && letter <= 'Z')
        letter = (uint8_t)(letter - 'A' + 'a');
    const char *at = letter == '\0' ? NULL : strchr(e->alphabet, letter);
    return at == NULL ? -1 : (int)(at - e->alphabet);
}

struct digits {
    size_t len;
    uint8_t at[DIGITS_MAX];
};

/*
 * Writes the number `in`, most significant digit first, in another radix. Its leading zeros, which
 * have no value, are kept one for one. False when there are too many digits.
 */
static bool convert(struct view in, unsigned from, unsigned to, struct digits *out)
{
    size_t zeros = 0, len = 0;
    while (zeros < in.len && in.data[zeros] == 0)
        zeros++;
    for (size_t i = zeros; i < in.len; i++) {
        unsigned carry = in.data[i];
        for (size_t j = 0; j < len || carry > 0; j++) {
            if (j == DIGITS_MAX)
                return false;
            if (j == len)
                out->at[len++] = 0;
            carry += out->at[j] * from;
            out->at[j] = (uint8_t)(carry % to);
            carry /= to;
        }
    }
    if (zeros > DIGITS_MAX - len)
        return false;
    memset(out->at + len, 0, zeros);
    out->len = len + zeros;
    for (size_t i = 0; i < out->len / 2; i++) {
        uint8_t swap = out->at[i];
        out->at[i] = out->at[out->len - 1 - i];
        out->at[out->len - 1 - i] = swap;
    }
    return true;
}

static void encode_number(struct writer *out, const struct encoding *e, struct view bytes)
{
    struct digits digits;
    if (bytes.len > MULTIBASE_NUMBER_MAX ||
        !convert(bytes, 256, (unsigned)strlen(e->alphabet), &digits)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < digits.len; i++)
        put_u8(out, (uint8_t)e->alphabet[digits.at[i]]);
}

static int decode_number(struct writer *out, const struct encoding *e, struct view text)
{
    uint8_t values[DIGITS_MAX];
    struct digits bytes;
    if (text.len > sizeof values)
        return ERR_TOO_BIG;
    for (size_t i = 0; i < text.len; i++) {
        int value = letter_value(e, text.data[i]);
        if (value < 0)
            return ERR_BAD_ARGUMENT;
        values[i] = (uint8_t)value;
    }
    if (!convert(view_of(values, text.len), (unsigned)strlen(e->alphabet), 256, &bytes) ||
        bytes.len > MULTIBASE_NUMBER_MAX)
        return ERR_TOO_BIG;
    put(out, view_of(bytes.at, bytes.len));
    return 0;
}

static void encode_bits(struct writer *out, const struct encoding *e, struct view bytes)
{
    const unsigned letter = (1u << e->bits) - 1;
    unsigned waiting = 0, count = 0; /* the `count` low bits of `waiting` are not written yet */
    for (size_t i = 0; i < bytes.len; i++) {
        waiting = waiting << 8 | bytes.data[i];
        for (count += 8; count >= e->bits; count -= e->bits)
            put_u8(out, (uint8_t)e->alphabet[waiting >> (count - e->bits) & letter]);
    }
    if (count > 0)
        put_u8(out, (uint8_t)e->alphabet[waiting << (e->bits - count) & letter]);
}

static int decode_bits(struct writer *out, const struct encoding *e, struct view text)
{
    unsigned waiting = 0, count = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = letter_value(e, text.data[i]);
        if (value < 0)
            return ERR_BAD_ARGUMENT;
        waiting = waiting << e->bits | (unsigned)value;
        count += e->bits;
        if (count >= 8) {
            count -= 8;
            put_u8(out, (uint8_t)(waiting >> count));
            waiting &= (1u << count) - 1;
        }
    }
    return count >= e->bits || waiting != 0 ? ERR_BAD_ARGUMENT : 0;
}

static int decode(struct writer *out, const struct encoding *e, struct view text)
{
    struct writer attempt = *out;
    int rc = e->bits > 0 ? decode_bits(&attempt, e, text) : decode_number(&attempt, e, text);
    if (rc == 0 && attempt.failed)
        rc = ERR_TOO_BIG;
    if (rc == 0)
        *out = attempt;
    return rc;
}

void base58_encode(struct writer *out, struct view bytes)
{
    encode_number(out, &BASE58, bytes);
}

int base58_decode(struct writer *out, struct view text)
{
    return decode_number(out, &BASE58, text);
}

void base_encode(struct writer *out, enum multibase base, struct view bytes)
{
    const struct encoding *e = find_encoding((uint8_t)base);
    if (e->bits > 0)
        encode_bits(out, e, bytes);
    else
        encode_number(out, e, bytes);
}

int base_decode(struct writer *out, enum multibase base, struct view text)
{
    return decode(out, find_encoding((uint8_t)base), text);
}

void multibase_encode(struct writer *out, enum multibase base, struct view bytes)
{
    put_u8(out, (uint8_t)base);
    base_encode(out, base, bytes);
}

int multibase_decode(struct writer *out, struct view text)
{
    const struct encoding *e = text.len > 0 ? find_encoding(text.data[0]) : NULL;
    if (e == NULL)
        return ERR_BAD_ARGUMENT;
    return decode(out, e, view_of(text.data + 1, text.len - 1));
}
