# SPDX-License-Identifier: Apache-2.0
# How well gleakd judges: leaking programs, healthy servers, hard cases, what the heap shows, leaks from
# public reports; root.

# All of it, and the page docs/eval.md.
.PHONY: eval
eval: all $(B)/tests/heapscan
	$(Q)tools/deps.sh build go test
	$(Q)tests/eval/run --build $(B) --table docs/eval.md

# A few programs of each part; the page goes to the terminal.
.PHONY: eval-quick
eval-quick: all $(B)/tests/heapscan
	$(Q)tests/eval/run --build $(B) --quick
