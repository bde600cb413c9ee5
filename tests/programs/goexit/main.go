// SPDX-License-Identifier: Apache-2.0

// goexit is a program whose main goroutine ends with runtime.Goexit, which is allowed: the others go
// on, and the next one that is created gets its g. It obeys commands on stdin, each with one line:
//
//	goexit   the main goroutine ends
//	park N   N goroutines at made:park, parked at blocked:park when acknowledged
//	run N    N goroutines at made:run, all finished when acknowledged
//	count    "ok count N": what runtime.NumGoroutine says
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

var never = make(chan struct{})

func park(ready *sync.WaitGroup) {
	ready.Done()
	<-never // blocked:park
}

func makeParked(n int) {
	var ready sync.WaitGroup
	ready.Add(n)
	for i := 0; i < n; i++ {
		go park(&ready) // made:park
	}
	ready.Wait()
}

func run(n int) {
	var done sync.WaitGroup
	done.Add(n)
	for i := 0; i < n; i++ {
		go done.Done() // made:run
	}
	done.Wait()
}

func endMain(end chan<- struct{}) {
	before := runtime.NumGoroutine()
	close(end)
	for runtime.NumGoroutine() >= before {
		time.Sleep(time.Millisecond)
	}
}

func console(end chan<- struct{}) {
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		n := 0
		if len(words) > 1 {
			n, _ = strconv.Atoi(words[1])
		}
		switch words[0] {
		case "goexit":
			endMain(end)
		case "park":
			makeParked(n)
		case "run":
			run(n)
		}
		fmt.Println("ok", words[0], runtime.NumGoroutine())
	}
	os.Exit(0)
}

func main() {
	end := make(chan struct{})
	go console(end)
	fmt.Println("ready")
	<-end
	runtime.Goexit()
}
