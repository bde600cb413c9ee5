// SPDX-License-Identifier: Apache-2.0

//go:build !unsampled

package main

import _ "net/http/pprof" // so that the runtime samples allocations, as it does in servers
