# `make reproduce`, `make example` and `make test` do all the set-up: they need Python >= 3.12 and
# make, nothing else.
#   PYTHON=/path/to/python   the Python to build the environment with (else the first that works)
#   VENV=.venv               where the environment lives
#   WORKERS=2                test processes

PYTHON  ?=
VENV    ?= .venv
WORKERS ?= 2
OUT     ?= example-output

BIN     := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# What test-other runs, as far as it exists: tests that sample nothing, done in seconds.
SMOKE   ?= $(wildcard tests/test_layers.py tests/data tests/test_plan.py tests/test_cli.py)

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help reproduce example test docs test-other lint slow bench format constraints clean check-python

help:
	@echo "make reproduce    the founding paper, whole; results in reproduce-output/"
	@echo "make example      fit the example cohort; results in $(OUT)/"
	@echo "make test         lint, types and tests"
	@echo "make lint         lint and types only"
	@echo "make format       put the code in its standard form"
	@echo "make slow         the long tests"
	@echo "make docs         type the tutorial, build the documentation into docs/_build/html/"
	@echo "make bench        the benchmarks"
	@echo "make constraints  resolve constraints.txt anew"
	@echo "make clean        remove the environment, caches and results"

reproduce: OUT := reproduce-output
reproduce: $(VENV)/.installed
	$(BIN)/bayesurv reproduce --out $(OUT)

example: $(VENV)/.installed
	$(BIN)/bayesurv fit scripts/lymphoma.toml --out $(OUT)

# The page of a report is opened in Chromium, where there is one.
CHROMIUM := $(or $(BAYESURV_CHROMIUM),$(shell command -v chromium 2>/dev/null))

test: lint
	$(if $(CHROMIUM),,@echo "No chromium on PATH: the tests that open the report in it are left out.")
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(if $(CHROMIUM),,-m "not slow and not browser")

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m slow

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/run_tutorial.py
	$(BIN)/python -m sphinx -W --keep-going -q -E -b html docs docs/_build/html

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

# The quick look at another Python: make test-other PYTHON=python3.12
test-other: VENV := .venv-other
test-other:
	$(MAKE) VENV=$(VENV) check-other

check-other: $(VENV)/.installed-dev
	$(BIN)/python -W error -c "import bayesurv"
	$(BIN)/bayesurv --help >/dev/null
	$(if $(SMOKE),$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(SMOKE))
.PHONY: check-other

# Names and versions only: no address of an index, no path. Best made with the oldest Python
# supported, so that what only it needs is in the list:
#   make constraints PYTHON=python3.12 VENV=.venv-other
constraints: $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --dry-run --ignore-installed \
	    --report $(VENV)/resolved.json -e '.[dev,docs]'
	$(BIN)/python -c "import json, sys; \
	    found = [p['metadata'] for p in json.load(open(sys.argv[1]))['install']]; \
	    pins = {p['name'].lower().replace('_', '-'): p['version'] for p in found}; \
	    pins.pop('bayesurv'); \
	    print('# Tested versions, for Python 3.12 and 3.13. Made by: make constraints'); \
	    print(*(f'{name}=={version}' for name, version in sorted(pins.items())), sep='\n')" \
	    $(VENV)/resolved.json > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) .venv-other $(OUT) reproduce-output build dist docs/_build constraints.new
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ---------------------------------------------------------------------------

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.made | check-python
	@echo "Installing bayesurv into $(VENV) (a few minutes the first time) ..."
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(VENV)/.made | check-python
	@echo "Installing bayesurv and its test tools into $(VENV) (a few minutes the first time) ..."
	$(INSTALL) -e '.[dev]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-docs: pyproject.toml constraints.txt $(VENV)/.made | check-python
	@echo "Installing what the documentation is built with into $(VENV) ..."
	$(INSTALL) -e '.[docs]'
	@touch $@

# Each candidate is run, not only looked up: a name on PATH may be a shim with nothing behind it.
# For each name all of PATH is searched, so a dead shim does not hide a live Python; then the places
# where pyenv and uv keep theirs.
FIND_PYTHON = \
    usable() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }; \
    complete() { "$$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }; \
    python=; bare=; old_ifs=$$IFS; \
    if [ -n "$(PYTHON)" ]; then \
        if ! usable "$(PYTHON)"; then \
            echo "PYTHON=$(PYTHON) does not run, or is older than Python 3.12." >&2; exit 1; \
        fi; \
        if complete "$(PYTHON)"; then python="$(PYTHON)"; else bare="$(PYTHON)"; fi; \
    else \
        for name in python3.13 python3.12 python3.14 python3 python; do \
            IFS=:; \
            for dir in $$PATH $${PYENV_ROOT:-$$HOME/.pyenv}/versions/*/bin \
                       $$HOME/.local/share/uv/python/*/bin; do \
                [ -z "$$python" ] && [ -x "$$dir/$$name" ] && usable "$$dir/$$name" || continue; \
                if complete "$$dir/$$name"; then python="$$dir/$$name"; else bare="$$dir/$$name"; fi; \
            done; \
            IFS=$$old_ifs; \
        done; \
    fi; \
    if [ -z "$$python" ] && [ -n "$$bare" ]; then \
        echo "$$bare cannot make a virtual environment: its modules venv and ensurepip are missing." >&2; \
        echo "On Debian or Ubuntu install python3-venv (or python3.12-venv, python3.13-venv); elsewhere" >&2; \
        echo "a complete Python >= 3.12, and name it with PYTHON=/path/to/python." >&2; exit 1; \
    elif [ -z "$$python" ]; then \
        echo "No Python >= 3.12 found. Install one (python.org, your system's packages, or uv) and, if" >&2; \
        echo "it is not on PATH, name it: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; exit 1; \
    fi

$(VENV)/.made:
	@$(FIND_PYTHON); \
	echo "Making $(VENV) with $$python ($$("$$python" -V))"; \
	"$$python" -m venv --clear $(VENV) && touch $@

# PYTHON= given for an environment that stands already: it must be the same version.
check-python: | $(VENV)/.made
	@[ -z "$(PYTHON)" ] || [ "$$("$(PYTHON)" -V)" = "$$($(BIN)/python -V)" ] || { \
	    echo "$(VENV) holds $$($(BIN)/python -V), PYTHON=$(PYTHON) is $$("$(PYTHON)" -V)." >&2; \
	    echo "Run 'make clean' first, or give the second one a place of its own: VENV=.venv-other" >&2; \
	    exit 1; }
