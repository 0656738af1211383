#include "pubsub/message.h"

#include "crypto/hash.h"

#define SIGNED_PREFIX "libp2p-pubsub:"

enum { FROM = 1, DATA, SEQNO, TOPIC, SIGNATURE, KEY };

struct message *message_new(struct mem *mem, struct view encoded)
{
    struct message *m = mem_alloc(mem, sizeof *m + encoded.len);
    if (m == NULL)
        return NULL;
    m->refs = 1;
    m->len = encoded.len;
    if (encoded.len > 0)
        memcpy(m->bytes, encoded.data, encoded.len);
    if (rpc_message_parse(view_of(m->bytes, m->len), &m->fields) == 0)
        return m;
    mem_free(mem, m);
    return NULL;
}

void message_drop(struct mem *mem, struct message *m)
{
    if (--m->refs == 0)
        mem_free(mem, m);
}

static int check_unsigned(const struct rpc_message *m)
{
    bool has_any = m->from.data || m->seqno.data || m->signature.data || m->key.data;
    return has_any ? ERR_BAD_MESSAGE : 0;
}

int message_check(const struct rpc_message *m, enum gossipsub_signing signing,
                  struct peer_id *author, struct public_key *key)
{
    *author = (struct peer_id){0};
    if (m->topic.len == 0)
        return ERR_BAD_MESSAGE;
    if (signing == GOSSIPSUB_STRICT_NO_SIGN)
        return check_unsigned(m);
    if (m->has_unknown || m->signature.len == 0 || m->seqno.len != MESSAGE_SEQNO_LEN ||
        peer_id_parse(m->from, author) != 0)
        return ERR_BAD_MESSAGE;
    if (m->key.len == 0)
        return peer_id_public_key(author, key) == 0 ? 0 : ERR_BAD_MESSAGE;
    if (public_key_parse(m->key, key) != 0)
        return ERR_BAD_MESSAGE;
    struct peer_id signer = peer_id_of_public_key(key);
    return peer_id_equal(&signer, author) ? 0 : ERR_BAD_MESSAGE;
}

/* Absent fields are left out, empty ones are not. */
static int append_signed_fields(const struct rpc_message *m, struct buf *out)
{
    const struct view fields[] = {m->from, m->data, m->seqno, m->topic};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        int rc = fields[i].data ? rpc_append(out, FROM + (uint32_t)i, fields[i]) : 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

int message_signed_bytes(const struct rpc_message *m, struct buf *out)
{
    int rc = buf_append(out, view_of_text(SIGNED_PREFIX));
    return rc == 0 ? append_signed_fields(m, out) : rc;
}

static void append_id(struct message_id *id, struct view bytes)
{
    size_t len = MIN(bytes.len, sizeof id->bytes - id->len);
    if (len > 0)
        memcpy(id->bytes + id->len, bytes.data, len);
    id->len = (uint8_t)(id->len + len);
}

void message_name(const struct rpc_message *m, enum gossipsub_message_id form,
                  struct message_id *id)
{
    uint8_t hash[SHA256_LEN];
    id->len = 0;
    if (form == GOSSIPSUB_ID_SHA256 || m->from.len == 0) {
        sha256(m->data, hash);
        append_id(id, view_of(hash, sizeof hash));
        return;
    }
    append_id(id, m->from);
    append_id(id, m->seqno);
    if (form == GOSSIPSUB_ID_JS) {
        /* js names the key, which an identity hash holds behind two bytes. */
        struct view normal = message_name_normal(message_id_view(id));
        id->len = (uint8_t)normal.len;
        memmove(id->bytes, normal.data, normal.len);
    }
}

struct view message_name_normal(struct view id)
{
    bool is_identity_hash = id.len > 2 + MESSAGE_SEQNO_LEN && id.data[0] == 0 &&
                            id.data[1] == id.len - 2 - MESSAGE_SEQNO_LEN;
    return is_identity_hash ? view_of(id.data + 2, id.len - 2) : id;
}

int message_append(struct buf *out, const struct identity *identity,
                   enum gossipsub_signing signing, uint64_t seqno, struct view topic,
                   struct view data)
{
    struct rpc_message m = {.data = data.data ? data : view_of_text(""), .topic = topic};
    if (signing == GOSSIPSUB_STRICT_NO_SIGN)
        return append_signed_fields(&m, out);
    struct peer_id self = peer_id_of_identity(identity);
    uint8_t number[MESSAGE_SEQNO_LEN], key[IDENTITY_PUBLIC_LEN], signature[ED25519_SIGNATURE_LEN];
    struct writer w = writer_of(number, sizeof number);
    put_u64be(&w, seqno);
    m.from = peer_id_view(&self);
    m.seqno = writer_view(&w);
    /* Signed bytes and message share the fields: the prefix goes in front and is cut off again. */
    size_t prefix = sizeof SIGNED_PREFIX - 1, before = out->len;
    int rc = message_signed_bytes(&m, out);
    if (rc == 0) {
        struct span all = buf_span(out);
        identity_sign(identity, view_of(all.data + before, all.len - before), signature);
        memmove(all.data + before, all.data + before + prefix, all.len - before - prefix);
        buf_truncate(out, out->len - prefix);
        identity_public(identity, key);
        rc = rpc_append(out, SIGNATURE, view_of(signature, sizeof signature));
    }
    if (rc == 0)
        rc = rpc_append(out, KEY, view_of(key, sizeof key));
    if (rc != 0)
        buf_truncate(out, before);
    return rc;
}
