#include "pubsub/rpc.h"

#include <pb_decode.h>

#include "rpc.pb.h"

/* ---- in ---------------------------------------------------------------------------------------- */

void rpc_reader_init(struct rpc_reader *r, struct mem *mem, size_t limit)
{
    *r = (struct rpc_reader){.limit = limit};
    buf_init(&r->gathered, mem, limit + UVARINT_MAX_LEN);
}

void rpc_reader_free(struct rpc_reader *r)
{
    buf_free(&r->gathered);
    r->rest = r->control_rest = 0;
}

/* One field of a protobuf: its number, the bytes it takes, and its value, which is a number or bytes. */
struct field {
    uint32_t tag;
    size_t len;
    uint64_t number;
    struct view value;
};

/* Every wire type but the two of groups, which protobuf has given up. */
static bool find_field(struct view in, struct field *f)
{
    pb_istream_t stream = pb_istream_from_buffer(in.data, in.len);
    pb_wire_type_t type;
    bool is_end;
    *f = (struct field){0};
    if (!pb_decode_tag(&stream, &type, &f->tag, &is_end) || f->tag == 0)
        return false;
    bool has_number = type == PB_WT_STRING || type == PB_WT_VARINT;
    if (has_number ? !pb_decode_varint(&stream, &f->number) : !pb_skip_field(&stream, type))
        return false;
    f->len = in.len - stream.bytes_left;
    if (type != PB_WT_STRING)
        return true;
    if (f->number > stream.bytes_left)
        return false;
    f->value = view_of(stream.state, (size_t)f->number);
    f->len += f->value.len;
    return true;
}

bool rpc_next_id(struct rpc_ids *ids, struct view *id)
{
    struct field f;
    while (ids->rest.len > 0 && find_field(ids->rest, &f)) {
        ids->rest = view_of(ids->rest.data + f.len, ids->rest.len - f.len);
        *id = f.value;
        if (f.tag == ids->tag && f.value.data != NULL)
            return true;
    }
    return false;
}

/* The fields 1 to `count`, of each the last; all others are passed over. ERR_PROTOCOL. */
static int read_fields(struct view in, struct field *into, uint32_t count)
{
    struct field f;
    memset(into, 0, count * sizeof f);
    for (size_t at = 0; at < in.len; at += f.len) {
        if (!find_field(view_of(in.data + at, in.len - at), &f))
            return ERR_PROTOCOL;
        if (f.tag <= count)
            into[f.tag - 1] = f;
    }
    return 0;
}

int rpc_message_parse(struct view in, struct rpc_message *m)
{
    struct field f[ARRAY_LEN(m->fields)];
    int rc = read_fields(in, f, ARRAY_LEN(f));
    for (size_t i = 0; i < ARRAY_LEN(f); i++)
        m->fields[i] = f[i].value;
    return rc;
}

int rpc_peer_parse(struct view in, struct rpc_peer *peer)
{
    struct field f[peerlet_rpc_PeerInfo_signed_peer_record_tag];
    int rc = read_fields(in, f, ARRAY_LEN(f));
    peer->id = f[peerlet_rpc_PeerInfo_peer_id_tag - 1].value;
    peer->record = f[peerlet_rpc_PeerInfo_signed_peer_record_tag - 1].value;
    return rc;
}

static int parse_subscription(struct view in, struct rpc_part *part)
{
    struct field f[peerlet_rpc_SubOpts_topic_id_tag];
    int rc = read_fields(in, f, ARRAY_LEN(f));
    part->type = RPC_SUBSCRIPTION;
    part->subscribe = f[peerlet_rpc_SubOpts_subscribe_tag - 1].number != 0;
    part->topic = f[peerlet_rpc_SubOpts_topic_id_tag - 1].value;
    return rc;
}

/* Whatever has a topic has it in field 1, and a list in field 2; else the list is in field 1. */
static int parse_control(struct view in, uint32_t tag, struct rpc_part *part)
{
    struct field f[peerlet_rpc_ControlPrune_backoff_tag];
    int rc = read_fields(in, f, ARRAY_LEN(f));
    part->type = (enum rpc_part_type)(RPC_IHAVE + tag - peerlet_rpc_ControlMessage_ihave_tag);
    bool has_topic = part->type != RPC_IWANT && part->type != RPC_IDONTWANT;
    if (has_topic)
        part->topic = f[peerlet_rpc_ControlIHave_topic_id_tag - 1].value;
    part->ids = (struct rpc_ids){in, has_topic ? peerlet_rpc_ControlIHave_message_ids_tag
                                               : peerlet_rpc_ControlIWant_message_ids_tag};
    part->backoff_s = f[peerlet_rpc_ControlPrune_backoff_tag - 1].number;
    return rc;
}

