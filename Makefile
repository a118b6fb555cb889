# Everything is built and tested in release mode: a debug engine is a hundred times slower and proves nothing more.
PREFIX ?= /usr/local
BUILD := .build/release
# What `make demo` runs, and the store that it leaves behind.
DEMO := quickstart

.PHONY: all build demo test lint install uninstall clean dependencies

all: build

dependencies:
	@cluster/install-dependencies.sh

build: dependencies
	swift build --configuration release --product groksweep

demo: build
	$(BUILD)/groksweep sweep configs/$(DEMO).yaml
	@echo
	@echo 'Go on with:'
	@echo '  sqlite3 -header -column $(DEMO).sqlite "SELECT setting, runs, grokked, median_grokking_epoch, min_grokking_epoch, max_grokking_epoch FROM grokking_times"'

# The pictures of docs/, drawn from runs of this very engine: what docs/how-to/report.md says. Runs that are there are not run again.
PICTURES := .build-pictures

.PHONY: pictures

pictures: build
	mkdir -p $(PICTURES) docs/pictures
	$(BUILD)/groksweep sweep configs/critical-fraction.yaml --store $(PICTURES)/critical-fraction.sqlite
	$(BUILD)/groksweep sweep configs/paper.yaml --set 'axes.seed=[0]' --store $(PICTURES)/paper.sqlite
	for figure in phase-diagram critical-values; do \
	  $(BUILD)/groksweep plot $$figure --store $(PICTURES)/critical-fraction.sqlite -o docs/pictures/$$figure.svg || exit 1; \
	done
	point=$$(sqlite3 -readonly $(PICTURES)/paper.sqlite "SELECT point FROM runs LIMIT 1") && \
	  $(BUILD)/groksweep plot progress --store $(PICTURES)/paper.sqlite --point $$point -o docs/pictures/progress.svg

# What the tests of several machines want and this machine lacks (sshd, ip) is unpacked here for them, and not installed.
TEST_TOOLS := .build-test-tools
WITH_TEST_TOOLS := PATH="$$PATH:$(CURDIR)/$(TEST_TOOLS)/bin"

.PHONY: test-tools

test-tools:
	@cluster/test-tools.sh $(TEST_TOOLS)

test: dependencies test-tools
	swift build --configuration release --build-tests
	$(WITH_TEST_TOOLS) Tests/run.sh $(BUILD)/groksweepPackageTests.xctest

# The dashboard in headless Chromium during a real sweep, and reports under its mouse; skipped, with a word, where there is
# no Chromium.
.PHONY: test-browser
test-browser: build
	$(PYTHON) Tests/Browser/live_page.py $(BUILD)/groksweep
	$(PYTHON) Tests/Browser/report_page.py $(BUILD)/groksweep

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 $(BUILD)/groksweep "$(DESTDIR)$(PREFIX)/bin/groksweep"
	cluster/share.sh $(BUILD)/groksweep "$(DESTDIR)$(PREFIX)"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/groksweep"
	rm -rf "$(DESTDIR)$(PREFIX)/share/groksweep" "$(DESTDIR)$(PREFIX)/share/doc/groksweep"
	rm -f "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/groksweep" \
	  "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_groksweep" \
	  "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/groksweep.fish" \
	  "$(DESTDIR)$(PREFIX)/share/man/man1/groksweep.1"

clean:
	swift package clean

# A tarball that runs on a machine with only libzmq5 and libsqlite3-0: Swift's runtime is inside. Built apart from the rest,
# since everything is compiled anew for it. check-dist installs it into a bare Debian and has a worker in there take part.
DIST := groksweep-$(shell sed -n 's/^  static let version = "\(.*\)"$$/\1/p' Sources/groksweep/Commands/VersionCommand.swift)-linux-$(shell uname -m).tar.gz

.PHONY: dist check-dist check-deployment

dist: dependencies
	mkdir -p .build-dist/no-curl
	$(CC) -c -O2 -fPIC -o .build-dist/no-curl/no-curl.o cluster/no-curl.c
	ar rcs .build-dist/no-curl/libcurl.a .build-dist/no-curl/no-curl.o
	swift build --configuration release --static-swift-stdlib --product groksweep --scratch-path .build-dist \
	  -Xlinker -L.build-dist/no-curl
	cluster/dist.sh .build-dist/release/groksweep .build-dist/checkouts

check-dist: build dist
	cluster/check-dist.sh $(DIST) $(BUILD)/groksweep

# Units, manifests, Containerfile and scripts, as far as they can be checked without the machines that they are for.
check-deployment: .build-check-deployment/installed
	cluster/check-deployment.sh .build-check-deployment/bin

.build-check-deployment/installed: Tests/Deployment/requirements.txt
	$(PYTHON) -m venv --clear .build-check-deployment
	.build-check-deployment/bin/python -m pip install --requirement Tests/Deployment/requirements.txt
	touch $@

