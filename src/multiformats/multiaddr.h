/*
 * Addresses that say how to get there: /ip4/192.0.2.1/tcp/443/tls/ws/p2p/12D3Koo…
 *
 *     binary:  { uvarint(code) [uvarint(len)] value }…     a `struct view`, at most 1024 bytes
 *     text:    { /name[/value] }…
 *
 * One address put after another is the second reached through the first, so encapsulating is
 * appending. A code that is not in the table makes the whole address unreadable, since its size is
 * unknown: drop that address and keep the others. Compare addresses as normalized bytes, never as
 * text. multiformats/multiaddr, "Specification"; libp2p specs, "addressing".
 */
#ifndef MULTIFORMATS_MULTIADDR_H
#define MULTIFORMATS_MULTIADDR_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/span.h"
#include "multiformats/peer_id.h"

#define MULTIADDR_MAX_LEN 1024

enum multiaddr_code {
    MULTIADDR_IP4 = 4,
    MULTIADDR_TCP = 6,
    MULTIADDR_DCCP = 33,
    MULTIADDR_IP6 = 41,
    MULTIADDR_IP6ZONE = 42,
    MULTIADDR_IPCIDR = 43,
    MULTIADDR_DNS = 53,
    MULTIADDR_DNS4 = 54,
    MULTIADDR_DNS6 = 55,
    MULTIADDR_DNSADDR = 56,
    MULTIADDR_SCTP = 132,
    MULTIADDR_UDP = 273,
    MULTIADDR_P2P_WEBRTC_STAR = 275,
    MULTIADDR_P2P_WEBRTC_DIRECT = 276,
    MULTIADDR_P2P_STARDUST = 277,
    MULTIADDR_WEBRTC_DIRECT = 280,
    MULTIADDR_WEBRTC = 281,
    MULTIADDR_P2P_CIRCUIT = 290,
    MULTIADDR_UDT = 301,
    MULTIADDR_UTP = 302,
    MULTIADDR_UNIX = 400,
    MULTIADDR_P2P = 421,
    MULTIADDR_HTTPS = 443,
    MULTIADDR_ONION = 444,
    MULTIADDR_ONION3 = 445,
    MULTIADDR_GARLIC64 = 446,
    MULTIADDR_GARLIC32 = 447,
    MULTIADDR_TLS = 448,
    MULTIADDR_SNI = 449,
    MULTIADDR_NOISE = 454,
    MULTIADDR_QUIC = 460,
    MULTIADDR_QUIC_V1 = 461,
    MULTIADDR_WEBTRANSPORT = 465,
    MULTIADDR_CERTHASH = 466,
    MULTIADDR_WS = 477,
    MULTIADDR_WSS = 478,
    MULTIADDR_P2P_WEBSOCKET_STAR = 479,
    MULTIADDR_HTTP = 480,
    MULTIADDR_HTTP_PATH = 481,
};

/* One component. */
struct multiaddr_part {
    uint32_t code;
    struct view value; /* empty for a protocol without one */
    struct view whole; /* code, length and value */
};

/* 0, ERR_TOO_BIG past MULTIADDR_MAX_LEN, or ERR_BAD_MULTIADDR: empty, unknown code, bad value. */
MUST_USE int multiaddr_check(struct view addr);

/*
 * Takes the next component off `rest`: 1 with `*part` filled, 0 at the end, ERR_BAD_MULTIADDR when
 * the code is unknown or the bytes end inside it. Cannot fail on an address that was checked.
 */
MUST_USE int multiaddr_next(struct view *rest, struct multiaddr_part *part);

/* The first or last component with a code. False when there is none. */
bool multiaddr_find(struct view addr, enum multiaddr_code code, struct multiaddr_part *part);
bool multiaddr_find_last(struct view addr, enum multiaddr_code code, struct multiaddr_part *part);

static inline bool multiaddr_has(struct view addr, enum multiaddr_code code)
{
    struct multiaddr_part part;
    return multiaddr_find(addr, code, &part);
}

/* Whether it is this one component and no more. */
bool multiaddr_is_only(struct view addr, enum multiaddr_code code);

/* Whom the address names: its last /p2p. ERR_NOT_FOUND when it has none. */
MUST_USE int multiaddr_peer(struct view addr, struct peer_id *out);

