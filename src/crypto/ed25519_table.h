/*
 * The multiples of Ed25519's base point that libsodium ships as constants, computed instead: they
 * are 31 KB that no compressor can shrink, more than the rest of the cryptography together.
 * sodium_ed25519.sed edits libsodium's ed25519_ref10.c so that it reads this table. Wasm build only.
 */
#ifndef CRYPTO_ED25519_TABLE_H
#define CRYPTO_ED25519_TABLE_H

#include <private/ed25519_ref10.h>

#define ED25519_ROWS 33
#define ED25519_ROW_LEN 8
#define ED25519_ODD_ROW 32

/*
 * Rows 0 to 31, for signing and key generation: row i holds 1, 2, … 8 times 256^i * B. The last
 * row, for verifying, holds B, 3B, … 15B. This and the constants of SHA-2 are the only data of the
 * core outside a node that is ever written: once, and with the same values for everybody.
 */
extern ge25519_precomp ed25519_table[ED25519_ROWS][ED25519_ROW_LEN];

/* Returns 0 when it has filled the table, 1 when it was filled already, as sodium_init does. */
int ed25519_table_init(void);

#endif
