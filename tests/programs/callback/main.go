// SPDX-License-Identifier: Apache-2.0

// Callback has goroutines, in prime numbers, that called C, which called Go again, which waits: what they know
// from before is on a stack that goes on below C's frames. It says "ready" and ends with its stdin.
package main

// extern void waitInGo(void);
// static void throughC(void) { waitInGo(); }
import "C"

import (
	"bufio"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

const (
	holders = 11
	losers  = 7
)

var (
	never = make(chan int)
	inGo  int32
)

//export waitInGo
func waitInGo() {
	atomic.AddInt32(&inGo, 1)
	<-never
}

// hold has the other end in a frame that C's come after.
func hold() {
	c := make(chan int)
	go func() { <-c }()
	C.throughC()
	close(c)
}

func lose() {
	c := make(chan int)
	go func() { <-c }()
}

func main() {
	for i := 0; i < holders; i++ {
		go hold()
	}
	for i := 0; i < losers; i++ {
		lose()
	}
	for atomic.LoadInt32(&inGo) < holders {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
}
