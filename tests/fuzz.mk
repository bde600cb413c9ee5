# SPDX-License-Identifier: Apache-2.0
# Coverage-guided fuzzing of whatever reads foreign data: tests/fuzz. Needs clang with its runtime
# library (libclang-rt-dev). Included by the Makefile, whose variables it uses.
#
# make fuzz			build all targets: build/fuzz/TARGET
# make fuzz-smoke		regressions, then 20,000 inputs each, the same every time
# make fuzz-long SECONDS=600	the same for longer; the corpus stays and is reduced to what counts

FUZZ_CC	    ?= $(CLANG)
FUZZ_CFLAGS := -std=gnu11 $(WARNINGS) -O1 -g -fno-omit-frame-pointer -pthread \
	       -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_CPPFLAGS := $(CPPFLAGS) -Itests/fuzz/shim -Itests/fuzz -Itests/unit/support -Itests/unit/observe -Itests/unit/output -Itests/unit/output/prometheus

FUZZ_TARGETS  := $(patsubst tests/fuzz/targets/%.c,%,$(wildcard tests/fuzz/targets/*.c))
FUZZ_PROGRAMS := $(addprefix $(B)/fuzz/,$(FUZZ_TARGETS))

# The code that is fuzzed: everything but what only a running gleakd needs.
FUZZ_SOURCES := $(foreach f,base elf host golang observe heap track state output,$(call sources,$(f))) \
		$(wildcard user/probe/insn*.c) $(addprefix user/probe/,path.c plan.c function_code.c event.c calibration.c calibration_text.c cost.c) \
		$(wildcard user/cli/options*.c user/cli/config*.c user/cli/commands.c user/cli/edit_distance.c user/cli/trigger.c) \
		user/naming/allow_list.c user/naming/source_tree.c user/golang/lock_code.c $(wildcard user/record/reader*.c user/record/go_trace*.c) user/record/schema.c user/record/recording_files.c user/broker/check.c
FUZZ_OBJECTS := $(patsubst %.c,$(B)/fuzz/obj/%.o,$(FUZZ_SOURCES))
# What only the targets need, fake programs of the unit tests among it.
FUZZ_HELPERS := tests/fuzz/fuzz.c tests/fuzz/shown.c tests/unit/support/fake_go.c tests/unit/support/fake_heap.c tests/unit/support/fake_types.c tests/unit/support/made_table.c tests/unit/support/made_recording.c tests/unit/support/made_tree.c \
		tests/unit/observe/fake_runtime.c tests/unit/observe/made_waits.c \
		tests/unit/output/prometheus/exposition_check.c

$(B)/fuzz/obj/user/%.o: user/%.c | $(GENERATED)
	$(call msg,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CPPFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

# Not instrumented for coverage: the way an input is taken apart is nothing to explore.
$(B)/fuzz/obj/tests/%.o: tests/%.c | $(GENERATED)
	$(call msg,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CPPFLAGS) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/fuzz/lib/user.a: $(FUZZ_OBJECTS) $(call messages,output)
$(B)/fuzz/lib/helpers.a: $(patsubst %.c,$(B)/fuzz/obj/%.o,$(FUZZ_HELPERS))
$(B)/fuzz/lib/%.a:
	$(call msg,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(FUZZ_PROGRAMS): $(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/targets/%.o $(B)/fuzz/lib/helpers.a \
		$(B)/fuzz/lib/user.a
	$(call msg,LINK,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

.PHONY: fuzz fuzz-smoke fuzz-long
fuzz: $(FUZZ_PROGRAMS)

fuzz-smoke: fuzz
	$(Q)tests/fuzz/run --build $(B) --seconds 20 --smoke

fuzz-long: fuzz
	$(Q)tests/fuzz/run --build $(B) --seconds $(or $(SECONDS),600) --merge

-include $(shell find $(B)/fuzz/obj -name '*.d' 2>/dev/null)
