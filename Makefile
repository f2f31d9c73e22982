# SPDX-License-Identifier: BSD-2-Clause
# borderpath: `make help` lists the targets. Objects go under build/ (SAN=1: build/san).
# Two programs from rooms; each program and each test names the rooms it links (see LINKS below).

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
CC         ?= gcc
PKG_CONFIG ?= pkg-config
V          ?= 0
SAN        ?= 0
WERROR     ?= 0
OUT        := build
ifeq ($(SAN),1)
OUT        := build/san
endif

VERSION := 0.1.0

WARN  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	 -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wconversion -Wno-sign-conversion
HARD  := -fstack-protector-strong -fPIE -fno-strict-aliasing
CFLAGS ?= -O2 -g
ifeq ($(SAN),1)
CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
HARD   := -fPIE -fno-strict-aliasing
SANLD  := -fsanitize=address,undefined
else
HARD   += -D_FORTIFY_SOURCE=2
endif
# scripts/fuzz.sh: the targets of tests/fuzz under clang's libFuzzer.
ifeq ($(FUZZER),1)
OUT    := build/fuzz
CC     := clang
CFLAGS := -O2 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
	  -fno-omit-frame-pointer
HARD   := -fPIE -fno-strict-aliasing
SANLD  := -fsanitize=fuzzer,address,undefined
endif
ifeq ($(WERROR),1)
WARN += -Werror
endif
LDHARD := -pie -Wl,-z,relro,-z,now $(SANLD)

# Debian's libnet has no .pc file; libnet-config gives its defines.
LIBNET_CFLAGS  = $(shell libnet-config --defines)
LIBPQ_CFLAGS   := $(shell $(PKG_CONFIG) --cflags libpq 2>/dev/null)
LIBNET_LIBS    = $(shell libnet-config --libs)
pc_cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pc_libs   = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

ALL_CFLAGS = -std=gnu17 -I. -D_GNU_SOURCE -D_DEFAULT_SOURCE -DBP_VERSION='"$(VERSION)"' \
	     -DBP_PREFIX='"$(PREFIX)"' -DBP_SYSCONFDIR='"$(SYSCONFDIR)"' $(WARN) $(HARD) -pthread $(CFLAGS) -MMD -MP

