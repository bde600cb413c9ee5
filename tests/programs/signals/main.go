// SPDX-License-Identifier: Apache-2.0

// signals tells each signal that it gets in a line of its own. It ends when its stdin says "quit", or by a signal
// that asks for an end, once no other has come for a while: so that one that comes twice is seen.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const quiet = 2 * time.Second

func read(quit chan<- struct{}) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "quit" {
			close(quit)
			return
		}
	}
}

func main() {
	got := make(chan os.Signal, 64)
	signal.Notify(got, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1,
		syscall.SIGUSR2)
	quit := make(chan struct{})
	go read(quit)
	fmt.Println("ready", os.Getpid())
	var end <-chan time.Time
	for {
		select {
		case s := <-got:
			fmt.Println("got", s)
			if s == syscall.SIGINT || s == syscall.SIGTERM || s == syscall.SIGHUP {
				end = time.After(quiet)
			}
		case <-quit:
			return
		case <-end:
			return
		}
	}
}
