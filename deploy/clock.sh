#!/bin/sh
# What cron would do: every five minutes and once a day. Each step says for itself what went wrong; none stops the others.
set -u
ANCHOR=${ANCHOR:-/anchors/audit}
last_day=
while :; do
    python manage.py sweep_emails
    python manage.py sweep_leftovers
    python manage.py begin_prices
    python manage.py seal_audit --anchor "$ANCHOR"
    day=$(TZ=SGT-8 date +%F) # Singapore, also where no time-zone files are
    if [ "$day" != "$last_day" ]; then
        python manage.py flushexpiredtokens
        python manage.py clearsessions
        python manage.py sweep_documents
        python manage.py verify_audit --anchor "$ANCHOR"
        last_day=$day
    fi
    sleep 300
done
