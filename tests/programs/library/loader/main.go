// SPDX-License-Identifier: Apache-2.0

// loader is a Go program that loads libraries with Go in them, as host does: each is a runtime beside
// its own. It obeys the same commands; library 0 is the program itself.
package main

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdlib.h>
// typedef void (*do_fn)(int);
// typedef int (*count_fn)(void);
// static void call(void *handle, const char *name, int n) { ((do_fn)dlsym(handle, name))(n); }
// static int count(void *handle) { return ((count_fn)dlsym(handle, "Count"))(); }
import "C"

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"
)

var never = make(chan struct{})

func parked(ready *sync.WaitGroup) {
	ready.Done()
	<-never // blocked:park
}

func park(n int) {
	var ready sync.WaitGroup
	ready.Add(n)
	for i := 0; i < n; i++ {
		go parked(&ready) // made:park
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

func load(path string) unsafe.Pointer {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	return C.dlopen(name, C.RTLD_NOW)
}

func call(handle unsafe.Pointer, function string, n int) {
	name := C.CString(function)
	defer C.free(unsafe.Pointer(name))
	C.call(handle, name, C.int(n))
}

func main() {
	// A library has a goroutine for each thread that has called it: one is enough.
	runtime.LockOSThread()
	libraries := []unsafe.Pointer{nil}
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		who, n := 0, 0
		if words[0] == "load" {
			libraries = append(libraries, load(words[1]))
			who = len(libraries) - 1
		} else {
			who, _ = strconv.Atoi(words[1])
		}
		if len(words) > 2 {
			n, _ = strconv.Atoi(words[2])
		}
		switch {
		case words[0] == "park" && who == 0:
			park(n)
		case words[0] == "run" && who == 0:
			run(n)
		case words[0] == "park":
			call(libraries[who], "Park", n)
		case words[0] == "run":
			call(libraries[who], "Run", n)
		}
		if who == 0 {
			fmt.Println("ok", words[0], runtime.NumGoroutine())
		} else {
			fmt.Println("ok", words[0], C.count(libraries[who]))
		}
	}
}
