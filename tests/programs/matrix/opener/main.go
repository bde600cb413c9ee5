// SPDX-License-Identifier: Apache-2.0

// Opener runs the matrix program from a plugin, which is its only argument.
package main

import (
	"fmt"
	"os"
	"plugin"
)

func main() {
	opened, err := plugin.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	begin, err := opened.Lookup("Begin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	begin.(func())()
}
