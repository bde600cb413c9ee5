// SPDX-License-Identifier: Apache-2.0

// parkbench passes a token between two goroutines over two unbuffered channels, which parks each of
// them once per round, for every number of rounds read from stdin; it answers with the number of
// parks, the processor time of the whole process and the wall time in nanoseconds: "PARKS CPU WALL".
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func echo(in <-chan int, out chan<- int) {
	for v := range in {
		out <- v
	}
}

func main() {
	// On one processor every receive finds the other side not ready and parks.
	runtime.GOMAXPROCS(1)
	ping, pong := make(chan int), make(chan int)
	go echo(ping, pong)
	fmt.Println("ready", os.Getpid())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		n, err := strconv.Atoi(strings.TrimSpace(input.Text()))
		if err != nil {
			fmt.Println("error", err)
			os.Exit(2)
		}
		cpu0, wall0 := cpu(), time.Now()
		for i := 0; i < n; i++ {
			ping <- i
			<-pong
		}
		fmt.Println(2*n, cpu()-cpu0, time.Since(wall0).Nanoseconds())
	}
}
