#!/bin/sh
# Writes .env and deploy/database.env with fresh secrets, readable by their owner alone. Changes neither where it is.
set -eu
cd "$(dirname "$0")/.."
umask 077

if [ -e .env ] || [ -e deploy/database.env ]; then
    echo ".env or deploy/database.env is there already: nothing was changed." >&2
    exit 1
fi

secret() { head -c 36 /dev/urandom | base64 | tr '+/' '-_'; }

password=$(secret)
sed -e "s|^SECRET_KEY=$|SECRET_KEY=$(secret)|" -e "s|^JWT_SIGNING_KEY=$|JWT_SIGNING_KEY=$(secret)|" \
    -e "s|^METRICS_TOKEN=$|METRICS_TOKEN=$(secret)|" -e "s|^DB_PASSWORD=$|DB_PASSWORD=$password|" \
    deploy/production.env.example >.env
cat >deploy/database.env <<EOT
# The database's administrator, the owner of the tables, and the application's own user (the same as in .env).
MYSQL_ROOT_PASSWORD=$(secret)
DB_OWNER_PASSWORD=$(secret)
DB_PASSWORD=$password
EOT
echo "Wrote .env and deploy/database.env. Fill in what is yours in .env: the host's name, mail, the company."
