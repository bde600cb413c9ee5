# SPDX-License-Identifier: Apache-2.0
# The RPM, and all that a release consists of. Included by the Makefile.

# As Debian calls them; those of `make static`.
RELEASE_ARCHES ?= $(STATIC_ARCHES)
RELEASE	       := build/release
# When the last change was made: times in what is built are of then.
EPOCH	       := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
rpm_arch	= $(patsubst arm64,aarch64,$(1:amd64=x86_64))

# --- RPM ------------------------------------------------------------------------------------------

RPM_ARCHES := $(STATIC_ARCHES:%=rpm-%)
.PHONY: rpm $(RPM_ARCHES)
rpm: rpm-$(HOST_GO_ARCH)

$(RPM_ARCHES): rpm-%: static-% all
	$(Q)tools/deps.sh rpm
	$(Q)rm -rf build/rpm/$*
	$(Q)mkdir -p build/rpm/$*
	$(Q)$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/build/rpm/$*/root PREFIX=/usr \
		UNIT_DIR=/usr/lib/systemd/system > build/rpm/$*/install.log
	$(Q)install -m 0755 $(STATIC)/gleakd-$* build/rpm/$*/root/usr/sbin/gleakd
	$(Q)SOURCE_DATE_EPOCH=$(EPOCH) rpmbuild -bb --quiet --target $(call rpm_arch,$*) \
		--define '_topdir $(CURDIR)/build/rpm/$*/top' --define '_rpmdir $(CURDIR)/build/rpm' \
		--define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
		--define 'staged $(CURDIR)/build/rpm/$*/root' --define 'upstream $(VERSION)' \
		--define 'docs $(CURDIR)' deploy/rpm/gleakd.spec
	$(Q)ls build/rpm/gleakd-$(VERSION)-1.$(call rpm_arch,$*).rpm

# --- a release ------------------------------------------------------------------------------------

# RELEASE_KEY names the key that gpg(1) signs with.
.PHONY: release
release: $(RELEASE_ARCHES:%=image-%) $(RELEASE_ARCHES:%=rpm-%) deb
	$(Q)tools/release.sh $(RELEASE) '$(VERSION)' '$(RELEASE_ARCHES)' $(DEB) '$(RELEASE_KEY)'
