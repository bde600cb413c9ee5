# SPDX-License-Identifier: Apache-2.0
#
# make            build/gleakd
# make deps       install what building needs (apt; root); deps-test: and testing
# make demo       build, run a small leaking service and gleakd on it (root)
# make test       everyday tests (root for the end-to-end tier); they need one Go, whichever
# make test-versions   those that need other versions of Go, which are fetched; test-static: the static program;
#                 test-cluster: Kubernetes' API server, which is built
# make bench      ratios of cost, in one run (root)
# make eval       recall and precision of the verdicts, an hour (root); eval-quick: minutes
# make vm         gleakd on other kernels, in virtual machines; vm-quick: the oldest ones; vm-arm64: on arm64
# make soak       MINUTES=15 of churn: memory and descriptors stay as they are (root)
# make hostile    users who work against gleakd, in full (root, minutes); its cases are in make test
# make lint       format, clang-tidy, cppcheck, arrows between folders
# make install    DESTDIR= PREFIX=/usr
# make deb        a Debian package in build/deb, checked by lintian; make rpm: an RPM in build/rpm
# make release    all that a release consists of, in build/release (RELEASE_KEY= signs it)
# make static     build/static/gleakd-amd64 and -arm64: one file each, for any distribution
# make image      build/image/gleakd-VERSION-amd64.tar: a container image with that; image-arm64
# make fresh      the README's commands and the package on a new Debian 12 and 13 (root)
#
# It builds with all processors; -j1 for one thing after the other.
# CONFIG=release (default), debug, asan, static; CC=gcc or clang; WERROR=1 makes warnings errors;
# ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- cross-builds.

include version.mk

.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

# As many jobs as there are processors; a -j on the command line wins. Several goals are meant in
# their order ("make clean all"), except those that only build.
ifeq ($(MAKELEVEL)$(and $(word 2,$(MAKECMDGOALS)),$(filter-out all unit fuzz,$(MAKECMDGOALS))),0)
MAKEFLAGS += -j$(shell nproc)
endif

CONFIG	?= release
ARCH	?= $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')
PREFIX	?= /usr
DESTDIR	?=
V	?= 0
Q	:= $(if $(filter 1,$(V)),,@)

ifeq ($(origin CC),default)
CC := gcc
endif
HOST_ARCH := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')
ifneq ($(ARCH),$(HOST_ARCH))
CROSS_COMPILE ?= aarch64-linux-gnu-
CC	   := $(CROSS_COMPILE)gcc
AR	   := $(CROSS_COMPILE)ar
# The compiler's name without its last "-" is that of the libraries' folder.
PKG_CONFIG ?= env PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS_COMPILE:-=)/pkgconfig pkg-config
endif
AR	   ?= ar
PKG_CONFIG ?= pkg-config
CLANG	   ?= clang
PROTOC_C   ?= protoc-c
BPFTOOL	   ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
# sudo's PATH usually lacks Go's own directory.
GO	   ?= $(firstword $(shell command -v go) $(wildcard /usr/local/go/bin/go) go)

# One build directory per configuration, so that they do not mix; build/gleakd is the default one.
HOST_CC_NAME := $(notdir $(firstword $(CC)))
ifeq ($(CONFIG)-$(HOST_CC_NAME)-$(ARCH),release-gcc-$(HOST_ARCH))
B := build
else
B := build/$(CONFIG)-$(HOST_CC_NAME)-$(ARCH)
endif

