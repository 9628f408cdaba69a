# SPDX-License-Identifier: MIT
# Building vow and checking it. `make help` lists the targets. Needs GNU make;
# what else is missing is installed by the dependency step (.ci/deps).

MODE ?= release
# Where everything that is made goes; another folder keeps two builds apart.
BUILD ?= build

VERSION := $(shell sed -n 's/^\#define VOW_VERSION  *"\(.*\)"/\1/p' \
             include/vow/base.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=

# ---- how each mode compiles ------------------------------------------------

OPT_release := -O2 -g
OPT_debug := -O1 -g -DVOW_DEBUG=1 -Werror
OPT_asan := $(OPT_debug) -fno-omit-frame-pointer \
            -fsanitize=address,undefined -fno-sanitize-recover=undefined
OPT_tsan := $(OPT_debug) -fno-omit-frame-pointer -fsanitize=thread
OPT_valgrind := -O1 -g -DVOW_DEBUG=1
OPT_cov := -O0 -g --coverage -fprofile-update=atomic -DVOW_COVERAGE=1
OPT_fuzz := $(OPT_debug) -fno-omit-frame-pointer \
            -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fsanitize=fuzzer-no-link

ifeq ($(MODE),fuzz)
CC := clang
endif

WARN := -Wall -Wextra -Wshadow -Wconversion -Wpedantic
UV_CFLAGS = $(shell pkg-config --cflags libuv)
UV_LIBS = $(shell pkg-config --libs libuv)
CHECK_CFLAGS = $(shell pkg-config --cflags check)
CHECK_LIBS = $(shell pkg-config --libs check)

OPT := $(OPT_$(MODE))
# libuv's header needs POSIX types, which -std=c11 alone hides.
BASE_FLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(OPT) $(WARN) -pthread \
             -MMD -MP -Iinclude $(UV_CFLAGS)
LIB_FLAGS = $(BASE_FLAGS) -Isrc -fPIC -fvisibility=hidden \
            -fno-semantic-interposition
TEST_FLAGS = $(BASE_FLAGS) -Isrc -Itest $(CHECK_CFLAGS)
LINK_FLAGS = $(OPT) -pthread $(LDFLAGS)

# ---- what there is ---------------------------------------------------------

# B holds the objects of a mode, OUT what somebody would run or link.
B := $(BUILD)/$(MODE)
OUT := $(if $(filter release,$(MODE)),$(BUILD),$(B))

CHECK_SRC := $(wildcard src/check/*.c)
SHIM_SRC := $(wildcard src/check/shim/*.c)
LIB_SRC := $(filter-out src/check/%,$(wildcard src/*/*.c src/*/*/*.c))
SUPPORT_SRC := $(wildcard test/support/*.c)
TEST_SRC := $(wildcard test/unit/*/*.c test/conformance/*.c)
BENCH_SRC := $(wildcard test/bench/*.c)
FUZZ_SRC := $(wildcard test/fuzz/fuzz_*.c)
# Programs of their own; the simulation is run by a test as well.
SIM_SRC := $(filter-out %/main.c,$(wildcard test/sim/*.c))
SOAK_SRC := $(wildcard test/soak/*.c)
# A sample is a file samples/x.c, or every file of a folder samples/x/ with a
# main.c. In a folder without one each file is a program, samples/x/y; but
# samples/testing is one, which needs the test kit.
SAMPLE_DIRS := $(patsubst samples/%/main.c,%,$(wildcard samples/*/main.c))
SAMPLE_FILES := $(filter-out samples/testing/% $(SAMPLE_DIRS:%=samples/%/%), \
                  $(wildcard samples/*.c samples/*/*.c))
SAMPLE_NAMES := $(SAMPLE_FILES:samples/%.c=%) $(SAMPLE_DIRS)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB_OBJ := $(call obj,$(LIB_SRC))
CHECK_OBJ := $(call obj,$(CHECK_SRC))
SUPPORT_OBJ := $(call obj,$(SUPPORT_SRC))
# Outside of a test libcheck's assertions end the program.
FUZZ_SUPPORT_OBJ := $(patsubst %.c,$(B)/obj/fuzz/%.o,\
                      $(filter-out %/test_main.c,$(SUPPORT_SRC)))
SAMPLES := $(addprefix $(OUT)/samples/,$(SAMPLE_NAMES) testing)
FUZZERS := $(patsubst test/fuzz/%.c,$(OUT)/fuzz/%,$(FUZZ_SRC))
REPLAYS := $(patsubst test/fuzz/%.c,$(OUT)/replay/%,$(FUZZ_SRC))

