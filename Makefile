# make forecast   who wins in Geneva, after how many rounds, and whether it runs into Tuesday
# make test       the tests
#
# Both make the virtual environment first if there is none. Others: lint, notebooks, docs, bench, clean.
# For instance: make forecast ARGS="iom-2018 --runs 20000"    make test ARGS="-k clock -x"

PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 2

BIN := $(VENV)/bin
SOURCES_OF_THE_ENVIRONMENT := setup.cfg setup.py pyproject.toml bootstrap.sh

.PHONY: forecast test lint notebooks docs bench clean
.NOTPARALLEL:

forecast: $(VENV)/.installed
	$(BIN)/iomsim forecast $(or $(ARGS),--out out)

test: export MPLBACKEND = Agg
test: export OPENBLAS_NUM_THREADS = 1
# The workers share the cores: threads of their own would only wait for one another.  What Python compiles is kept,
# whatever the shell says: to compile all tests again takes longer than to collect them.
test: $(VENV)/.installed-test
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: $(VENV)/.installed-test
	$(BIN)/python tests/run_notebooks.py $(or $(ARGS),notebooks/*.ipynb)

docs: export MPLBACKEND = Agg
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(VENV)/.installed-docs
	$(BIN)/mkdocs build --strict $(ARGS)

bench: $(VENV)/.installed-bench
	$(BIN)/python tests/benchmarks $(ARGS)

# A forecast needs no test tools, so there is a stamp for each set of packages. The larger sets
# contain the smaller, and say so by touching their stamps too.
$(VENV)/.installed: $(SOURCES_OF_THE_ENVIRONMENT)
	sh bootstrap.sh "$(PYTHON)" "$(VENV)"
	@touch $@

$(VENV)/.installed-test: $(SOURCES_OF_THE_ENVIRONMENT)
	sh bootstrap.sh "$(PYTHON)" "$(VENV)" test
	@touch $(VENV)/.installed $@

$(VENV)/.installed-docs: $(SOURCES_OF_THE_ENVIRONMENT)
	sh bootstrap.sh "$(PYTHON)" "$(VENV)" docs
	@touch $(VENV)/.installed $@

$(VENV)/.installed-bench: $(SOURCES_OF_THE_ENVIRONMENT)
	sh bootstrap.sh "$(PYTHON)" "$(VENV)" bench,test
	@touch $(VENV)/.installed $(VENV)/.installed-test $@

clean:
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find iomsim seeds tests notebooks -depth \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +
