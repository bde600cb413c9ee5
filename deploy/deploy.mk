# SPDX-License-Identifier: Apache-2.0
# The service: its unit and configuration, and the Debian package. Included by the Makefile.

UNIT_DIR   ?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= /etc
DOC_DIR	   ?= $(PREFIX)/share/doc/gleakd
SHARE_DIR  ?= $(PREFIX)/share/gleakd
MIXIN	   := deploy/prometheus/mixin

install: install-service install-prometheus

# A configuration that somebody has written is not replaced.
.PHONY: install-service
install-service:
	install -d $(DESTDIR)$(UNIT_DIR) $(DESTDIR)$(SYSCONFDIR)/gleakd $(DESTDIR)$(DOC_DIR)/examples
	sed 's,/usr/sbin/,$(PREFIX)/sbin/,' deploy/systemd/gleakd.service \
		> $(DESTDIR)$(UNIT_DIR)/gleakd.service
	chmod 0644 $(DESTDIR)$(UNIT_DIR)/gleakd.service
	test -e $(DESTDIR)$(SYSCONFDIR)/gleakd/gleakd.conf || \
		install -m 0644 deploy/gleakd.conf $(DESTDIR)$(SYSCONFDIR)/gleakd/gleakd.conf
	install -m 0644 deploy/systemd/gleakd.service.d/no-sys-admin.conf \
		$(DESTDIR)$(DOC_DIR)/examples/

# Rules, dashboard, and what they are made from; not below doc, which images leave out.
.PHONY: install-prometheus
install-prometheus:
	install -d $(DESTDIR)$(SHARE_DIR)/dashboards
	install -m 0644 deploy/prometheus/gleakd.rules.yml $(DESTDIR)$(SHARE_DIR)/
	install -m 0644 deploy/prometheus/dashboards/gleakd.json $(DESTDIR)$(SHARE_DIR)/dashboards/
	cd $(MIXIN) && find . -name '*.libsonnet' \
		-exec install -D -m 0644 '{}' '$(if $(DESTDIR),$(abspath $(DESTDIR)))$(SHARE_DIR)/mixin/{}' ';'

# --- Debian ---------------------------------------------------------------------------------------

# A copy of what is in the tree, with debian/ where the tools look for it. Nothing is fetched.
DEB := $(B)/deb
DEB_SOURCE := $(DEB)/gleakd-$(VERSION)

.PHONY: deb
deb:
	$(Q)tools/deps.sh build deb
	$(Q)rm -rf $(DEB)
	$(Q)mkdir -p $(DEB_SOURCE)
	$(Q)tar -c --exclude=./build --exclude=./.git . | tar -x -C $(DEB_SOURCE)
	$(Q)cp -r deploy/debian $(DEB_SOURCE)/debian
	$(Q)cd $(DEB_SOURCE) && test "$$(dpkg-parsechangelog -S Version)" = '$(VERSION)' || \
		{ echo 'deb: deploy/debian/changelog is not about version $(VERSION)' >&2; exit 1; }
	$(Q)cd $(DEB_SOURCE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		$(CURDIR)/tools/progress.sh 'deb: dpkg-buildpackage' dpkg-buildpackage -us -uc -b
	$(Q)tools/progress.sh 'deb: lintian' lintian --info --allow-root \
		--fail-on error,warning $(DEB)/*.changes
	$(Q)ls $(DEB)/*.deb

# Minutes, and a gigabyte in /var/cache/gleakd.
.PHONY: fresh
fresh:
	$(Q)tools/fresh-machine.sh
