// SPDX-License-Identifier: Apache-2.0

// Each call has a time limit, within a context that lives as long as the program.
package main

import (
	"context"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/timeout"
)

var root, stop = context.WithCancel(context.Background())

func call(string) {
	limited := failsafe.With[any](timeout.New[any](5 * time.Second)).WithContext(root)
	must(limited.Run(func() error { return nil }))
}

func main() {
	defer stop()
	run(program{step: call, pause: 200 * time.Millisecond})
}
