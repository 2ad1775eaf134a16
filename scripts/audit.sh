#!/bin/sh
# Known vulnerabilities in the pinned requirements; needs the network.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh requirements-dev.txt
exec .venv/bin/pip-audit --strict --requirement requirements.txt
