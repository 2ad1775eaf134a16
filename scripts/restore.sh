#!/bin/sh
# Restores what scripts/backup.sh made into an empty database, as the owner of its tables: scripts/restore.sh FOLDER
# Checks the backup first, and proves the books afterwards.
set -eu
[ $# -gt 0 ] || {
    printf '%s\n' "Usage: scripts/restore.sh FOLDER" >&2
    exit 2
}
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
. scripts/lib.sh
python=$(python_here)
media=$(setting MEDIA_ROOT)

(cd "$folder" && sha256sum --check --quiet SHA256SUMS) >&2 || die "The backup is not what was written: nothing was changed."
[ -z "$(ls -A "$media" 2>/dev/null)" ] || die "There are documents in $media already: nothing was changed."

if [ "$(setting DB_ENGINE)" = mysql ]; then
    books() {
        # shellcheck disable=SC2046 # one word for each option
        MYSQL_PWD=$(setting DB_PASSWORD) mariadb $(database_options) --batch --skip-column-names \
            "$(setting DB_NAME)" "$@"
    }
    tables=$(books --execute "SHOW TABLES") || die "The database $(setting DB_NAME) does not answer."
    [ -z "$tables" ] || die "The database $(setting DB_NAME) is not empty: nothing was changed."
    books <"$folder/books.sql" || die "The dump could not be read in."
else
    [ ! -e "$(setting DB_NAME)" ] || die "$(setting DB_NAME) is there already: nothing was changed."
    mkdir -p "$(dirname "$(setting DB_NAME)")"
    cp "$folder/books.sqlite3" "$(setting DB_NAME)"
fi
mkdir -p "$media"
cp -R "$folder/media/." "$media/"
"$python" manage.py migrate --verbosity 0      # a newer version's tables, and every guard
"$python" manage.py sweep_documents --older-than 0 # of sales that the backup's database doesn't know
"$python" manage.py begin_sync_anew            # apps may know what the backup doesn't: they pull everything again
"$python" manage.py verify_books || die "The books do not verify."
say "Restored from $folder. Compare the audit log with its anchors: manage.py verify_audit --anchor FILE"
