# Takes the list of points of small order out of libsodium's x25519_ref10.c. Multiplied by a multiple of
# 8, which every secret is, they become 0, and crypto_scalarmult_curve25519 refuses that. Fails when it
# does not find where the list is asked.
/^    if (has_small_order(p)) {/,/^    }/{
    /^    }/!d
    x
    s/$/+/
    x
    d
}
${
    x
    /^+$/!q1
    x
}
