# SPDX-License-Identifier: Apache-2.0
# Whether gleakd stays as it is when it runs for long; root. MINUTES=15, or as long as you like.

MINUTES ?= 15

.PHONY: soak
soak: all
	$(Q)tools/deps.sh build go test
	$(Q)tests/soak/run --build $(B) --minutes $(MINUTES)
