# SPDX-License-Identifier: Apache-2.0
# What the cases of the everyday tier do to gleakd, in full and on a quiet machine; root, ten minutes. Here
# reports must come in time, too.

FILES ?= 10000

.PHONY: hostile
hostile: tested
	$(Q)GLEAKD_HOSTILE_STRICT=1 tests/run --build $(B) -v hostile.all_of_them_together
	$(Q)GLEAKD_HOSTILE_FILES=$(FILES) tests/run --build $(B) -v hostile.executables_that_lie
	$(Q)tests/run --build $(B) -v faults.ten_thousand_processes_a_second
