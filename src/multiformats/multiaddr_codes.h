/* The table of protocols. Private to the multiaddr files. */
#ifndef MULTIFORMATS_MULTIADDR_CODES_H
#define MULTIFORMATS_MULTIADDR_CODES_H

#include "base/span.h"

/* How a value is written as text. */
enum value_kind {
    VALUE_NONE,
    VALUE_IP4,
    VALUE_IP6,
    VALUE_NUMBER8,
    VALUE_PORT,
    VALUE_NAME,    /* any text without a slash */
    VALUE_PATH,    /* percent-encoded, with a leading slash in its bytes */
    VALUE_PEER,
    VALUE_HASH,    /* multihash in multibase */
    VALUE_ONION,   /* base32 of all but the last two bytes, ':' and a port */
    VALUE_BASE64,
    VALUE_BASE32,
};

/* Length of a value that says its own length in front. */
#define LEN_PREFIXED UINT8_MAX

struct multiaddr_protocol {
    uint16_t code;
    uint8_t len;     /* of the value, or LEN_PREFIXED */
    uint8_t kind;    /* enum value_kind */
    char name[22];
};

/* Null for one that is not in the table. */
const struct multiaddr_protocol *multiaddr_protocol_by_code(uint64_t code);
const struct multiaddr_protocol *multiaddr_protocol_by_name(struct view name);

#endif