STATIC_LIB := $(OUT)/libvow.a
# The test kit, for users' tests and ours.
CHECK_LIB := $(OUT)/libvow-check.a
SHARED_LIB := $(OUT)/libvow.so.$(VERSION)

# ---- targets for people ----------------------------------------------------

.PHONY: all help demo check asan tsan valgrind fibers cov fuzz sim soak \
        bench lint format install clean deps dev-deps
.DEFAULT_GOAL := all

# What is compiled is named; V=1 shows the commands.
Q := $(if $(V),,@)
SAY = $(if $(V),,@echo '  $(1)  $(2)')

# Two jobs unless the user chose a number.
SUB = +@$(MAKE) --no-print-directory \
      $(if $(findstring -j,$(MAKEFLAGS)),,-j2)

help:
	@echo 'all       $(BUILD)/libvow.a and $(BUILD)/libvow.so'
	@echo 'demo      fetch 200 URLs from a local test server, concurrently'
	@echo 'check     tests, samples, README examples, known fuzz inputs'
	@echo 'asan      the same with address and undefined-behaviour sanitizers'
	@echo 'tsan      the tests with the thread sanitizer'
	@echo 'valgrind  tests and samples under valgrind'
	@echo 'fibers    tasks with ucontext, in C++, in gdb, on aarch64 (qemu-user)'
	@echo 'cov       line and branch coverage of src/; fails below 97 and 90 %'
	@echo 'fuzz      each fuzz target for FUZZ_SECONDS (20)'
	@echo 'sim       simulated clients and server, faults by seed; SEEDS (100000)'
	@echo 'soak      10,000 connections with faults, for SOAK_SECONDS (180)'
	@echo 'bench     the speed figures; BENCH=name for some of them'
	@echo 'lint      layout, layers, contracts, exports, headers, clang-tidy'
	@echo 'install   into PREFIX (/usr/local), below DESTDIR'
	@echo 'deps      install what the build needs; dev-deps: what lint needs'
	@echo 'CK_RUN_SUITE=name and CK_RUN_CASE=name choose tests.'

all: deps
	$(SUB) MODE=release _lib

demo: deps
	$(SUB) MODE=release _samples
	@sh samples/demo.sh $(BUILD)/samples

check: deps
	$(SUB) MODE=debug _tests _samples _replay
	@.ci/readme-examples $(BUILD)/debug "$(CC)" "$(UV_CFLAGS)" "$(UV_LIBS)"
	@.ci/run-samples $(BUILD)/debug/samples
	@.ci/run-replay $(BUILD)/debug/replay
	@$(BUILD)/debug/tests

asan: deps
	$(SUB) MODE=asan _tests _samples _replay
	@.ci/run-samples $(BUILD)/asan/samples
	@.ci/run-replay $(BUILD)/asan/replay
	@VOW_TEST_QUICK=1 CK_FORK=no timeout 1200 $(BUILD)/asan/tests

tsan: deps
	$(SUB) MODE=tsan _tests
	@VOW_TEST_QUICK=1 CK_FORK=no timeout 1200 .ci/run-tsan $(BUILD)/tsan/tests

VALGRIND := valgrind -q --leak-check=full \
            --suppressions=$(CURDIR)/.ci/valgrind.supp \
            --show-leak-kinds=definite,indirect,possible \
            --errors-for-leak-kinds=definite,indirect,possible \
            --error-exitcode=99

valgrind: deps dev-deps
	$(SUB) MODE=valgrind _tests _samples
	@.ci/run-samples $(BUILD)/valgrind/samples $(VALGRIND)
	@VOW_TEST_QUICK=1 CK_FORK=no timeout 1200 \
	  $(VALGRIND) $(BUILD)/valgrind/tests

fibers: deps dev-deps
	+@MAKE='$(MAKE)' .ci/check-fibers $(BUILD)

cov: deps
	@find $(BUILD)/cov -name '*.gcda' -delete 2>/dev/null || true
	$(SUB) MODE=cov _tests _samples
	@.ci/run-samples $(BUILD)/cov/samples
	@CK_TIMEOUT_MULTIPLIER=4 $(BUILD)/cov/tests; status=$$?; \
	  .ci/coverage $(BUILD)/cov/obj && exit $$status

