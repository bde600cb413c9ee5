// SPDX-License-Identifier: Apache-2.0

// Package sampled makes samples of the allocations of a program, with $RATE = 1 of each of them, and writes its
// profile when it is asked to: on SIGUSR1, to $PROFILE.1, $PROFILE.2 and so on.
package sampled

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
)

func init() {
	rate, err := strconv.Atoi(os.Getenv("RATE"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sampled: RATE:", err)
		os.Exit(2)
	}
	runtime.MemProfileRate = rate
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for n := 1; ; n++ {
			<-asked
			// What was allocated is published two collections later.
			for i := 0; i < 3; i++ {
				runtime.GC()
			}
			write(fmt.Sprintf("%s.%d", os.Getenv("PROFILE"), n))
		}
	}()
}

func write(path string) {
	file, err := os.Create(path + ".new")
	if err == nil {
		err = pprof.Lookup("heap").WriteTo(file, 0)
		file.Close()
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sampled:", err)
		os.Exit(1)
	}
}
