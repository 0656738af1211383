/*
 * The 12 bytes in front of everything yamux says, big endian.
 *
 *     version u8 = 0 | type u8 | flags u16 | stream id u32 | length u32
 *
 * yamux spec, "Framing".
 */
#ifndef WIRE_YAMUX_FRAME_H
#define WIRE_YAMUX_FRAME_H

#include "base/cursor.h"

#define YAMUX_HEADER_LEN 12

enum yamux_type { YAMUX_TYPE_DATA, YAMUX_TYPE_WINDOW, YAMUX_TYPE_PING, YAMUX_TYPE_GOAWAY };

enum yamux_flag {
    YAMUX_FLAG_SYN = 1,
    YAMUX_FLAG_ACK = 2,
    YAMUX_FLAG_FIN = 4,
    YAMUX_FLAG_RST = 8,
};

/* What a GOAWAY says. */
enum yamux_code { YAMUX_NORMAL, YAMUX_PROTOCOL_ERROR, YAMUX_INTERNAL_ERROR };

struct yamux_header {
    uint8_t version;
    uint8_t type; /* checked by whoever reads it */
    uint16_t flags;
    uint32_t id;
    uint32_t len; /* Data: bytes that follow; Window: credit; Ping: value; GoAway: code */
};

struct yamux_header yamux_header_parse(const uint8_t bytes[YAMUX_HEADER_LEN]);
void yamux_header_put(struct writer *w, const struct yamux_header *h);

#endif
