#include "record/recording.h"

#include "base/cursor.h"

/* ---- the digest ------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t digest, uint64_t number)
{
    uint64_t h = (digest ^ number) * UINT64_C(0x9fb21c651e98df25);
    return h ^ h >> 32;
}

static uint64_t mix_bytes(uint64_t digest, struct view bytes)
{
    digest = mix(digest, bytes.len);
    for (size_t i = 0; i < bytes.len; i += 8) {
        uint64_t eight = 0;
        for (size_t j = i; j < bytes.len && j < i + 8; j++)
            eight = eight << 8 | bytes.data[j];
        digest = mix(digest, eight);
    }
    return digest;
}

uint64_t output_digest(uint64_t digest, const struct peerlet_output *out)
{
    digest = mix(digest, out->type);
    digest = mix(digest, (uint64_t)out->id << 32 | out->channel);
    digest = mix(digest, (uint64_t)out->value << 32 | (uint32_t)out->code);
    digest = mix(digest, out->limit_s);
    digest = mix(digest, out->limit_bytes);
    const struct view views[] = {out->peer, out->text, out->data, out->extra, out->more, out->key};
    for (size_t i = 0; i < ARRAY_LEN(views); i++)
        digest = mix_bytes(digest, views[i]);
    return digest;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void add(struct recording *r, struct view bytes)
{
    r->is_short |= buf_append(&r->bytes, bytes) != 0;
}

static void add_u8(struct recording *r, uint8_t byte)
{
    add(r, view_of(&byte, 1));
}

static void add_number(struct recording *r, uint64_t number)
{
    uint8_t bytes[10];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_uvarint(&w, number);
    add(r, writer_view(&w));
}

static void add_delimited(struct recording *r, struct view bytes)
{
    add_number(r, bytes.len);
    add(r, bytes);
}

/* A record is written whole or not at all, and none behind one that is missing. */
static size_t begin(const struct recording *r)
{
    return r->bytes.len;
}

static void end(struct recording *r, size_t began)
{
    if (!r->is_short)
        return;
    buf_truncate(&r->bytes, began);
    r->is_over = true;
}

static void add_config(struct recording *r, const struct peerlet_config *config,
                       enum recording_key key)
{
    const struct peerlet_limits *limits = config->limits ? config->limits : &PEERLET_LIMITS;
    add(r, view_of_text(RECORDING_MAGIC));
    add_u8(r, RECORDING_CONFIG);
    add_number(r, key);
    add_number(r, r->last_at);
    add_number(r, config->unix_ms);
    add_number(r, config->services);
    add_number(r, config->page);
    add_number(r, config->no_auto_dial_discovered);
    add_number(r, LIMITS_CHOSEN);
    for (size_t i = 0; i < LIMITS_CHOSEN; i++)
        add_number(r, limits->chosen[i]);
    add_delimited(r, config->private_key);
    add_delimited(r, config->agent);
    _Static_assert(sizeof config->pubsub.numbers == sizeof config->pubsub, "it is all of it");
    add_number(r, PEERLET_PUBSUB_NUMBERS);
    for (size_t i = 0; i < PEERLET_PUBSUB_NUMBERS; i++)
        add_number(r, config->pubsub.numbers[i]);
}

void recording_init(struct recording *r, struct mem *mem, const struct peerlet_config *config,
                    enum recording_key key, uint64_t now)
{
    *r = (struct recording){.last_at = now};
    buf_init(&r->bytes, mem, SIZE_MAX / 4);
    add_config(r, config, key);
    end(r, 0);
}

void recording_free(struct recording *r)
{
    buf_free(&r->bytes);
}

void recording_random(struct recording *r, struct view bytes)
{
    if (r->is_over)
        return;
    size_t began = begin(r);
    add_u8(r, RECORDING_RANDOM);
    add_delimited(r, bytes);
    end(r, began);
}

void recording_input(struct recording *r, const struct input *in, uint64_t now)
{
    recording_seal(r);
    if (r->is_over)
        return;
    size_t began = begin(r);
    r->is_draining = false;
    add_u8(r, in->type);
    add_number(r, now - r->last_at);
    add_number(r, in->id);
    add_number(r, in->channel);
    add_number(r, in->flags);
    add_number(r, in->value);
    add_delimited(r, in->text);
    add_delimited(r, view_of_span(in->bytes));
    r->last_at = now;
    end(r, began);
}

void recording_drain(struct recording *r)
{
    if (r->is_draining || r->is_over)
        return;
    size_t began = begin(r);
    r->is_draining = true;
    add_u8(r, RECORDING_DRAIN);
    end(r, began);
}

void recording_output(struct recording *r, const struct peerlet_output *out)
{
    r->digest = output_digest(r->digest, out);
    r->has_spoken = true;
}

void recording_seal(struct recording *r)
{
    if (!r->has_spoken || r->is_over)
        return;
    size_t began = begin(r);
    uint8_t bytes[8];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_u64be(&w, r->digest);
    add_u8(r, RECORDING_DIGEST);
    add(r, writer_view(&w));
    r->has_spoken = false;
    end(r, began);
}

void recording_end(struct recording *r)
{
    recording_seal(r);
    r->is_over = true;
}
