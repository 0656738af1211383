# The part of libsodium that the wasm build links, from the distribution's source package, which the
# Makefile unpacks into SODIUM_DIR. crypto_core/ed25519/ref10/ed25519_ref10.c and crypto_scalarmult/
# curve25519/ref10/x25519_ref10.c belong to it too, but go through sodium_ed25519.sed and
# sodium_x25519.sed first. SHA-2 is ours (sha2.c).
#
# Never define HAVE_TI_MODE: 128-bit products are 2.4 times slower in wasm and the code 40 KB larger.

SODIUM_ROOT = $(SODIUM_DIR)/src/libsodium
SODIUM_FILES = \
	crypto_auth/hmacsha256/auth_hmacsha256.c \
	crypto_onetimeauth/poly1305/donna/poly1305_donna.c \
	crypto_onetimeauth/poly1305/onetimeauth_poly1305.c \
	crypto_scalarmult/curve25519/scalarmult_curve25519.c \
	crypto_sign/ed25519/ref10/keypair.c \
	crypto_sign/ed25519/ref10/open.c \
	crypto_sign/ed25519/ref10/sign.c \
	crypto_verify/sodium/verify.c \
	sodium/utils.c

# What wants -O3, with our own files beside it. The rest is smaller at -Oz: the curve by 3 KB with brotli,
# and 7 % slower.
SODIUM_HOT = $(addprefix src/crypto/,aead.c chacha20_simd.c) \
	$(SODIUM_ROOT)/crypto_onetimeauth/poly1305/donna/poly1305_donna.c
