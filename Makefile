# Two commands: `make demo` and `make test`. Both make their own environment with nothing but Python 3.11.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PYTHONPATH := $(CURDIR)

.PHONY: demo test check format lint types layers docs docs-write bench clean
demo: $(STAMP)
	$(BIN)/python -m driftguard demo

test: $(STAMP)
	@PYTHON=$(BIN)/python scripts/install-test-servers
	$(BIN)/python -m pytest -n 4 --dist loadscope

check: $(STAMP) lint types layers docs test

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m scripts.reference --check

docs-write: $(STAMP)
	$(BIN)/python -m scripts.reference

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	$(BIN)/python -m benchmarks

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo
