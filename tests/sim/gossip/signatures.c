/* A signature is checked once in each thread, not once for each router: the linker wraps the check. */
#include "crypto/identity.h"

int __real_public_key_verify(const struct public_key *key, struct view message,
                             struct view signature);
int __wrap_public_key_verify(const struct public_key *key, struct view message,
                             struct view signature);

#define CHECKED 4096

static _Thread_local struct {
    uint8_t signature[ED25519_SIGNATURE_LEN];
    uint64_t message;
} checked[CHECKED];

static uint64_t digest(struct view key, struct view message)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ key.data[i]) * 0x100000001b3;
    for (size_t i = 0; i < message.len; i++)
        hash = (hash ^ message.data[i]) * 0x100000001b3;
    return hash;
}

int __wrap_public_key_verify(const struct public_key *key, struct view message,
                             struct view signature)
{
    if (signature.len != ED25519_SIGNATURE_LEN)
        return __real_public_key_verify(key, message, signature);
    uint64_t what = digest(key->data, message);
    size_t at = ((size_t)signature.data[0] << 8 | signature.data[1]) % CHECKED;
    if (checked[at].message == what &&
        memcmp(checked[at].signature, signature.data, signature.len) == 0)
        return 0;
    int rc = __real_public_key_verify(key, message, signature);
    if (rc == 0) {
        checked[at].message = what;
        memcpy(checked[at].signature, signature.data, signature.len);
    }
    return rc;
}