/* 1 with a part, 0 for a field of no meaning to us, or an error. */
static int parse_field(const struct field *f, bool is_control, struct rpc_part *part)
{
    int rc = ERR_NOT_FOUND;
    if (f->value.data == NULL)
        return 0;
    if (is_control && f->tag <= peerlet_rpc_ControlMessage_extensions_tag)
        rc = parse_control(f->value, f->tag, part);
    else if (!is_control && f->tag == peerlet_rpc_RPC_subscriptions_tag)
        rc = parse_subscription(f->value, part);
    else if (!is_control && f->tag == peerlet_rpc_RPC_publish_tag) {
        part->type = RPC_MESSAGE;
        rc = rpc_message_parse(f->value, &part->message);
    }
    return rc == 0 ? 1 : rc == ERR_NOT_FOUND ? 0 : rc;
}

static struct view whole_rest(const struct rpc_reader *r, const struct span *in)
{
    struct view at = r->gathered.len > 0 ? buf_view(&r->gathered) : view_of_span(*in);
    return view_of(at.data, MIN(r->rest, at.len));
}

static void walk_over(struct rpc_reader *r, struct span *in, size_t len)
{
    if (r->gathered.len > 0)
        buf_take(&r->gathered, len);
    else
        span_take(in, len);
    r->rest -= len;
    r->control_rest -= MIN(r->control_rest, len);
}

/* The next field: 1 with a part, 0, or an error. Of the control message only the head is walked. */
static int walk(struct rpc_reader *r, struct span *in, struct rpc_part *part)
{
    struct field f;
    struct view rest = whole_rest(r, in);
    bool is_control = r->control_rest > 0;
    if (rest.len < r->rest ||
        !find_field(is_control ? view_of(rest.data, r->control_rest) : rest, &f))
        return ERR_PROTOCOL;
    *part = (struct rpc_part){.rpc = r->rpc};
    if (is_control || f.tag != peerlet_rpc_RPC_control_tag || f.value.data == NULL) {
        int rc = parse_field(&f, is_control, part);
        walk_over(r, in, f.len);
        return rc;
    }
    walk_over(r, in, f.len - f.value.len);
    r->control_rest = f.value.len;
    return 0;
}

/* The length of the RPC behind a prefix: the prefix's length, 0 when more is needed, or an error. */
static int measure(const struct rpc_reader *r, struct view at, size_t *len)
{
    uint64_t value = 0;
    int prefix = uvarint_peek(at, &value);
    if (prefix == UVARINT_BAD)
        return ERR_PROTOCOL;
    if (value > r->limit)
        return ERR_TOO_BIG;
    *len = (size_t)value;
    return prefix;
}

/* Takes into `gathered` what the RPC still lacks, byte by byte while its length is unknown. */
static int gather(struct rpc_reader *r, struct span *in)
{
    for (;;) {
        size_t len = 0;
        int prefix = measure(r, buf_view(&r->gathered), &len);
        if (prefix < 0)
            return prefix;
        size_t wanted = prefix > 0 ? (size_t)prefix + len : r->gathered.len + 1;
        if (prefix > 0 && r->gathered.len == wanted) {
            buf_take(&r->gathered, (size_t)prefix);
            r->rest = len;
            r->rpc++;
            return 1;
        }
        if (in->len == 0)
            return 0;
        struct span more = span_take(in, wanted - r->gathered.len);
        int rc = buf_append(&r->gathered, view_of_span(more));
        if (rc != 0)
            return rc;
    }
}

/* Finds the next RPC: 1 when its `rest` is known and all of it is there, 0, or an error. */
static int begin(struct rpc_reader *r, struct span *in)
{
    buf_trim(&r->gathered);
    if (r->gathered.len > 0)
        return gather(r, in);
    size_t len = 0;
    int prefix = measure(r, view_of_span(*in), &len);
    if (prefix < 0)
        return prefix;
    if (prefix == 0 || in->len - (size_t)prefix < len)
        return gather(r, in);
    span_take(in, (size_t)prefix);
    r->rest = len;
    r->rpc++;
    return 1;
}

int rpc_feed(struct rpc_reader *r, struct span *in, struct rpc_part *part)
{
    for (;;) {
        int rc = r->rest > 0 ? 1 : begin(r, in);
        if (rc != 1)
            return rc;
        rc = r->rest > 0 ? walk(r, in, part) : 0;
        if (rc != 0)
            return rc;
    }
}

/* ---- out --------------------------------------------------------------------------------------- */

static void put_bytes(struct writer *w, uint32_t tag, struct view value)
{
    put_uvarint(w, tag << 3 | PB_WT_STRING);
    put_delimited(w, value);
}

static void put_number(struct writer *w, uint32_t tag, uint64_t value)
{
    put_uvarint(w, tag << 3 | PB_WT_VARINT);
    put_uvarint(w, value);
}

size_t rpc_begin(struct writer *w)
{
    static const uint8_t GAP[RPC_PREFIX_MAX];
    put(w, view_of(GAP, sizeof GAP));
    return w->len;
}

