# Two commands do everything, set-up included: `make demo` and `make test`. `make help` lists the rest.
# They need Python 3.11 or newer; all else is installed into .venv, at the versions in constraints.txt.

PYTHON ?= python3
PIP_FLAGS ?=
PYTEST_FLAGS ?=
JOBS ?= 2
MINUTES ?= 1

VENV := .venv
BIN := $(VENV)/bin
# Quiet twice: once still prints a warning for each package that one of several indexes lacks. Errors are always shown.
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --constraint constraints.txt $(PIP_FLAGS)
ARCHBUILDER := $(BIN)/archbuilder
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test slow fuzz lint format types docs web package setup clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Variables: PYTHON=$(PYTHON), PIP_FLAGS (say '--extra-index-url …', for a CPU build of torch), PYTEST_FLAGS, JOBS=$(JOBS), MINUTES=$(MINUTES)"

demo: $(VENV)/.torch  ## check, sum up, draw and build ResNet-50, and run it on a picture
	@mkdir -p build
	$(ARCHBUILDER) check resnet50
	$(ARCHBUILDER) summary resnet50
	$(ARCHBUILDER) render resnet50 -o build/resnet50.svg
	$(ARCHBUILDER) render resnet50 -o build/resnet50.png
	$(ARCHBUILDER) build resnet50 --image examples/images/still-life.png

test: $(VENV)/.dev  ## run the tests (not the slow ones)
	OMP_NUM_THREADS=1 $(PYTEST) -n $(JOBS) --dist worksteal $(PYTEST_FLAGS)

slow: $(VENV)/.dev  ## run the slow tests, one after the other since some measure time
	$(PYTEST) -m slow --durations=10 $(PYTEST_FLAGS)

fuzz: $(VENV)/.fuzz  ## look for texts that break something, for MINUTES
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --minutes $(MINUTES)

lint: $(VENV)/.dev  ## check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/.dev  ## mend what the linter can mend, and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(VENV)/.dev  ## check the types
	$(BIN)/mypy

docs: $(VENV)/.dev  ## write the reference, the drawings and the outputs on the pages anew (the tests hold them up to date)
	$(BIN)/python docs/generate.py
	$(BIN)/python -m tests.docs.update

web:  ## build what a page runs (archbuilder/page/page.js and page.css) anew from web/; needs node and npm
	cd web && npm ci --no-audit --no-fund --ignore-scripts --silent
	cd web && npm run --silent build

package: $(VENV)/.dev  ## build sdist and wheel; install the wheel without torch and use it from another folder
	rm -rf dist build/fresh
	$(BIN)/python -m build --no-isolation
	$(PYTHON) -m venv build/fresh/venv
	build/fresh/venv/bin/python $(PIP_INSTALL) dist/*.whl
	mkdir build/fresh/elsewhere
	cd build/fresh/elsewhere && ! ../venv/bin/python -c 'import torch' 2>/dev/null
	cd build/fresh/elsewhere && ../venv/bin/archbuilder list
	cd build/fresh/elsewhere && ../venv/bin/archbuilder summary resnet50

setup: $(VENV)/.dev  ## only set up .venv for development

clean:  ## remove .venv and everything made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Set-up, once: each stamp stands for what is installed, and is renewed when the project or its versions change.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("archbuilder needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": try make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing archbuilder, torch and what the examples need into $(VENV) (once; minutes, if torch must be downloaded)'
	@$(BIN)/python $(PIP_INSTALL) --editable '.[torch,examples]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing archbuilder, torch and the development tools into $(VENV) (once; minutes, if torch must be downloaded)'
	@$(BIN)/python $(PIP_INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/.torch

# Where there is no atheris for this machine, the fuzzer goes without: it says so.
$(VENV)/.fuzz: $(VENV)/.dev
	-@$(BIN)/python $(PIP_INSTALL) --only-binary :all: atheris
	@touch $@
