#!/bin/sh
# Known vulnerabilities in the pinned requirements; needs the network. All of them are pinned, so that nothing
# has to be resolved or built; --strict, because without it a run that could audit nothing is green.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
sh scripts/setup.sh requirements-dev.txt
.venv/bin/pip-audit --strict --disable-pip --no-deps --progress-spinner off \
    --requirement requirements.txt --requirement requirements-mysql.txt ||
    die "The audit failed or could not reach the vulnerability service."
say "No known vulnerability."
