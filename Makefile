# Two commands matter: `make run` and `make test`. Both need python3 (3.11+, with venv) and make.

PYTHON ?= python3
PORT ?= 8000
CORPUS ?=
TESTS ?= tests
# One more than the cores of the machine that runs it everywhere: tests wait for programs they start.
WORKERS ?= 3

SETUP := $(PYTHON) tools/setup.py
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# Programs start often, in tests above all; without compiled modules each start takes seconds more.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check pictures corpus bench test-long dist lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: ## Serve portal, API and worker on http://127.0.0.1:8000 (PORT=8123 changes it)
	@$(SETUP) install core einvoice pdf
# The demo world brings the schema with it and stays as it is when it is there already.
	@if [ "$$SCF_ENV" = production ]; then $(BIN)/scf db upgrade; else $(BIN)/scf demo; fi
	@PORT=$(PORT) exec $(BIN)/scf serve

test: check ## Run checks and the whole suite on SQLite and PostgreSQL (TESTS=tests/house narrows)
	@$(SETUP) tools
# A test that hangs is named with what it was doing, instead of holding the run until somebody ends it.
	@$(PYTEST) -n $(WORKERS) --dist worksteal -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true $(TESTS)

check: ## Lint, format, types and the walls between packages
	@$(SETUP) install core einvoice model pdf dev batch erp shop
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache --no-logo 2>&1 || exit 1

pictures: ## Take the pictures of the README anew from a demo world of their own
	@$(SETUP) install core einvoice model pdf dev batch erp
	@$(SETUP) tools
	@$(BIN)/python tools/pictures.py

corpus: ## Run conformance over third-party documents outside the project (CORPUS=DIR)
	@test -d "$(CORPUS)" || { echo "corpus: no folder '$(CORPUS)': give CORPUS=DIR; nothing was run"; exit 1; }
	@$(SETUP) install core einvoice model pdf dev batch
	@CORPUS="$(abspath $(CORPUS))" $(PYTEST) -q -m corpus tests

bench: ## Measure against peers in the same run and write var/bench.json
	@$(SETUP) install core einvoice model pdf dev batch bench
	@$(SETUP) tools
	@$(PYTEST) -q -m bench tests/performance

test-long: ## Run the promises that take minutes
	@$(SETUP) install core einvoice model pdf dev batch spark erp shop
	@$(SETUP) tools --long
	@$(PYTEST) -q -m long tests

dist: ## Build the wheel into dist/
	@$(SETUP) install core
	@$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation --no-index -w dist .
	@ls dist

lock: ## Resolve config/requirements/*.in into *.lock (UPGRADE=1: to the newest versions)
	@$(SETUP) lock $(if $(UPGRADE),--upgrade)

clean: ## Remove the environment, builds and caches; keep var/ with its databases
	rm -rf .venv build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
