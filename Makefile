# 后庆派单 · Houqing Dispatch. `make` alone lists what can be made.
.DEFAULT_GOAL := help
.PHONY: help run test lint lock attacks faults faults-short week week-short year year-short care-year care-year-short simulate bench migrate environment environment-test

# Where this is set, each of the many processes would compile all of the house's own files anew when it starts.
unexport PYTHONDONTWRITEBYTECODE

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SEEDS ?= 1000
# The stamp carries the lock's digest in its name, so that an unchanged lock installs nothing.
RUN_STAMP = $(VENV)/.installed-$(shell cksum < requirements.lock | tr ' ' '-')
TEST_STAMP = $(VENV)/.tested-$(shell cat requirements.lock requirements-test.lock | cksum | tr ' ' '-')

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | sort | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-16s %s\n' "$$name" "$$what"; done

run: environment ## install what is missing, start everything with the demo community, print addresses and log-ins
	@echo "== 启动 · starting everything (data in ./$${DISPATCH_HOME:-var}; Ctrl-C stops it)"
	@exec $(BIN)/dispatch up --demo

test: environment-test ## install what the tests need, run all but the faults, the week and the years on servers of their own
	@echo "== 测试 · running the tests"
	$(BIN)/pytest -n 2 --dist loadgroup --ignore=tests/faults --ignore=tests/week --ignore=tests/year --ignore=tests/care_year

lint: environment-test ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## write both locks anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml -o requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade
	uv pip compile pyproject.toml --extra test -c requirements.lock -o requirements-test.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

attacks: environment-test ## ask every route as everybody and the API along all its edges: the whole form
	DISPATCH_TEST_WHOLE=1 $(BIN)/pytest -n 2 --dist loadgroup tests/house/leaks/test_confidential.py tests/api/test_schema.py tests/house/test_objects.py tests/house/test_naming.py

faults: environment-test ## kill, freeze and wipe the real processes: the long form
	DISPATCH_TEST_LONG=1 $(BIN)/pytest -n 2 --dist loadgroup -rP tests/faults

faults-short: environment-test ## the same in a few minutes
	$(BIN)/pytest -n 2 --dist loadgroup tests/faults

week: environment-test ## live a busy week with every side path, workers killed, and count its figures a second time
	DISPATCH_TEST_LONG=1 $(BIN)/pytest -rP tests/week

week-short: environment-test ## the same for two days
	$(BIN)/pytest tests/week

year: environment-test ## live a year of the love supermarket, processes killed, and check its books by other means
	DISPATCH_TEST_LONG=1 $(BIN)/pytest -rP tests/year

year-short: environment-test ## the same for three weeks around the end of a quarter
	$(BIN)/pytest -rP tests/year

care-year: environment-test ## live a year of the care calendar, processes killed, and count every duty a second time
	DISPATCH_TEST_LONG=1 $(BIN)/pytest -rP tests/care_year

care-year-short: environment-test ## the same for three weeks
	$(BIN)/pytest -rP tests/care_year

simulate: environment-test ## the promise under SEEDS (1000) simulated histories
	DISPATCH_TEST_SEEDS=$(SEEDS) $(BIN)/pytest -n 2 tests/simulation/test_simulation.py

bench: environment-test ## measure against a bare INSERT and Celery's no-op
	$(BIN)/python -m benchmarks

migrate: environment ## bring the database that the settings name to the newest structure
	$(BIN)/dispatch init

environment: $(RUN_STAMP)

environment-test: $(TEST_STAMP)

$(BIN)/python:
	@echo "== 建立虚拟环境 · making the virtual environment $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): | $(BIN)/python
	@echo "== 安装依赖(按哈希锁定)· installing what runs, each file checked by its hash"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@rm -f $(VENV)/.installed-* && touch $@

$(TEST_STAMP): | $(RUN_STAMP)
	@echo "== 安装测试依赖 · installing what the tests need"
	@$(PIP) install --require-hashes -r requirements-test.lock
	@rm -f $(VENV)/.tested-* && touch $@
