# Everything needs only `make` and Python 3.10 to 3.13. Set-up happens once, in .venv, and again when the lock changes.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
# Two processes that share the files, the longest of which come first.
PYTEST := $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The second environment, of a Python for which there is no giotto-tda: NumPy 2, and all of topology, measuring, findings.
NEWEST ?= python3.13
NEWEST_VENV := .venv-newest

.PHONY: run test test-newest lint lock
run: $(READY)
	$(VENV)/bin/python -m src.run

test: lint
	$(PYTEST) -m "not slow"
	$(PYTEST) -m slow

test-newest: $(NEWEST_VENV)/.ready
	$(NEWEST_VENV)/bin/python -m src.run experiment=smoke force=true trainer.progress=false
	$(NEWEST_VENV)/bin/python -m pytest -n 2 --dist loadfile -m "not slow" $(addprefix tests/unit/, \
		arrays config findings geometry measure metrics statistics topology)

# uv, since torch brings CUDA's packages where no other build is at hand: 40 seconds, pip takes four minutes.
$(NEWEST_VENV)/.ready: requirements.lock $(READY)
	rm -rf $(NEWEST_VENV)
	$(VENV)/bin/uv venv --quiet --python $(NEWEST) $(NEWEST_VENV)
	$(VENV)/bin/uv pip install --quiet --native-tls --no-cache --python $(NEWEST_VENV)/bin/python -r requirements.lock
	touch $@

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
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header --extra dev \
		pyproject.toml --output-file requirements.lock
	sed -i -E '/^(nvidia-|cuda-|triton)/d' requirements.lock
