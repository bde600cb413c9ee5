// SPDX-License-Identifier: Apache-2.0

// traps does to its own system calls, traps and machine code what a process may do to them, and creates
// goroutines under it. A tracer that uses traps or system calls of the process must not get in the way.
// It obeys lines on stdin, and answers each when its goroutines have ended: "ok WAY", or "error WAY: why".
//
//	sud N       N goroutines from a thread whose system calls are dispatched back to it (all but those
//	            of the program's own code), until it turns that off
//	errno N, kill N, trap N
//	            from a thread whose seccomp filter refuses system calls that no program knows of
//	notsc N     from a thread that may not read the time stamp counter
//	breakpoint N
//	            from a thread that runs into breakpoints of its own, with a handler for them
//	step N      from a thread that single-steps itself, with a handler for that
//	writable N  while all code is writable, and every page of it was written to
//	remap N     after the file was mapped over the code anew, while other threads run there
//	locked N    with all memory locked
//	execonly N  while the code may be executed only
//	fork N      in a child that goes on with a copy of all memory, and in the parent
//	vfork N     while other programs are run
//	plain N     nothing special
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	_ "unsafe" // go:linkname
)

var ways = map[string]func(n int) error{
	"sud": sud, "errno": filtered(retErrno), "kill": filtered(retKill), "trap": filtered(retTrap),
	"notsc": noTSC, "breakpoint": breakpoint, "step": step, "writable": writable, "remap": remap,
	"locked": locked, "execonly": execOnly, "fork": fork, "vfork": vfork, "plain": plain,
}

//go:noinline
func brief(wg *sync.WaitGroup) {
	wg.Done()
}

func spawn(n int, wg *sync.WaitGroup) {
	wg.Add(n)
	for i := 0; i < n; i++ {
		go brief(wg) // made:spawn
	}
}

func plain(n int) error {
	var wg sync.WaitGroup
	spawn(n, &wg)
	wg.Wait()
	return nil
}

// onThread runs f on a thread of its own, which ends with it: what f did to the thread is gone.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		result <- f()
	}()
	return <-result
}

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

// spawnUnder is n goroutines from a thread, between begin and end.
func spawnUnder(n int, begin, end func() error) error {
	return onThread(func() error {
		if err := begin(); err != nil {
			return err
		}
		err := plain(n)
		if err == nil {
			err = end()
		}
		return err
	})
}

func main() {
	runtime.GOMAXPROCS(2)
	fmt.Println("ready", os.Getpid())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		fields := strings.Fields(input.Text())
		if len(fields) != 2 || ways[fields[0]] == nil {
			fmt.Println("error unknown command:", input.Text())
			os.Exit(2)
		}
		n, err := strconv.Atoi(fields[1])
		if err == nil {
			err = ways[fields[0]](n)
		}
		if err != nil {
			fmt.Printf("error %s: %v\n", fields[0], err)
			continue
		}
		fmt.Println("ok", fields[0])
	}
}
