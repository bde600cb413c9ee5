# SPDX-License-Identifier: Apache-2.0
# gleakd on other kernels than this machine's, each in a virtual machine (tests/vm). Needs
# qemu-system-x86, busybox-static and Debian's archive, from which the kernels come.

.PHONY: vm vm-quick
vm: all
	$(Q)tools/deps.sh build go vm
	$(Q)tests/vm/run --build $(B)

vm-quick: all
	$(Q)tools/deps.sh build go vm
	$(Q)tests/vm/run --build $(B) --kernel 5.10 --kernel 6.1
