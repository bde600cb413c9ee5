# SPDX-License-Identifier: Apache-2.0
# Testing, measuring, showing, installing. Included by the Makefile, whose variables it uses.

.PHONY: deps
deps:
	$(Q)tools/deps.sh build test lint

# What cannot be installed here (no root, no apt) shows as a compiler's error or as a SKIP by name.
.PHONY: test
test:
	$(Q)tools/deps.sh build test || echo 'test: going on without what is missing'
	$(Q)$(MAKE) --no-print-directory all unit
	$(Q)tests/run --build $(B)

.PHONY: test-unit
test-unit: unit
	$(Q)tests/run --unit --build $(B)

.PHONY: e2e
e2e: all
	$(Q)tests/run --e2e --build $(B)

.PHONY: test-binaries
test-binaries:
	$(Q)tests/run --build-programs

.PHONY: bench
bench:
	$(Q)tools/deps.sh build test
	$(Q)$(MAKE) --no-print-directory all $(B)/bench/floor
	$(Q)tests/bench/run --build $(B)

$(B)/bench/floor: $(B)/obj/tests/bench/floor.o
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(LIBS)

.PHONY: demo
demo:
	$(Q)tools/deps.sh build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/demo.sh $(B)

.PHONY: lint
lint: $(GENERATED)
	$(Q)tools/lint.sh $(B)

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin
	install -m 0755 $(B)/gleakd $(DESTDIR)$(PREFIX)/sbin/gleakd
	$(if $(MAN_PAGES),install -d $(DESTDIR)$(PREFIX)/share/man/man8)
	$(if $(MAN_PAGES),install -m 0644 $(MAN_PAGES) $(DESTDIR)$(PREFIX)/share/man/man8/)

MAN_PAGES := $(wildcard docs/*.8)
