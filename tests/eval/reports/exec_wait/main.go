// SPDX-License-Identifier: Apache-2.0

// A hook leaves a process behind, which has its output open: Wait of os/exec waits for the output's end.
package main

import (
	"bytes"
	"context"
	"os/exec"
	"time"
)

func hook(script string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", script)
	cmd.Stdout = &out
	if repaired {
		cmd.WaitDelay = time.Second
	}
	_ = cmd.Run()
}

func main() {
	run(program{
		start: func() {
			go func() { // hooks that end
				for {
					hook("true")
					time.Sleep(900 * time.Millisecond)
				}
			}()
		},
		step:  func(string) { go hook("sleep 600 & true") },
		pause: 1500 * time.Millisecond,
	})
}
