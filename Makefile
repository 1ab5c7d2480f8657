# PaperTrade. `make demo` shows it at work, `make test` proves it. Each target installs what it needs.

SWIFT  ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local

BUILD   := build
LIBRARY := $(BUILD)/libpapertrade.so
SOURCES := $(shell find Sources include -type f) Package.swift

# What the tests and the demo run against.
export PAPERTRADE_LIBRARY := $(CURDIR)/$(LIBRARY)
export PT                 := $(CURDIR)/$(BUILD)/pt
export PYTHONPATH         := $(CURDIR)/Python
export PYTHON

.PHONY: all demo test test-swift test-c test-python test-system test-command-line test-calendar test-model test-package reliability bench \
    fuzz sanitize sanitize-address sanitize-thread sanitize-c damage growth coverage lint format install uninstall clean setup \
    setup-build setup-demo setup-test setup-bench

all: $(LIBRARY) $(BUILD)/pt

# Packages of the system that each needs. What is missing is installed by apt: as root, or through sudo. Who only builds or installs needs
# nothing of what the tests need.
BUILD_NEEDS := libjansson-dev pkg-config gcc g++
DEMO_NEEDS  := python3
TEST_NEEDS  := python3 python3-venv spin strace tzdata valgrind
BENCH_NEEDS := python3 libsqlite3-dev

define install_missing
missing=""; \
for package in $(1); do \
    case $$package in \
        libjansson-dev) pkg-config --exists jansson 2>/dev/null || missing="$$missing $$package" ;; \
        python3-venv) $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing $$package" ;; \
        tzdata) [ -e /usr/share/zoneinfo/America/New_York ] || missing="$$missing $$package" ;; \
        libsqlite3-dev) pkg-config --exists sqlite3 2>/dev/null || missing="$$missing $$package" ;; \
        *) command -v $$package >/dev/null 2>&1 || missing="$$missing $$package" ;; \
    esac; \
done; \
if [ -n "$$missing" ]; then \
    echo "installing$$missing"; \
    sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
    $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$missing >/dev/null; \
fi
endef

setup: setup-test

setup-build:
	@$(call install_missing,$(BUILD_NEEDS))
	@command -v $(SWIFT) >/dev/null || { echo "no Swift toolchain: install Swift 6.1 or later from https://swift.org/install"; exit 1; }

setup-demo: setup-build
	@$(call install_missing,$(DEMO_NEEDS))

setup-test: setup-build
	@$(call install_missing,$(TEST_NEEDS))

setup-bench: setup-build
	@$(call install_missing,$(BENCH_NEEDS))

# The C library: self-contained but for libjansson, libstdc++, libm and libc; exports pt_* and nothing else; never unloaded
# (nodelete), because a Swift runtime cannot be. Such flags would bar a package from use as a dependency, so they stand here.
$(LIBRARY): $(SOURCES) | setup-build
	@mkdir -p $(BUILD)
	$(SWIFT) build -c release --product papertrade --scratch-path .build-release \
	    -Xswiftc -static-stdlib -Xswiftc -Xclang-linker -Xswiftc -static-libgcc \
	    -Xlinker --version-script=$(CURDIR)/Sources/PaperTradeC/exports.map -Xlinker -s \
	    -Xlinker -soname -Xlinker libpapertrade.so.0 -Xlinker -z -Xlinker nodelete
	@# Renamed into place, not written over: a running program may have the old one mapped.
	cp .build-release/release/libpapertrade.so $@.new
	mv $@.new $@.0
	ln -sf libpapertrade.so.0 $@

$(BUILD)/pt: $(SOURCES) | setup-build
	@mkdir -p $(BUILD)
	$(SWIFT) build -c release --product pt --scratch-path .build-release-pt -Xswiftc -static-stdlib -Xlinker -s
	cp .build-release-pt/release/pt $@.new
	mv $@.new $@

# A C, a Python and a pt program, a monitor and a trader live through two years on one account; ends with it proved from its journal.
# PAPERTRADE_PRICES and PAPERTRADE_ACTIONS name files of your own.
demo: all | setup-demo
	CExamples/demo/run

test: test-swift test-c test-python test-command-line test-calendar test-system test-model test-package

test-swift: | setup-test
	$(SWIFT) test -c release -Xswiftc -enable-testing --scratch-path .build-release-tests

