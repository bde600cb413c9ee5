// SPDX-License-Identifier: Apache-2.0

// Drives one of the runtime's own goroutine-leak programs, beside whose files it is compiled
// (go build -overlay, see leaking.py): lets the leak happen and stays alive, where their main takes
// a profile and ends.
//
// The leak profile is taken on request only, and last: it puts the goroutines that it finds into a
// status of their own (_Gleaked), and gleakd is to judge a program that nobody has looked into.
//
//	prog list            the names
//	prog NAME            obeys the lines of its standard input:
//	  once FILE          lets the leak happen, in up to ten tries
//	  repeat FILE        once a second from now on, as a handler would for each request
//	  rest FILE          no more of that
//	  collect FILE       collects garbage, as any process does that is older than two minutes
//	  leaks FILE         the profile of leaked goroutines, all stacks as text (Go 1.27)
//	  stacks FILE        all stacks as text, without a word about leaks
//
// Each answers by FILE, which appears when it is done.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	real "runtime/pprof"
	"sort"
	"strings"
	"sync/atomic"
	"time"
)

const (
	tries = 10
	// How long goroutines may go on after their scenario has returned; the slowest of those that
	// do not leak sleep for 100 ms.
	settle = time.Second
	// A repeated scenario rests beyond this: a stack is 2 KiB at least, and others run beside it.
	mostGoroutines = 100_000
)

// pprof stands in for the package that the scenarios have imported under this name.
var pprof profiles

type profiles struct{}

type profile struct{}

func (profiles) Lookup(string) profile { return profile{} }

// elsewhere gets a value when a scenario takes its profile on another goroutine than main's.
var elsewhere = make(chan struct{}, 1)

// WriteTo is the last that a scenario does, but for one whose child then ends the process, while
// its main goroutine waits for ever.
func (profile) WriteTo(io.Writer, int) error {
	if onMain() {
		return nil
	}
	select {
	case elsewhere <- struct{}{}:
	default:
	}
	runtime.Goexit()
	return nil
}

func onMain() bool {
	var header [16]byte
	n := runtime.Stack(header[:], false)
	return strings.HasPrefix(string(header[:n]), "goroutine 1 ")
}

// resting is no atomic.Bool: Go 1.18 has none.
var resting int32

// answer makes file appear with its whole content.
func answer(file string, write func(io.Writer) error) {
	f, err := os.Create(file + ".new")
	if err == nil {
		w := bufio.NewWriter(f)
		if err = write(w); err == nil {
			err = w.Flush()
		}
		f.Close()
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}

func say(file, format string, args ...any) {
	answer(file, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		return err
	})
}

// awaitOnce returns when once has, or has had the time to: it does not where the scenario keeps the
// main goroutine.
func awaitOnce() {
	select {
	case <-onceDone:
	case <-elsewhere:
		select {
		case <-onceDone:
		case <-time.After(3 * settle):
		}
	}
}

// obey reads the orders and leaves to the main goroutine, on which scenarios run as in the
// original, what the scenario does.
func obey(orders chan<- string) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		verb, file, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "once", "repeat":
			orders <- verb
			if verb == "once" {
				awaitOnce()
			}
			say(file, "%d goroutines", runtime.NumGoroutine())
		case "rest":
			atomic.StoreInt32(&resting, 1)
			time.Sleep(3 * settle)
			say(file, "%d goroutines", runtime.NumGoroutine())
		case "collect":
			runtime.GC()
			say(file, "%d goroutines", runtime.NumGoroutine())
		case "leaks":
			answer(file, func(w io.Writer) error {
				return real.Lookup("goroutineleak").WriteTo(w, 2)
			})
		case "stacks":
			answer(file, func(w io.Writer) error {
				return real.Lookup("goroutine").WriteTo(w, 2)
			})
		}
	}
	os.Exit(0)
}

var onceDone = make(chan struct{}, 1)

// once lets the leak happen: some of them depend on who comes first.
func once(scenario func()) {
	defer func() { onceDone <- struct{}{} }()
	before := runtime.NumGoroutine()
	for try := 0; try < tries; try++ {
		scenario()
		time.Sleep(settle)
		if runtime.NumGoroutine() > before {
			return
		}
	}
}

func repeat(scenario func()) {
	for range time.Tick(time.Second) {
		if atomic.LoadInt32(&resting) == 0 && runtime.NumGoroutine() < mostGoroutines {
			go scenario()
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: prog list | prog NAME")
		os.Exit(2)
	}
	if os.Args[1] == "list" {
		names := make([]string, 0, len(cmds))
		for name := range cmds {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Println(strings.Join(names, "\n"))
		return
	}
	scenario := cmds[os.Args[1]]
	if scenario == nil {
		fmt.Fprintln(os.Stderr, "driver: no scenario", os.Args[1])
		os.Exit(2)
	}
	orders := make(chan string)
	go obey(orders)
	for order := range orders {
		if order == "once" {
			once(scenario)
		} else {
			repeat(scenario)
		}
	}
}
