#!/bin/bash
# Run once by the database's image when it makes its data: the two users of scripts/mysql-users.sql.
set -eu
mysql --user=root --password="$MYSQL_ROOT_PASSWORD" <<SQL
CREATE DATABASE IF NOT EXISTS hsh_lpg CHARACTER SET utf8mb4;
CREATE USER 'hsh_lpg_owner'@'%' IDENTIFIED BY '$DB_OWNER_PASSWORD';
GRANT ALL PRIVILEGES ON hsh_lpg.* TO 'hsh_lpg_owner'@'%';
CREATE USER 'hsh_lpg'@'%' IDENTIFIED BY '$DB_PASSWORD';
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON hsh_lpg.* TO 'hsh_lpg'@'%';
SQL
