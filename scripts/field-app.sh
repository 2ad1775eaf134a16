#!/bin/sh
# Makes the field app's client from docs/openapi.yaml, checks and tests the app, and builds it into field_app/built,
# which is committed, so that make run serves it without Node. With CI set, another build than the committed one fails.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_npm field-app
mkdir -p var
cd field_app
# Not npm ci, which wants every system's own binaries named in the lock file: that of one system is enough.
npm install --no-save --silent --no-progress >../var/npm.log 2>&1 || die "The app's packages could not be installed (var/npm.log tells more)."
step() {
    npm run --silent "$1" >../var/npm.log 2>&1 || {
        cat ../var/npm.log >&2
        die "$2"
    }
}
step generate "docs/openapi.yaml makes no types."
step check "The app's code does not pass its checks (npm run format mends what can be mended)."
step test "The app's tests failed."
step build "The app could not be built."
cd ..

size=$(find field_app/built -name '*.js' -exec cat {} + | gzip -9 | wc -c)
[ "$size" -le 204800 ] || die "The app's scripts have $size bytes (gzip); 204800 are the limit."
if [ -n "${CI:-}" ] && [ -n "$(git status --porcelain field_app/built)" ]; then
    git status --short field_app/built >&2
    die "field_app/built is not what its sources build. Run make field-app, and commit it."
fi
say "The field app is built into field_app/built: $((size / 1024)) kB of scripts (gzip)."
