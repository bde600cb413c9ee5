// SPDX-License-Identifier: Apache-2.0
package main

import (
	"runtime"
	"sync"
	"unsafe"
)

// Fields of g (src/runtime/runtime2.go), the same in all versions.
const (
	stackLo = 0
	stackHi = 8
	schedSP = 56
	gBytes  = 448
	ownSize = 8192 // of the stacks that are made up
)

var mu sync.Mutex

// wait starts n goroutines, from 16 places, that wait for ever.
func wait(n int) {
	begin := func() {
		c := sync.NewCond(&mu)
		mu.Lock()
		c.Wait()
	}
	for i := 0; i < n/16; i++ {
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
		go func() { begin() }()
	}
	for len(waitingOnes()) < n/16*16 {
		runtime.Gosched()
	}
}

func load(g, offset uintptr) uint64 {
	return *(*uint64)(unsafe.Pointer(g + offset))
}

// waitingOnes: those of wait(), which have small stacks.
func waitingOnes() []uintptr {
	status, goid := offsets()
	var found []uintptr
	for _, g := range present() {
		size := load(g, stackHi) - load(g, schedSP)
		if uint32(load(g, status)) == waiting && load(g, goid) > 1 && size > 64 && size < 4096 {
			found = append(found, g)
		}
	}
	return found
}

// lists copies all g that wait(), and their stacks: what is no return address and leads to no other place
// of the stack leads to a notifyList, whose only sudog is its own successor.
func lists(n int) []uintptr {
	page := region(1024)
	sudog := address(page, 512)
	for i := 0; i < 512; i++ {
		page[i] = uint64(sudog)
	}
	page[512] = uint64(sudog) // its g
	page[513] = uint64(sudog) // the next one
	fakes := append([]uintptr(nil), present()...)
	for _, g := range waitingOnes() {
		for i := range fakes {
			if fakes[i] == g {
				fakes[i] = lookalike(g, uint64(address(page, 0)))
			}
		}
	}
	return fakes
}

func lookalike(g uintptr, list uint64) uintptr {
	lo, sp, hi := load(g, stackLo), load(g, schedSP), load(g, stackHi)
	stack := region(ownSize / word)
	image := region(gBytes / word)
	for i := range image {
		image[i] = load(g, uintptr(i)*word)
	}
	moved := uint64(address(stack, 0)) - sp
	for i := range stack {
		stack[i] = list
	}
	for at := sp; at < hi && at-sp < ownSize; at += word {
		switch v := load(0, uintptr(at)); {
		case v >= sp && v < hi:
			stack[(at-sp)/word] = v + moved
		case v > 0x400000 && v < 0x800000: // the program's code
			stack[(at-sp)/word] = v
		}
	}
	// sched.bp and whatever else leads to the stack goes with it.
	for i, v := range image {
		if v >= lo && v <= hi {
			image[i] = v + moved
		}
	}
	image[stackLo/word] = uint64(address(stack, 0))
	image[stackHi/word] = uint64(address(stack, 0)) + ownSize
	return address(image, 0)
}
