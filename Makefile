# make lab     JupyterLab on the quickstart notebook; LAB_ARGS are passed on
# make test    everything the tests hold, in a real browser too
# make help    the other commands

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The interpreter that makes .venv: the first here that is Python 3.11 or newer, or PYTHON=...
PYTHON ?=
LAB_ARGS ?=
NOTEBOOK ?= notebooks/01_quickstart_digits.ipynb
PYTEST_ARGS ?=
PARTS ?=
DEVICE ?=
BENCH_ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
# A constraint without a local version also admits a CPU build of torch where pip finds one.
PIP_INSTALL := $(PY) -m pip install --disable-pip-version-check --constraint constraints.txt \
	$(shell [ -t 2 ] || echo --quiet)
# Tests that nothing is timed in run beside each other, each process on a processor of its own.
PYTEST_BESIDE := OMP_NUM_THREADS=1 $(PY) -m pytest -n logical --maxprocesses 4 --dist loadfile
DEPENDENCIES := pyproject.toml constraints.txt
SOURCES_JS := hatch_build.py $(shell find js \( -name node_modules -o -name fixtures \) -prune \
	-o -type f ! -name '*.test.*' -print 2>/dev/null)

say = @printf '\n==> %s\n' "$(1)"

.PHONY: help setup lab test js bench bench-cards bench-map lint wheel clean browser postgres \
	test-js test-unit test-gpu test-widgets test-wheel test-notebooks test-lab

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-22s%s\n", $$1, $$2}'

# --- what is installed -----------------------------------------------------------------------

$(VENV)/.stamp-venv:
	@set -e; \
	ask='import sys; sys.exit(sys.version_info < (3, 11))'; \
	if [ -n "$(PYTHON)" ]; then \
		command -v "$(PYTHON)" >/dev/null || { echo "error: PYTHON=$(PYTHON) is not a command." >&2; exit 1; }; \
		"$(PYTHON)" -c "$$ask" || { \
			echo "error: alwidgets needs Python 3.11 or newer; PYTHON=$(PYTHON) is $$("$(PYTHON)" --version 2>&1)." >&2; exit 1; }; \
		chosen="$(PYTHON)"; \
	else \
		chosen=; \
		for name in python3 python3.13 python3.12 python3.11 python; do \
			if "$$name" -c "$$ask" >/dev/null 2>&1; then chosen="$$name"; break; fi; \
		done; \
		[ -n "$$chosen" ] || { \
			echo "error: alwidgets needs Python 3.11 or newer, and none is on the PATH. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	fi; \
	printf '\n==> %s\n' "a virtual environment in $(VENV) ($$("$$chosen" --version))"; \
	"$$chosen" -m venv $(VENV) || { \
		echo "error: $$chosen could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

# An editable install: the build hook leaves the bundles in alwidgets/static, with the Node on the
# PATH or, where there is none, one that pip puts into the build's own environment.
$(VENV)/.stamp-lab: $(VENV)/.stamp-venv $(DEPENDENCIES) $(SOURCES_JS)
	$(call say,alwidgets and JupyterLab into $(VENV); minutes the first time)
	$(PIP_INSTALL) --editable '.[lab]'
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-venv $(DEPENDENCIES)
	$(call say,alwidgets; JupyterLab and what the tests need into $(VENV); minutes the first time)
	$(PIP_INSTALL) --editable '.[lab,dev]'
	@touch $@ $(VENV)/.stamp-lab

# What the benchmark compares with.
$(VENV)/.stamp-bench: $(VENV)/.stamp-dev js
	$(PIP_INSTALL) --editable '.[lab,dev,bench]'
	@touch $@

setup: $(VENV)/.stamp-dev js ## .venv with everything for working on alwidgets

js: $(VENV)/.stamp-dev ## the front end's bundles, where a source is newer
	@$(PY) hatch_build.py

# --- commands --------------------------------------------------------------------------------

lab: $(VENV)/.stamp-lab ## JupyterLab on the quickstart notebook (LAB_ARGS="--no-browser --port 8899")
	$(PY) -m jupyterlab $$([ "$$(id -u)" -ne 0 ] || echo --allow-root) $(NOTEBOOK) $(LAB_ARGS)

lint: $(VENV)/.stamp-dev ## formatting, lint, types and the directions of imports
	$(call say,lint: ruff format)
	$(PY) -m ruff format --check .
	$(call say,lint: ruff check)
	$(PY) -m ruff check .
	$(call say,lint: mypy)
	$(PY) -m mypy
	$(call say,lint: import-linter)
	$(VENV)/bin/lint-imports

test-js: setup
	$(call say,js: lint)
	$(PY) hatch_build.py npm run lint
	$(call say,js: types)
	$(PY) hatch_build.py npm run check
	$(call say,js: vitest)
	$(PY) hatch_build.py npm test

test-unit: setup
	$(call say,unit tests and the examples in the docstrings)
	$(PYTEST_BESIDE) tests/unit $(PYTEST_ARGS)
	$(PYTEST_BESIDE) --doctest-modules alwidgets $(PYTEST_ARGS)

test-widgets: setup
	$(call say,widgets: messages without a browser)
	$(PYTEST_BESIDE) tests/widgets $(PYTEST_ARGS)

test-wheel: setup
	$(call say,wheel: built and used without Node)
	$(PY) -m pytest tests/wheel $(PYTEST_ARGS)

test-notebooks: setup
	$(call say,notebooks)
	$(PYTEST_BESIDE) --dist load tests/notebooks $(PYTEST_ARGS)

# Where there is no GPU these are skipped, with the reason.
test-gpu: setup
	$(call say,gpu: the same on the device)
	$(PY) -m pytest tests/gpu $(PYTEST_ARGS)

# Finds a Chromium or installs one, and prints where it is; the tests ask the same script.
browser: setup
	$(call say,a browser for the tests)
	@$(PY) -m tests.browser

# Finds a PostgreSQL server, or installs one where it may; without one its tests are skipped.
postgres: setup
	$(call say,a PostgreSQL server for the tests)
	@$(PY) -m tests.postgres || echo "The tests on PostgreSQL are skipped."

test-lab: browser
	$(call say,lab: JupyterLab in a real browser)
	$(PY) -m pytest -m "not alone" -n 2 --dist loadfile tests/lab $(PYTEST_ARGS)
	$(PY) -m pytest -m alone tests/lab $(PYTEST_ARGS)

# One after the other, cheapest first, whatever -j says.
test: ## every test; fails where a browser is missing
	@set -e; for step in browser postgres lint test-js test-unit test-gpu test-widgets test-wheel test-notebooks test-lab; do \
		$(MAKE) --no-print-directory $$step; \
	done
	$(call say,all tests passed)

bench: $(VENV)/.stamp-bench ## times and memory beside other tools (PARTS="rounds selecting", DEVICE=cuda)
	DEVICE=$(DEVICE) $(PY) tests/bench $(PARTS) $(BENCH_ARGS)

bench-cards: $(VENV)/.stamp-bench browser ## the cards in JupyterLab, beside their peers (PARTS="presses pages stores")
	$(PY) tests/bench/cards $(PARTS) $(BENCH_ARGS)

bench-map: $(VENV)/.stamp-bench browser ## the map in JupyterLab, beside its peers (PARTS="jupyter-scatter plotly embedding-atlas")
	$(PY) tests/bench/map $(PARTS) $(BENCH_ARGS)

wheel: setup ## dist/alwidgets-*.whl
	$(PY) -m build --wheel

clean: ## what was built; not .venv
	rm -rf dist build alwidgets/static js/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
