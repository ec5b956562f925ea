# Every target makes or updates .venv first (seconds when that was done before). Without make: python -m utils.env
FOUND := $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c "import sys; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1 && { echo $$name; break; }; done)
PYTHON ?= $(or $(FOUND),python3)
ENV = $(PYTHON) -m utils.env

.PHONY: learn test build check bench site

learn:  ## open JupyterLab at the start page (ARGS=--no-browser on a server)
	@$(ENV) learn $(ARGS)

test:  ## run every test (FAST=1: not the slow ones)
	@$(ENV) test $(if $(FAST),--fast) $(ARGS)

build:  ## make the notebooks from chapter.md and the solutions
	@$(ENV) run -m utils.build $(ARGS)

check:  ## lint, and see that the built notebooks are what their sources give
	@$(ENV) run --tools -m ruff check .
	@$(ENV) run --tools -m ruff format --check .
	@$(ENV) run --tools -m utils.build --check

bench:  ## time the course against its peers (build/bench.json)
	@$(ENV) run --tools -m tests.bench $(ARGS)

site:  ## the course as a web site, build/site/html/index.html (ARGS=--no-run: without outputs)
	@$(ENV) run --tools -m docs $(ARGS)