# The same training step in PyTorch and JAX, timed beside ours on one core; and tasks that do nothing in HyperQueue, Dask
# and Optuna, timed beside our points. See Tests/Peers. The environments are kept in .build-peers and
# .build-peers-coordination for the next time; remove them as you like.
PYTHON ?= python3
PEERS := .build-peers
PEERS_FLAGS ?=

.PHONY: bench-peers bench-coordination-peers bench-efficiency

# The makespan of 64 equal points on one worker and on two of this machine, and the coordinator's share of the CPU.
bench-efficiency: build
	$(PYTHON) Tests/Peers/efficiency.py --groksweep $(BUILD)/groksweep

bench-peers: build $(PEERS)/installed bench-coordination-peers
	$(PEERS)/bin/python Tests/Peers/compare.py --groksweep $(BUILD)/groksweep $(PEERS_FLAGS)

$(PEERS)/installed: Tests/Peers/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bench-peers needs Python 3.11 or later: make bench-peers PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --requirement Tests/Peers/requirements.txt
	touch $@

bench-coordination-peers: build $(PEERS)-coordination/installed
	$(PEERS)-coordination/bin/python Tests/Peers/coordination.py --groksweep $(BUILD)/groksweep

$(PEERS)-coordination/installed: Tests/Peers/requirements-coordination.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make bench-coordination-peers PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(PEERS)-coordination
	$(PEERS)-coordination/bin/python -m pip install --requirement Tests/Peers/requirements-coordination.txt
	touch $@

# The kernels on NEON under qemu, bit for bit against AVX2 and AVX-512; installs Debian's arm64 cross tools.
.PHONY: test-neon

test-neon:
	Tests/Neon/run.sh

# Sweeps over sshd, Slurm and network namespaces, all of them on this machine; the full forms, and only those tests. What
# cannot be installed or is not allowed is skipped with a line that says why.
.PHONY: test-cluster

test-cluster: dependencies test-tools
	-apt-get -qq install --yes --no-install-recommends slurm-wlm munge >/dev/null
	swift build --configuration release --build-tests
	$(WITH_TEST_TOOLS) GROKSWEEP_TEST_SOAK=1 swift test --configuration release --skip-build --filter MachineTests

# The tests that take too long for every time: 1,000 epochs at the paper's size on every instruction set.
.PHONY: test-science

test-science: dependencies
	swift build --configuration release --build-tests
	GROKSWEEP_TEST_SCIENCE=1 swift test --configuration release --skip-build --filter InstructionSetTests

# What `analyze` prints, recomputed in numpy; and models carried to TransformerLens and back. See Tests/Peers; the
# environments are kept, as that of bench-peers.
CHECKED := .build-check

.PHONY: check-measures check-transformerlens

check-measures: build $(CHECKED)-measures/installed
	$(CHECKED)-measures/bin/python Tests/Peers/measures.py $(BUILD)/groksweep

check-transformerlens: build $(CHECKED)-transformerlens/installed
	$(CHECKED)-transformerlens/bin/python Tests/Peers/check_transformerlens.py $(BUILD)/groksweep

$(CHECKED)-%/installed: Tests/Peers/requirements-%.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make check-$* PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(CHECKED)-$*
	$(CHECKED)-$*/bin/python -m pip install --requirement Tests/Peers/requirements-$*.txt
	touch $@

# Long tests of what must survive. The simulated part: every short story, one step deeper than in `make test`, and a
# swarm of a thousand seeds that follow from the commit, so that every commit tells other stories; replay one with
# `groksweep simulate --swarm --seed N`.
SOAK_SEED = $(shell printf '%d' 0x$$(git rev-parse --short=12 HEAD))

.PHONY: soak soak-simulation soak-faults soak-decoder

soak: soak-simulation soak-faults soak-decoder

soak-simulation: dependencies
	swift build --configuration release --build-tests
	@echo "soak: seeds $(SOAK_SEED) and the 999 after it, from commit $$(git rev-parse HEAD)"
	GROKSWEEP_TEST_SOAK=1 GROKSWEEP_TEST_SEED=$(SOAK_SEED) swift test --configuration release --skip-build --filter SimulationTests

# A million damaged messages through the decoder; the seed is printed, and so is an input that fails.
soak-decoder: dependencies
	swift build --configuration release --build-tests
	GROKSWEEP_TEST_SOAK=1 GROKSWEEP_TEST_SEED=$(SOAK_SEED) swift test --configuration release --skip-build --filter WireFuzzTests

# The part with real processes: fifty kills in one sweep, a coordinator away for two minutes, cut links, full disks. It
# needs root for namespaces and small disks, and says what it skips without.
soak-faults: dependencies test-tools
	swift build --configuration release --build-tests
	$(WITH_TEST_TOOLS) GROKSWEEP_TEST_SOAK=1 GROKSWEEP_TEST_SEED=$(SOAK_SEED) swift test --configuration release --skip-build --filter FaultTests
