/*
 * Any bytes as a stream of RPCs, whole and in pieces.
 *
 *     input:  step | bytes…
 *
 * Both ways give the same parts; a message that is understood is written again and then reads the
 * same; memory stays within twice the bytes.
 */
#include "fuzz.h"

#include "base/limits.h"
#include "pubsub/rpc.h"
#include "pubsub/siphash.h"

static const struct siphash_key KEY = {{1, 2}};

static uint64_t add(uint64_t sum, struct view v)
{
    return (sum * 31 + (v.data != NULL)) ^ siphash(&KEY, v);
}

static uint64_t sum_message(const struct rpc_message *m)
{
    return add(add(add(add(add(add(0, m->from), m->data), m->seqno), m->topic), m->signature),
               m->key);
}

static void rewrite(const struct rpc_message *m, size_t room)
{
    uint8_t *bytes = malloc(room + 64);
    struct writer w = writer_of(bytes, room + 64);
    struct rpc_message again;
    rpc_put_signed(&w, m);
    rpc_put_signature(&w, m);
    assert(!w.failed && rpc_message_parse(writer_view(&w), &again) == 0);
    assert(sum_message(m) == sum_message(&again));
    free(bytes);
}

static uint64_t sum_part(uint64_t sum, const struct rpc_part *part, size_t room)
{
    struct rpc_ids ids = part->ids;
    struct view id;
    sum = add(sum * 31 + part->type * 2 + part->subscribe + part->backoff_s, part->topic);
    while (rpc_next_id(&ids, &id))
        sum = add(sum, id);
    if (part->type == RPC_MESSAGE)
        rewrite(&part->message, room);
    return sum ^ sum_message(&part->message);
}

static uint64_t read_all(struct view bytes, size_t step)
{
    struct mem mem = {0};
    struct rpc_reader reader;
    uint64_t sum = 0;
    int rc = 0;
    rpc_reader_init(&reader, &mem, PEERLET_LIMITS.rpc);
    for (size_t at = 0; rc == 0 && at < bytes.len; at += step) {
        size_t len = MIN(step, bytes.len - at);
        uint8_t *block = malloc(len);
        struct span in = span_of(block, len);
        struct rpc_part part;
        memcpy(block, bytes.data + at, len);
        while ((rc = rpc_feed(&reader, &in, &part)) == 1)
            sum = sum_part(sum, &part, bytes.len);
        assert(rc != 0 || in.len == 0);
        free(block);
    }
    assert(mem.peak <= 2 * bytes.len + 512);
    rpc_reader_free(&reader);
    assert(mem.used == 0);
    return sum + (uint64_t)(int64_t)rc;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    struct view bytes = view_of(data + 1, len - 1);
    uint64_t whole = read_all(bytes, bytes.len);
    assert(read_all(bytes, (size_t)data[0] + 1) == whole);
    return whole;
}
