# Everything needs only `make` and Python 3.10 to 3.12. Set-up happens once, in .venv, and again when the lock changes.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
# Two processes that share the files, the longest of which come first.
PYTEST := $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: run test lint lock
run: $(READY)
	$(VENV)/bin/python -m src.run

test: lint
	$(PYTEST) -m "not slow"
	$(PYTEST) -m slow

lint: $(READY)
	$(VENV)/bin/ruff check --no-cache src tests
	$(VENV)/bin/ruff format --check src tests
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

$(READY): requirements.lock
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	touch $@

# torch's CUDA packages follow from its own pins; a CPU build has none. What is locked stays, unless pyproject.toml says
# otherwise; remove the file first to take the newest of everything.
lock: $(READY)
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header --extra dev \
		pyproject.toml --output-file requirements.lock
	sed -i -E '/^(nvidia-|cuda-|triton)/d' requirements.lock
