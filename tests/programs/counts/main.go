// SPDX-License-Identifier: Apache-2.0

// counts makes goroutines in exact numbers, at lines which the tests find by their markers
// ("made:NAME" on the go statement, "blocked:NAME" where it parks). It obeys commands on stdin and
// acknowledges each with one line, so that a test waits for conditions and never for time:
//
//	run N L        N goroutines at made:run; L of them stay at blocked:run, the others are gone
//	spawn N        N goroutines at made:spawn, all finished when acknowledged
//	shape NAME N   N goroutines parked as NAME says (see shapes.go)
//	release        let go of those that run and shape left parked, where that is possible
//	churn RATE MS  RATE goroutines a second for MS milliseconds; acknowledged with their number
//	storm N        N goroutines as fast as possible, in batches
//	exec PATH ARG… replace the program
//	ping           nothing
//	quit           (or end of input) exit 0
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// gate holds the goroutines that "leak"; release closes it and puts a new one in its place.
var gate = make(chan struct{})

func worker(stays bool, never <-chan struct{}, parked *int64, others *sync.WaitGroup) {
	if stays {
		atomic.AddInt64(parked, 1)
		<-never // blocked:run
		return
	}
	others.Done()
}

func run(total, stay int) {
	var others sync.WaitGroup
	var parked int64
	others.Add(total - stay)
	for i := 0; i < total; i++ {
		go worker(i < stay, gate, &parked, &others) // made:run
	}
	others.Wait()
	for atomic.LoadInt64(&parked) < int64(stay) {
		runtime.Gosched()
	}
}

func brief(wg *sync.WaitGroup) {
	wg.Done()
}

func spawn(n int) {
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go brief(&wg) // made:spawn
	}
	wg.Wait()
}

// storm bounds how many exist at a time, so that only their lifetimes load the tracer.
func storm(n int) {
	const batch = 1000
	for n > 0 {
		k := n
		if k > batch {
			k = batch
		}
		spawn(k)
		n -= k
	}
}

// churn keeps an average rate: every millisecond it makes what is due by then.
func churn(rate int, length time.Duration) int {
	begin := time.Now()
	made := 0
	for {
		elapsed := time.Since(begin)
		if elapsed >= length {
			return made
		}
		due := int(float64(rate) * elapsed.Seconds())
		if due > made {
			spawn(due - made)
			made = due
		}
		time.Sleep(time.Millisecond)
	}
}

func number(fields []string, i int) int {
	if i >= len(fields) {
		return 0
	}
	n, err := strconv.Atoi(fields[i])
	if err != nil || n < 0 {
		fmt.Println("error not a number:", fields[i])
		os.Exit(2)
	}
	return n
}

// obey carries out one command and returns what to acknowledge it with.
func obey(fields []string) (string, error) {
	switch fields[0] {
	case "run":
		run(number(fields, 1), number(fields, 2))
	case "spawn":
		spawn(number(fields, 1))
	case "storm":
		storm(number(fields, 1))
	case "shape":
		return "", shape(fields[1], number(fields, 2))
	case "release":
		close(gate)
		gate = make(chan struct{})
	case "churn":
		length := time.Duration(number(fields, 2)) * time.Millisecond
		return strconv.Itoa(churn(number(fields, 1), length)), nil
	case "exec":
		return "", syscall.Exec(fields[1], fields[1:], os.Environ())
	case "ping":
	case "quit":
		os.Exit(0)
	default:
		return "", fmt.Errorf("unknown command %q", fields[0])
	}
	return "", nil
}

func main() {
	fmt.Println("ready", os.Getpid())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		fields := strings.Fields(input.Text())
		if len(fields) == 0 {
			continue
		}
		answer, err := obey(fields)
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(strings.TrimSpace("ok " + fields[0] + " " + answer))
	}
}
