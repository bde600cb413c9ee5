// SPDX-License-Identifier: Apache-2.0
module gleakd.test/hard

go 1.21
