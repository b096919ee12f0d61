# Every target sets up .venv by itself; needed are python3 (3.11 or newer), git and make.
# Settings: PYTHON=python3.12 to choose an interpreter, JOBS=8 for more tests at a time,
# CUDA_ARCH=89 (compute capability 8.9) to build llama.cpp for cards that are not here,
# CUDA_ARCH=none to leave cards out.

PYTHON ?= python3
# half of the time that tests take they wait: two cores have enough for four at a time
JOBS ?= 4
BIN := .venv/bin
# where it is in
LLAMA = $(patsubst %/,%,$(dir $(BIN)))/.llama
TOOLS := build/tools/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install
# its processes share what one has compiled
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -p tests.plugins.summary_line -n $(JOBS) --dist loadfile \
	--no-loadscope-reorder # the order is that of tests/conftest.py
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# llama.cpp's wheels, apart for each kind of machine: pip's own cache knows no build flags
WHEELS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/reviewbot

.DEFAULT_GOAL := help
.PHONY: help demo test check fmt soak lock llama dist audit

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: .venv/.demo ## the service reviews five example pull requests; no key, no model (under two minutes)
	@$(BIN)/python examples/demo.py

test: .venv/.dev ## run the tests (a few minutes; the first time llama.cpp is built)
	@$(MAKE) --no-print-directory --silent $(LLAMA) || echo "Without it: the tests of the llama engine are skipped."
	@$(PYTEST)

check: .venv/.dev ## lint, types, architecture, dependencies, spelling, workflows, image (half a minute)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/codespell
	$(BIN)/zizmor --offline --quiet .github action.yml docs/examples/*.yml
	$(BIN)/hadolint Dockerfile

fmt: .venv/.dev ## format the code, mend what ruff can mend, write the generated tables
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .
	$(BIN)/python docs/settings_table.py
	$(BIN)/python docs/rules_table.py
	$(BIN)/python docs/ledger_table.py
	$(BIN)/python docs/app_table.py

soak: .venv/.dev ## the tests with many more inputs, faults without end, damaged inputs (some hours)
	@$(MAKE) --no-print-directory --silent $(LLAMA) || echo "Without it: the tests of the llama engine are skipped."
	@$(PYTEST) -p tests.plugins.soak -m "soak or not soak"
	@$(BIN)/python benchmarks/fuzz.py
	@$(BIN)/python benchmarks/reliability.py --write

llama: $(LLAMA) ## build llama.cpp for this machine's cards or CPU (six minutes; for cards longer)
	@$(BIN)/python -m reviewbot model list

# GGML_NATIVE=OFF: built for the very CPU, it crashes on some new ones (AMX with GCC 12).
$(LLAMA): requirements/llama-cpp.txt requirements/llama.txt pyproject.toml | .venv/.created
	@command -v $${CXX:-c++} >/dev/null || { \
		echo "llama.cpp needs a C++ compiler (for example: apt install g++). All but the llama engine works without." >&2; \
		exit 1; }
	@cards="$(CUDA_ARCH)"; \
	[ -n "$$cards" ] || cards=$$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null \
		| tr -d '. ' | sort -u | paste -sd ';'); \
	case "$$cards" in \
	""|none) kind=cpu; flags="" ;; \
	*) kind="cuda-$$(echo "$$cards" | tr ';' '-')"; \
		flags="-DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES=$$cards"; \
		command -v nvcc >/dev/null || { \
			echo "There is a card, but no nvcc on PATH: install the CUDA toolkit, or build for the CPU: make llama CUDA_ARCH=none" >&2; \
			exit 1; } ;; \
	esac; \
	pinned=$$(grep -o '^llama-cpp-python==[0-9.]*' requirements/llama-cpp.txt); \
	wheels="$(WHEELS)/$$pinned/$$kind-$$($(BIN)/python -c 'import platform; print(platform.machine())')"; \
	if [ -z "$$(ls "$$wheels"/*.whl 2>/dev/null)" ]; then \
		echo "Building $$pinned for $$kind: about six minutes on two cores, with CUDA several times that; once …"; \
		CMAKE_ARGS="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF $$flags" $(BIN)/python -m pip -q \
			--disable-pip-version-check wheel --no-deps --no-cache-dir --require-hashes \
			--no-binary llama-cpp-python -w "$$wheels.part" -r requirements/llama-cpp.txt || exit 1; \
		mkdir -p "$$wheels" && mv "$$wheels.part"/*.whl "$$wheels" && rmdir "$$wheels.part"; \
	fi; \
	$(PIP) --force-reinstall --no-deps "$$wheels"/*.whl
	@$(PIP) --require-hashes -r requirements/llama.txt
	@touch $@

dist: build/tools ## wheel, source and list of contents (SBOM) into dist/; TAG=v1.2.3 must be the version
	@rm -rf dist
	@$(TOOLS)/python -m build --quiet --no-isolation --outdir dist
	@$(TOOLS)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file dist/sbom.cdx.json requirements/base.txt 2>/dev/null
	@[ -z "$(TAG)" ] || [ -e "dist/reviewbot-$(patsubst v%,%,$(TAG))-py3-none-any.whl" ] || { \
		echo "$(TAG) is not the version of pyproject.toml." >&2; exit 1; }
	@ls -l dist

audit: build/tools ## known vulnerabilities in what is installed; asks the vulnerability databases
	@for lock in service llama; do $(TOOLS)/pip-audit --strict --disable-pip --require-hashes \
		-r requirements/$$lock.txt || exit 1; done

build/tools: requirements/release.txt | .venv/.created
	@$(PYTHON) -m venv $@
	@$(TOOLS)/python -m pip -qq --disable-pip-version-check install --require-hashes -r $<
	@touch $@

lock: .venv/.dev ## write requirements/*.txt anew; UPGRADE=1 takes the newest versions
	$(LOCK) pyproject.toml requirements/build.in --extra local --extra analyzers --extra postgres \
		--extra dev -o requirements/dev.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/base.txt
	$(LOCK) pyproject.toml requirements/build.in --extra analyzers -c requirements/dev.txt \
		-o requirements/demo.txt
	$(LOCK) pyproject.toml requirements/build.in --extra local --extra postgres -c requirements/dev.txt \
		-o requirements/action.txt
	$(LOCK) pyproject.toml --extra llama -c requirements/dev.txt --no-emit-package llama-cpp-python \
		-o requirements/llama.txt
	$(LOCK) pyproject.toml --extra analyzers --extra local --extra postgres -c requirements/dev.txt \
		-o requirements/service.txt
	$(LOCK) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	$(LOCK) requirements/release.in -c requirements/dev.txt -o requirements/release.txt
	grep -o 'llama-cpp-python[<>=][^"]*' pyproject.toml | $(LOCK) --no-deps - -o requirements/llama-cpp.txt

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
