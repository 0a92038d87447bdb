# Everything on a fresh machine: `make quickstart` trains and reports, `make test` checks. Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

OTHERS := .venv-integrations
TRACKERS := .venv-trackers

.PHONY: quickstart test test-machines test-integrations install
quickstart: install
	$(BIN)/silo-oracle run benchmarks/mnist1d-mlp.yaml

# One thread each, or they crowd each other out on two cores; as collected, or the tests of Ray, few and long, all come last.
test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/machines

# What plays whole machines: clusters and batch jobs that are killed, full disks, a GPU machine's calls; and the smoke mode of
# every file in benchmarks/paper. Some three minutes more.
test-machines: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/machines

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	@echo "installing into .venv (torch and its libraries: some minutes and 6 GB)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# silo alone beside Lightning and Hugging Face's Trainer, and a study in MLflow and Weights & Biases: each in an environment
# that has no more than they and it need, the latter without torch.
test-integrations: $(OTHERS)/installed $(TRACKERS)/installed
	OMP_NUM_THREADS=1 PYTHONPATH=. $(OTHERS)/bin/python -m pytest --confcutdir tests/integrations tests/integrations \
		--ignore tests/integrations/trackers
	PYTHONPATH=. $(TRACKERS)/bin/python -m pytest --confcutdir tests/integrations tests/integrations/trackers

$(OTHERS)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(OTHERS)
	@$(OTHERS)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch numpy \
		"lightning>=2.4" "transformers[torch]>=4.50" "pytest>=8" "setuptools>=77"
	@$(OTHERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Without constraints.txt: MLflow wants an older pyarrow than Ray is tested with.
$(TRACKERS)/installed: pyproject.toml
	@$(PYTHON) -m venv $(TRACKERS)
	@$(TRACKERS)/bin/python -m pip install --quiet --disable-pip-version-check numpy scipy pandas matplotlib jinja2 \
		pydantic pyyaml rich mlflow==3.17.2 wandb==0.31.0 "pytest>=8" "setuptools>=77"
	@$(TRACKERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