# --- rooms -----------------------------------------------------------------------------------
ROOM_core     := $(wildcard core/*.c core/record/*.c)
ROOM_wire     := $(wildcard prober/wire/*.c)
ROOM_method   := $(wildcard prober/method/*.c)
ROOM_engine   := $(wildcard prober/engine/*.c)
ROOM_io       := $(wildcard prober/io/*.c)
ROOM_plan     := prober/plan.c prober/limits.c
ROOM_prober   := $(filter-out prober/main.c $(ROOM_plan),$(wildcard prober/*.c))
ROOM_geo      := $(wildcard geo/*.c)
ROOM_analysis := $(wildcard analysis/*.c analysis/report/*.c)
# Style sheets and script of pages, as C strings.
WEB           := $(wildcard analysis/report/web/*)
WEB_C         := $(OUT)/gen/web.c
ROOM_campaign := $(wildcard campaign/*.c)
ROOM_cli      := $(filter-out cli/main.c,$(wildcard cli/*.c))
# What only borderpath-fleet has (cli/fleet.h): the broker, the database server, their commands.
ROOM_postgres := $(wildcard campaign/postgres/*.c)
ROOM_fleet    := $(wildcard campaign/fleet/*.c)
ROOM_clifleet := $(wildcard cli/fleet/*.c)
# And what borderpath has in their place.
ROOM_light    := $(wildcard cli/light/*.c)
ROOMS := core wire method engine io plan prober geo analysis campaign cli postgres fleet clifleet light

# What a program or a test links, rooms first (callers before callees), then libraries.
LINKS_borderpath       := cli light campaign analysis geo plan core
LIBS_borderpath         = -pthread $(LIBS_core) $(LIBS_geo) $(LIBS_campaign) $(call pc_libs,libcares) -lm
LINKS_borderpath-fleet := cli clifleet fleet postgres campaign analysis geo plan core
LIBS_borderpath-fleet   = $(LIBS_borderpath) $(LIBS_fleet)
LINKS_borderpath-probe := prober io engine method wire plan core
LIBS_borderpath-probe   = -lpcap $(LIBNET_LIBS) $(call pc_libs,libsodium libseccomp libcap-ng)

LINKS_tests/unit/core            := core
LINKS_tests/unit/core/record     := core
LINKS_tests/unit/prober          := prober plan engine method wire core
LINKS_tests/unit/prober/wire     := wire core
LINKS_tests/unit/prober/method   := method wire core
LINKS_tests/unit/prober/engine   := engine core
LINKS_tests/unit/prober/run      := prober plan engine method wire core
LINKS_tests/unit/prober/io       := io method wire core
LINKS_tests/unit/geo             := geo core
LINKS_tests/unit/analysis        := analysis geo core
LINKS_tests/unit/analysis/report := analysis geo core
LINKS_tests/unit/campaign/fleet  := fleet postgres campaign analysis geo plan core
LINKS_tests/unit/campaign/fleet/collect := fleet postgres campaign analysis geo plan core
LINKS_tests/unit/campaign/fleet/events  := fleet postgres campaign analysis geo plan core
LINKS_tests/unit/campaign/fleet/spool   := fleet postgres campaign analysis geo plan core
LINKS_tests/unit/campaign/postgres := postgres campaign analysis geo plan core
LINKS_tests/unit/campaign        := postgres campaign analysis geo plan core
LINKS_tests/unit/campaign/run    := postgres campaign analysis geo plan core
LINKS_tests/unit/cli             := cli clifleet fleet postgres campaign analysis geo plan core
LINKS_tests/unit/cli/fleet       := cli clifleet fleet postgres campaign analysis geo plan core
LINKS_tests/bench                := fleet postgres campaign analysis geo prober io engine method wire plan core
LINKS_tests/fuzz                 := cli clifleet fleet postgres campaign analysis geo prober plan io method wire core

LIBS_core    = $(call pc_libs,libsodium yajl)
LIBS_geo     = $(call pc_libs,libmaxminddb libcyaml yaml-0.1)
LIBS_campaign = $(call pc_libs,sqlite3 libzstd libsystemd libcurl libmicrohttpd)
LIBS_fleet   = $(call pc_libs,libnats libpq libcrypto)
LIBS_tests   = -pthread $(LIBS_core) $(call pc_libs,jansson) $(LIBS_geo) $(LIBS_campaign) $(LIBS_fleet) $(call pc_libs,libcares) -lpcap $(LIBNET_LIBS) $(call pc_libs,libseccomp libcap-ng) -lm

# --- quiet output ----------------------------------------------------------------------------
ifeq ($(V),0)
Q  := @
say = @printf '  %-6s %s\n' $(1) $(2);
endif

PROGRAMS := $(OUT)/borderpath $(OUT)/borderpath-fleet $(OUT)/borderpath-probe
objects   = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
# campaign and campaign/postgres name each other: a store's engine and the table of engines.
rooms_of  = -Wl,--start-group $^ -Wl,--end-group
libs_of   = $(foreach r,$(1),$(if $(ROOM_$(r)),$(OUT)/lib/$(r).a))

.DEFAULT_GOAL := all
.PHONY: all
all: $(PROGRAMS) ## build the programs

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $(if $(filter prober/wire/%,$<),$(LIBNET_CFLAGS)) $(if $(filter campaign/postgres/% tests/%,$<),$(LIBPQ_CFLAGS)) -c -o $@ $<

$(WEB_C): $(WEB) Makefile
	@mkdir -p $(@D)
	$(call say,GEN,$@){ echo '#include "analysis/report/web.h"'; for f in $(WEB); do \
		echo "const char web_$$(basename $$f | tr . _)[] ="; \
		sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $$f; echo ';'; done; } >$@

$(OUT)/obj/web.o: $(WEB_C)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

define room_rule
$(OUT)/lib/$(1).a: $(call objects,$(ROOM_$(1))) $(if $(filter analysis,$(1)),$(OUT)/obj/web.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR,$$@)$$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(if $(ROOM_$(r)),$(eval $(call room_rule,$(r)))))

$(OUT)/borderpath: $(OUT)/obj/cli/main.o $(call libs_of,$(LINKS_borderpath))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $(rooms_of) $(LIBS_borderpath)

$(OUT)/borderpath-fleet: $(OUT)/obj/cli/main.o $(call libs_of,$(LINKS_borderpath-fleet))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $(rooms_of) $(LIBS_borderpath-fleet)

$(OUT)/borderpath-probe: $(OUT)/obj/prober/main.o $(call libs_of,$(LINKS_borderpath-probe))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $^ $(LIBS_borderpath-probe)

# --- tests -----------------------------------------------------------------------------------
UNIT_SRC  := $(sort $(shell find tests/unit -name 'test_*.c' 2>/dev/null))
UNIT_BIN  := $(patsubst %.c,$(OUT)/%,$(UNIT_SRC))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN  := $(patsubst %.c,$(OUT)/%,$(FUZZ_SRC))
LAB_SRC   := $(sort $(wildcard tests/lab/*.c))
LAB_BIN   := $(patsubst %.c,$(OUT)/%,$(LAB_SRC))
BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
BENCH_BIN := $(patsubst %.c,$(OUT)/%,$(BENCH_SRC))

# A test links the rooms of its folder (LINKS_tests/unit/...) and the folder's helpers, nothing else.
HELPERS_tests/unit/prober        := tests/unit/prober/bed.c
HELPERS_tests/unit/prober/engine := tests/unit/prober/engine/net.c tests/unit/prober/engine/net_run.c \
				    tests/unit/prober/engine/mnet.c
HELPERS_tests/unit/prober/run    := $(filter-out %/test_day.c,$(wildcard tests/unit/prober/run/*.c))
# The run's clocks and poll are the test's; so is what watch.c learns from flight.c.
WRAP_tests/unit/prober/run       := -Wl,--wrap=mono_now,--wrap=wall_now,--wrap=clock_pair_now,--wrap=ppoll,--wrap=flights_take
HELPERS_tests/unit/campaign/run  := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/campaign/run/*.c))
# The daemon's clocks, its poll and its child are the test's.
WRAP_tests/unit/campaign/run     := -Wl,--wrap=mono_now,--wrap=wall_now,--wrap=boot_now,--wrap=ppoll,--wrap=plan_write_trace \
	-Wl,--wrap=probe_start,--wrap=probe_begin,--wrap=probe_fds,--wrap=probe_step,--wrap=probe_go_on \
	-Wl,--wrap=probe_stop,--wrap=probe_kill,--wrap=probe_end
# The store fails where the test says.
WRAP_tests/unit/campaign/fleet/collect := -Wl,--wrap=store_commit,--wrap=store_add_trace,--wrap=bus_fetch
WRAP_tests/unit/campaign/fleet/spool   := -Wl,--wrap=wall_now,--wrap=mono_now
WRAP_tests/unit/campaign/fleet/events  := -Wl,--wrap=store_claim,--wrap=wall_now,--wrap=bus_tell
define unit_rule
$(OUT)/$(1): $(OUT)/obj/$(1).o $(call objects,$(HELPERS_$(patsubst %/,%,$(dir $(1))))) $(call libs_of,$(LINKS_$(patsubst %/,%,$(dir $(1)))))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(CFLAGS) $$(LDHARD) $$(WRAP_$(patsubst %/,%,$(dir $(1)))) -o $$@ $$(rooms_of) -lcmocka $$(LIBS_tests)
endef
$(foreach t,$(UNIT_SRC:.c=),$(eval $(call unit_rule,$(t))))

# gcc has no libFuzzer: the same targets replay their corpora as ordinary tests.
FUZZ_MAIN := $(if $(filter 1,$(FUZZER)),,$(OUT)/obj/tests/fuzz/replay.o)
$(FUZZ_BIN): $(OUT)/tests/fuzz/%: $(OUT)/obj/tests/fuzz/%.o $(FUZZ_MAIN) \
		$(call libs_of,$(LINKS_tests/fuzz))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $(rooms_of) $(LIBS_tests)

$(BENCH_BIN): $(OUT)/tests/bench/%: $(OUT)/obj/tests/bench/%.o $(call libs_of,$(LINKS_tests/bench))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $(rooms_of) $(LIBS_tests)

$(filter-out %/centre %/hostile,$(LAB_BIN)): $(OUT)/tests/lab/%: $(OUT)/obj/tests/lab/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $^ -lpcap -lnetfilter_queue -lm

$(OUT)/tests/lab/hostile: $(OUT)/obj/tests/lab/hostile.o
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $^ $(call pc_libs,libnats libzstd) -lpthread

# The other end of an agent.
$(OUT)/tests/lab/centre: $(OUT)/obj/tests/lab/centre.o $(call libs_of,$(LINKS_tests/unit/campaign/fleet))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDHARD) -o $@ $(rooms_of) $(LIBS_tests)

.PHONY: tests
tests: $(UNIT_BIN) $(FUZZ_BIN) $(BENCH_BIN) ## build the unit tests, the corpus replayers, the benches

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)

# --- the README's two commands, and everything else people type --------------------------------
.PHONY: deps geodata demo check check-unit check-fuzz check-valgrind lab bench bench-calibration bench-store bench-shifts bench-fleet \
	fuzz lint format install uninstall clean golden-update
deps: ## install what is missing from Debian's packages
	$(Q)scripts/deps.sh

geodata: ## fetch the free geo data (npm, pinned) and build build/geodata/*.mmdb
	$(Q)scripts/deps.sh
	$(Q)geo/data/build.sh build/geodata

demo: ## raise the lab, trace, move routes, trace again, show what changed
	$(Q)scripts/deps.sh
	-$(Q)geo/data/build.sh build/geodata
	$(Q)$(MAKE) --no-print-directory all tests-lab
	$(Q)scripts/demo.sh

check: ## every test: unit, golden, corpora, lint, valgrind, lab
	$(Q)scripts/check.sh

check-unit: $(PROGRAMS) $(UNIT_BIN) ## unit and golden tests
	$(Q)scripts/run-tests.sh unit $(UNIT_BIN)

check-fuzz: $(FUZZ_BIN) ## fuzz corpora replayed as plain tests
	$(Q)scripts/run-tests.sh fuzz $(FUZZ_BIN)

check-valgrind: $(PROGRAMS) $(UNIT_BIN) ## unit tests under valgrind
	$(Q)scripts/run-tests.sh valgrind $(UNIT_BIN)

.PHONY: tests-lab
tests-lab: $(LAB_BIN)

lab: all tests-lab ## the namespace lab: real packets through real kernel routers (root)
	$(Q)tests/lab/run.sh

bench-calibration: $(OUT)/tests/bench/bench_calibration ## 10,000 simulated paths: how often verdicts are right
	$(Q)$<

BENCH_TOOLS := $(addprefix $(OUT)/tests/bench/bench_,run blast packet lookup)

bench: all tests-lab $(BENCH_TOOLS) ## beside scamper, mtr, traceroute, fping in the lab; writes doc/benchmarks.md
	-$(Q)scripts/deps.sh lab bench
	$(Q)BENCH_DOC=$(if $(BENCH_QUICK)$(BENCH_ONLY),,doc/benchmarks.md) tests/bench/bench.sh

bench-store: $(OUT)/tests/bench/bench_store $(OUT)/tests/bench/bench_convert ## a day of a fleet into the store (BENCH_STORE_SCALE=N: a part); writes doc/benchmarks-store.md
	$(Q)tests/bench/store.sh $< $(if $(BENCH_STORE_SCALE),,doc/benchmarks-store.md)

bench-fleet: all $(OUT)/tests/bench/bench_fleet ## agents, broker, collector and PostgreSQL on this machine (BENCH_FLEET_SCALE=N: a part); writes doc/benchmarks-fleet.md
	$(Q)tests/bench/fleet.sh $(OUT)/tests/bench/bench_fleet $(if $(BENCH_FLEET_SCALE),,doc/benchmarks-fleet.md)

bench-shifts: $(OUT)/tests/bench/bench_shifts ## shifts in labelled and simulated series; writes doc/benchmarks-shifts.md
	$(Q)tests/bench/shifts.sh $< doc/benchmarks-shifts.md

fuzz: ## each libFuzzer target for FUZZ_SECONDS (60), or FUZZ_RUNS executions
	$(Q)scripts/fuzz.sh $(if $(FUZZ_RUNS),$(FUZZ_RUNS)x,$(or $(FUZZ_SECONDS),60)) $(FUZZ_TARGETS)

golden-update: $(UNIT_BIN) ## write the golden files and the fuzz seeds again; then read the diff
	$(Q)scripts/golden-update.sh

lint: ## include directions, privileges, words, shell, man pages
	$(Q)tests/lint/run.sh

format: ## apply .clang-format to the C files git says you changed
	$(Q)git diff --name-only --diff-filter=d HEAD -- '*.c' '*.h' | xargs -r clang-format -i

.PHONY: deb check-deb
deb: ## Debian packages, in build/deb
	$(Q)scripts/deb.sh

check-deb: ## the packages in a clean Debian 12 root (root, and a mirror that apt knows)
	$(Q)tests/packaging/check-deb.sh

# The probe is the only program with a capability, and only its group may run it. It is never
# setuid. A package (DESTDIR) sets group and capability in its own postinst.
bindir  = $(DESTDIR)$(PREFIX)/bin
share   = $(DESTDIR)$(PREFIX)/share
libdir  = $(DESTDIR)$(PREFIX)/lib
examples = $(share)/doc/borderpath/examples
vardir  = $(DESTDIR)/var/lib/borderpath
etcdir  = $(DESTDIR)$(SYSCONFDIR)/borderpath
GROUP  ?= borderpath
CONFS  := limits agent.conf collect.conf
UNITS  := $(notdir $(wildcard packaging/systemd/*.service packaging/systemd/*.socket \
	packaging/systemd/*.timer))

install: all ## install under PREFIX (/usr/local); as root also the probe's group and capability
	$(Q)install -d $(bindir) $(share)/man/man1 $(share)/man/man8 $(share)/borderpath/profiles \
		$(share)/borderpath/campaigns $(share)/borderpath/prometheus $(share)/borderpath/grafana \
		$(share)/bash-completion/completions \
		$(libdir)/systemd/system $(libdir)/sysusers.d $(examples)
	$(Q)install -m 0755 $(OUT)/borderpath $(OUT)/borderpath-fleet $(bindir)/
	$(Q)install -m 0750 $(OUT)/borderpath-probe $(bindir)/
	$(Q)install -m 0644 doc/borderpath.1 doc/borderpath-fleet.1 $(share)/man/man1/
	$(Q)install -m 0644 doc/borderpath-probe.8 $(share)/man/man8/
	$(Q)install -m 0644 profiles/*.yaml $(share)/borderpath/profiles/
	$(Q)install -m 0644 packaging/campaigns/*.yaml $(share)/borderpath/campaigns/
	$(Q)install -m 0644 packaging/prometheus/*.yml $(share)/borderpath/prometheus/
	$(Q)install -m 0644 packaging/nats-server.conf packaging/postgresql.conf $(share)/borderpath/
	$(Q)install -m 0755 packaging/broker-check $(share)/borderpath/
	$(Q)install -m 0644 packaging/grafana/*.json $(share)/borderpath/grafana/
	$(Q)install -m 0644 packaging/completions/borderpath $(share)/bash-completion/completions/
	$(Q)install -m 0644 packaging/systemd/borderpath.sysusers $(libdir)/sysusers.d/borderpath.conf
	$(Q)for unit in $(UNITS); do \
		sed -e 's|/usr/bin/borderpath|$(PREFIX)/bin/borderpath|; s|/etc/borderpath|$(SYSCONFDIR)/borderpath|' \
			-e 's|/usr/share/|$(PREFIX)/share/|' \
			packaging/systemd/$$unit >$(libdir)/systemd/system/$$unit && \
		chmod 0644 $(libdir)/systemd/system/$$unit || exit; done
	$(Q)install -m 0644 packaging/cron/borderpath $(examples)/borderpath.cron
	$(Q)install -m 0644 doc/*.md $(share)/doc/borderpath/
	$(Q)for conf in $(CONFS); do if [ -w "$(DESTDIR)/" ] && [ ! -e $(etcdir)/$$conf ]; then \
		install -d $(etcdir) && install -m 0644 packaging/$$conf $(etcdir)/ || exit; fi; done
	$(Q)if [ -w "$(DESTDIR)/" ] && [ -s build/geodata/asn.mmdb ]; then install -d $(vardir) && \
		install -m 0644 build/geodata/*.mmdb build/geodata/NOTICE $(vardir)/; fi
	$(Q)if [ -z "$(DESTDIR)" ]; then scripts/grant-probe.sh $(bindir)/borderpath-probe $(GROUP); fi

uninstall: ## remove what install put there (not the group, nor a configuration that was changed)
	$(Q)rm -f $(bindir)/borderpath $(bindir)/borderpath-fleet $(bindir)/borderpath-probe $(share)/man/man1/borderpath.1 $(share)/man/man1/borderpath-fleet.1 \
		$(share)/man/man8/borderpath-probe.8 $(share)/bash-completion/completions/borderpath
	$(Q)rm -f $(libdir)/sysusers.d/borderpath.conf $(addprefix $(libdir)/systemd/system/,$(UNITS))
	$(Q)rm -rf $(share)/borderpath $(share)/doc/borderpath
	$(Q)rm -f $(vardir)/asn.mmdb $(vardir)/country.mmdb $(vardir)/NOTICE
	$(Q)for conf in $(CONFS); do \
		if cmp -s packaging/$$conf $(etcdir)/$$conf; then rm -f $(etcdir)/$$conf; fi; done

clean: ## remove build/, but keep the downloaded geo data
	$(Q)find build -mindepth 1 -maxdepth 1 ! -name geodata -exec rm -rf {} + 2>/dev/null || true
