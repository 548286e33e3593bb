# Everything that a person or CI does here, by name. Needs Python 3.11 or later, git and make; the rest goes into .venv.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= auto
ARGS ?=

RUNS := $(VENV)/.runs
WORKS := $(VENV)/.works
IN := $(VENV)/bin/python
PIP := $(IN) -m pip --disable-pip-version-check --no-input install --quiet
PYTEST := $(IN) -m pytest
BENCHES := overhead wire counting dialects

.DEFAULT_GOAL := help
.PHONY: help run test test-agents test-real test-pythons generated format bench leak-test faults lock clean
.PHONY: check check-format check-lint check-types check-rings check-generated

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@echo 'ARGS="…" goes to the program that a target runs; PYTHON=… names another Python.'

run: $(RUNS) ## set up what is missing, then start the gateway on 127.0.0.1:8484
	@exec $(VENV)/bin/holdfast serve --or-demo $(ARGS)

test: $(WORKS) ## the tests, without the lanes
	$(PYTEST) -n $(JOBS) --ignore=tests/agents --ignore=tests/real $(ARGS)

test-agents: $(WORKS) ## the agents lane: real coding agents run tasks through the gateway (needs Go and npm)
	$(IN) tests/agents/installed.py
	$(PYTEST) tests/agents $(ARGS)

test-real: $(WORKS) ## the real lane: real Ollama servers behind the gateway (needs Go; builds them once)
	$(IN) tests/real/servers.py install
	$(PYTEST) tests/real $(ARGS)

test-pythons: ## the tests under each of Python 3.11, 3.12 and 3.13 that is at hand
	@for version in 3.11 3.12 3.13; do \
		python=$$(for each in "python$$version" "$$HOME"/.pyenv/versions/$$version.*/bin/python; do \
			if "$$each" --version >/dev/null 2>&1; then echo "$$each"; break; fi; done); \
		if [ -z "$$python" ]; then echo "Python $$version is not at hand"; continue; fi; \
		echo "Python $$version: $$python"; \
		$(MAKE) --no-print-directory test PYTHON="$$python" VENV=".lanes/python$$version" || failed=1; \
	done; exit $${failed:-0}

check: check-format check-lint check-types check-rings check-generated ## format, lint, types, rings, generated files

check-format: $(WORKS)
	$(IN) -m ruff format --check .

check-lint: $(WORKS)
	$(IN) -m ruff check .

check-types: $(WORKS)
	$(IN) -m mypy

check-rings: $(WORKS)
	$(VENV)/bin/lint-imports

check-generated: $(WORKS)
	@$(VENV)/bin/holdfast policy show --defaults | diff -u policies/default.yaml - \
		&& $(VENV)/bin/holdfast policy schema | diff -u policies/schema.json - \
		|| { echo 'These files are made from the policy types and are out of date: make generated'; exit 1; }

generated: $(WORKS) ## write policies/default.yaml and policies/schema.json anew
	$(VENV)/bin/holdfast policy show --defaults > policies/default.yaml
	$(VENV)/bin/holdfast policy schema > policies/schema.json

format: $(WORKS) ## put the code into its form
	$(IN) -m ruff format .
	$(IN) -m ruff check --fix .

# $(call program,NAME) runs NAME.py of bench/, or says that it is not there.
program = { test -f bench/$(1).py || { echo 'bench/$(1).py is missing'; exit 2; }; $(IN) -m bench.$(1) $(ARGS); }

bench: $(WORKS) ## what the gateway costs, beside the upstream itself and a bare relay
	@$(foreach each,$(BENCHES),$(call program,$(each)) &&) :

leak-test: $(WORKS) ## what of planted secrets reaches a cloud that records every byte
	@$(call program,leaks)

faults: $(WORKS) ## what a client sees of each fault of an upstream
	@$(call program,faults)

# The sets of packages, each exact and with hashes; `make lock ARGS=--upgrade` takes the newest that pyproject.toml allows.
#   requirements.lock  all that working on Holdfast needs      deploy/run.lock    what `make run` needs
#   deploy/cloud.lock  what the image needs: the cloud too     in all of them: what builds the project itself
COMPILE = .lanes/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock' pyproject.toml .lanes/uv/build.in

lock: ## write the lock files anew from pyproject.toml
	@test -x .lanes/uv/bin/uv || { $(PYTHON) -m venv .lanes/uv && .lanes/uv/bin/pip install --quiet uv; }
	@.lanes/uv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], "editables", sep="\n")' > .lanes/uv/build.in
	@$(COMPILE) --extra cloud --group dev --annotation-style line $(ARGS) --output-file requirements.lock
	@$(COMPILE) --constraint requirements.lock --no-annotate --output-file deploy/run.lock
	@$(COMPILE) --constraint requirements.lock --no-annotate --extra cloud --output-file deploy/cloud.lock

clean: ## remove the environment and all caches (not .lanes, whose servers take minutes to build)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find gateway tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is built anew only when the locks or pyproject.toml changed. Tests need more than the gateway, on top.
$(RUNS): deploy/run.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Holdfast needs Python 3.11 or later, and $(PYTHON) is not. Name one that is: make PYTHON=python3.12 …'; exit 1; }
	@echo 'Setting up $(VENV): about half a minute, once.'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --require-hashes --requirement deploy/run.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(WORKS): requirements.lock $(RUNS)
	@echo 'Adding what the tests need to $(VENV): one to two minutes, once.'
	@$(PIP) --require-hashes --requirement requirements.lock
	@touch $@