test-c: $(LIBRARY) | setup-test
	Tests/C/run

test-python: $(LIBRARY) | setup-test
	$(PYTHON) -m unittest discover -s Tests/Python

test-command-line: $(BUILD)/pt $(LIBRARY) | setup-test
	$(PYTHON) -m unittest discover -s Tests/CommandLine

# The market calendar, compared with one from PyPI; that and what it needs stay in an environment of their own.
VENV := $(BUILD)/venv
$(VENV)/installed: Tests/Calendar/requirements.txt | setup-test
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

test-calendar: $(BUILD)/pt $(VENV)/installed
	@# Without warnings: they are about calls that the package makes, not the test.
	$(VENV)/bin/python -W ignore -m unittest discover -s Tests/Calendar

test-system: all | setup-test
	$(PYTHON) -m unittest discover -s Tests/System
	$(PYTHON) -m unittest discover -s Tests/Reliability

# The examples in the documents, and a package that depends on this one by URL and tag.
test-package: all | setup-test
	$(PYTHON) -m unittest discover -s Tests/Package

# The fuzzers, each for so many seconds; Tests/Fuzzing/run --keep adds what they find to the corpus that the ordinary tests replay.
SECONDS := 60
fuzz: | setup-test
	Tests/Fuzzing/run --seconds $(SECONDS)

# The tests under the sanitizers for addresses (and leaks) and threads; the programs in C under valgrind, and under the sanitizer for
# undefined behaviour. What only runs programs of its own, or compares times, is left to the ordinary run.
# Optimised, because crashes and faults are enumerated.
SANITIZED := SWIFT_BACKTRACE=enable=no $(SWIFT) test -c release -Xswiftc -enable-testing --disable-xctest
sanitize: sanitize-thread sanitize-address sanitize-c

sanitize-address: | setup-test
	$(SANITIZED) --sanitize=address --scratch-path .build-asan
	@echo "RESULT sanitize-address: problems=0"

sanitize-thread: | setup-test
	$(SANITIZED) --sanitize=thread --scratch-path .build-tsan
	@echo "RESULT sanitize-thread: problems=0"

sanitize-c: $(LIBRARY) | setup-test
	Tests/C/run --valgrind
	Tests/C/run --undefined
	@echo "RESULT sanitize-c: problems=0"

# Every bit, length, sector and block of a journal of more than 200 events damaged; 100,000 commits without growth.
damage: | setup-test
	PAPERTRADE_ALL_DAMAGE=1 $(SWIFT) test -c release -Xswiftc -enable-testing --disable-xctest --scratch-path .build-release-tests \
	    --filter 'A damaged journal'

growth: $(LIBRARY) | setup-test
	Tests/C/run --long growth

# The library against SQLite, a home-made design and the bare system calls; Benchmarks/README.md tells what it found.
bench: $(LIBRARY) | setup-bench
	$(PYTHON) Benchmarks/run

# The commit protocol, explored by spin.
test-model: | setup-test
	$(PYTHON) Tests/Model/check

# Everything that proves the promise, exhaustively; hours. Prints the scorecard, and puts it into Tests/Reliability/README.md.
reliability: all | setup-test
	Tests/Reliability/scorecard --write Tests/Reliability/README.md

# Region coverage of every module by the Swift tests; Tests/Reliability/coverage --missing shows what is not covered.
coverage: | setup-test
	Tests/Reliability/coverage

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

install: all
	install -d $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(LIBRARY).0 $(DESTDIR)$(PREFIX)/lib/
	ln -sf libpapertrade.so.0 $(DESTDIR)$(PREFIX)/lib/libpapertrade.so
	install -m 644 include/papertrade.h $(DESTDIR)$(PREFIX)/include/
	install -m 755 $(BUILD)/pt $(DESTDIR)$(PREFIX)/bin/
	$(refresh-loader)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/lib/libpapertrade.so.0 $(DESTDIR)$(PREFIX)/lib/libpapertrade.so \
	    $(DESTDIR)$(PREFIX)/include/papertrade.h $(DESTDIR)$(PREFIX)/bin/pt
	$(refresh-loader)

# The loader finds a library by its cache: not that of a package's staging directory, and only for those who may write the cache.
refresh-loader = @PATH="$$PATH:/usr/sbin:/sbin"; \
    if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then ldconfig || :; fi

clean:
	rm -rf $(BUILD) .build .build-*
