// SPDX-License-Identifier: Apache-2.0

// Places has goroutines blocked at lines that the compiler makes many addresses of. The comments at
// the ends of lines name what was made and where it blocks.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
)

var forever = make(chan int)

// One line, compiled once for every shape of T; so is the statement that starts it.
func receive[T any](c chan T) {
	<-c // blocked:generic
}

func receivers[T any](n int) {
	for i := 0; i < n; i++ {
		go receive(make(chan T)) // made:generic
	}
}

type pair struct{ a, b string }

func generic() {
	receivers[int](2)
	receivers[string](3)
	receivers[pair](5)
	receivers[*pair](7)
	receivers[[]byte](6)
}

// One line, compiled into each of its callers.
func wait(c chan int) int {
	return <-c // blocked:inlined
}

func first(c chan int) int  { return wait(c) + 1 }
func second(c chan int) int { return 2 * wait(c) }
func third(c chan int) int  { return wait(c) - wait(c) }

func inlined() {
	for i := 0; i < 29; i++ {
		go func(i int) { // made:inlined
			switch i % 3 {
			case 0:
				first(forever)
			case 1:
				second(forever)
			default:
				third(forever)
			}
		}(i)
	}
}

func descend(depth int) int {
	if depth == 0 {
		return <-forever // blocked:recursion
	}
	return descend(depth-1) + 1
}

func recursion() {
	for i := 0; i < 31; i++ {
		go descend(i * 5) // made:recursion
	}
}

type worker struct{ jobs chan int }

func (w *worker) run() {
	<-w.jobs // blocked:method
}

type embedding struct {
	name string
	*worker
}

type runner interface{ run() }

func method() {
	for i := 0; i < 17; i++ {
		run := (&worker{forever}).run
		go run() // made:method
	}
	for i := 0; i < 19; i++ {
		var r runner = &embedding{"x", &worker{forever}}
		go r.run() // made:promoted
	}
}

// A closure, which is made anew wherever this is inlined.
func waiter(c chan int) func() {
	return func() {
		<-c // blocked:closure
	}
}

func closure() {
	for i := 0; i < 37; i++ {
		f := waiter(forever)
		if i%2 == 0 {
			f = waiter(forever)
		}
		go f() // made:closure
	}
}

func park(c chan int) { <-c } // blocked:oneline

//go:noinline
func left(c chan int) { park(c) }

//go:noinline
func right(c chan int) { park(c) }

// gofmt leaves a line as it is.
func oneLine() {
	both := func(c chan int) { go left(c); go right(c) } // made:oneline
	for i := 0; i < 7; i++ {
		both(forever)
	}
}

func reasons() {
	open, full := make(chan int), make(chan int)
	close(open)
	pass := func(c, d chan int) { <-c; d <- 1 } // blocked:reasons
	for i := 0; i < 23; i++ {
		go func(i int) { // made:reasons
			if i < 11 {
				pass(forever, full)
			}
			pass(open, full)
		}(i)
	}
}

// The same lock in two lines; the words for it depend on Go's version.
func locks() {
	var mu sync.Mutex
	var group sync.WaitGroup
	mu.Lock()
	group.Add(1)
	for i := 0; i < 41; i++ {
		go func(i int) { // made:locks
			if i < 3 {
				mu.Lock() // blocked:lock1
			} else if i < 8 {
				mu.Lock() // blocked:lock2
			} else {
				group.Wait() // blocked:group
			}
			mu.Unlock()
		}(i)
	}
}

func main() {
	generic()
	inlined()
	recursion()
	method()
	closure()
	oneLine()
	reasons()
	locks()
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
}
