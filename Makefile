# Everything a developer does, in one word each. Needs Python 3.11 to 3.15, make and git; from another folder, or where
# the path has spaces: make -C "path to the checkout" check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help setup check test quick test-pythons resolve fuzz notebooks report value docs bench format clean

SHELL := /bin/sh
venv := .venv
bin := $(venv)/bin
ready := $(venv)/.ready
PYTHONS := python3.15 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(PYTHONS) python3
DECORATIONS := 400

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(ready) ## create .venv with the pinned packages, as every other target does; make setup PYTHON=python3.14 chooses

suits = $(1) -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 16))' >/dev/null 2>&1

# pip reads dependency groups from 25.1 on.
$(ready): pyproject.toml constraints.txt
	@set -e; \
	if ! test -x $(bin)/python; then \
		for python in $(PYTHON) none; do \
			if test $$python = none; then \
				echo 'cxsim needs Python 3.11 to 3.15 with its venv module; none of these is: $(PYTHON)' >&2; \
				exit 1; \
			fi; \
			if $(call suits,$$python); then break; fi; \
		done; \
		echo "Setting up $(venv) with $$($$python -V) (first time, a few minutes)…"; \
		$$python -m venv $(venv); \
	else \
		echo "Bringing $(venv) up to date…"; \
	fi
	@$(bin)/python -m pip install -qq --upgrade 'pip>=25.1'
	@$(bin)/python -m pip install -qq --constraint constraints.txt --editable . --group dev
	@touch $@

check: $(ready) ## lint, format, types, floors, house rules, params/ (under a minute)
	@echo 'ruff';   $(bin)/ruff check --quiet .
	@echo 'format'; $(bin)/ruff format --check --quiet .
	@echo 'types';  $(bin)/mypy --no-error-summary
	@echo 'floors'; report=$$($(bin)/lint-imports --no-logo 2>&1) || { echo "$$report"; exit 1; }
	@echo 'house';  $(bin)/python -m checks
	@echo 'params'; $(bin)/cxsim check

# Dozens of processes start, each of which would compile every module anew where the environment says not to keep them.
test: $(ready) ## all tests, and every notebook compared with its stored outputs, on all cores; the ten slowest named
	@start=$$(date +%s); \
	PYTHONDONTWRITEBYTECODE= $(bin)/python -m pytest --quiet --numprocesses auto --dist loadfile --no-loadscope-reorder \
		--durations 10 --nbval --nbval-current-env --nbval-cell-timeout 300 \
		--nbval-sanitize-with tests/nbval_sanitize.cfg && \
	echo "All tests took $$(($$(date +%s) - start)) s."

quick: $(ready) ## parameters, models, reading, finance and one run: what shows first that a Python is too new
	@$(bin)/python -m pytest --quiet --numprocesses auto --dist loadfile \
		tests/test_params.py tests/test_face.py tests/clv tests/data tests/finance tests/study/test_run.py

# The name of each environment is that of its Python; what .venv has is tested by `make test`.
test-pythons: $(ready) ## set up and test quickly each other Python on the path, in .venv-python3.14 and its like
	@set -e; \
	own=$$($(bin)/python -c 'import sys; print("python3.%d" % sys.version_info.minor)'); \
	found=; for python in $(PYTHONS); do if $(call suits,$$python); then found="$$found $$python"; fi; done; \
	echo "Pythons found:$${found:- none} (.venv has $$own)."; \
	for python in $$found; do \
		if test $$python != $$own; then $(MAKE) --no-print-directory quick venv=.venv-$$python PYTHON=$$python; fi; \
	done

resolve: $(ready) ## resolve the pins to wheels for every Python and platform (needs the package index; half a minute)
	@$(bin)/python -m checks.resolve

fuzz: $(ready) ## write hundreds of known logs of orders down in other ways and read them (minutes); make fuzz DECORATIONS=3000
	@PYTHONDONTWRITEBYTECODE= CXSIM_DECORATIONS=$(DECORATIONS) $(bin)/python -m pytest --quiet tests/data/test_decorations.py

notebooks: $(ready) ## run all notebooks again and store their outputs
	@$(bin)/python -m cxsim.reporting.execute notebooks/*.ipynb

report: $(ready) ## write the business case of the bundled shop to reports/
	@$(bin)/cxsim report cdnow-programmes

value: $(ready) ## write what the bundled shop's customers are worth to reports/
	@$(bin)/cxsim report cdnow-value

docs: $(ready) ## build the documentation in build/docs, without a network; a warning is an error
	@$(bin)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "Written: build/docs/index.html"

bench: $(ready) ## measure speed and memory beside rivals (a quarter of an hour); make bench CASES="fit value" for some
	@$(bin)/python -m benchmarks $(CASES)

format: $(ready) ## mend what can be mended by machine
	@$(bin)/ruff check --quiet --fix .
	@$(bin)/ruff format --quiet .

clean: ## remove .venv, caches and generated reports
	@rm -rf .venv .venv-python3.* build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find cxsim checks tests benchmarks notebooks -name __pycache__ -prune -exec rm -rf {} +
	@find reports -mindepth 1 ! -name README.md -delete
