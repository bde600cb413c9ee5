// SPDX-License-Identifier: Apache-2.0

// spawnbench does a fixed amount of work, goroutines created and joined, once for every number read
// from stdin, and answers with the processor time of the whole process and the wall time it took,
// in nanoseconds: "COUNT CPU WALL". The reader attaches and detaches tracers between two lines.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Joined in batches: the cost of the join's own park is divided by this.
const batch = 256

func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func brief(wg *sync.WaitGroup) {
	wg.Done()
}

// work makes about n goroutines and returns how many they were.
func work(n int) int {
	var wg sync.WaitGroup
	made := 0
	for made < n {
		wg.Add(batch)
		for i := 0; i < batch; i++ {
			go brief(&wg)
		}
		wg.Wait()
		made += batch
	}
	return made
}

func main() {
	// One processor: the price of one goroutine, not of the competition for run queues.
	runtime.GOMAXPROCS(1)
	fmt.Println("ready", os.Getpid())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		n, err := strconv.Atoi(strings.TrimSpace(input.Text()))
		if err != nil {
			fmt.Println("error", err)
			os.Exit(2)
		}
		cpu0, wall0 := cpu(), time.Now()
		made := work(n)
		fmt.Println(made, cpu()-cpu0, time.Since(wall0).Nanoseconds())
	}
}
