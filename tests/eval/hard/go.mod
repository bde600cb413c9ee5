// SPDX-License-Identifier: Apache-2.0
// From 1.23 on a timer's channel says that it is one.
module gleakd.test/hard

go 1.23
