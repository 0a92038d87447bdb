# Everything on a fresh machine: `make quickstart` trains and reports, `make test` checks. Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: quickstart test install
quickstart: install
	$(BIN)/silo-oracle run benchmarks/quickstart.yaml

# One thread each, or they crowd each other out on two cores; as collected, or the tests of Ray, few and long, all come last.
test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	@echo "installing into .venv (torch and its libraries: some minutes and 6 GB)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
