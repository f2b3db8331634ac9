# make run        sets up and serves on http://127.0.0.1:8765
# make test       sets up (browser and Triton too), then every check and every test
# make test-fast  the unit tests alone, for every commit
# make fuzz       ten minutes of made-up input for what strangers write to
# make audit      asks whether anything that is installed is known to be vulnerable
# make extension  packs the extension for the stores, into dist/
# make package    wheel and source archive, into dist/
# make sbom       the bill of materials of what is installed, into dist/
# make docs       writes the pages that are made from the code, and the site of all pages
# make release-notes  what is new in this version (VERSION=1.2.3: in that one)
# make languages  takes the texts out of the code, and compiles their translations
.DEFAULT_GOAL := run
SHELL := /bin/bash
PYTEST := .venv-dev/bin/python -m pytest
MEASURED := .venv-dev/bin/coverage run -m pytest
# Several threads in each of several processes stall one another on a small machine.
export OMP_NUM_THREADS ?= 1

.PHONY: run test test-fast lint bench fuzz audit docs languages extension package sbom release-notes triton setup setup-dev clean

setup:
	@scripts/bootstrap.sh .venv

setup-dev:
	@scripts/bootstrap.sh .venv-dev dev

run: setup
	@echo "The command is $(CURDIR)/.venv/bin/fakelight; '$(CURDIR)/.venv/bin/fakelight install' puts it on your PATH"
	@exec .venv/bin/fakelight serve

test: setup-dev
	@scripts/test_setup.sh
	@rm -rf .coverage
	@# What is long comes first. Ray's and Triton's tests, whose processes give up on a machine with
	@# too much to do, come when those that run as a third suite are over, or nearly.
	@scripts/run_suites.sh \
	    "server=$(MEASURED) tests/server -m 'not patient'" \
	    "unit=$(MEASURED) tests/unit --ignore=tests/unit/training -m 'not patient'" \
	    "release=$(MEASURED) tests/release" \
	    "e2e=$(MEASURED) tests/e2e --ignore=tests/e2e/watching" \
	    "watching=$(MEASURED) tests/e2e/watching" \
	    "cluster=$(MEASURED) tests/cluster" \
	    "scan=$(MEASURED) tests/scan" \
	    "contract=$(MEASURED) tests/contract" \
	    BESIDE \
	    "patient=$(MEASURED) tests/server -m patient" \
	    "waiting=$(MEASURED) tests/unit --ignore=tests/unit/training -m patient" \
	    BELOW \
	    "training=$(MEASURED) tests/unit/training -o timeout=900" \
	    "fuzz=.venv-dev/bin/python -m tests.fuzz --fixed" \
	    "media=$(MEASURED) tests/media -o timeout=900" \
	    "lint=$(MAKE) --no-print-directory lint" \
	    "extension=scripts/npm.sh test --silent" \
	    THEN \
	    "coverage=.venv-dev/bin/coverage combine --quiet && .venv-dev/bin/coverage report"

# Of the unit tests nearly half, so that two processes can share them.
SERVED := tests/unit/stream_server/server tests/unit/stream_server/monitors
QUICK := 'not slow and not patient'

test-fast: setup-dev
	@AT_ONCE=3 scripts/run_suites.sh \
	    "training=$(PYTEST) -q tests/unit/training -m 'not slow'" \
	    "unit=$(PYTEST) -q tests/unit --ignore=tests/unit/training $(SERVED:%=--ignore=%) -m $(QUICK)" \
	    "served=$(PYTEST) -q $(SERVED) -m $(QUICK)" \
	    "extension=scripts/npm.sh test --silent" \
	    BESIDE \
	    "waiting=$(PYTEST) -q tests/unit --ignore=tests/unit/training -m 'patient and not slow'"

lint: setup-dev
	@.venv-dev/bin/ruff check .
	@.venv-dev/bin/ruff format --check .
	@.venv-dev/bin/mypy
	@scripts/npm.sh run --silent check
	@.venv-dev/bin/python -m scripts.docs_site > /dev/null

bench: setup-dev
	@scripts/test_setup.sh
	@.venv-dev/bin/fakelight bench live --streams 1 --seconds 20
	@.venv-dev/bin/fakelight bench live --streams 8 --seconds 30
	@.venv-dev/bin/fakelight bench scan
	@.venv-dev/bin/python -m benchmarks.engine_overhead
	@.venv-dev/bin/python -m benchmarks.member_rates
	@.venv-dev/bin/python -m benchmarks.page_cost
	@.venv-dev/bin/python -m benchmarks.feed
	@.venv-dev/bin/python -m benchmarks.monitor_page
	@.venv-dev/bin/python -m benchmarks.monitors
	@.venv-dev/bin/python -m benchmarks.observability
	@.venv-dev/bin/python -m benchmarks.drain

fuzz: setup-dev
	@.venv-dev/bin/python -m tests.fuzz --seconds 600

audit: setup-dev
	@.venv-dev/bin/python -m scripts.audit

docs: setup-dev
	@.venv-dev/bin/python -m scripts.settings_reference
	@.venv-dev/bin/python -m scripts.metrics_reference
	@.venv-dev/bin/python -m scripts.dashboard
	@.venv-dev/bin/python -m scripts.docs_site

languages: setup-dev
	@.venv-dev/bin/python -m scripts.languages

extension:
	@python3 -m scripts.pack_extension

package: setup-dev
	@.venv-dev/bin/uv build --out-dir dist

sbom: setup setup-dev
	@scripts/test_setup.sh
	@.venv-dev/bin/python -m scripts.sbom

release-notes:
	@python3 -m scripts.release_notes $(VERSION)

triton:
	@scripts/triton_env.sh > /dev/null
	@exec .venv-triton/bin/python scripts/triton_serve.py

clean:
	rm -rf .venv .venv-dev .venv-triton node_modules
