#!/bin/sh
# Brings the tables to this version as their owner: the application itself has no right to.
set -eu
export DB_USER=hsh_lpg_owner DB_PASSWORD="$DB_OWNER_PASSWORD"
python manage.py migrate --noinput
