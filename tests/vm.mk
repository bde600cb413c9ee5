# SPDX-License-Identifier: Apache-2.0
# gleakd on other kernels than this machine's, each in a virtual machine (tests/vm). Needs
# qemu-system-x86, busybox-static and Debian's archive, from which the kernels come.

.PHONY: vm vm-quick vm-arm64 vm-arm64-quick
vm: all
	$(Q)tools/deps.sh build go vm
	$(Q)tests/vm/run --build $(B)

vm-quick: all
	$(Q)tools/deps.sh build go vm
	$(Q)tests/vm/run --build $(B) --kernel 5.10 --kernel 6.1

# Emulated, which takes some minutes each. Everything is in the static program.
VM_ARM64 = tests/vm/run --build $(B) --arch arm64 --gleakd $(STATIC)/gleakd-arm64
# What of tests/e2e runs there as well: against the runtime's own dump, and what the heap says.
ARM64_CASES := builds. dump.is_the_runtimes_own goroutines.labels goroutines.every_way heap. holders.ways locals.they
# Minutes in all. Verdicts on a server under load ask more of an emulated machine than it can be bound to have beside
# others.
ARM64_QUICK := doctor,counts,capabilities,governor,sigterm,sigkill,once,followed,a_proof,yama,kernel

vm-arm64: static-arm64
	$(Q)tools/deps.sh go vm-arm64
	$(Q)$(MAKE) --no-print-directory CONFIG=static ARCH=arm64 ZYDIS=$(ZYDIS) heapscan
	$(Q)$(VM_ARM64) --heapscan $(wildcard build/static-*-arm64)/tests/heapscan $(ARM64_CASES:%=--cases %)
	$(Q)tools/deps.sh cross
	$(Q)$(MAKE) --no-print-directory ARCH=arm64
	$(Q)tests/vm/run --build $(B) --arch arm64 --gleakd build/release-aarch64-linux-gnu-gcc-arm64/gleakd \
		--kernel arm64-6.12 --only doctor,counts,sigterm,once,followed,a_proof,kernel

vm-arm64-quick: static-arm64
	$(Q)tools/deps.sh go vm-arm64
	$(Q)$(VM_ARM64) --kernel arm64-6.12 --only $(ARM64_QUICK)
