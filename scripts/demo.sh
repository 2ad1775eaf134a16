#!/bin/sh
# One field day through the HTTP API, on a server and a database of its own.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
exec .venv/bin/python scripts/demo.py
