// SPDX-License-Identifier: Apache-2.0
//go:build go1.25

package main

import (
	"testing"
	"testing/synctest"
)

// runBubble runs f as the one test of this program: package testing/synctest wants a test.
func runBubble(f func()) {
	match := func(string, string) (bool, error) { return true, nil }
	test := func(t *testing.T) { synctest.Test(t, func(*testing.T) { f() }) }
	testing.Main(match, []testing.InternalTest{{Name: "bubble", F: test}}, nil, nil)
}
