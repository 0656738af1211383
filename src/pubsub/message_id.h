/*
 * What a message is called.
 *
 *     form                  id                                        default of
 *     GOSSIPSUB_ID_JS       public key protobuf || seqno              js-libp2p
 *     GOSSIPSUB_ID_SPEC     from || seqno                             the spec, go-libp2p
 *     GOSSIPSUB_ID_TEXT     base58btc(from) || seqno in decimal       rust-libp2p
 *     GOSSIPSUB_ID_SHA256   sha2-256(data)                            js-libp2p without signatures
 *     GOSSIPSUB_ID_GIVEN    what the application says, a little later
 *
 * The first three say the same, the message's origin: who wrote it and his how-manieth it is. So
 * an id in any of them is brought back to that, and a node understands the IHAVE, IWANT and
 * IDONTWANT of peers that are configured otherwise. specs/pubsub, "Message Identification".
 */
#ifndef PUBSUB_MESSAGE_ID_H
#define PUBSUB_MESSAGE_ID_H

#include "multiformats/peer_id.h"
#include "pubsub/rpc.h"
#include "pubsub/siphash.h"

enum gossipsub_message_id {
    GOSSIPSUB_ID_JS,
    GOSSIPSUB_ID_SPEC,
    GOSSIPSUB_ID_TEXT,
    GOSSIPSUB_ID_SHA256,
    GOSSIPSUB_ID_GIVEN,
};

#define MESSAGE_SEQNO_LEN 8

/* The longest holds a public key written out. */
#define MESSAGE_ID_MAX (PUBLIC_KEY_MAX_LEN + MESSAGE_SEQNO_LEN)

/* The longest that an application may give. */
#define MESSAGE_ID_GIVEN_MAX 128

struct message_id {
    size_t len;
    uint8_t bytes[MESSAGE_ID_MAX];
};

static inline struct view message_id_view(const struct message_id *id)
{
    return view_of(id->bytes, id->len);
}

/*
 * The id of a message, empty for GOSSIPSUB_ID_GIVEN. One without an author (StrictNoSign) has
 * GOSSIPSUB_ID_SHA256 in any other form. The fields are those message_check found right.
 */
struct message_id message_id_of(const struct rpc_message *m, enum gossipsub_message_id form);

/* Recognises the form of an id and writes its origin, from || seqno; false when it tells none. */
bool message_id_parse(struct view id, struct message_id *origin, enum gossipsub_message_id *form);

/* What the router keeps in place of ids. Where ids are the origin, both hashes are the same. */
struct message_hashes {
    uint64_t id;
    uint64_t origin;
};

struct message_hashes message_hashes_of(const struct rpc_message *m, enum gossipsub_message_id form,
                                        const struct siphash_key *key);

/* The hash of an id a peer sent: of its origin, when it tells one; then `*form` is set too. */
uint64_t message_id_hash(struct view id, const struct siphash_key *key,
                         enum gossipsub_message_id *form);

#endif
