// SPDX-License-Identifier: Apache-2.0

// A Go process that lies about itself: its own lists of goroutines, in its own memory, as no runtime
// leaves them. It obeys lines on stdin, answers each with "ok LINE", and does no harm but to whoever
// believes it:
//
//	hostile many N		N goroutines that are eight bytes apart, each of a place of its own
//	hostile crowd N		N goroutines of one place
//	hostile collide N	N goroutines whose goids an unkeyed hash puts into one bucket
//	hostile lists N		N goroutines in sync.Cond.Wait whose stacks are full of lists without an end
//
//	hostile scramble N	N goroutines whose memory is something else all the time
//	hostile pretend N	the runtime's tables of functions are N bytes further on than they are
//	hostile mapped N	a goroutine in the second page of the file that is descriptor 3
//	hostile turn MS PROGRAM [ARG...]	executes that after so many milliseconds, with the next longer delay
//
// "arm" puts them into the runtime's list, from then on "more N" has it show N of them.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

//go:linkname allgptr runtime.allgptr
var allgptr **uintptr

//go:linkname allglen runtime.allglen
var allglen uintptr

//go:linkname lastmoduledatap runtime.lastmoduledatap
var lastmoduledatap *[128]uintptr

const (
	word    = 8
	waiting = 4 // src/runtime/runtime2.go _Gwaiting
)

// offsets of the fields of g: in Go 1.23 and 1.24 the struct has one more word before them.
func offsets() (status, goid uintptr) {
	version := runtime.Version()
	if strings.HasPrefix(version, "go1.23") || strings.HasPrefix(version, "go1.24") {
		return 152, 160
	}
	return 144, 152
}

// region is memory that the collector does not know.
func region(words int) []uint64 {
	b, err := syscall.Mmap(-1, 0, words*word+4096, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(&b[0])), words)
}

func address(words []uint64, i int) uintptr {
	return uintptr(unsafe.Pointer(&words[0])) + uintptr(i)*word
}

func present() []uintptr {
	return unsafe.Slice((*uintptr)(unsafe.Pointer(allgptr)), allglen)
}

// withReal makes a list of the goroutines that there are and n others.
func withReal(n int, other func(i int) uintptr) []uintptr {
	before := present()
	words := region(len(before) + n)
	list := unsafe.Slice((*uintptr)(unsafe.Pointer(&words[0])), len(words))
	copy(list, before)
	for i := 0; i < n; i++ {
		list[len(before)+i] = other(i)
	}
	return list
}

// many: a word is the state of one goroutine and the goid of the one before.
func many(n int) []uintptr {
	status, _ := offsets()
	words := region(n + int(status)/word + 2)
	for i := range words {
		words[i] = uint64(i+1)<<32 | waiting
	}
	return withReal(n, func(i int) uintptr { return address(words, i) })
}

// crowd: nothing but state and goid, as far apart as it takes for the other fields to be 0.
func crowd(n int) []uintptr {
	const stride = 8
	status, goid := offsets()
	words := region(n*stride + 64)
	for i := 0; i < n; i++ {
		words[i*stride+int(status)/word] = waiting
		words[i*stride+int(goid)/word] = uint64(i + 1000)
	}
	return withReal(n, func(i int) uintptr { return address(words, i*stride) })
}

// scramble: every word is a small number, an address in or near the region, or nothing that makes sense.
func scramble(n int) []uintptr {
	const stride = 64
	words := region(n*stride + 64)
	go func() {
		for random := uint64(1); ; random = random*6364136223846793005 + 1442695040888963407 {
			value := random >> 32 % 8
			switch random >> 60 % 4 {
			case 1:
				value = uint64(address(words, int(random>>20)%len(words)))
			case 2:
				value = random
			}
			words[int(random>>33)%len(words)] = value
			if random>>33%4096 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	return withReal(n, func(i int) uintptr { return address(words, i*stride) })
}

// pretend: go:func.*, which nobody but the unwinder needs, and nothing is unwound here (Go 1.20 to 1.26).
func pretend(n int) []uintptr {
	lastmoduledatap[320/word] += uintptr(n)
	return present()
}

func mapped(int) []uintptr {
	page, err := syscall.Mmap(3, 0, 8192, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return withReal(1, func(int) uintptr { return uintptr(unsafe.Pointer(&page[0])) + 4096 })
}

// inverse of SplitMix64's finaliser.
func inverse(x uint64) uint64 {
	x ^= x>>31 ^ x>>62
	x *= 0x319642b2d24d8ec3
	x ^= x>>27 ^ x>>54
	x *= 0x96de1b173f119089
	return x ^ x>>30 ^ x>>60
}

func collide(n int) []uintptr {
	status, _ := offsets()
	words := region(2*n + int(status)/word + 4)
	hash := uint64(0)
	for i := 0; i < len(words); i += 2 {
		words[i] = waiting
		for i+1 < len(words) {
			hash += 1 << 23
			x := inverse(hash & (1<<56 - 1))
			if x > 0 && x < 1<<61 {
				words[i+1] = 4 * x
				break
			}
		}
	}
	return withReal(n, func(i int) uintptr { return address(words, 2*i) })
}

// turn becomes another program, at a moment that is a little later each time.
func turn(ms string, program []string) {
	delay, _ := strconv.Atoi(ms)
	time.Sleep(time.Duration(delay) * time.Millisecond)
	self, _ := os.Executable()
	next := strconv.Itoa((delay*13 + 7) % 400)
	argv := append(append([]string{}, program...), append([]string{self, "turn", next}, program...)...)
	panic(syscall.Exec(argv[0], argv, nil))
}

func main() {
	if os.Args[1] == "turn" {
		turn(os.Args[2], os.Args[3:])
	}
	debug.SetGCPercent(-1)
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	makers := map[string]func(int) []uintptr{"many": many, "crowd": crowd, "collide": collide, "mapped": mapped, "pretend": pretend, "lists": lists, "scramble": scramble}
	if os.Args[1] == "lists" {
		wait(n)
	}
	list := makers[os.Args[1]](n)
	fmt.Println("ready", os.Getpid())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		command := strings.Fields(in.Text())
		shown := len(list)
		if command[0] == "more" {
			shown, _ = strconv.Atoi(command[1])
		}
		*(*uintptr)(unsafe.Pointer(&allgptr)) = uintptr(unsafe.Pointer(&list[0]))
		allglen = uintptr(shown)
		fmt.Println("ok", in.Text())
	}
}
