# Everything a newcomer or CI needs. Python 3.11 or newer is the only thing that must be there.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# One more than cores: a test mostly waits for a server.
WORKERS ?= 3

.PHONY: demo test check docs bench lock clean

demo: $(VENV)/.demo  ## Review the example project and prove its claims on a local Neon
	$(BIN)/neondba review examples/taskboard --prove || test $$? -eq 1

test: $(VENV)/.dev tests/clients/node_modules  ## Run every test
	@# Once for the hundreds of processes that the tests start; an environment may forbid those to keep it.
	@$(BIN)/python -m compileall -q -j 0 src
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev  ## Format, lint, types, arrows, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/docs.py --check

docs: $(VENV)/.dev  ## Write docs/reference and the excerpts in the README
	$(BIN)/python scripts/docs.py

bench: $(VENV)/.dev  ## Measure, beside what a user would pick instead
	$(BIN)/python bench/run.py

lock: $(VENV)/.dev  ## Pin every dependency with hashes, without addresses
	$(BIN)/python scripts/lock.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache tests/clients/node_modules

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "neondba needs Python 3.11 or newer; none was found. Set PYTHON=/path/to/python3." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --only-binary :all: -r requirements/demo.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --only-binary :all: -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

tests/clients/node_modules: tests/clients/package-lock.json | $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix tests/clients --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
