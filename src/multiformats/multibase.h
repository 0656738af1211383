/*
 * Bytes as text: the encodings a libp2p address or Peer ID may be spelled in.
 *
 * Base 58 and 36 treat the bytes as one big number, each leading zero byte becoming one leading
 * first letter of the alphabet; they are bounded because their cost is quadratic. The others are
 * RFC 4648 without padding. Letters of base 16, 32 and 36 are read in either case.
 * multiformats/multibase, "Multibase Table".
 */
#ifndef MULTIFORMATS_MULTIBASE_H
#define MULTIFORMATS_MULTIBASE_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/span.h"

/* The value is the prefix letter. */
enum multibase {
    MULTIBASE_BASE16 = 'f',
    MULTIBASE_BASE32 = 'b',
    MULTIBASE_BASE36 = 'k',
    MULTIBASE_BASE58 = 'z',
    MULTIBASE_BASE64 = 'm',
    MULTIBASE_BASE64URL = 'u',
};

/* Most bytes that base 58 and 36 take or give. */
#define MULTIBASE_NUMBER_MAX 128

/* Appends the text of `bytes`, no prefix; the writer fails past the bound of base 58 and 36. */
void base_encode(struct writer *out, enum multibase base, struct view bytes);

/*
 * Appends the bytes that `text`, which has no prefix, stands for. ERR_BAD_ARGUMENT for a foreign
 * letter, an impossible length or bits left over; ERR_TOO_BIG past the bound or the writer's room.
 */
MUST_USE int base_decode(struct writer *out, enum multibase base, struct view text);

/* The same of base 58, which is all that the core itself needs. */
void base58_encode(struct writer *out, struct view bytes);
MUST_USE int base58_decode(struct writer *out, struct view text);

/* The same with the prefix letter in front; an unknown prefix is ERR_BAD_ARGUMENT. */
void multibase_encode(struct writer *out, enum multibase base, struct view bytes);
MUST_USE int multibase_decode(struct writer *out, struct view text);

#endif
