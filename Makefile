# `make grade` and `make test` do all the set-up they need, in .venv.
PYTHON ?= python3
VENV := .venv
# The networks are small: more threads only wait for each other.
export OMP_NUM_THREADS := 1
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup grade lab test test-full attacks site benchmark benchmark-grading benchmark-learning clean

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$$(grep '^torch==' requirements.txt)"
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

grade: $(READY)
	$(BIN)/ddpg-course grade --sample

# In a copy: release/ is written over by `ddpg-course build`.
lab: $(READY)
	test -d work || cp -R release work
	$(BIN)/jupyter lab work

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ddpg-course build --check
	$(BIN)/ddpg-course verify
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not full"
	rm -rf .cache/nbval && mkdir -p .cache && cp -r notebooks .cache/nbval
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -c tests/nbval.ini --rootdir . .cache/nbval

test-full: $(READY)
	$(BIN)/python -m pytest -q -m full
	$(BIN)/ddpg-course verify --seeds 10

# Needs bubblewrap: some of these attacks would do harm without a sandbox.
attacks: $(READY)
	$(BIN)/python -m tests.attacks
	DDPG_ATTACKS=1 $(BIN)/python -m pytest -q -m full -k naive tests/test_attacks.py

# Warnings are errors: a link that leads nowhere is one.
site: $(READY)
	$(BIN)/python -m sphinx -W --keep-going -n -q -b html -d site/doctrees docs site/html
	@echo "The site: site/html/index.html"

# Peers take part where they are installed: .venv/bin/pip install stable-baselines3
benchmark: $(READY)
	$(BIN)/python tests/benchmarks/training_speed.py

benchmark-grading: $(READY)
	$(BIN)/python tests/benchmarks/grading_speed.py

benchmark-learning: $(READY)
	$(BIN)/python tests/benchmarks/learning.py

clean:
	rm -rf $(VENV) .cache site docs/units docs/words.md
