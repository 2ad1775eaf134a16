#!/bin/sh
# What takes too long for every change: all mutants, the tests of faults, of the schema and of random days, many times
# longer and on both engines, then a long history and the proof of its books. Figures are printed and left in
# var/nightly. HISTORY is how many sales that history has.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

export CRASH_KILLS=100 MAIL_KILLS=20 CHAOS_OPERATIONS=2000 CONTRACT_EXAMPLES=20 LEDGER_MACHINE=300x50 PAST_DAYS=34x300 SEARCH_SECONDS=600 SIMULATED_WORLDS=800 SIMULATED_BOOKS=5000x15
mkdir -p var/nightly
failed=

# run NAME COMMAND…: what the command says is shown and kept.
run() {
    name=$1
    shift
    say "== $name"
    { "$@" 2>&1 && : >var/nightly/passed; } | tee "var/nightly/$name.log"
    rm var/nightly/passed 2>/dev/null || failed="$failed $name"
}

run mutants sh scripts/mutants.sh
long="tests/live tests/reports/test_random_days.py tests/reports/test_past_days.py tests/search tests/simulator tests/worlds -n 0 -s"
# shellcheck disable=SC2086 # several arguments
run sqlite sh scripts/test.sh $long
# shellcheck disable=SC2086
run mariadb sh scripts/test-mysql.sh $long

history() {
    folder=$(pwd)/var/nightly/history
    rm -rf "$folder"
    mkdir -p "$folder"
    export DB_ENGINE=sqlite DB_NAME="$folder/books.sqlite3" MEDIA_ROOT="$folder/media" DEBUG=False
    manage="timeout 3600 .venv/bin/python manage.py"
    $manage migrate --verbosity 0 || return
    .venv/bin/python -m benchmarks.history --transactions "${HISTORY:-1000000}" --customers 50000 || return
    for command in seal_audit verify_audit verify_books; do
        began=$(date +%s)
        $manage $command || return
        say "$command took $(($(date +%s) - began)) s."
    done
    rm -rf "$folder"
}
. scripts/test-environment.sh
run history history

[ -z "$failed" ] || die "Failed:$failed"
say "The night's tests passed."
