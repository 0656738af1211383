#include "pubsub/rpc.h"

/* Protobuf's own varint: up to ten bytes, padding allowed. */
static uint64_t take_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = take_u8(c);
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (byte < 0x80)
            return value;
    }
    c->failed = true;
    return 0;
}

int rpc_next(struct view *rest, struct rpc_field *field)
{
    if (rest->len == 0)
        return 0;
    struct cursor c = cursor_of(*rest);
    uint64_t key = take_varint(&c);
    *field = (struct rpc_field){.tag = (uint32_t)MIN(key >> 3, (uint64_t)UINT32_MAX)};
    uint64_t len;
    switch (key & 7) {
    case 0:
        field->number = take_varint(&c);
        break;
    case 1:
        take(&c, 8);
        break;
    case 2:
        len = take_varint(&c);
        if (len > c.rest.len)
            return ERR_PROTOCOL;
        field->is_bytes = true;
        field->bytes = take(&c, (size_t)len);
        break;
    case 5:
        take(&c, 4);
        break;
    default:
        return ERR_PROTOCOL;
    }
    if (c.failed || field->tag == 0)
        return ERR_PROTOCOL;
    *rest = c.rest;
    return 1;
}

int rpc_subscription_parse(struct view in, struct rpc_subscription *s)
{
    struct rpc_field f;
    int rc;
    *s = (struct rpc_subscription){0};
    while ((rc = rpc_next(&in, &f)) == 1) {
        if (f.tag == 1 && !f.is_bytes)
            s->subscribe = f.number != 0;
        else if (f.tag == 2 && f.is_bytes)
            s->topic = f.bytes;
    }
    return rc;
}

int rpc_message_parse(struct view in, struct rpc_message *m)
{
    struct rpc_field f;
    int rc;
    *m = (struct rpc_message){0};
    struct view *const fields[] = {&m->from,  &m->data,      &m->seqno,
                                   &m->topic, &m->signature, &m->key};
    while ((rc = rpc_next(&in, &f)) == 1) {
        if (f.is_bytes && f.tag <= ARRAY_LEN(fields))
            *fields[f.tag - 1] = f.bytes;
        else
            m->has_unknown = true;
    }
    return rc;
}

int rpc_prune_parse(struct view in, struct rpc_prune *p)
{
    struct rpc_field f;
    int rc;
    *p = (struct rpc_prune){0};
    while ((rc = rpc_next(&in, &f)) == 1) {
        if (f.tag == 1 && f.is_bytes)
            p->topic = f.bytes;
        else if (f.tag == 3 && !f.is_bytes)
            p->backoff_s = f.number;
    }
    return rc;
}

size_t rpc_field_len(size_t len)
{
    return 1 + uvarint_len(len) + len;
}

int rpc_append(struct buf *out, uint32_t tag, struct view bytes)
{
    size_t total = rpc_field_len(bytes.len);
    if (total > buf_room(out))
        return ERR_FULL;
    uint8_t *at = buf_reserve(out, total);
    if (at == NULL)
        return ERR_NOMEM;
    struct writer w = writer_of(at, total);
    put_u8(&w, (uint8_t)(tag << 3 | 2));
    put_delimited(&w, bytes);
    buf_commit(out, w.len);
    return 0;
}

/* An entry whose fields were written into a small piece of memory first. */
static int append_entry(struct buf *out, uint32_t tag, const struct writer *w)
{
    return w->failed ? ERR_TOO_BIG : rpc_append(out, tag, writer_view(w));
}

#define TOPIC_ENTRY_MAX 320

int rpc_append_subscription(struct buf *out, bool subscribe, struct view topic)
{
    uint8_t bytes[TOPIC_ENTRY_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_u8(&w, 1 << 3);
    put_u8(&w, subscribe);
    put_u8(&w, 2 << 3 | 2);
    put_delimited(&w, topic);
    return append_entry(out, RPC_SUBSCRIPTION, &w);
}

int rpc_append_graft(struct buf *out, struct view topic)
{
    uint8_t bytes[TOPIC_ENTRY_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_u8(&w, 1 << 3 | 2);
    put_delimited(&w, topic);
    return append_entry(out, CONTROL_GRAFT, &w);
}

int rpc_append_prune(struct buf *out, struct view topic, uint32_t backoff_s)
{
    uint8_t bytes[TOPIC_ENTRY_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_u8(&w, 1 << 3 | 2);
    put_delimited(&w, topic);
    if (backoff_s > 0) {
        put_u8(&w, 3 << 3);
        put_uvarint(&w, backoff_s);
    }
    return append_entry(out, CONTROL_PRUNE, &w);
}

int rpc_append_ids(struct buf *out, enum control_field_number kind, struct view topic,
                   struct view ids)
{
    size_t head = kind == CONTROL_IHAVE ? rpc_field_len(topic.len) : 0;
    size_t total = rpc_field_len(head + ids.len);
    if (total > buf_room(out))
        return ERR_FULL;
    uint8_t *at = buf_reserve(out, total);
    if (at == NULL)
        return ERR_NOMEM;
    struct writer w = writer_of(at, total);
    put_u8(&w, (uint8_t)((unsigned)kind << 3 | 2));
    put_uvarint(&w, head + ids.len);
    if (head > 0) {
        put_u8(&w, 1 << 3 | 2);
        put_delimited(&w, topic);
    }
    put(&w, ids);
    buf_commit(out, w.len);
    return 0;
}
