# Everything on a fresh machine: Debian 12, Python 3.11, make. `make` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_SECONDS ?= 0
DEMO_PORT ?= 8080

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types tests prove bench simulate browser clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@scripts/make-venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@scripts/link-source $(BIN)/python
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml
	@scripts/make-venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@scripts/link-source $(BIN)/python
	@touch $@ $(VENV)/run.stamp

demo: $(VENV)/run.stamp ## Play a trading day against the twins (DEMO_SECONDS=60: then check it and stop)
	@$(BIN)/pickgate demo --seconds $(DEMO_SECONDS) --port $(DEMO_PORT)

browser: ## Install Debian's Chromium for the browser tests, where this is allowed
	@scripts/install-browser

lint: $(VENV)/dev.stamp ## Lint and check the format
	@$(BIN)/ruff check src tests
	@$(BIN)/ruff format --check --quiet src tests

types: $(VENV)/dev.stamp ## Check the types, strictly
	@$(BIN)/mypy

tests: $(VENV)/dev.stamp browser ## Every test
	@$(BIN)/pytest

check: lint types ## Lint and types

test: lint types tests ## Lint, types and every test

prove: $(VENV)/dev.stamp browser ## The long proofs: many seeds, all crash points, benches; prints a table
	@$(BIN)/pickgate prove

bench: $(VENV)/run.stamp ## Measure, and print a table
	@$(BIN)/pickgate bench all

simulate: $(VENV)/run.stamp ## Simulate orders under faults (SEED=1 ORDERS=1000)
	@$(BIN)/pickgate simulate --seed $(or $(SEED),1) --orders $(or $(ORDERS),1000)

clean: ## Remove what was made, but not the demo's data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis artefacts