FUZZ_SECONDS ?= 20
fuzz: deps dev-deps
	$(SUB) MODE=fuzz _fuzz
	@.ci/run-fuzz $(BUILD)/fuzz/fuzz $(FUZZ_SECONDS)

SEEDS ?= 100000
sim: deps
	$(SUB) MODE=release _sim
	@$(BUILD)/sim -n $(SEEDS)

SOAK_SECONDS ?= 180
SOAK_CONNECTIONS ?= 10000
soak: deps
	$(SUB) MODE=release _soak
	@$(BUILD)/soak -t $(SOAK_SECONDS) -c $(SOAK_CONNECTIONS)

BENCH ?=
bench: deps
	$(SUB) MODE=release _bench
	@$(BUILD)/bench -o $(BUILD)/bench.tsv $(BENCH)

lint: deps dev-deps
	$(SUB) MODE=release _lib
	@.ci/lint $(BUILD)

format:
	@find include src test samples -name '*.[ch]' | xargs clang-format -i

install: all
	install -d '$(DESTDIR)$(INCLUDEDIR)/vow' '$(DESTDIR)$(LIBDIR)/pkgconfig'
	install -m 644 include/vow.h '$(DESTDIR)$(INCLUDEDIR)'
	install -m 644 include/vow/*.h '$(DESTDIR)$(INCLUDEDIR)/vow'
	install -m 644 $(BUILD)/libvow.a $(BUILD)/libvow-check.a \
	  '$(DESTDIR)$(LIBDIR)'
	install -m 755 $(BUILD)/libvow.so.$(VERSION) '$(DESTDIR)$(LIBDIR)'
	ln -sf libvow.so.$(VERSION) '$(DESTDIR)$(LIBDIR)/libvow.so.$(SOVERSION)'
	ln -sf libvow.so.$(SOVERSION) '$(DESTDIR)$(LIBDIR)/libvow.so'
	for pc in vow vow-check; do \
	  sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@WRAP@|-Wl,-u,vow__shim_on $(WRAP_FLAGS)|' \
	    src/$$pc.pc.in > '$(DESTDIR)$(LIBDIR)'/pkgconfig/$$pc.pc || exit 1; \
	done

clean:
	rm -rf $(BUILD)

deps:
	@.ci/deps build

dev-deps:
	@.ci/deps dev

# ---- targets within one mode -----------------------------------------------

.PHONY: _lib _tests _samples _bench _fuzz _replay _sim _soak

_lib: $(STATIC_LIB) $(CHECK_LIB) $(OUT)/libvow.so
_tests: $(OUT)/tests
_samples: $(SAMPLES)
_bench: $(OUT)/bench
_fuzz: $(FUZZERS)
_replay: $(REPLAYS)
_sim: $(OUT)/sim
_soak: $(OUT)/soak

$(STATIC_LIB): $(LIB_OBJ)
	@rm -f $@
	$(call SAY,AR,$@)
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

# With the shim before libuv, in one piece; see src/check/shim/shim.h. It does
# nothing unless the program is linked with WRAP_FLAGS.
$(B)/obj/shim.o: $(call obj,$(SHIM_SRC))
	$(Q)$(LD) -r -o $@ $^

$(CHECK_LIB): $(CHECK_OBJ) $(B)/obj/shim.o
	@rm -f $@
	$(call SAY,AR,$@)
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(SHARED_LIB): $(LIB_OBJ) src/vow.map
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -shared -Wl,-soname,libvow.so.$(SOVERSION) \
	  -Wl,--version-script=src/vow.map -Wl,-z,defs -Wl,-Bsymbolic-functions \
	  -o $@ $(LIB_OBJ) $(UV_LIBS)

$(OUT)/libvow.so: $(SHARED_LIB)
	@ln -sf libvow.so.$(VERSION) $(OUT)/libvow.so.$(SOVERSION)
	@ln -sf libvow.so.$(SOVERSION) $@

# In the tests the shim stands before libuv.
WRAP_FLAGS := $(shell sed -n \
  's/^SHIM_[A-Z]*.\(uv_[a-z0-9_]*\).*/-Wl,--wrap=\1/p' \
  src/check/shim/calls.h)

$(OUT)/tests: $(call obj,$(TEST_SRC) $(SIM_SRC)) $(SUPPORT_OBJ) $(CHECK_LIB) \
              $(STATIC_LIB)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) $(WRAP_FLAGS) -o $@ $(filter-out %/sources,$^) \
	  $(CHECK_LIBS) $(UV_LIBS)

