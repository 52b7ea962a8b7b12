# make mutate: a fifth of the clauses switched off, each to be missed by a rehearsal; ALL=1 takes every clause.
# make run: a first try. make test: the whole suite. make check: what CI runs, with format, lint, types and import contracts.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: run install dev test check format lint types imports mutate bench soak hostile lock clean

run: $(VENV)/.run
	$(BIN)/evenhand up $(if $(ONCE),--once)

install: $(VENV)/.run
dev: $(VENV)/.dev

$(VENV)/.run: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# Three files at a time: much of a test's time is waiting for a server. A file's tests stay together, for they share its servers; the longest
# files come first (tests/conftest.py). Compiled files are kept: each of the three would compile every test, each process the whole program.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev format lint types imports test

format: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

mutate: $(VENV)/.dev
	$(BIN)/python -m tests.mutate $(if $(ALL),--all)

# Hostile input, TIMES as much of it as make test tries.
hostile: $(VENV)/.dev
	EVENHAND_HOSTILE_TIMES=$(or $(TIMES),20) $(BIN)/python -m pytest tests/test_hostile_core.py tests/test_hostile_records.py tests/test_hostile_doors.py tests/test_hostile_files.py -s

# Everything killed at random points under live cases; CASES and SECONDS say how many and for how long.
soak: $(VENV)/.dev
	$(BIN)/python -m tests.killing --cases $(or $(CASES),100) --seconds $(or $(SECONDS),300)

bench: $(VENV)/.dev
	$(BIN)/python -m bench

lock:
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-annotate --no-header requirements/run.in -o requirements/run.txt
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-annotate --no-header requirements/dev.in -o requirements/dev.txt

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis
