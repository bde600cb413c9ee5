// SPDX-License-Identifier: Apache-2.0

// Frames prints what the Go runtime itself says about program counters of this very binary, for
// comparison with what gleakd reads out of the file. One record per line, tab-separated:
//
//	entry   FUNCTION  ADDRESS                        where a function of this process begins
//	stack   LABEL                                    a call stack follows, innermost call first
//	call    PC ENTRY  FUNCTION  FILE  LINE           one logical call; PC is a return address
//	sample  PC        FUNCTION  FILE  LINE           the innermost call at PC, all over the text
//
// Calls inlined into one another carry the same ENTRY. Wrappers made by the compiler are left out
// of stacks, as runtime.Callers does. The functions below are here for the shapes they compile to.
package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"runtime"
)

var out = bufio.NewWriter(os.Stdout)

//go:noinline
func capture(label string) {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(1, pcs)
	frames := runtime.CallersFrames(pcs[:n])
	fmt.Fprintf(out, "stack\t%s\n", label)
	for i := 0; i < n; i++ {
		frame, more := frames.Next()
		fmt.Fprintf(out, "call\t%#x\t%#x\t%s\t%s\t%d\n", pcs[i], frame.Entry, frame.Function,
			frame.File, frame.Line)
		if !more {
			break
		}
	}
}

// Three levels of inlining, each with a line of its own.
func inlinedLeaf(label string) {
	capture(label)
}

func inlinedMiddle(label string) {
	inlinedLeaf(label)
}

func inlinedTop(label string) {
	inlinedMiddle(label)
}

//go:noinline
func physical() {
	inlinedTop("nested inlining")
}

// Methods: by value, by pointer, through an interface and through a promoting wrapper.
type speaker interface{ Speak(label string) }

type inner struct{ words int }

//go:noinline
func (i inner) Speak(label string) { capture(label) }

//go:noinline
func (i *inner) Shout(label string) { capture(label) }

type outer struct {
	padding [4]int
	inner
}

//go:noinline
func speak(s speaker, label string) { s.Speak(label) }

// Generic functions, whose names carry type arguments.
type box[T any] struct{ value T }

//go:noinline
func (b box[T]) Open(label string) T {
	capture(label)
	return b.value
}

//go:noinline
func apply[T, U any](value T, f func(T) U) U { return f(value) }

func methods() {
	value := inner{words: 1}
	value.Speak("method by value")
	value.Shout("method by pointer")
	speak(value, "interface")
	speak(&outer{}, "promoted through a wrapper")
	bound := value.Speak
	call(bound, "method value")
	box[int]{value: 1}.Open("generic method")
	box[map[string][]int]{}.Open("generic method, composite type")
}

//go:noinline
func call(f func(string), label string) { f(label) }

func closures() {
	n := 0
	nested := func(label string) {
		n++
		func() {
			n++
			capture(label)
		}()
	}
	call(nested, "nested closures")
	apply(3, func(int) string {
		capture("closure in a generic function")
		return ""
	})
	defer capture("deferred")
}

func goroutines() {
	done := make(chan bool)
	go func() {
		capture("goroutine")
		close(done)
	}()
	<-done
}

// samples walks the text backwards from main.main, which the linker places near its end.
func samples() {
	const stride, most = 211, 8000
	pc := reflect.ValueOf(main).Pointer()
	for n := 0; n < most; n, pc = n+1, pc-stride {
		frame, _ := runtime.CallersFrames([]uintptr{pc + 1}).Next()
		if frame.Function == "" {
			return
		}
		// A return address that begins a function is taken for that function.
		if frame.Entry == pc+1 {
			continue
		}
		fmt.Fprintf(out, "sample\t%#x\t%s\t%s\t%d\n", pc, frame.Function, frame.File, frame.Line)
	}
}

func main() {
	defer out.Flush()
	fmt.Fprintf(out, "entry\tmain.main\t%#x\n", reflect.ValueOf(main).Pointer())
	physical()
	methods()
	closures()
	goroutines()
	linkC()
	samples()
}
