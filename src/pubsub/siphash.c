#include "pubsub/siphash.h"

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void mix(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v, 2);
    v[0] ^= word;
}

static uint64_t load(const uint8_t *at, size_t len)
{
    uint64_t word = 0;
    while (len-- > 0)
        word = word << 8 | at[len];
    return word;
}

void siphash_init(struct siphash_key *key, const struct rng *rng)
{
    rng_fill(rng, (uint8_t *)key->words, sizeof key->words);
}

uint64_t siphash(const struct siphash_key *key, struct view bytes)
{
    uint64_t v[4] = {
        key->words[0] ^ 0x736f6d6570736575,
        key->words[1] ^ 0x646f72616e646f6d,
        key->words[0] ^ 0x6c7967656e657261,
        key->words[1] ^ 0x7465646279746573,
    };
    size_t whole = bytes.len / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        absorb(v, load(bytes.data + i, 8));
    uint64_t tail = bytes.len > whole ? load(bytes.data + whole, bytes.len - whole) : 0;
    absorb(v, tail | (uint64_t)bytes.len << 56);
    v[2] ^= 0xff;
    mix(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
