# Each target is one line over a script, so that what it does can be read and run without make.
.PHONY: help setup run test test-mysql test-browser mutants nightly lint schema client field-app demo audit bench clean
help:        ; @sh scripts/help.sh
setup:       ; @sh scripts/setup.sh
run:         ; @sh scripts/run.sh
test:        ; @sh scripts/test.sh $(ARGS)
test-mysql:  ; @sh scripts/test-mysql.sh $(ARGS)
test-browser: ; @sh scripts/test-browser.sh $(ARGS)
mutants:     ; @sh scripts/mutants.sh $(ARGS)
nightly:     ; @sh scripts/nightly.sh
lint:        ; @sh scripts/lint.sh
schema:      ; @sh scripts/schema.sh
client:      ; @sh scripts/client.sh
field-app:   ; @sh scripts/field-app.sh
demo:        ; @sh scripts/demo.sh
bench:       ; @sh scripts/bench.sh $(ARGS)
audit:       ; @sh scripts/audit.sh
clean:       ; @rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* htmlcov
