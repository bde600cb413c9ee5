// SPDX-License-Identifier: Apache-2.0

//go:build sampled

package main

import _ "gleakd.test/shares/sampled"
