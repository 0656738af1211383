# Takes the two constant tables out of libsodium's ed25519_ref10.c; see ed25519_table.h.
1i #include "crypto/ed25519_table.h"
/static const ge25519_precomp base\[32\]\[8\] = {/,/^ *};/c\    const ge25519_precomp (*const base)[8] = ed25519_table;
/static const ge25519_precomp Bi\[8\] = {/,/^ *};/c\    const ge25519_precomp *const Bi = ed25519_table[ED25519_ODD_ROW];
