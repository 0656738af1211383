/* The table of protocols: code, length, what the value is. For multiaddr*.c alone. */
#ifndef MULTIFORMATS_MULTIADDR_CODES_H
#define MULTIFORMATS_MULTIADDR_CODES_H

#include "base/span.h"

/* What a value is, and so how it is written. */
enum value_kind {
    VALUE_NONE,
    VALUE_IP4,
    VALUE_IP6,
    VALUE_MASK, /* of an IP address: how many of its bits */
    VALUE_PORT,
    VALUE_HOST,     /* a domain name, which goes into URLs */
    VALUE_ZONE,     /* the name of a network interface */
    VALUE_PATH,     /* any bytes, percent-encoded */
    VALUE_PEER,     /* Peer ID */
    VALUE_HASH,     /* multihash in multibase */
    VALUE_ONION,    /* base32 of all but the last two bytes, a colon and a port */
    VALUE_GARLIC64, /* base64 with '-', '~' and padding */
    VALUE_GARLIC32, /* base32 */
};

/* Length of a value that says its own length in front. */
#define LEN_PREFIXED UINT8_MAX

struct multiaddr_protocol {
    uint16_t code;
    uint8_t len; /* of the value, or LEN_PREFIXED */
    enum value_kind kind;
};

/* Null for one that is not in the table. */
const struct multiaddr_protocol *multiaddr_protocol_by_code(uint64_t code);

/* Whether these bytes can be the value of that protocol: their length and what they say. */
bool multiaddr_value_is_good(const struct multiaddr_protocol *p, struct view value);

#endif
