# A newcomer needs only explore and test. Each creates its own .venv and needs nothing but Python >= 3.11 and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --no-compile --constraint constraints.txt
NODE_ENV := PATH="$(CURDIR)/$(BIN):$$PATH"

.DEFAULT_GOAL := help
.PHONY: help explore test test-all test-fast test-ui check lint types layers dependencies js docs bench faults widgets browser node clean trainers ultralytics dist try-dist

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

explore: $(VENV)/.explore  ## open JupyterLab with the Explorer on synthetic data (ARGS="--no-browser", or a path to your data)
	$(BIN)/penstock explore $(ARGS)

test: $(VENV)/.dev browser  ## run the tests: doctests, hypothesis, notebooks, browser; of many alike, some
	$(NODE_ENV) $(BIN)/pytest --numprocesses 2 --dist loadgroup -m "not exhaustive" $(ARGS)

test-all: $(VENV)/.dev browser  ## run every test, a quarter of an hour more
	$(NODE_ENV) $(BIN)/pytest --numprocesses 2 --dist loadgroup $(ARGS)

test-fast: $(VENV)/.dev  ## run the tests that take less than a second and need no browser
	$(BIN)/pytest -m "not slow and not ui and not notebook and not exhaustive" $(ARGS)

test-ui: $(VENV)/.dev browser  ## run the browser tests
	$(BIN)/pytest tests/ui $(ARGS)

faults: $(VENV)/.dev  ## test crash points, full disks, power failures, random histories, damaged files (ARGS="kill --only commit")
	$(BIN)/python -m tests.faults $(ARGS)

trainers: .venv-trainers/.made  ## resume every trainer at every step of two epochs and print the table (ARGS="Lightning Loader")
	.venv-trainers/bin/python -m tests.trainers $(ARGS)

ultralytics: $(VENV)/.dev .venv-ultralytics/.made  ## check exported YOLO folders with Ultralytics' own label check
	$(BIN)/pytest tests/exporters/test_ultralytics.py $(ARGS)

CHECKS := types js docs dependencies layers lint

check: $(VENV)/.docs node widgets_js/node_modules/.installed  ## lint, types, layers, dependencies, TypeScript, the bundle rebuilt and compared, the docs
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target $(CHECKS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

dependencies: $(VENV)/.dev
	$(BIN)/deptry penstock
	$(BIN)/deptry tests benchmarks scripts docs notebooks --exclude '^$$' --ignore DEP002,DEP004

js: node widgets_js/node_modules/.installed
	cd widgets_js && $(NODE_ENV) npm run --silent check
	cd widgets_js && $(NODE_ENV) npm run --silent test
	cd widgets_js && $(NODE_ENV) node build.mjs --check

widgets: node widgets_js/node_modules/.installed  ## rebuild penstock/widgets/static from widgets_js
	cd widgets_js && $(NODE_ENV) npm run --silent build

docs: $(VENV)/.docs  ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

dist: $(VENV)/.dev  ## build the wheel and the source distribution into dist
	rm -rf dist
	$(BIN)/python -m build --no-isolation

try-dist: dist  ## install the wheel into an empty environment, and run the tour and penstock explore (PYTHON=python3.13)
	PYTHON="$(PYTHON)" sh scripts/try-wheel.sh dist/*.whl

bench: $(VENV)/.dev  ## compare penstock with other libraries and print the tables
	$(BIN)/python -m benchmarks $(ARGS)

browser: $(VENV)/.dev
	@sh scripts/get-browser.sh $(BIN)

node: $(VENV)/.dev
	@sh scripts/get-node.sh $(BIN)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "penstock needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.explore: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing penstock, torch and JupyterLab into $(VENV), once: about 1.7 GB and 1 to 5 minutes (torch with CUDA: 6 GB)"
	$(INSTALL) torch --editable ".[torch,lab]"
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) torch --editable ".[torch,tensorflow,deeplake,datasets,lp,ray,lab,dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) torch --editable ".[torch,tensorflow,deeplake,datasets,lp,ray,lab,dev,docs]"
	@touch $(VENV)/.dev $@

.venv-trainers/.made: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/python -m pip --disable-pip-version-check --quiet install --no-compile --constraint constraints.txt torch==2.13.0 transformers accelerate torchdata --editable ".[torch,lightning,mmengine]"
	@touch $@

.venv-ultralytics/.made: constraints.txt
	$(PYTHON) -m venv .venv-ultralytics
	.venv-ultralytics/bin/python -m pip --disable-pip-version-check --quiet install --no-compile --constraint constraints.txt torch==2.13.0 numpy opencv-python-headless pillow PyYAML requests psutil matplotlib
	.venv-ultralytics/bin/python -m pip --disable-pip-version-check --quiet install --no-compile --no-deps ultralytics==8.4.190 torchvision==0.28.0
	@touch $@

widgets_js/node_modules/.installed: widgets_js/package-lock.json
	cd widgets_js && $(NODE_ENV) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

clean:  ## remove everything the targets created
	rm -rf $(VENV) .venv-trainers .venv-ultralytics widgets_js/node_modules docs/_build build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
