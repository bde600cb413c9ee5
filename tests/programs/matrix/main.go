// SPDX-License-Identifier: Apache-2.0

// Matrix parks goroutines in every way that the Go runtime has a word for, each with a stack of a
// shape of its own, and says what the runtime itself thinks of them:
//
//	ready WAY...       printed once all of them are where they stay; WAY is a function on a stack
//	dump FILE          writes pprof.Lookup("goroutine") with debug=2 to FILE, answers "ok dump"
//	burst N            creates N goroutines which end, answers "ok burst" when they have
//	profile FILE       writes a CPU profile of a storm of creations and parks, answers "ok profile"
//
// It builds with every Go from 1.18 on, with and without cgo; what only newer versions have is in
// files of their own.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ways collects the functions that "ready" names; settle waits until their goroutines are there.
var ways []string

func way(name string) { ways = append(ways, name) }

// own is what the names of functions here begin with: "main.", or in a plugin another path.
var own = func() string {
	pc, _, _, _ := runtime.Caller(0)
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	return name[:slash+strings.IndexByte(name[slash:], '.')+1]
}()

// at tells whether the runtime shows a goroutine in state (as far as it is a state that begins so)
// whose stack has the function.
func at(dump, function, state string) bool {
	for _, record := range strings.Split(dump, "\n\n") {
		if strings.Contains(record, own+function) && strings.Contains(record, " ["+state) {
			return true
		}
	}
	return false
}

func dumpAll() string {
	text := make([]byte, 1<<20)
	for {
		n := runtime.Stack(text, true)
		if n < len(text) {
			return string(text[:n])
		}
		text = make([]byte, 2*len(text))
	}
}

// settle waits for conditions only; the runner gives up when it takes too long.
func settle() {
	for {
		dump, missing := dumpAll(), ""
		for _, name := range ways {
			function, state := name, ""
			if i := strings.IndexByte(name, '/'); i >= 0 {
				function, state = name[:i], name[i+1:]
			}
			if !at(dump, function, state) {
				missing += " " + name
			}
		}
		if missing == "" {
			return
		}
		if os.Getenv("MATRIX_VERBOSE") != "" {
			fmt.Fprintln(os.Stderr, "waiting for", missing)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var ended sync.WaitGroup

func short() { ended.Done() }

// burst creates goroutines that end, some hundred at a time.
func burst(n int) {
	for n > 0 {
		batch := n
		if batch > 250 {
			batch = 250
		}
		n -= batch
		ended.Add(batch)
		for ; batch > 0; batch-- {
			go short()
		}
		ended.Wait()
	}
}

// storm makes the functions of the runtime hot which gleakd probes, so that a build guided by the
// profile inlines whatever it may.
func storm() {
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
		burst(1000)
		request, reply := make(chan int), make(chan int)
		go func() {
			for n := range request {
				reply <- n
			}
		}()
		for i := 0; i < 1000; i++ {
			request <- i
			<-reply
		}
		close(request)
	}
}

func profile(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	storm()
	pprof.StopCPUProfile()
	return nil
}

func dump(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return pprof.Lookup("goroutine").WriteTo(file, 2)
}

func obey(command, argument string) error {
	switch command {
	case "dump":
		return dump(argument)
	case "profile":
		return profile(argument)
	case "burst":
		before := runtime.NumGoroutine()
		n, err := strconv.Atoi(argument)
		if err == nil {
			burst(n)
		}
		// Who is done has not ended yet.
		for runtime.NumGoroutine() > before {
			time.Sleep(time.Millisecond)
		}
		return err
	}
	return fmt.Errorf("no such command")
}

// console is the one goroutine whose stack differs between a dump and a look from outside.
func console() {
	settle()
	fmt.Println("ready", strings.Join(ways, " "))
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		words := strings.Fields(input.Text())
		if len(words) != 2 {
			fmt.Println("error: not a command and its argument")
			continue
		}
		if err := obey(words[0], words[1]); err != nil {
			fmt.Println("error:", words[0], err)
			continue
		}
		fmt.Println("ok", words[0])
	}
	os.Exit(0)
}

func main() {
	// More than this machine has, so that goroutines that run do not starve the others.
	runtime.GOMAXPROCS(8)
	reuse()
	parkOnChannels()
	parkOnSync()
	parkInTime()
	parkInKernel()
	parkInShapes()
	parkInCoroutines()
	parkInBubble()
	parkInC()
	startCleaners()
	if os.Getenv("MATRIX_STILL") == "" {
		keepRunning()
	}
	go console()
	if os.Getenv("MATRIX_GOEXIT") != "" {
		runtime.Goexit() // the g of main is another goroutine's from then on
	}
	select {}
}
