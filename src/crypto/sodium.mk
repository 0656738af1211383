# The part of libsodium that the wasm build links, compiled from the distribution's source package.
# Set before: SODIUM_DIR, where that is unpacked; SODIUM_OUT, where objects go; WASM_CC.
# Used after: SODIUM_OBJECTS; SODIUM_INCLUDE, for our own files that include libsodium's headers.

SODIUM_ROOT = $(SODIUM_DIR)/src/libsodium
SODIUM_INCLUDE = -DCONFIGURED=1 -DNATIVE_LITTLE_ENDIAN=1 -isystem $(SODIUM_ROOT)/include \
	-isystem $(SODIUM_ROOT)/include/sodium

# Never HAVE_TI_MODE: 128-bit products are 2.4 times slower in wasm. Never -Os or -Oz: they make
# SHA-256 seven times slower.
SODIUM_FLAGS = -O3 -w -fno-strict-aliasing -D_GNU_SOURCE=1 -DHAVE_WEAK_SYMBOLS=1 -Isrc \
	$(SODIUM_INCLUDE)

SODIUM_ED25519 = crypto_core/ed25519/ref10
SODIUM_FILES = \
	crypto_auth/hmacsha256/auth_hmacsha256.c \
	crypto_hash/sha256/cp/hash_sha256_cp.c \
	crypto_hash/sha512/cp/hash_sha512_cp.c \
	crypto_onetimeauth/poly1305/donna/poly1305_donna.c \
	crypto_onetimeauth/poly1305/onetimeauth_poly1305.c \
	crypto_scalarmult/curve25519/ref10/x25519_ref10.c \
	crypto_scalarmult/curve25519/scalarmult_curve25519.c \
	crypto_sign/ed25519/ref10/keypair.c \
	crypto_sign/ed25519/ref10/open.c \
	crypto_sign/ed25519/ref10/sign.c \
	crypto_verify/sodium/verify.c \
	sodium/utils.c
SODIUM_OBJECTS = $(SODIUM_FILES:%.c=$(SODIUM_OUT)/%.o) $(SODIUM_OUT)/ed25519_ref10.o

$(SODIUM_FILES:%.c=$(SODIUM_OUT)/%.o): $(SODIUM_OUT)/%.o: $(SODIUM_ROOT)/%.c
	@mkdir -p $(@D)
	$(WASM_CC) $(SODIUM_FLAGS) -c -o $@ $<

$(SODIUM_OUT)/ed25519_ref10.o: $(SODIUM_OUT)/ed25519_ref10.c src/crypto/ed25519_table.h
	$(WASM_CC) $(SODIUM_FLAGS) -I$(SODIUM_ROOT)/$(SODIUM_ED25519) -c -o $@ $<

# Refuses a libsodium in which the tables are not where sodium.sed looks for them.
$(SODIUM_OUT)/ed25519_ref10.c: $(SODIUM_ROOT)/$(SODIUM_ED25519)/ed25519_ref10.c src/crypto/sodium.sed
	@mkdir -p $(@D)
	sed -f src/crypto/sodium.sed $< > $@.new
	@test `grep -c 'ed25519_table[;[]' $@.new` -eq 2
	mv $@.new $@