/* The address without the /p2p at its end, if there is one. */
struct view multiaddr_without_peer(struct view addr);

/* <relay>/p2p/R/p2p-circuit[/webrtc][/p2p/T], taken apart. */
struct multiaddr_circuit {
    struct view relay;       /* up to /p2p-circuit, with /p2p/R; may be empty */
    struct peer_id relay_id; /* R, or no peer */
    bool has_webrtc;
    struct peer_id target; /* T, or no peer */
};

/*
 * ERR_NOT_FOUND unless the address has that form; a circuit through a circuit has not. The same
 * /p2p/T may stand there twice.
 */
MUST_USE int multiaddr_relay(struct view addr, struct multiaddr_circuit *out);

/*
 * Appends the address with deprecated spellings replaced, wss by tls/ws and https by tls/http, so
 * that equal addresses have equal bytes. `addr` is a checked address.
 */
void multiaddr_normalize(struct view addr, struct writer *out);

/* What kind of place the first component names. For a relayed address that is the relay's. */
enum multiaddr_scope {
    SCOPE_NONE,     /* no host at all (/webrtc/p2p/T), or one that nobody can reach (0.0.0.0) */
    SCOPE_LOOPBACK, /* 127.0.0.0/8, ::1, localhost, *.localhost */
    SCOPE_PRIVATE,  /* private, link-local and carrier-grade NAT ranges; *.local */
    SCOPE_PUBLIC,   /* every other address and name */
};

enum multiaddr_scope multiaddr_scope(struct view addr);

static inline bool multiaddr_is_loopback(struct view addr)
{
    return multiaddr_scope(addr) == SCOPE_LOOPBACK;
}

static inline bool multiaddr_is_private(struct view addr)
{
    return multiaddr_scope(addr) == SCOPE_PRIVATE;
}

static inline bool multiaddr_is_public(struct view addr)
{
    return multiaddr_scope(addr) == SCOPE_PUBLIC;
}

/* How a browser would dial the address; <host> is an IP address or a dns, dns4 or dns6 name. */
enum multiaddr_kind {
    ADDR_OTHER,            /* not at all */
    ADDR_WEBSOCKET,        /* <host>[/tcp/P]/ws[/http-path/H][/p2p/T] */
    ADDR_SECURE_WEBSOCKET, /* <host>[/tcp/P]/wss, or /tls[/sni/S]/ws, and the same behind it */
    ADDR_WEBTRANSPORT,     /* <host>/udp/P/quic-v1/webtransport/certhash/C[/certhash/C] */
    ADDR_WEBRTC_DIRECT,    /* <ip>/udp/P/webrtc-direct/certhash/C[/certhash/C] */
    ADDR_CIRCUIT,          /* [<relay>]/p2p-circuit */
    ADDR_WEBRTC,           /* [<any>]/webrtc; can be dialled only if multiaddr_relay takes it */
};

enum multiaddr_kind multiaddr_kind(struct view addr);

/* Why a text is not an address, for a person. */
struct multiaddr_fault {
    size_t at;     /* the offending character, counted from 0 */
    char text[96]; /* `at character 9: "99999" is not a port (0..65535)`, counted from 1 */
};

/*
 * Appends the binary form of `text` and checks it. ERR_BAD_MULTIADDR with `*fault` filled, or
 * ERR_TOO_BIG past MULTIADDR_MAX_LEN or the writer's room; `out` is as before then. `fault` may be
 * null. One slash at the end is forgiven; /ipfs is read as /p2p.
 */
MUST_USE int multiaddr_parse_text(struct view text, struct writer *out,
                                  struct multiaddr_fault *fault);

/* Appends the value of a part that is an IP address or a name, "::1" of /ip6/::1, as in a URL but
 * for the brackets. */
void multiaddr_format_host(const struct multiaddr_part *part, struct writer *out);

/* Appends the value of a part that is a path, percent-encoded, slashes too. */
void multiaddr_format_path(struct view path, struct writer *out);

/* Appends the text form. ERR_BAD_MULTIADDR, or ERR_TOO_BIG when the room is too small. */
MUST_USE int multiaddr_format(struct view addr, struct writer *out);

#endif
