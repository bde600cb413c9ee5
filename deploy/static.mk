# SPDX-License-Identifier: Apache-2.0
# One static program per architecture, for any distribution. Included by the Makefile.
#
# Of all libraries Debian has static ones, but for Zydis: it is compiled from Debian's source package
# (tools/zydis-source.sh), or from the folder that ZYDIS names.

STATIC := build/static
ZYDIS  ?= $(STATIC)/zydis
GO_ARCH := $(ARCH:x86=amd64)
HOST_GO_ARCH := $(HOST_ARCH:x86=amd64)
# Cross-built is for arm64 only.
STATIC_ARCHES := $(if $(filter x86,$(HOST_ARCH)),amd64) arm64

.PHONY: static static-deps $(STATIC_ARCHES:%=static-%)
static: $(STATIC_ARCHES:%=static-%)

static-deps:
	$(Q)tools/deps.sh build static

$(STATIC_ARCHES:%=static-%): static-%: $(ZYDIS)/src/Decoder.c | static-deps
	$(Q)$(if $(filter $(*:amd64=x86),$(HOST_ARCH)),,tools/deps.sh static-$*)
	$(Q)$(MAKE) --no-print-directory CONFIG=static ARCH=$(*:amd64=x86) ZYDIS=$(ZYDIS) $(STATIC)/gleakd-$*
	$(Q)tools/check-static.sh $(STATIC)/gleakd-$*

# The container image, as an archive that container engines load; it takes none to make it.
IMAGE := build/image
.PHONY: image $(STATIC_ARCHES:%=image-%)
image: image-$(HOST_GO_ARCH)

$(STATIC_ARCHES:%=image-%): image-%: static-%
	$(Q)mkdir -p $(IMAGE)
	$(Q)tools/image-root.sh $(IMAGE)/root-$* $(STATIC)/gleakd-$* $*
	$(Q)tools/image.py $(IMAGE)/gleakd-$(VERSION)-$*.tar $(IMAGE)/root-$* '$(VERSION)' $* $(EPOCH)
	$(Q)ls $(IMAGE)/gleakd-$(VERSION)-$*.tar

$(STATIC)/zydis/src/Decoder.c: | static-deps
	$(Q)tools/zydis-source.sh $(STATIC)/zydis

ifeq ($(CONFIG),static)
$(STATIC)/gleakd-$(GO_ARCH): $(B)/gleakd
	$(Q)mkdir -p $(@D)
	$(Q)$(CROSS_COMPILE)strip -o $@ $<
	$(Q)cp $(B)/gleakd.map $@.map

$(B)/gleakd $(B)/tests/heapscan: $(B)/lib/zydis.a $(B)/obj/deploy/static/no_libraries.o
LIBS += $(B)/obj/deploy/static/no_libraries.o
# What loads libraries after all is an error.
LDFLAGS += -Wl,-Map=$(B)/gleakd.map -Wl,--fatal-warnings -Wl,--wrap=dlopen,--wrap=dlsym,--wrap=dlclose,--wrap=dlerror

$(B)/lib/zydis.a: $(patsubst $(ZYDIS)/src/%.c,$(B)/obj/zydis/%.o,$(wildcard $(ZYDIS)/src/*.c))
	$(call msg,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

CPPFLAGS += -I$(ZYDIS)/include -DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD
# Not ours: its warnings are not shown.
$(B)/obj/zydis/%.o: $(ZYDIS)/src/%.c
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -I$(ZYDIS)/src $(CFLAGS) -w -c -o $@ $<

$(B)/obj/deploy/%.o: deploy/%.c
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
endif
