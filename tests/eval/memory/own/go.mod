// SPDX-License-Identifier: Apache-2.0
module gleakd.test/memory

go 1.23
