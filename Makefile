# Makefile - the short way in. Everything is built by CMake (see CMakePresets.json); this adds what a fresh machine needs.

PREFIX ?= /usr/local
STATE ?= $(CURDIR)/build/run
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# A SIP server that is named, or OpenSIPS where the gateway would find it, is used; else Kamailio comes from Debian.
SIP_SERVER := $(or $(NEXUSVOIP_SIP_BINARY),$(if $(filter kamailio,$(NEXUSVOIP_SIP_SERVER)),,$(shell \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin command -v opensips)))
# npm fetches what Twilio publishes, for the tests to judge by; a Node from elsewhere is left as it is.
NPM := $(if $(shell command -v node),,npm)
PROGRAMS := -DNEXUSVOIP_TESTS=OFF -DNEXUSVOIP_EXAMPLES=OFF
export STATE DEMO

.PHONY: help run stop test truth storm bench fuzz install clean
help:
	@echo 'make run          build, start the gateway and a SIP server on this machine, say how to make a call'
	@echo 'make run DEMO=1   the same, then two phones make a call here in the terminal'
	@echo 'make stop         stop what make run started'
	@echo 'make test         build and run every test, and the unit and integration tests under sanitizers'
	@echo 'make truth        play every ending of a call, hold what the API says against a capture; SERVER=, ROWS= choose'
	@echo 'make storm        kill the gateway, and the SIP server, again and again under load: KILLS=200 CALLS=50 SERVER_KILLS=20'
	@echo 'make bench        measure'
	@echo 'make fuzz         fuzz what reads from outside, SECONDS=60 each, TARGET=sdp only one (clang)'
	@echo 'make install      install library, nexusctl and nexusd under PREFIX ($(PREFIX)); DESTDIR is respected'
	@echo 'make clean        remove build/, after stopping what make run started'

run:
	@packaging/install-deps.sh build run $(if $(SIP_SERVER),,sip) $(if $(DEMO),demo)
	@packaging/build.sh release $(PROGRAMS)
	@packaging/run.sh start
	@$(if $(DEMO),packaging/demo.sh)

stop:
	@packaging/run.sh stop

test:
	@packaging/install-deps.sh build run sip demo test $(NPM)
	@packaging/install-deps.sh browser || echo 'Going on without Chromium: the tests with browsers skip.'
	@tests/run.sh

truth:
	@packaging/install-deps.sh build run sip demo test
	@packaging/build.sh dev
	@status=0; for server in $(or $(SERVER),opensips kamailio); do \
		build/dev/tests/e2e/e2e_truth "$$server" '$(ROWS)' || test $$? -eq 77 || status=1; done; exit $$status

storm:
	@packaging/install-deps.sh build run sip demo test
	@packaging/build.sh dev
	@tests/e2e/storm/run.sh $(or $(KILLS),200) $(or $(CALLS),50) $(or $(SERVER_KILLS),20)

bench:
	@packaging/install-deps.sh build run sip demo test
	@packaging/build.sh release -DNEXUSVOIP_TESTS=ON
	@ctest --preset release -L bench --verbose

fuzz:
	@packaging/install-deps.sh build sip demo test fuzz
	@packaging/build.sh fuzz
	@tests/fuzz/run.sh $(or $(SECONDS),60) $(TARGET)

install:
	@packaging/install-deps.sh build
	@packaging/build.sh release $(PROGRAMS) -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	@cmake --install build/release --prefix $(PREFIX)

clean: stop
	@rm -rf build
