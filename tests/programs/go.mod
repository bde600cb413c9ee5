// SPDX-License-Identifier: Apache-2.0
// Old on purpose: every Go that gleakd supports must build these programs.
module gleakd.test/programs

go 1.18
