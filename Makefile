# Every target sets up .venv by itself; needed are python3 (3.11 or newer), git and make.
# Settings: PYTHON=python3.12 to choose an interpreter, JOBS=4 for more tests at a time.

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install
PYTEST := $(BIN)/python -m pytest -p tests.plugins.summary_line -n $(JOBS) --dist loadfile
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help demo test check fmt soak lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: .venv/.demo ## the service reviews five example pull requests; no key, no model (under two minutes)
	@$(BIN)/python examples/demo.py

test: .venv/.dev ## run the tests (a minute or two)
	@$(PYTEST)

check: .venv/.dev ## lint, types, architecture, dependencies, spelling, workflows (half a minute)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/codespell
	$(BIN)/zizmor --offline --quiet .github

fmt: .venv/.dev ## format the code, mend what ruff can mend, write the README's settings table
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .
	$(BIN)/python docs/settings_table.py

soak: .venv/.dev ## the tests with many more generated inputs, and those marked soak (up to an hour)
	@$(PYTEST) -p tests.plugins.soak -m "soak or not soak"

lock: .venv/.dev ## write requirements/*.txt anew; UPGRADE=1 takes the newest versions
	$(LOCK) pyproject.toml requirements/build.in --all-extras -o requirements/dev.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/base.txt
	$(LOCK) pyproject.toml requirements/build.in --extra analyzers -c requirements/dev.txt \
		-o requirements/demo.txt

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "reviewbot needs Python 3.11 or newer; '$(PYTHON)' is not one. Try: make PYTHON=python3.12 …" >&2; \
		exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.demo: requirements/demo.txt pyproject.toml | .venv/.created
	@echo "Setting up .venv: the packages of requirements/demo.txt (the first time about a minute) …"
	@$(PIP) --require-hashes -r requirements/demo.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/.created
	@echo "Setting up .venv: the packages of requirements/dev.txt (the first time two minutes) …"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@ .venv/.demo