static size_t begin_field(struct writer *w, uint32_t tag)
{
    put_uvarint(w, tag << 3 | PB_WT_STRING);
    return rpc_begin(w);
}

size_t rpc_begin_control(struct writer *w)
{
    return begin_field(w, peerlet_rpc_RPC_control_tag);
}

size_t rpc_begin_ihave(struct writer *w, struct view topic)
{
    size_t begun = begin_field(w, peerlet_rpc_ControlMessage_ihave_tag);
    put_bytes(w, peerlet_rpc_ControlIHave_topic_id_tag, topic);
    return begun;
}

void rpc_end(struct writer *w, size_t begun)
{
    if (w->failed)
        return;
    size_t len = w->len - begun;
    w->len = begun - RPC_PREFIX_MAX;
    put_uvarint(w, len);
    memmove(w->data + w->len, w->data + begun, len);
    w->len += len;
}

void rpc_put_subscription(struct writer *w, bool subscribe, struct view topic)
{
    size_t begun = begin_field(w, peerlet_rpc_RPC_subscriptions_tag);
    put_number(w, peerlet_rpc_SubOpts_subscribe_tag, subscribe);
    put_bytes(w, peerlet_rpc_SubOpts_topic_id_tag, topic);
    rpc_end(w, begun);
}

void rpc_put_message(struct writer *w, struct view encoded)
{
    put_bytes(w, peerlet_rpc_RPC_publish_tag, encoded);
}

size_t rpc_field_len(size_t len)
{
    return 1 + uvarint_len(len) + len;
}

int rpc_append_extensions(struct buf *out)
{
    static const uint8_t RPC[] = {
        4, peerlet_rpc_RPC_control_tag << 3 | PB_WT_STRING,
        2, peerlet_rpc_ControlMessage_extensions_tag << 3 | PB_WT_STRING,
        0,
    };
    return buf_append(out, view_of(RPC, sizeof RPC));
}

void rpc_put_graft(struct writer *w, struct view topic)
{
    size_t begun = begin_field(w, peerlet_rpc_ControlMessage_graft_tag);
    put_bytes(w, peerlet_rpc_ControlGraft_topic_id_tag, topic);
    rpc_end(w, begun);
}

size_t rpc_begin_prune(struct writer *w, struct view topic, uint64_t backoff_s)
{
    size_t begun = begin_field(w, peerlet_rpc_ControlMessage_prune_tag);
    put_bytes(w, peerlet_rpc_ControlPrune_topic_id_tag, topic);
    if (backoff_s > 0)
        put_number(w, peerlet_rpc_ControlPrune_backoff_tag, backoff_s);
    return begun;
}

void rpc_put_peer(struct writer *w, const struct rpc_peer *peer)
{
    size_t begun = begin_field(w, peerlet_rpc_ControlPrune_peers_tag);
    put_bytes(w, peerlet_rpc_PeerInfo_peer_id_tag, peer->id);
    put_bytes(w, peerlet_rpc_PeerInfo_signed_peer_record_tag, peer->record);
    rpc_end(w, begun);
}

void rpc_put_ihave_id(struct writer *w, struct view id)
{
    put_bytes(w, peerlet_rpc_ControlIHave_message_ids_tag, id);
}

size_t rpc_put_ids(struct writer *w, enum rpc_part_type type, struct view ids, uint32_t most)
{
    struct rpc_ids behind = {ids, peerlet_rpc_ControlIWant_message_ids_tag};
    struct view id;
    while (most > 0 && rpc_next_id(&behind, &id))
        most--;
    ids.len -= behind.rest.len;
    put_bytes(w,
              type == RPC_IWANT ? peerlet_rpc_ControlMessage_iwant_tag
                                : peerlet_rpc_ControlMessage_idontwant_tag,
              ids);
    return ids.len;
}

void rpc_put_wanted_id(struct writer *w, struct view id)
{
    _Static_assert(peerlet_rpc_ControlIWant_message_ids_tag ==
                       peerlet_rpc_ControlIDontWant_message_ids_tag,
                   "one for both");
    put_bytes(w, peerlet_rpc_ControlIWant_message_ids_tag, id);
}

static void put_present(struct writer *w, const struct rpc_message *m, uint32_t first,
                        uint32_t last)
{
    for (uint32_t tag = first; tag <= last; tag++)
        if (m->fields[tag - 1].data != NULL)
            put_bytes(w, tag, m->fields[tag - 1]);
}

void rpc_put_signed(struct writer *w, const struct rpc_message *m)
{
    put_present(w, m, peerlet_rpc_Message_from_tag, peerlet_rpc_Message_topic_tag);
}

void rpc_put_signature(struct writer *w, const struct rpc_message *m)
{
    put_present(w, m, peerlet_rpc_Message_signature_tag, peerlet_rpc_Message_key_tag);
}
