# Takes the constants out of libsodium's hash_sha256_cp.c and hash_sha512_cp.c; see sha2_constants.h.
# The Makefile names the table itself. Fails when it does not find both tables, by counting them in the hold space.
1i #include "crypto/sha2_constants.h"
/static const uint[0-9]*_t \(Krnd\|sha[0-9]*_initial_state\)\[[0-9]*\] = {/,/};/{
    /};/!d
    x
    s/$/+/
    x
    d
}
s/\(sha[0-9]*\)_initial_state/\1_start/g
${
    x
    /^++$/!q1
    x
}
