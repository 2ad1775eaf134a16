#!/bin/sh
# Backs up the books and the documents: scripts/backup.sh FOLDER, a new one. Writers need not stop.
# The database first, the documents after it: they are only ever added, so every invoice of the database finds its own.
set -eu
[ $# -gt 0 ] || {
    printf '%s\n' "Usage: scripts/backup.sh FOLDER" >&2
    exit 2
}
folder=$1
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")/.."
. scripts/lib.sh
[ -z "$(ls -A "$folder")" ] || die "$folder is not empty: a backup has a folder of its own."
umask 077

media=$(setting MEDIA_ROOT)
if [ "$(setting DB_ENGINE)" = mysql ]; then
    # The guards of the ledgers aren't in it: `migrate` makes them anew, and reading rows is all that this takes.
    # shellcheck disable=SC2046 # one word for each option
    MYSQL_PWD=$(setting DB_PASSWORD) mariadb-dump $(database_options) --single-transaction --quick --hex-blob --skip-triggers \
        --no-tablespaces "$(setting DB_NAME)" >"$folder/books.sql" || die "The database could not be read."
    tail -n 1 "$folder/books.sql" | grep -q 'Dump completed' || die "The dump ended before its end."
else
    "$(python_here)" - "$(setting DB_NAME)" "$folder/books.sqlite3" <<'EOT' || die "The database could not be read."
import sqlite3
import sys
from contextlib import closing

with closing(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)) as books:
    books.execute("VACUUM INTO ?", (sys.argv[2],))
EOT
fi
mkdir "$folder/media"
[ ! -d "$media" ] || cp -R "$media/." "$folder/media/"
(cd "$folder" && find . -type f ! -name SHA256SUMS -exec sha256sum {} + >SHA256SUMS)
say "Backed up: $(find "$folder/media" -type f | wc -l) documents and the books, in $folder."
