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

test: dependencies
	swift build --configuration release --build-tests
	swift test --configuration release --skip-build

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/groksweep/configs" "$(DESTDIR)$(PREFIX)/share/doc/groksweep"
	install -m 755 $(BUILD)/groksweep "$(DESTDIR)$(PREFIX)/bin/groksweep"
	install -m 644 configs/*.yaml "$(DESTDIR)$(PREFIX)/share/groksweep/configs/"
	install -m 644 README.md LICENSE CHANGELOG.md "$(DESTDIR)$(PREFIX)/share/doc/groksweep/"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/groksweep"
	rm -rf "$(DESTDIR)$(PREFIX)/share/groksweep" "$(DESTDIR)$(PREFIX)/share/doc/groksweep"

clean:
	swift package clean
