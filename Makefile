# The first commands of the README: `make demo` and `make test`. All else is a shortcut.

# A Python from 3.11 to 3.13; name another with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
    && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder
FILES := setup.cfg pyproject.toml constraints.txt

.PHONY: demo test test-all fuzz mutants canary findings lint benchmarks clean

demo: $(VENV)/.demo
	$(BIN)/kerasopt demo

# Two processes: each holds a TensorFlow of 1 GB, and files that share slow fixtures stay together.
# In order: pytest-xdist would put files of few tests last, which are the slowest, and one process
# would wait for the other; so the examples of docstrings are.
test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PARALLEL) --durations 10

# All cases of the matrices named in `tests/matrices.toml`, of which `make test` takes a part.
test-all: $(VENV)/.dev
	KERASOPT_TESTS=all $(BIN)/python -m pytest $(PARALLEL) --durations 10

# The properties alone, on other examples each time and ten times as many.
fuzz: $(VENV)/.dev
	KERASOPT_FUZZ=1 $(BIN)/python -m pytest -m hypothesis -n 2

# Whether the tests notice faults: puts each of tests/mutants.toml into a copy. Not in CI.
mutants: $(VENV)/.dev
	$(BIN)/python -m tests.mutants

# On what comes next: Keras's nightly, TensorFlow's release candidate. Not in CI. Name other tests
# with `make canary TESTS=tests/pruning`.
canary:
	PYTHON=$(PYTHON) .ci/canary $(TESTS)

# What other libraries do that surprised us: each installs them anew, without kerasopt. Not in CI.
findings:
	for one in findings/*.sh; do echo "== $$one" && PYTHON=$(PYTHON) bash $$one || exit 1; done

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmarks: $(VENV)/.dev
	$(BIN)/python -m benchmarks.callbacks

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "kerasopt needs Python 3.11, 3.12 or 3.13; none was found. \
	Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing: on \
	Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }

# A stamp a set of extras: a second run installs nothing unless these files have changed.
$(VENV)/.demo $(VENV)/.dev: $(VENV)/.%: $(BIN)/python $(FILES)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[$*]'
	@touch $@

clean:
	rm -rf $(VENV) .venv-canary build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
