# Takes out of libsodium's ed25519_ref10.c what is stored or unrolled there and computed or looped over
# here: constants (ed25519_table.h, ed25519_field.h), arithmetic (ed25519_scalar.h, ed25519_field.h), and
# steps that are written out one by one. Fails when one of them is not found, by counting them in the
# hold space.
1i #include "crypto/ed25519_table.h"\
#include "crypto/ed25519_field.h"\
/* Asked for by ge25519_from_hash alone, which nobody here calls. */\
#define fe25519_reduce(h, f) abort()
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
# The multiples of A that a signature is checked with; another function has the same lines.
/^    ge25519_add(&t, &A2, &Ai\[0\]);/,/^    ge25519_p3_to_cached(&Ai\[7\], &u);/{
    /Ai\[7\]/!d
    x
    s/$/+/
    x
    c\    for (i = 0; i < 7; i++) {\
        ge25519_add(&t, &A2, &Ai[i]);\
        ge25519_p1p1_to_p3(&u, &t);\
        ge25519_p3_to_cached(&Ai[i + 1], &u);\
    }
}
/^    ge25519_cmov(t, &precomp\[0\], equal(babs, 1));/,/^    ge25519_cmov(t, &precomp\[7\]/{
    /precomp\[7\]/!d
    x
    s/$/+/
    x
    c\    for (int i = 0; i < 8; i++)\
        ge25519_cmov(t, &precomp[i], equal(babs, i + 1));
}
# Twice a square, which has a function of its own as long as that of the square.
/^    fe25519_sq2(r->T, p->Z);/{
    x
    s/$/+/
    x
    c\    fe25519_sq(r->T, p->Z);\
    fe25519_scalar_product(r->T, r->T, 2);
}
s/^\(    fe25519_mul(.*, \)\(d\|d2\|sqrtm1\));/\1ed25519_\2);/
/^# include "fe_25_5\/fe.h"/d
/^\(sc25519_\(muladd\|reduce\)\|fe25519_\(invert\|pow22523\)\|ge25519_has_small_order\)(/{
    s/^/libsodium_/
    x
    s/$/+/
    x
}
${
    x
    /^+++++++++++$/!q1
    x
}
