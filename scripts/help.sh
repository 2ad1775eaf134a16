#!/bin/sh
cat <<'EOF'
make run         set up and serve on http://127.0.0.1:8000 with demo data (PORT=8080 make run)
make test        set up and run the tests (ARGS="-k meter" chooses some)
make demo        one field day through the HTTP API, then verify_books
make setup       the set-up alone
make test-mysql  the tests on a private MariaDB server (or on yours: DB_HOST=… DB_USER=… DB_PASSWORD=…)
make test-browser  the office, Swagger UI and the field app in headless Chromium
make mutants     each rule taken away, one at a time: a test has to fail (ARGS="payments --jobs 1" chooses some)
make nightly     the tests of faults and of random days, many times longer: some hours
make lint        style, types, floors, migrations, deployment checks, the schema
make schema      write docs/openapi.yaml anew
make client      the typed client from docs/openapi.yaml: compiled strictly, and tried (needs Node 20)
make field-app   the field app checked, tested and built into field_app/built (needs Node 20.19)
make bench       latency, throughput and growth on both engines, beside their floors (ARGS=--quick)
make audit       known vulnerabilities in the requirements
make clean       remove .venv and caches; data in var/ stays
EOF
