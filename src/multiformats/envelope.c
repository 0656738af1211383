#include "multiformats/envelope.h"

#include "envelope.pb.h"
#include "multiformats/multiaddr.h"

#define RECORD_DOMAIN "libp2p-peer-record"
#define RECORD_TYPE "\x03\x01"

/* Older than the registration of the above, and what rust-libp2p still signs under. */
#define LEGACY_DOMAIN "libp2p-routing-state"
#define LEGACY_TYPE "/libp2p/routing-state-record"

/* Longest domain and three lengths on top of an envelope. */
#define SIGNED_MAX_LEN (ENVELOPE_MAX_LEN + 128)

static int append_delimited(struct buf *out, struct view bytes)
{
    uint8_t prefix[10];
    struct writer w = writer_of(prefix, sizeof prefix);
    put_uvarint(&w, bytes.len);
    int rc = buf_append(out, writer_view(&w));
    return rc == 0 ? buf_append(out, bytes) : rc;
}

int envelope_signed_bytes(const char *domain, struct view payload_type, struct view payload,
                          struct buf *out)
{
    int rc = append_delimited(out, view_of_text(domain));
    if (rc == 0)
        rc = append_delimited(out, payload_type);
    return rc == 0 ? append_delimited(out, payload) : rc;
}

static int decode(struct view in, struct envelope *out)
{
    struct view key = {0};
    *out = (struct envelope){0};
    peerlet_envelope_Envelope message = {
        .public_key = borrow_view(&key),
        .payload_type = borrow_view(&out->payload_type),
        .payload = borrow_view(&out->payload),
        .signature = borrow_view(&out->signature),
    };
    int rc = protobuf_decode(in, ENVELOPE_MAX_LEN, peerlet_envelope_Envelope_fields, &message);
    if (rc == 0)
        rc = public_key_parse(key, &out->key);
    if (rc == 0)
        out->signer = peer_id_of_public_key(&out->key);
    return rc;
}

int envelope_parse(struct view in, const char *domain, struct view payload_type, struct mem *mem,
                   struct envelope *out)
{
    int rc = decode(in, out);
    if (rc != 0)
        return rc;
    if (!view_equal(out->payload_type, payload_type))
        return ERR_PROTOCOL;
    struct buf signed_bytes;
    buf_init(&signed_bytes, mem, SIGNED_MAX_LEN);
    rc = envelope_signed_bytes(domain, payload_type, out->payload, &signed_bytes);
    if (rc == 0)
        rc = public_key_verify(&out->key, buf_view(&signed_bytes), out->signature);
    buf_free(&signed_bytes);
    return rc;
}

int envelope_append(struct view key, struct view payload_type, struct view payload,
                    struct view signature, struct buf *out)
{
    peerlet_envelope_Envelope message = {
        .public_key = lend_view(&key),
        .payload_type = lend_view(&payload_type),
        .payload = lend_view(&payload),
        .signature = lend_view(&signature),
    };
    return protobuf_append(out, peerlet_envelope_Envelope_fields, &message);
}

int envelope_seal(const struct identity *id, const char *domain, struct view payload_type,
                  struct view payload, struct buf *out)
{
    uint8_t key[IDENTITY_PUBLIC_LEN], signature[ED25519_SIGNATURE_LEN];
    struct buf signed_bytes;
    buf_init(&signed_bytes, out->mem, SIGNED_MAX_LEN);
    int rc = envelope_signed_bytes(domain, payload_type, payload, &signed_bytes);
    if (rc == 0)
        identity_sign(id, buf_view(&signed_bytes), signature);
    buf_free(&signed_bytes);
    if (rc != 0)
        return rc;
    identity_public(id, key);
    return envelope_append(view_of(key, sizeof key), payload_type, payload,
                           view_of(signature, sizeof signature), out);
}

/* The entries are lists of one; the good addresses in them are moved to the front. */
static void unwrap_addresses(struct views *entries)
{
    size_t good = 0;
    for (size_t i = 0; i < entries->count; i++) {
        struct view addr = {0};
        peerlet_envelope_AddressInfo info = {.multiaddr = borrow_view(&addr)};
        if (protobuf_decode(entries->at[i], ENVELOPE_MAX_LEN, peerlet_envelope_AddressInfo_fields,
                            &info) == 0 &&
            multiaddr_check(addr) == 0)
            entries->at[good++] = addr;
    }
    entries->count = good;
}

