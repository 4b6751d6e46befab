# make run, make test: everything else happens by itself. See README.md.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?= -n 2 --dist loadfile
# For example ARGS="--no-demo --port 8080"; `manage.py run --help` lists them.
ARGS ?=

.PHONY: run test lint services-test faults pictures clean help
.DEFAULT_GOAL := help

help:
	@echo "make run            start everything on this machine and watch the demo plan go through (Ctrl-C stops it)"
	@echo "make test           run all tests"
	@echo "make lint           style, types, import rules, missing migrations"
	@echo "make services-test  the tests again on PostgreSQL and Redis (DATABASE_URL, REDIS_URL)"
	@echo "make faults         seeded schedules of faults, kills and racing workers, by the thousand"
	@echo "make pictures       the pictures of docs/images anew (needs Chromium)"
	@echo "make clean          remove the virtual environment and caches; data in var/ stays"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "OmniTraffick needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Install it, or name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: on Debian and Ubuntu, apt install python3-venv."; rm -rf $(VENV); exit 1; }

# Installed again only when the pins change.
$(VENV)/.runtime: requirements.txt constraints.txt | $(BIN)/python
	@echo "Installing what runs (once, until the pins change)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing what tests (once, until the pins change)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(VENV)/.runtime
	@exec $(BIN)/python manage.py run $(ARGS)

test: $(VENV)/.development
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

services-test: $(VENV)/.development
	@test -n "$$DATABASE_URL" -a -n "$$REDIS_URL" || { \
	  echo "Set both, for example: make services-test DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres REDIS_URL=redis://127.0.0.1:6379/15"; exit 1; }
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# SCHEDULES=50000 for a night; it goes on where it stopped.
SCHEDULES ?= 2000
faults: $(VENV)/.development
	$(BIN)/python benchmarks/faults.py --schedules $(SCHEDULES)

# The pictures of docs/images, taken by the walks of the browser tests. Look at them before you commit them.
PICTURES := index board builder-clean approve rule-builder import-preview
pictures: $(VENV)/.development
	@rm -rf var/pictures && mkdir -p var/pictures docs/images
	SCREENSHOT_DIR=var/pictures THEMES=dark,light $(BIN)/python -m pytest -q omnitraffick/tests/test_admin_browser.py \
	  omnitraffick/tests/test_board_browser.py omnitraffick/tests/test_browser_builder.py \
	  omnitraffick/tests/test_browser_rules.py omnitraffick/tests/test_browser_imports.py
	@for name in $(PICTURES); do for theme in dark light; do cp var/pictures/$$name-$$theme.png docs/images/; done; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
