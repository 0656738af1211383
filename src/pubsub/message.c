#include "pubsub/message.h"

#include <assert.h>

#define SIGNED_PREFIX "libp2p-pubsub:"
#define SIGNED_PREFIX_LEN (sizeof SIGNED_PREFIX - 1)

static int check_unsigned(const struct rpc_message *m)
{
    bool is_signed = m->from.data || m->seqno.data || m->signature.data || m->key.data;
    return is_signed ? ERR_BAD_MESSAGE : 0;
}

static int check_signed(const struct rpc_message *m, struct peer_id *author, struct public_key *key)
{
    if (m->signature.len == 0 || m->seqno.len != MESSAGE_SEQNO_LEN ||
        peer_id_parse(m->from, author) != 0)
        return ERR_BAD_MESSAGE;
    if (m->key.len == 0)
        return peer_id_public_key(author, key) == 0 ? 0 : ERR_BAD_MESSAGE;
    if (public_key_parse(m->key, key) != 0)
        return ERR_BAD_MESSAGE;
    struct peer_id signer = peer_id_of_public_key(key);
    return peer_id_equal(&signer, author) ? 0 : ERR_BAD_MESSAGE;
}

int message_check(const struct messages *all, const struct rpc_message *fields,
                  struct peer_id *author, struct public_key *key)
{
    *author = (struct peer_id){0};
    switch (all->signing) {
    case GOSSIPSUB_STRICT_SIGN:
        return check_signed(fields, author, key);
    case GOSSIPSUB_STRICT_NO_SIGN:
        return check_unsigned(fields);
    }
    return ERR_BAD_MESSAGE;
}

struct message_hashes message_hashes(const struct messages *all, const struct rpc_message *fields)
{
    return message_hashes_of(fields, all->form, &all->hash_key);
}

bool message_name(const struct messages *all, struct message *m, struct view id)
{
    enum gossipsub_message_id form;
    if (!m->is_genuine || m->id.len > 0 || id.len == 0 || id.len > MESSAGE_ID_GIVEN_MAX)
        return false;
    memcpy(m->bytes + (m->id.data - m->bytes), id.data, id.len);
    m->id.len = id.len;
    m->hashes.id = message_id_hash(id, &all->hash_key, &form);
    return true;
}

static size_t encoded_len(const struct rpc_message *m)
{
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(m->fields); i++)
        if (m->fields[i].data != NULL)
            len += rpc_field_len(m->fields[i].len);
    return len;
}

static void write_block(struct message *m, const struct rpc_message *fields, struct view id,
                        size_t room)
{
    struct writer w = writer_of(m->bytes, room);
    put_text(&w, SIGNED_PREFIX);
    rpc_put_signed(&w, fields);
    m->signed_bytes = writer_view(&w);
    rpc_put_signature(&w, fields);
    m->encoded = view_of(m->bytes + SIGNED_PREFIX_LEN, w.len - SIGNED_PREFIX_LEN);
    m->id = view_of(m->bytes + w.len, id.len);
    put(&w, id);
    int rc = rpc_message_parse(m->encoded, &m->fields);
    assert(!w.failed && rc == 0);
    (void)rc;
}

int message_new(struct messages *all, const struct rpc_message *fields, struct message **made)
{
    struct message_id id = message_id_of(fields, all->form);
    size_t id_room = all->form == GOSSIPSUB_ID_GIVEN ? MESSAGE_ID_GIVEN_MAX : id.len;
    size_t room = SIGNED_PREFIX_LEN + encoded_len(fields) + id_room;
    size_t size = sizeof(struct message) + room;
    if (size > all->limit - all->held)
        return ERR_FULL;
    struct message *m = mem_alloc(all->mem, size);
    if (m == NULL)
        return ERR_NOMEM;
    write_block(m, fields, message_id_view(&id), room);
    m->refs = 1;
    m->hashes = message_hashes(all, fields);
    m->size = size;
    all->held += size;
    *made = m;
    return 0;
}

static void sign(struct message *m, const struct identity *identity)
{
    uint8_t signature[ED25519_SIGNATURE_LEN];
    identity_sign(identity, m->signed_bytes, signature);
    memcpy(m->bytes + (m->fields.signature.data - m->bytes), signature, sizeof signature);
}

int message_write(struct messages *all, const struct identity *identity, uint64_t seqno,
                  struct view topic, struct view data, struct message **made)
{
    static const uint8_t NOT_SIGNED_YET[ED25519_SIGNATURE_LEN];
    struct rpc_message fields = {
        .data = data.len > 0 ? data : view_of_text(""),
        .topic = topic,
    };
    if (all->signing == GOSSIPSUB_STRICT_NO_SIGN)
        return message_new(all, &fields, made);
    struct peer_id self = peer_id_of_identity(identity);
    uint8_t number[MESSAGE_SEQNO_LEN], key[IDENTITY_PUBLIC_LEN];
    struct writer w = writer_of(number, sizeof number);
    put_u64be(&w, seqno);
    identity_public(identity, key);
    fields.from = peer_id_view(&self);
    fields.seqno = writer_view(&w);
    fields.signature = view_of(NOT_SIGNED_YET, sizeof NOT_SIGNED_YET);
    fields.key = view_of(key, sizeof key);
    int rc = message_new(all, &fields, made);
    if (rc == 0)
        sign(*made, identity);
    return rc;
}

struct message *message_hold(struct message *m)
{
    m->refs++;
    return m;
}

void message_drop(struct messages *all, struct message *m)
{
    if (m == NULL || --m->refs > 0)
        return;
    all->held -= m->size;
    mem_free(all->mem, m);
}