CPPFLAGS += -D_GNU_SOURCE -Iuser -I$(B)/generated
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	    -Wformat=2 -Wundef -Wvla -Wpointer-arith -Wcast-align -Werror=switch $(if $(WERROR),-Werror)
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS_static  := $(CFLAGS_release) -DGLEAKD_STATIC
CFLAGS += -std=gnu11 $(WARNINGS) $(CFLAGS_$(CONFIG)) -fno-omit-frame-pointer \
	  -fstack-protector-strong -fPIE -pthread $(EXTRA_CFLAGS)
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS += $(if $(filter static,$(CONFIG)),-static-pie,-pie) -Wl,-z,relro,-z,now -pthread $(LDFLAGS_$(CONFIG)) $(EXTRA_LDFLAGS)
# What comes as a static library as well; where pkg-config does not know them, what they are on Debian 12.
PACKAGES := libbpf libdw libelf zlib jansson libprotobuf-c ncursesw sqlite3
ifeq ($(CONFIG),static)
LIBS := -Wl,--start-group $(shell $(PKG_CONFIG) --static --libs $(PACKAGES) || echo -lunknown) \
	$(B)/lib/zydis.a -Wl,--end-group -lm
else
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null || \
	  echo -lbpf -ldw -lelf -lz -ljansson -lprotobuf-c -lncursesw -ltinfo -lsqlite3) -lZydis -lm
endif

# Folders from left to right: each may include, and links with, those to its left only. This line is
# what tools/check-sources.py and a test of docs/architecture.md read, too.
FOLDERS := base elf host golang probe broker observe heap track state discover output naming session report doctor record cli
left_of = $(if $(filter-out $(1),$(firstword $(2))),$(firstword $(2)) $(call left_of,$(1),$(wordlist 2,99,$(2))))
archives_up_to = $(foreach f,$(1) $(call reverse,$(call left_of,$(1),$(FOLDERS))),$(B)/lib/$(f).a)
reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))

