# Takes the constants and the rounds out of libsodium's hash_sha256_cp.c and hash_sha512_cp.c; see
# sha2_constants.h and sha2_rounds.h. The Makefile names the table itself. Fails when it does not find
# both tables and the four calls, by counting them in the hold space.
1i #include "crypto/sha2_constants.h"\
#include "crypto/sha2_rounds.h"
/static const uint[0-9]*_t \(Krnd\|sha[0-9]*_initial_state\)\[[0-9]*\] = {/,/};/{
    /};/!d
    x
    s/$/+/
    x
    d
}
s/\(sha[0-9]*\)_initial_state/\1_start/g
/^  .*SHA[0-9]*_Transform(/{
    s/SHA\([0-9]*\)_Transform(\(.*\), &tmp[0-9]*\[[1-9][0-9]*\]);/sha\1_rounds(\2);/
    x
    s/$/+/
    x
}
${
    x
    /^++++++$/!q1
    x
}
