# Short on purpose: what a command does stands in Python, so that Windows users run the same by hand (README).
#   PYTHON=python3.12      another interpreter for the virtual environment (3.11 or newer)
#   TORCH_INDEX=https://…  another build of torch, such as a CUDA build on Windows or a CPU-only build on Linux
PYTHON ?= python3
TORCH_INDEX ?=
DEMO_ARGS ?=
BENCH_ARGS ?=
TEST_ARGS ?=
PY := .venv/bin/python
INSTALL = $(PY) -m pip install --quiet --disable-pip-version-check $(addprefix --extra-index-url ,$(TORCH_INDEX))
PORTAL_TOOLS = SECRET_KEY=unused-by-this-tool $(PY) manage.py

.PHONY: help demo test test-long faults lint format types constraints messages sizes screenshots bench clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: .venv/.demo ## from nothing to a BERT in training, in the browser (DEMO_ARGS=--once: until it is trained)
	$(PY) manage.py demo $(DEMO_ARGS)

test: .venv/.test ## the suite on PostgreSQL, Valkey, S3 and Chromium, then its core on SQLite (TEST_ARGS: for pytest)
	$(PY) -m tests.chromium
	$(PY) -m tests.lanes -- $(TEST_ARGS)

test-long: .venv/.test ## everything, the long forms too
	$(PY) -m tests.chromium
	$(PY) -m tests.lanes --long -- $(TEST_ARGS)

faults: .venv/.test ## every fault with real processes, then a soak (SOAK_SECONDS=3600, SOAK_SEED=7, TEST_ARGS="-k soak")
	$(PY) -m pytest tests/faults -s $(TEST_ARGS)

lint: .venv/.test ## ruff: rules and form
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: .venv/.test ## put the code into ruff's form
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: .venv/.test ## mypy --strict
	SECRET_KEY=unused-by-this-tool $(PY) -m mypy

constraints: .venv/.test ## compile requirements/constraints.txt anew from the newest versions that fit together
	$(INSTALL) uv
	{ head -n 1 requirements/constraints.txt; cat requirements/base.txt requirements/worker.txt requirements/dev.txt \
	  | grep -vE '^-[cr] ' | .venv/bin/uv pip compile --universal --python-version 3.11 --no-header --no-annotate -q -; \
	} > requirements/constraints.new
	mv requirements/constraints.new requirements/constraints.txt

messages: .venv/.test ## collect the sentences to translate and compile the catalogues (needs gettext)
	$(PORTAL_TOOLS) makemessages --all --no-obsolete --no-wrap --add-location=file --ignore=".venv/*" --ignore="var/*"
	$(PORTAL_TOOLS) compilemessages --ignore=".venv/*" --ignore="var/*"

sizes: .venv/.test ## how long files and functions are; for reviewers, not a gate
	$(PY) -m tests.architecture.sizes

screenshots: .venv/.test ## the README's pictures, anew, of a portal full of examples
	$(PY) -m tests.chromium
	$(PY) -m tests.screenshots

bench: .venv/.test ## ours and the references side by side: make bench BENCH=name [QUICK=1] [BENCH_ARGS="--device cuda"]
	$(PY) -m tests.bench.$(BENCH) $(BENCH_ARGS)

clean: ## forget the environment and what the demo made
	rm -rf .venv var/demo

# One environment: a stamp says what is in it, newer requirements bring it up to date.
$(PY):
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed. Name it: make PYTHON=python3.11")'
	$(PYTHON) -m venv --upgrade-deps .venv  # Debian 12's own pip fails to build seqeval, which comes as source only

.venv/.demo: requirements/base.txt requirements/worker.txt requirements/constraints.txt | $(PY)
	@echo "Installing the portal and a worker into .venv (1.7 GB, about a minute) ..."
	$(INSTALL) -r requirements/base.txt -r requirements/worker.txt
	@touch $@

.venv/.test: requirements/dev.txt .venv/.demo
	@echo "Installing what the tests need into .venv (0.6 GB) ..."
	$(INSTALL) -r requirements/dev.txt
	@touch $@
