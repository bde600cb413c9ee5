// SPDX-License-Identifier: Apache-2.0

// Roster has goroutines which differ in what only a list of them shows: profiler labels, threads,
// parents. Commands on stdin:
//
//	dump FILE      writes pprof.Lookup("goroutine") with debug=2 to FILE, answers "ok dump"
//	labels FILE    writes {"goid": {"key": "value"}} of all that have labels, answers "ok labels"
//
// It builds with every Go from 1.18 on.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	mutex  sync.Mutex
	truth  = map[string]map[string]string{}
	never  = make(chan int)
	parked sync.WaitGroup
	ended  sync.WaitGroup
	keep   [][]byte
)

func goid() string {
	text := make([]byte, 64)
	return string(bytes.Fields(text[:runtime.Stack(text, false)])[1])
}

// record notes that the calling goroutine has the labels of ctx.
func record(ctx context.Context) {
	labels := map[string]string{}
	pprof.ForLabels(ctx, func(key, value string) bool {
		labels[key] = value
		return true
	})
	mutex.Lock()
	truth[goid()] = labels
	mutex.Unlock()
	parked.Done()
}

//go:noinline
func labelled(ctx context.Context) {
	record(ctx)
	<-never
}

// inherits is started by a goroutine with labels and sets none itself.
//
//go:noinline
func inherits(ctx context.Context) {
	record(ctx)
	<-never
}

func with(pairs ...string) {
	parked.Add(2)
	go pprof.Do(context.Background(), pprof.Labels(pairs...), func(ctx context.Context) {
		go inherits(ctx)
		labelled(ctx)
	})
}

// nested has labels of its own, those of its caller, and one that hides the caller's.
func nested() {
	parked.Add(1)
	go pprof.Do(context.Background(), pprof.Labels("a", "outer", "b", "outer"), func(ctx context.Context) {
		pprof.Do(ctx, pprof.Labels("b", "inner", "c", "inner"), labelled)
	})
}

// undone had labels and has none any more.
//
//go:noinline
func undone() {
	pprof.Do(context.Background(), pprof.Labels("gone", "yes"), func(context.Context) {})
	parked.Done()
	<-never
}

//go:noinline
func locked() {
	runtime.LockOSThread()
	parked.Done()
	<-never
}

// collects keeps the garbage collector at work, so that goroutines are found on their way through
// it: "GC assist marking", "wait for GC cycle", and waiting while their M works on the system stack.
//
//go:noinline
func collects() {
	for {
		runtime.GC()
	}
}

//go:noinline
func allocates() {
	for n := 0; ; n++ {
		keep[n%len(keep)] = make([]byte, 1<<12)
	}
}

// stuckFinalizer makes the runtime's goroutine for finalizers run this program's code for ever.
func stuckFinalizer() {
	object := new([64]int)
	begun := make(chan bool)
	runtime.SetFinalizer(object, func(*[64]int) { finalize(begun) })
	object = nil
	for {
		runtime.GC()
		select {
		case <-begun:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

//go:noinline
func finalize(begun chan bool) {
	close(begun)
	<-never
}

func short() { ended.Done() }

// bury leaves n g structs of goroutines that are no more, most to be used again by those that come.
func bury(n int) {
	ended.Add(n)
	for i := 0; i < n; i++ {
		go short()
	}
	ended.Wait()
}

func start() {
	var many []string

	bury(2003)
	with("tenant", "blue", "request", "/buy")
	with("tenant", "red")
	with("empty", "", "ütf8", "žluťoučký", "escape", "\x1b[31m\n")
	with("long", strings.Repeat("0123456789", 25))
	for i := 0; i < 61; i++ {
		many = append(many, "key"+strconv.Itoa(i), strconv.Itoa(i*i))
	}
	with(many...)
	with(many[:16]...)
	with(many[:18]...)
	with(many[:28]...)
	nested()
	for i := 0; i < 127; i++ {
		with("worker", strconv.Itoa(i))
	}
	parked.Add(2)
	go undone()
	go locked()
	parked.Wait()
	stuckFinalizer()
	if len(os.Args) > 1 && os.Args[1] == "busy" {
		keep = make([][]byte, 1<<14)
		go collects()
		go allocates()
	}
	bury(1009)
}

func write(path string, f func(*os.File) error) error {
	file, err := os.Create(path)
	if err == nil {
		err = f(file)
	}
	if err == nil {
		err = file.Close()
	}
	return err
}

func obey(command, argument string) error {
	switch command {
	case "dump":
		return write(argument, func(file *os.File) error {
			return pprof.Lookup("goroutine").WriteTo(file, 2)
		})
	case "labels":
		mutex.Lock()
		defer mutex.Unlock()
		return write(argument, func(file *os.File) error {
			return json.NewEncoder(file).Encode(truth)
		})
	}
	return fmt.Errorf("unknown command %q", command)
}

// console does what its lines say; its goroutine alone is known not to stay where it is.
//
//go:noinline
func console() {
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		words := append(strings.Fields(scanner.Text()), "", "")
		if err := obey(words[0], words[1]); err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println("ok", words[0])
		}
	}
}

func main() {
	start()
	fmt.Println("ready")
	console()
}