# A folder may have subfolders of one level; they are parts of it.
sources = $(wildcard user/$(1)/*.c user/$(1)/*/*.c)
unit_sources = $(wildcard tests/unit/$(1)/*.c tests/unit/$(1)/*/*.c)
# What protoc-c makes of the messages of a folder is part of it.
messages = $(patsubst %.proto,$(B)/obj/generated/%.pb-c.o,$(notdir $(wildcard user/$(1)/*/*.proto)))
objects = $(patsubst %.c,$(B)/obj/%.o,$(call sources,$(1))) $(call messages,$(1))
ALL_OBJECTS := $(foreach f,$(FOLDERS),$(call objects,$(f)))

BPF_SOURCES := $(wildcard bpf/*.bpf.c)
SKELETONS   := $(patsubst bpf/%.bpf.c,$(B)/generated/%.skel.h,$(BPF_SOURCES))
GENERATED   := $(SKELETONS) $(B)/generated/go_layout_table.inc $(B)/generated/meanings_table.inc \
	       $(B)/generated/report_schema.inc $(B)/generated/system_call_names.inc \
	       $(B)/generated/html_style.inc $(B)/generated/html_script.inc \
	       $(B)/generated/version.h $(B)/generated/profile.pb-c.h $(B)/generated/trace.pb-c.h

msg = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' "$(1)" "$(patsubst $(B)/%,%,$(2))";)

.PHONY: all
all: $(B)/gleakd

$(B)/gleakd: $(B)/obj/user/cli/main.o $(call archives_up_to,cli)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(B)/obj/user/cli/main.o \
		$(call archives_up_to,cli) $(LIBS)

define folder_archive
$(B)/lib/$(1).a: $$(filter-out %/main.o,$$(call objects,$(1)))
	$$(call msg,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_archive,$(f))))

$(B)/obj/user/host/system_calls.o: $(B)/generated/system_call_names.inc
$(B)/obj/user/naming/meanings.o: $(B)/generated/meanings_table.inc
$(B)/obj/user/output/html/page.o: $(B)/generated/html_style.inc $(B)/generated/html_script.inc
$(B)/obj/user/%.o: user/%.c | $(GENERATED)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# --- BPF ------------------------------------------------------------------------------------------

$(B)/obj/bpf/%.bpf.o: bpf/%.bpf.c
	$(call msg,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_$(ARCH) -Wall -Wextra \
		$(if $(WERROR),-Werror) -Ivmlinux/$(ARCH) -MMD -MP -c -o $@ $<

$(B)/generated/%.skel.h: $(B)/obj/bpf/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

# --- generated ------------------------------------------------------------------------------------

$(B)/generated/go_layout_table.inc: data/go-layout.tsv data/go-wait-reasons.tsv tools/layout-table.sh
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)tools/layout-table.sh data/go-layout.tsv data/go-wait-reasons.tsv > $@

$(B)/generated/meanings_table.inc: data/meanings.tsv tools/meanings-table.sh
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)tools/meanings-table.sh data/meanings.tsv > $@.tmp
	$(Q)mv $@.tmp $@

# Those of the kernel headers that the compiler uses; two that are not names of calls left out.
$(B)/generated/system_call_names.inc:
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z][a-z0-9_]*\) .*/[__NR_\1] = "\1",/p' | \
		grep -v -e '"syscalls"' -e '"arch_specific_syscall"' | sort > $@.tmp
	$(Q)mv $@.tmp $@

# Files as the elements of a C array of bytes.
HTML_ASSETS := user/output/html/assets
$(B)/generated/report_schema.inc: data/report.schema.json
$(B)/generated/html_style.inc: $(HTML_ASSETS)/report.css
$(B)/generated/html_script.inc: $(addprefix $(HTML_ASSETS)/,base.js charts.js findings.js time.js page.js)
$(B)/generated/report_schema.inc $(B)/generated/html_style.inc $(B)/generated/html_script.inc:
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)cat $^ | od -An -v -tx1 | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' > $@

# Where they are.
vpath %.proto user/output/pprof user/output/perfetto
$(B)/generated/%.pb-c.h $(B)/generated/%.pb-c.c: %.proto
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(PROTOC_C) --proto_path=$(<D) --c_out=$(@D) $<

$(B)/obj/generated/%.o: $(B)/generated/%.c
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
.SECONDARY: $(B)/generated/profile.pb-c.c $(B)/generated/trace.pb-c.c

REVISION := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
$(B)/generated/version.h: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '#define GLEAKD_VERSION "%s"\n#define GLEAKD_REVISION "%s"\n' \
		'$(VERSION)' '$(REVISION)' > $@.new
	$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

# --- tests ----------------------------------------------------------------------------------------

# One Criterion program per folder, linked with that folder and those to its left: an arrow in the
# wrong direction does not link.
define unit_test
$(B)/tests/unit/$(1): $$(patsubst %.c,$(B)/obj/%.o,$$(call unit_sources,$(1))) \
		$(B)/lib/test-support.a $(call archives_up_to,$(1))
	$$(call msg,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $(B)/lib/test-support.a \
		$(call archives_up_to,$(1)) $$(LIBS) -lcriterion
endef
$(foreach f,$(FOLDERS),$(eval $(call unit_test,$(f))))
# Made-up Go programs and /proc trees that several folders are tested with.
$(B)/lib/test-support.a: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/unit/support/*.c))
	$(call msg,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^
$(B)/obj/tests/unit/%.o: CPPFLAGS += -Itests/unit/support
$(B)/obj/tests/unit/output/%.o: CPPFLAGS += -Itests/unit/output
# Stands in for the real one, whose archive member is then not linked.
$(B)/tests/unit/session: $(B)/obj/tests/unit/naming/fake_symbolizer.o
UNIT_TESTS := $(foreach f,$(FOLDERS),$(if $(call unit_sources,$(f)),$(B)/tests/unit/$(f)))

$(B)/obj/tests/%.o: tests/%.c | $(GENERATED)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

.PHONY: unit
unit: $(UNIT_TESTS)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

include deploy/static.mk
include tests/tests.mk
include tests/fuzz.mk
include tests/matrix.mk
include tests/eval.mk
include tests/vm.mk
include tests/soak.mk
include tests/hostile.mk
include deploy/deploy.mk
include deploy/release.mk

.PHONY: clean
clean:
	$(Q)rm -rf build
