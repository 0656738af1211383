/*
 * Signed envelopes, and the peer records that travel in them.
 *
 *     Envelope    { 1: public key, 2: payload type, 3: payload, 5: signature }
 *     signed:     uvarint(len) || domain || uvarint(len) || type || uvarint(len) || payload
 *     PeerRecord  { 1: Peer ID, 2: seq, 3: { 1: multiaddr }… }
 *
 * The domain keeps a signature made for one purpose from serving another. libp2p specs, RFC 0002
 * and 0003.
 */
#ifndef MULTIFORMATS_ENVELOPE_H
#define MULTIFORMATS_ENVELOPE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/protobuf.h"
#include "crypto/identity.h"
#include "multiformats/peer_id.h"

/* Longest envelope that is looked at: it comes inside an identify message, which has this limit. */
#define ENVELOPE_MAX_LEN 8192

struct envelope {
    struct public_key key;
    struct peer_id signer; /* the key's Peer ID */
    struct view payload_type;
    struct view payload;
    struct view signature;
};

/*
 * Reads an envelope and checks its signature; everything in `*out` is borrowed from `in`.
 * ERR_PROTOCOL when it does not parse or has another payload type, ERR_BAD_KEY, ERR_TOO_BIG,
 * ERR_BAD_SIGNATURE. ERR_UNSUPPORTED when the key is of a type that is not verified here: `*out` is
 * filled, and must not be trusted before somebody else has verified it over envelope_signed_bytes.
 * `mem` lends the room for the signed bytes, ERR_NOMEM.
 */
MUST_USE int envelope_parse(struct view in, const char *domain, struct view payload_type,
                            struct mem *mem, struct envelope *out);

/* Appends the bytes that the signature is over. ERR_FULL, ERR_NOMEM. */
MUST_USE int envelope_signed_bytes(const char *domain, struct view payload_type,
                                   struct view payload, struct buf *out);

/* Appends an envelope of our own. ERR_FULL, ERR_NOMEM; nothing is appended then. */
MUST_USE int envelope_seal(const struct identity *id, const char *domain, struct view payload_type,
                           struct view payload, struct buf *out);

/* Appends an envelope that was signed elsewhere. ERR_FULL, ERR_NOMEM. */
MUST_USE int envelope_append(struct view key, struct view payload_type, struct view payload,
                             struct view signature, struct buf *out);

struct peer_record {
    struct peer_id peer;
    uint64_t seq;           /* a later record of a peer has a greater one */
    struct views addresses; /* binary multiaddrs */
};

/*
 * Opens a sealed peer record: under the domain of the spec or the one older rust nodes use, signed
 * by the peer it is about. The owner sets `r->addresses.at` and `.room`; what is found there is
 * borrowed from `in`. Malformed and unknown addresses are left out, and those past the room are
 * counted in `over`. Errors are those of envelope_parse, and ERR_WRONG_PEER when another peer
 * signed.
 */
MUST_USE int peer_record_open(struct view in, struct mem *mem, struct peer_record *r);

/*
 * The same without a look at the signature, for who takes addresses as hints only: whoever answers at
 * one has to prove who it is. ERR_WRONG_PEER when the key is another peer's.
 */
MUST_USE int peer_record_peek(struct view in, struct peer_record *r);

/* Appends our own record, sealed; `r->peer` is not read. ERR_FULL, ERR_NOMEM. */
MUST_USE int peer_record_seal(const struct identity *id, const struct peer_record *r,
                              struct buf *out);

/* A rendezvous point of rust-libp2p takes nothing but the older of these. */
enum peer_record_domain { PEER_RECORD_STANDARD, PEER_RECORD_LEGACY };

/*
 * In three steps, for who signs elsewhere: the record, then the bytes to sign, then envelope_append
 * with peer_record_type. ERR_FULL, ERR_NOMEM.
 */
MUST_USE int peer_record_append(const struct peer_record *r, struct buf *out);
MUST_USE int peer_record_signed_bytes(enum peer_record_domain domain, struct view record,
                                      struct buf *out);
struct view peer_record_type(enum peer_record_domain domain);

#endif
