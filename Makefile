# Everything a newcomer types. Each target does its own set-up; `make help` explains them.

# The first Python that is new enough; name another one with PYTHON=…
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
UV_VERSION := 0.13.9
BIN := .venv/bin
READY := .venv/.ready
SOURCES := services shared deploy tools tests liaison.py
TIERS := $(foreach tier,unit contracts integration flow browser,$(wildcard tests/$(tier)))
LIAISON := $(BIN)/liaison
# Most tests wait for servers; two processes, each with a PostgreSQL and a Kafka of its own, keep two cores busy.
SIDE_BY_SIDE := -n 2 --dist loadfile

# The packages come with whatever certificates this machine trusts, for this Python, into .venv.
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
# A shell's own Python settings are for other programs.
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP

.DEFAULT_GOAL := help
.PHONY: help setup up down status doctor test unit check fmt bench faults clients compose-test sbom

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install what is locked into .venv; the other targets do it by themselves

$(READY): uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Liaison needs Python 3.11 or later as python3, or: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make virtual environments; on Debian: apt install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making a virtual environment in .venv"; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -c 'import importlib.metadata as m, sys; sys.exit(m.version("uv") != "$(UV_VERSION)")' 2>/dev/null \
		|| { echo "Installing uv $(UV_VERSION) into .venv"; $(BIN)/python -m pip install --quiet "uv==$(UV_VERSION)"; }
	$(BIN)/uv sync --locked --all-extras
	@touch $@

up: $(READY) ## start everything; ARGS="--detach --port 0 --data DIR" instead of --demo
	@$(LIAISON) up $(if $(filter undefined,$(origin ARGS)),--demo,$(ARGS))

down: $(READY) ## stop it again; ARGS="--data DIR"
	@$(LIAISON) down $(ARGS)

status: $(READY) ## what runs, and how far behind it is
	@$(LIAISON) status $(ARGS)

doctor: $(READY) ## what is wrong, and how to mend it
	@$(LIAISON) doctor $(ARGS)

test: $(READY) ## all tests, on a real PostgreSQL and a real Kafka; ARGS="-k word"
	@$(BIN)/pytest $(SIDE_BY_SIDE) $(TIERS) $(ARGS)
	@$(if $(ARGS),,$(BIN)/pytest tests/faults)

unit: $(READY) ## the tests that need no server, in seconds; `make test` has more examples of each, and the slow ones
	@HYPOTHESIS_PROFILE=quick $(BIN)/pytest -q -n 2 tests/unit -m "not thorough" $(ARGS)

check: $(READY) ## style, types, layers, and whether the schemas are those of the code
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.schemas --check
	$(BIN)/python -m tools.openapi --check
	$(BIN)/python -m tools.asyncapi --check
	$(BIN)/pytest -q tests/meta

fmt: $(READY) ## lay the code out, and write the schemas anew; one that would break a reader is refused
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/python -m tools.schemas
	$(BIN)/python -m tools.openapi
	$(BIN)/python -m tools.asyncapi

bench: $(READY) ## measure everything beside a floor, into .bench/; ARGS="--long", or the name of one measurement
	@$(BIN)/uv sync --quiet --locked --all-extras --group bench
	@$(BIN)/python -m tests.bench $(ARGS)

faults: $(READY) ## everything that can break is broken under load, for half an hour; ARGS="--only NAME"
	@$(BIN)/python -m tests.faults $(ARGS)

clients: $(READY) ## clients of other systems, generated, compiled and played; needs node, mvn and go
	@$(BIN)/pytest tests/clients $(ARGS)

compose-test: $(READY) ## docker-compose.yml, really run: used, hurt, upgraded, copied and taken down
	@$(BIN)/python -m tests.compose $(ARGS)

sbom: $(READY) ## what Liaison is made of (CycloneDX), and under which licences, into .sbom/
	@mkdir -p .sbom
	@$(BIN)/uv export --quiet --locked --no-dev --all-extras --format cyclonedx1.5 --output-file .sbom/liaison.cdx.json
	@$(BIN)/python -m tools.licences > .sbom/licences.txt
	@wc -l .sbom/licences.txt
