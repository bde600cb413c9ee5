// SPDX-License-Identifier: Apache-2.0

// Contexts has a parent with 1009 children that nobody has cancelled, 503 that were, and a goroutine that
// waits for the end of one of them, which hangs from the parent by way of a value.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"
)

type key struct{}

var (
	parent, stop = context.WithCancel(context.Background())
	cancels      []context.CancelFunc
	leaf         context.Context
)

func main() {
	for i := 0; i < 1008; i++ {
		_, cancel := context.WithCancel(parent)
		cancels = append(cancels, cancel)
	}
	for i := 0; i < 503; i++ {
		_, cancel := context.WithCancel(parent)
		cancel()
	}
	waiting, cancel := context.WithTimeout(context.WithValue(parent, key{}, 1), time.Hour)
	cancels = append(cancels, cancel, stop)
	leaf = waiting
	begun := make(chan bool)
	go waitForEnd(leaf.Done(), begun)
	<-begun
	fmt.Println("ready")
	bufio.NewScanner(os.Stdin).Scan()
}

//go:noinline
func waitForEnd(done <-chan struct{}, begun chan<- bool) {
	close(begun)
	<-done
}
