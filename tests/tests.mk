# SPDX-License-Identifier: Apache-2.0
# Testing, measuring, showing, installing. Included by the Makefile, whose variables it uses.

.PHONY: deps deps-test
deps:
	$(Q)tools/deps.sh build

deps-test:
	$(Q)tools/deps.sh build go test lint

.PHONY: test
test:
	$(Q)exec tools/test.sh $(B) "$(MAKE)"

# Other versions of Go than the machine's.
.PHONY: test-versions
test-versions: tested
	$(Q)tests/run --tier versions --build $(B)

# The program that needs no library, where there is none.
.PHONY: test-static
test-static: all image-$(HOST_GO_ARCH)
	$(Q)tools/deps.sh build go static test
	$(Q)tests/run --tier static --e2e --build $(B)

.PHONY: test-unit
test-unit: unit
	$(Q)tests/run --unit --build $(B)

# All that the tests run.
.PHONY: tested
tested: all unit $(B)/tests/heapscan

.PHONY: e2e
e2e: all $(B)/tests/heapscan
	$(Q)tests/run --e2e --build $(B)

.PHONY: test-binaries
test-binaries:
	$(Q)tests/run --unit --prepare --build $(B)

.PHONY: bench
bench:
	$(Q)tools/deps.sh build go test bench
	$(Q)$(MAKE) --no-print-directory all $(B)/bench/floor $(B)/tests/heapscan
	$(Q)tests/bench/run --build $(B)

$(B)/bench/floor: $(B)/obj/tests/bench/floor.o
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(LIBS)

.PHONY: demo
demo:
	$(Q)tools/deps.sh build go
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/demo.sh $(B)

.PHONY: lint
lint: $(GENERATED)
	$(Q)tools/lint.sh $(B)

# What is made of the table of options is checked in; a unit test says when it is old.
MAN_PAGES := $(patsubst %.in,%,$(wildcard docs/man/*.in))

$(B)/obj/tools/%.o: tools/%.c | $(GENERATED)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tools/reference: $(B)/obj/tools/reference.o $(call archives_up_to,cli)
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(call archives_up_to,cli) $(LIBS)

.PHONY: reference
reference: $(B)/tools/reference
	$(Q)for page in $(MAN_PAGES); do $< man < $$page.in > $$page.new && \
		mv $$page.new $$page || exit 1; done
	$(Q)$< bash > completions/gleakd.bash
	$(Q)$< zsh > completions/_gleakd
	$(Q)$< fish > completions/gleakd.fish

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin
	install -m 0755 $(B)/gleakd $(DESTDIR)$(PREFIX)/sbin/gleakd
	install -d $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0644 $(filter %.5,$(MAN_PAGES)) $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 0644 $(filter %.8,$(MAN_PAGES)) $(DESTDIR)$(PREFIX)/share/man/man8/
	install -D -m 0644 completions/gleakd.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gleakd
	install -D -m 0644 completions/_gleakd \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gleakd
	install -D -m 0644 completions/gleakd.fish \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gleakd.fish

# What user/heap says about a running process, for tests against real programs.
.PHONY: heapscan
heapscan: $(B)/tests/heapscan
$(B)/tests/heapscan: $(B)/obj/tests/heap/heapscan.o $(call archives_up_to,discover)
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(call archives_up_to,discover) $(LIBS)

# Kubernetes' API server, built from its module, takes manifests and chart. Minutes, and gigabytes of modules.
.PHONY: test-cluster
test-cluster: all
	$(Q)tools/deps.sh build go test
	$(Q)tests/run --tier cluster --e2e --build $(B)
