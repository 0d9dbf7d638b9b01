# Everything runs in an own .venv, made with nothing but Python (3.11 or later) and make.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test slow check format tidy lint types floors gallery bench fuzz accuracy prove clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(VENV)/.package  ## the two courses settled: the main job on real digits
	@$(PY) examples/two_courses.py

test: $(VENV)/.development  ## the tests, without the slow ones
	$(PY) -m pytest -q

slow: $(VENV)/.development  ## the slow tests alone
	$(PY) -m pytest -q -m slow

check: format lint types floors  ## format, lint, types and floors

format: $(VENV)/.development  ## is everything formatted? (`make tidy` formats)
	$(PY) -m ruff format --check .

tidy: $(VENV)/.development  ## format, and mend what the linter can mend
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lint: $(VENV)/.development  ## the linter
	$(PY) -m ruff check .

types: $(VENV)/.development  ## pyright, strict
	$(PY) -m pyright --project pyproject.toml --pythonpath $(PY)

floors: $(VENV)/.development  ## who may import whom, line budgets, no machine's paths
	$(PY) -m pytest -q tests/house

prove: $(VENV)/.package  ## the whole catalogue before Coq's kernel: claim, lines, seconds, axioms
	@$(VENV)/bin/backproof prove --catalogue

gallery: $(VENV)/.package  ## the catalogue, the two courses and what is proved, as pages in build/gallery
	@$(PY) -m backproof.web.gallery build/gallery

bench: $(VENV)/.development  ## how fast, as ratios to SymPy on the same work; 2,000 wrong claims, refuted and explained
	$(PY) bench/versus_sympy.py
	$(PY) bench/training_speed.py
	$(PY) bench/mutations.py --count 2000 --right 400 --failures

fuzz: $(VENV)/.development  ## the readers of documents on mutated documents; COUNT=1000000 for as many
	nice $(PY) bench/fuzz_readers.py --count $(or $(COUNT),10000) --seed $(or $(SEED),0)

accuracy: $(VENV)/.development  ## the worst error of every function, in ulp, beside other libraries
	$(PY) bench/accuracy.py

clean:  ## remove the .venv and all caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "backproof needs Python 3.11 or later; say which: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null \
	  || { rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(PY) install -q pip; } \
	  || { rm -rf $(VENV); echo "this Python cannot make a virtual environment: install python3-venv" >&2; exit 1; }

$(VENV)/.package: pyproject.toml | $(VENV)/bin/python
	@echo "installing backproof into $(VENV) …"
	@$(PY) -m pip install -q --disable-pip-version-check -e .
	@$(PY) -m compileall -q src
	@touch $@

$(VENV)/.development: pyproject.toml | $(VENV)/bin/python
	@echo "installing backproof and its tools into $(VENV) …"
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[dev]'
	@$(PY) -m compileall -q src
	@touch $@ $(VENV)/.package
