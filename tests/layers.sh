#!/bin/sh
# Checks that includes point down, that libsodium stays in crypto, and malloc in base/mem.c and where
# it is made.
set -u
cd "$(dirname "$0")/../src" || exit 2
bad=0

# may FILES LAYERS: our headers that FILES may include, besides what nanopb generates.
may() {
    # shellcheck disable=SC2086 # a list of files
    found=$(grep -HnE '^#include "' $1 /dev/null | grep -vE "\"(($2)/|[a-z_]+\.pb\.h\"|${3:-/})")
    [ -z "$found" ] || { echo "$found" && bad=1; }
}
# only PATTERN FILES: the only files that match.
only() {
    found=$(grep -rHnE "$1" . | grep -vE "^\./$2")
    [ -z "$found" ] || { echo "$found" && bad=1; }
}

low='base|crypto|multiformats|wire'
may 'base/*' 'base'
may 'crypto/*' 'base|crypto'
may 'multiformats/*' 'base|crypto|multiformats'
may 'wire/*' "$low"
may 'protocols/*' "$low|protocols"
may 'routing/*' "$low|protocols|routing"
may 'pubsub/*' "$low|pubsub"
may 'transport/*' "$low|transport" 'peerlet.h'
may 'net/*' "$low|transport|net" 'peerlet.h'
may 'node/*' "$low|protocols|pubsub|transport|net|node" 'peerlet.h'
may 'record/*' 'base|multiformats|record' 'peerlet.h'
may 'browser/[be]*' 'browser' 'peerlet.h'
may 'browser/malloc.c' 'base'
may 'browser/recorder.c' 'browser|record' 'peerlet.h'
may 'browser/services.*' "browser|$low|protocols|routing"
may 'peerlet.h' 'base'
only '<emscripten' 'browser/'
only '(<|")sodium|sodium_[a-z]+\(' 'crypto/'
only '(^|[^>._a-z])(malloc|calloc|realloc|free)\(' '(base/mem|browser/malloc)\.c'
exit $bad
