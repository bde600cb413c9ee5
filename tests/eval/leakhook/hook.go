// SPDX-License-Identifier: Apache-2.0

// A file that is compiled into other programs (go build -overlay, see racing.py): at SIGUSR2 the
// program writes the runtime's profile of leaked goroutines to $GLEAKD_EVAL_LEAKS, all stacks as text.
package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

func init() {
	path := os.Getenv("GLEAKD_EVAL_LEAKS")
	profile := pprof.Lookup("goroutineleak")
	if path == "" || profile == nil {
		return
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	go func() {
		for range asked {
			file, err := os.Create(path + ".new")
			if err != nil {
				continue
			}
			err = profile.WriteTo(file, 2)
			if file.Close() == nil && err == nil {
				os.Rename(path+".new", path)
			}
		}
	}()
}
