# SPDX-License-Identifier: Apache-2.0
# Every Go × every way of building it, against what the Go runtime says of itself; root.

# All cells, and the page docs/matrix.md.
.PHONY: matrix
matrix: all
	$(Q)tests/matrix/run --build $(B) --all --table docs/matrix.md

# Every version with one kind; which one, changes from day to day.
.PHONY: matrix-quick
matrix-quick: all
	$(Q)tests/matrix/run --build $(B) --quick 1
