# Takes out of libsodium's ed25519_ref10.c two constant tables, see ed25519_table.h, and two functions,
# see ed25519_scalar.h. Fails when one of the four is not found, by counting them in the hold space.
1i #include "crypto/ed25519_table.h"
/static const ge25519_precomp base\[32\]\[8\] = {/,/^ *};/{
    /^ *};/!d
    x
    s/$/+/
    x
    c\    const ge25519_precomp (*const base)[8] = ed25519_table;
}
/static const ge25519_precomp Bi\[8\] = {/,/^ *};/{
    /^ *};/!d
    x
    s/$/+/
    x
    c\    const ge25519_precomp *const Bi = ed25519_table[ED25519_ODD_ROW];
}
/^sc25519_\(muladd\|reduce\)(/{
    s/^/libsodium_/
    x
    s/$/+/
    x
}
${
    x
    /^++++$/!q1
    x
}
