# Two commands do everything: `make demo` and `make test`. Both set up what they need first.
SHELL := /bin/sh
UV := tools/uv
RUN := $(UV) run --no-sync

.PHONY: demo test check format front-end bench clean
.DEFAULT_GOAL := help

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1    /p' Makefile

.venv/ready: pyproject.toml uv.lock
	@$(UV) sync --frozen --inexact --no-default-groups
	@touch $@

demo: .venv/ready ## set up and run the us-states study to an HTML report
	@$(RUN) cobalance demo

test: ## set up and run every check and every test, browser tests included
	@$(UV) sync --frozen --inexact
	@tools/chromium
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory front-end
	$(RUN) pytest -n 2 --dist loadfile

front-end: ## check, test and build the explorer's page
	cd explorer && ../tools/npm ci --no-audit --no-fund && ../tools/npm run check && ../tools/npm test && ../tools/npm run build

check: ## style, types and the direction of imports
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-cache

format: ## bring the code into shape
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

bench: ## the packages that the benchmarks compare with
	@$(UV) sync --frozen --all-groups

clean: ## remove what was made
	rm -rf .venv .tools results .mypy_cache .ruff_cache .hypothesis
