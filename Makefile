# The two commands of a new user are `make demo` and `make test`; `make up` starts the platform.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Threads of OpenMP that wait by spinning slow down everything else on a busy machine, themselves included.
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help install demo test slow chaos up unattended lint audit sbom lock clean

help:  ## What can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)  ## The virtual environment with the pinned packages

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; name it with: make PYTHON=python3.11 …" >&2; exit 1; }
	@echo "Installing into $(VENV) (a minute or two, once) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install  ## A simulated school from raw events to recommendations, in two or three minutes
	@$(BIN)/aivo demo

test: install  ## The suite, but for what takes more than about ten seconds a test
	@$(BIN)/python -m pytest -m "not slow"

slow: install  ## The rest of it: whole platforms, replays, trainings, real data at full size
	@$(BIN)/python -m pytest -m slow

chaos: install  ## Faults, caused on purpose in real processes; without the longest ones: make chaos ONLY=quick
	@$(BIN)/python -m pytest -m "chaos$(if $(filter quick,$(ONLY)), and not slow)" aivo_assets_tests/chaos

up: install  ## The web UI and the daemon, with every schedule and sensor on
	@$(BIN)/aivo up

unattended: install  ## The platform left alone on a school that lives fast: drift, a retraining, a refusal (docs/operations.md)
	@set -a; . examples/unattended.env; set +a; $(BIN)/aivo demo && $(BIN)/aivo up

lint: install  ## Style, types and the one-way import rule
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

audit: install  ## Known vulnerabilities of the pinned packages; without a network: make audit ADVISORIES=all.zip (docs/security.md)
	@$(BIN)/python .ci/audit.py $(if $(ADVISORIES),--advisories $(ADVISORIES))

sbom: install  ## What the platform is made of, as CycloneDX 1.6: sbom.json
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o sbom.json && echo "Written to sbom.json."

lock:  ## Pin every package anew (needs uv)
	uv pip compile pyproject.toml --extra dev --extra ray --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock

clean:  ## Remove what the platform keeps in .aivo; the virtual environment stays
	rm -rf .aivo