$(OUT)/sim: $(call obj,$(SIM_SRC) test/sim/main.c) $(CHECK_LIB) $(STATIC_LIB)
	@mkdir -p $(@D)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -Wl,--wrap=backtrace -o $@ \
	  $(filter-out %/sources,$^) $(CHECK_LIBS) $(UV_LIBS)

$(OUT)/soak: $(call obj,$(SOAK_SRC)) \
             $(filter-out %/test_main.o,$(SUPPORT_OBJ)) $(CHECK_LIB) \
             $(STATIC_LIB)
	@mkdir -p $(@D)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) $(WRAP_FLAGS) -o $@ $(filter-out %/sources,$^) \
	  $(CHECK_LIBS) $(UV_LIBS)

$(OUT)/bench: $(call obj,$(BENCH_SRC)) $(STATIC_LIB)
	@mkdir -p $(@D)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(filter-out %/sources,$^) $(UV_LIBS)

# Where the test kit would tell libcheck, a fuzz target counts.
FUZZ_DEPS := $(FUZZ_SUPPORT_OBJ) $(CHECK_LIB) $(STATIC_LIB)
FUZZ_LIBS = -Wl,--wrap=vow_check_random -Wl,--wrap=vow_check_complain \
            $(CHECK_LIBS) $(UV_LIBS)

$(OUT)/fuzz/%: $(B)/obj/test/fuzz/%.o $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -fsanitize=fuzzer -o $@ \
	  $(filter-out %/sources,$^) $(FUZZ_LIBS)

# The same without libFuzzer, for inputs that are known.
$(OUT)/replay/%: $(B)/obj/test/fuzz/%.o $(B)/obj/test/fuzz/replay.o $(FUZZ_DEPS)
	@mkdir -p $(@D)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(filter-out %/sources,$^) $(FUZZ_LIBS)

define sample_program
$(OUT)/samples/$(1): $(call obj,$(2)) $(STATIC_LIB)
	@mkdir -p $$(@D)
	$$(call SAY,LD,$$@)
	$$(Q)$$(CC) $$(LINK_FLAGS) -o $$@ $$(filter-out %/sources,$$^) $$(UV_LIBS)
endef
$(foreach s,$(SAMPLE_FILES:samples/%.c=%),\
  $(eval $(call sample_program,$(s),samples/$(s).c)))
$(foreach s,$(SAMPLE_DIRS),\
  $(eval $(call sample_program,$(s),$(wildcard samples/$(s)/*.c))))

$(OUT)/samples/testing: $(call obj,$(wildcard samples/testing/*.c)) \
                        $(CHECK_LIB) $(STATIC_LIB)
	@mkdir -p $(@D)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(filter-out %/sources,$^) $(CHECK_LIBS) \
	  $(UV_LIBS)

$(B)/obj/src/check/%.o: src/check/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(LIB_FLAGS) $(CHECK_CFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(LIB_FLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/test/%.o: test/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(TEST_FLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/fuzz/test/%.o: test/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(TEST_FLAGS) -DVOW_NO_CHECK $(CFLAGS) -c -o $@ $<

$(B)/obj/samples/%.o: samples/%.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(BASE_FLAGS) $(CFLAGS) -c -o $@ $<

# Objects that only a pattern rule asks for are kept.
.SECONDARY:

# A source that is gone must not stay in the archive: the list is a
# prerequisite that changes with the set of files.
$(STATIC_LIB) $(CHECK_LIB) $(SHARED_LIB): $(B)/sources
$(OUT)/tests: $(B)/sources
$(B)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(LIB_SRC) $(CHECK_SRC) $(SHIM_SRC) $(TEST_SRC) $(SUPPORT_SRC)' | \
	  cmp -s - $@ || \
	  echo '$(LIB_SRC) $(CHECK_SRC) $(SHIM_SRC) $(TEST_SRC) $(SUPPORT_SRC)' > $@
.PHONY: FORCE

ALL_OBJ := $(call obj,$(LIB_SRC) $(CHECK_SRC) $(SHIM_SRC) $(SUPPORT_SRC) \
             $(TEST_SRC) $(BENCH_SRC) \
             $(FUZZ_SRC) test/fuzz/replay.c $(SOAK_SRC) \
             $(wildcard test/sim/*.c) \
             $(wildcard samples/*.c samples/*/*.c))
-include $(ALL_OBJ:.o=.d) $(FUZZ_SUPPORT_OBJ:.o=.d)
