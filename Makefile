# Everything a developer does, in one word each. Needs Python 3.11, 3.12 or 3.13, make and git; from another folder, or
# where the path has spaces: make -C "path to the checkout" check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help setup check test fuzz notebooks report value docs bench format clean

SHELL := /bin/sh
bin := .venv/bin
DECORATIONS := 400
ready := .venv/.ready

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(ready) ## create .venv with the pinned packages (every other target does so by itself)

# pip reads dependency groups from 25.1 on.
$(ready): pyproject.toml constraints.txt
	@set -e; \
	if ! test -x $(bin)/python; then \
		for python in python3.13 python3.12 python3.11 python3 none; do \
			if test $$python = none; then \
				echo 'cxsim needs Python 3.11, 3.12 or 3.13 with its venv module, and found none on the path.' >&2; \
				exit 1; \
			fi; \
			if $$python -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
				>/dev/null 2>&1; then break; fi; \
		done; \
		echo "Setting up .venv (first time, a few minutes)…"; \
		$$python -m venv .venv; \
	else \
		echo "Bringing .venv up to date…"; \
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
	@rm -rf .venv build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find cxsim checks tests benchmarks notebooks -name __pycache__ -prune -exec rm -rf {} +
	@find reports -mindepth 1 ! -name README.md -delete
