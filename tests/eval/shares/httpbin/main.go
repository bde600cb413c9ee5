// SPDX-License-Identifier: Apache-2.0

// Httpbin is go-httpbin, as its own main package starts it.
package main

import (
	"os"

	"github.com/mccutchen/go-httpbin/v2/httpbin/cmd"
)

func main() { os.Exit(cmd.Main(cmd.BuildInfo{})) }