static int read_record(const struct envelope *e, struct peer_record *r)
{
    struct view peer = {0};
    r->addresses.count = r->addresses.over = 0;
    peerlet_envelope_PeerRecord record = {
        .peer_id = borrow_view(&peer),
        .addresses = borrow_views(&r->addresses),
    };
    int rc =
        protobuf_decode(e->payload, ENVELOPE_MAX_LEN, peerlet_envelope_PeerRecord_fields, &record);
    if (rc != 0 || peer_id_parse(peer, &r->peer) != 0)
        return ERR_PROTOCOL;
    if (!peer_id_equal(&r->peer, &e->signer))
        return ERR_WRONG_PEER;
    r->seq = record.seq;
    unwrap_addresses(&r->addresses);
    return 0;
}

int peer_record_open(struct view in, struct mem *mem, struct peer_record *r)
{
    struct envelope e;
    int rc = envelope_parse(in, RECORD_DOMAIN, view_of_text(RECORD_TYPE), mem, &e);
    if (rc == ERR_PROTOCOL)
        rc = envelope_parse(in, LEGACY_DOMAIN, view_of_text(LEGACY_TYPE), mem, &e);
    return rc == 0 ? read_record(&e, r) : rc;
}

int peer_record_peek(struct view in, struct peer_record *r)
{
    struct envelope e;
    int rc = decode(in, &e);
    if (rc != 0)
        return rc;
    bool is_record = view_equals_text(e.payload_type, RECORD_TYPE) ||
                     view_equals_text(e.payload_type, LEGACY_TYPE);
    return is_record ? read_record(&e, r) : ERR_PROTOCOL;
}

/* Field 3 of the record, one AddressInfo each; written behind the rest of the message. */
static int append_addresses(const struct views *addresses, struct buf *out)
{
    for (size_t i = 0; i < addresses->count; i++) {
        struct view addr = addresses->at[i];
        size_t inner = 1 + uvarint_len(addr.len) + addr.len;
        uint8_t prefix[24];
        struct writer w = writer_of(prefix, sizeof prefix);
        put_u8(&w, 3 << 3 | 2);
        put_uvarint(&w, inner);
        put_u8(&w, 1 << 3 | 2);
        put_uvarint(&w, addr.len);
        int rc = buf_append(out, writer_view(&w));
        if (rc == 0)
            rc = buf_append(out, addr);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int peer_record_append(const struct peer_record *r, struct buf *out)
{
    struct view peer = peer_id_view(&r->peer);
    peerlet_envelope_PeerRecord record = {
        .peer_id = lend_view(&peer),
        .has_seq = true,
        .seq = r->seq,
    };
    int rc = protobuf_append(out, peerlet_envelope_PeerRecord_fields, &record);
    return rc == 0 ? append_addresses(&r->addresses, out) : rc;
}

int peer_record_seal(const struct identity *id, const struct peer_record *r, struct buf *out)
{
    struct peer_record own = *r;
    own.peer = peer_id_of_identity(id);
    struct buf payload;
    buf_init(&payload, out->mem, ENVELOPE_MAX_LEN);
    int rc = peer_record_append(&own, &payload);
    if (rc == 0)
        rc = envelope_seal(id, RECORD_DOMAIN, view_of_text(RECORD_TYPE), buf_view(&payload), out);
    buf_free(&payload);
    return rc;
}

struct view peer_record_type(enum peer_record_domain domain)
{
    return view_of_text(domain == PEER_RECORD_LEGACY ? LEGACY_TYPE : RECORD_TYPE);
}

int peer_record_signed_bytes(enum peer_record_domain domain, struct view record, struct buf *out)
{
    return envelope_signed_bytes(domain == PEER_RECORD_LEGACY ? LEGACY_DOMAIN : RECORD_DOMAIN,
                                 peer_record_type(domain), record, out);
}
