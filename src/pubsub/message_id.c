#include "pubsub/message_id.h"

#include "base/log.h"
#include "crypto/hash.h"

/* An identity multihash begins 00 || length; a sha2-256 one is 12 20 || hash. */
#define IDENTITY_HEAD_LEN 2
#define SHA256_PEER_ID_LEN (2 + SHA256_LEN)

/* A uint64_t in decimal. */
#define DECIMAL_MAX 20

static struct writer id_writer(struct message_id *id)
{
    return writer_of(id->bytes, sizeof id->bytes);
}

static uint64_t number_of(struct view seqno)
{
    struct cursor c = cursor_of(seqno);
    return take_u64be(&c);
}

static void put_decimal(struct writer *w, uint64_t number)
{
    char text[DECIMAL_MAX + 1];
    size_t len = text_format(text, sizeof text, "%U", number);
    put(w, view_of((const uint8_t *)text, len));
}

/* The key as a protobuf: inside the Peer ID where it is short, else in the message. */
static void put_key(struct writer *w, const struct rpc_message *m)
{
    struct public_key key;
    if (m->from.len > 0 && m->from.data[0] == 0)
        put(w, view_of(m->from.data + IDENTITY_HEAD_LEN, m->from.len - IDENTITY_HEAD_LEN));
    else if (public_key_parse(m->key, &key) == 0)
        public_key_put(w, &key);
}

static void put_text_id(struct writer *w, const struct rpc_message *m)
{
    struct peer_id from;
    char text[PEER_ID_TEXT_MAX];
    if (peer_id_parse(m->from, &from) == 0)
        put(w, view_of((const uint8_t *)text, peer_id_format(&from, text)));
    put_decimal(w, number_of(m->seqno));
}

static void put_hash(struct writer *w, struct view bytes)
{
    uint8_t hash[SHA256_LEN];
    sha256(bytes, hash);
    put(w, view_of(hash, sizeof hash));
}

struct message_id message_id_of(const struct rpc_message *m, enum gossipsub_message_id form)
{
    struct message_id id;
    struct writer w = id_writer(&id);
    switch (m->from.len > 0 || form == GOSSIPSUB_ID_GIVEN ? form : GOSSIPSUB_ID_SHA256) {
    case GOSSIPSUB_ID_JS:
        put_key(&w, m);
        put(&w, m->seqno);
        break;
    case GOSSIPSUB_ID_SPEC:
        put(&w, m->from);
        put(&w, m->seqno);
        break;
    case GOSSIPSUB_ID_TEXT:
        put_text_id(&w, m);
        break;
    case GOSSIPSUB_ID_SHA256:
        put_hash(&w, m->data);
        break;
    case GOSSIPSUB_ID_GIVEN:
        break;
    }
    id.len = w.len;
    return id;
}

/* Divides `id` before its last eight bytes. */
static bool split_seqno(struct view id, struct view *name, struct view *seqno)
{
    if (id.len <= MESSAGE_SEQNO_LEN)
        return false;
    *name = view_of(id.data, id.len - MESSAGE_SEQNO_LEN);
    *seqno = view_of(id.data + name->len, MESSAGE_SEQNO_LEN);
    return true;
}

static void put_origin(struct message_id *origin, const struct peer_id *from, struct view seqno)
{
    struct writer w = id_writer(origin);
    put(&w, peer_id_view(from));
    put(&w, seqno);
    origin->len = w.len;
}

/* base58 has digits too, so where the number begins follows from the kind of Peer ID. */
static size_t text_peer_id_len(struct view id)
{
    static const struct {
        const char *prefix;
        size_t len;
    } KINDS[] = {{"12D3Koo", 52}, {"16Uiu2HA", 53}, {"Qm", 46}};
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        struct view prefix = view_of_text(KINDS[i].prefix);
        if (id.len > KINDS[i].len && memcmp(id.data, prefix.data, prefix.len) == 0)
            return KINDS[i].len;
    }
    return 0;
}

static bool parse_decimal(struct view text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t digit = (uint8_t)(text.data[i] - '0');
        if (digit > 9 || *number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

static bool parse_text_id(struct view id, struct message_id *origin)
{
    struct peer_id from;
    uint64_t number;
    uint8_t seqno[MESSAGE_SEQNO_LEN];
    size_t len = text_peer_id_len(id);
    if (len == 0 || !parse_decimal(view_of(id.data + len, id.len - len), &number) ||
        peer_id_parse_base58(view_of(id.data, len), &from) != 0)
        return false;
    struct writer w = writer_of(seqno, sizeof seqno);
    put_u64be(&w, number);
    put_origin(origin, &from, writer_view(&w));
    return true;
}

bool message_id_parse(struct view id, struct message_id *origin, enum gossipsub_message_id *form)
{
    struct view name, seqno;
    struct peer_id from;
    if (parse_text_id(id, origin)) {
        *form = GOSSIPSUB_ID_TEXT;
        return true;
    }
    if (!split_seqno(id, &name, &seqno))
        return false;
    if (peer_id_parse(name, &from) == 0)
        *form = GOSSIPSUB_ID_SPEC;
    else if (peer_id_from_key(name, &from) == 0)
        *form = GOSSIPSUB_ID_JS;
    else
        return false;
    put_origin(origin, &from, seqno);
    return true;
}

static uint64_t origin_hash(const struct rpc_message *m, const struct siphash_key *key)
{
    struct message_id origin = message_id_of(m, GOSSIPSUB_ID_SPEC);
    return siphash(key, message_id_view(&origin));
}

struct message_hashes message_hashes_of(const struct rpc_message *m, enum gossipsub_message_id form,
                                        const struct siphash_key *key)
{
    uint64_t origin = origin_hash(m, key);
    switch (form) {
    case GOSSIPSUB_ID_JS:
    case GOSSIPSUB_ID_SPEC:
    case GOSSIPSUB_ID_TEXT:
        break;
    case GOSSIPSUB_ID_GIVEN:
        if (m->from.len == 0) /* the same said in two topics is two messages */
            origin ^= siphash(key, m->topic);
        break;
    case GOSSIPSUB_ID_SHA256: {
        struct message_id id = message_id_of(m, form);
        return (struct message_hashes){siphash(key, message_id_view(&id)), origin};
    }
    }
    return (struct message_hashes){origin, origin};
}

uint64_t message_id_hash(struct view id, const struct siphash_key *key,
                         enum gossipsub_message_id *form)
{
    struct message_id origin;
    return siphash(key, message_id_parse(id, &origin, form) ? message_id_view(&origin) : id);
}
