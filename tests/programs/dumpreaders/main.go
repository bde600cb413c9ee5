// SPDX-License-Identifier: Apache-2.0

// Dumpreaders reads a dump of goroutines with two libraries that others wrote for the runtime's own,
// and says what each found: goroutines, those that wait in a channel, frames.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/DataDog/gostackparse"
	"github.com/maruel/panicparse/v2/stack"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	goroutines, errs := gostackparse.Parse(bytes.NewReader(text))
	waiting, frames := 0, 0
	for _, g := range goroutines {
		if strings.HasPrefix(g.State, "chan receive") {
			waiting++
		}
		frames += len(g.Stack)
	}
	fmt.Println("gostackparse", len(goroutines), waiting, frames, len(errs))

	snapshot, _, err := stack.ScanSnapshot(bytes.NewReader(text), io.Discard, stack.DefaultOpts())
	if snapshot == nil {
		panic(err)
	}
	waiting, frames = 0, 0
	for _, g := range snapshot.Goroutines {
		if g.State == "chan receive" {
			waiting++
		}
		frames += len(g.Stack.Calls)
	}
	fmt.Println("panicparse", len(snapshot.Goroutines), waiting, frames, 0)
}
