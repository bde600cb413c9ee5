// SPDX-License-Identifier: Apache-2.0

// Allocations allocates objects of many kinds in known numbers, each kind at a line of its own, keeps
// or drops them, and writes its own heap profile, so that what is read from outside can be held
// against it. It builds with every Go from 1.18 on.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

type node struct {
	next *node
	pad  [7]int
}

type shape interface{ grow(n int) }

type square struct{ rows [][]byte }

func (s *square) grow(n int) {
	for i := 0; i < n; i++ {
		s.rows = append(s.rows, make([]byte, 333))
	}
}

type wrapped struct{ shape } // its grow is a wrapper that the compiler makes

// What hangs from a variable alone: nothing but the allocation says of what type it is.
type payload struct{ a, b, c int }

type link struct {
	next  *link
	value *payload
}

var chain *link

var kept = map[string][]interface{}{}

func newNode(next *node) *node { return &node{next: next} } // inlined

func twice[T any](v T) *[2]T { return &[2]T{v, v} }

//go:noinline
func fillNodes(n int) interface{} {
	var list *node
	for i := 0; i < n; i++ {
		list = newNode(list)
	}
	return list
}

//go:noinline
func fillStrings(n int) interface{} {
	var all []string
	for i := 0; i < n; i++ {
		all = append(all, strings.Repeat("x", 24))
	}
	return all
}

//go:noinline
func fillTiny(n int) interface{} {
	all := make([]*int16, n)
	for i := range all {
		all[i] = new(int16)
	}
	return all
}

//go:noinline
func fillHeaders(n int) interface{} { // large enough for a header of their type
	all := make([]*[100]*int, n)
	for i := range all {
		all[i] = new([100]*int)
	}
	return all
}

//go:noinline
func fillLarge(n int) interface{} {
	var all [][]byte
	for i := 0; i < n; i++ {
		all = append(all, make([]byte, 3<<20))
	}
	return all
}

//go:noinline
func fillMap(n int) interface{} {
	m := map[int]*node{}
	for i := 0; i < n; i++ {
		m[i] = &node{}
	}
	return m
}

//go:noinline
func fillClosures(n int) interface{} {
	var all []func() int
	for i := 0; i < n; i++ {
		i := i
		all = append(all, func() int { i++; return i })
	}
	return all
}

//go:noinline
func fillShapes(n int) interface{} {
	var s shape = wrapped{&square{}}
	s.grow(n)
	return s
}

//go:noinline
func fillGeneric(n int) interface{} {
	var all []*[2]complex128
	for i := 0; i < n; i++ {
		all = append(all, twice(complex(1, 2)))
	}
	return all
}

//go:noinline
func fillDeep(n int) interface{} { return deep(40, n) }

//go:noinline
func deep(depth, n int) interface{} {
	if depth > 0 {
		return deep(depth-1, n)
	}
	all := make([]*[5]int, n)
	for i := range all {
		all[i] = new([5]int)
	}
	return all
}

//go:noinline
func fillChain(n int) interface{} {
	for i := 0; i < n; i++ {
		chain = &link{chain, &payload{a: i}}
	}
	return n
}

// What nothing but closures hold.
type captured struct{ a, b, c, d int }

var hooks []func() int

//go:noinline
func fillHooks(n int) interface{} {
	for i := 0; i < n; i++ {
		c := &captured{a: i}
		hooks = append(hooks, func() int { c.a++; return c.a })
	}
	return n
}

var fills = map[string]func(int) interface{}{
	"nodes": fillNodes, "strings": fillStrings, "tiny": fillTiny, "headers": fillHeaders,
	"large": fillLarge, "map": fillMap, "closures": fillClosures, "shapes": fillShapes,
	"generic": fillGeneric, "deep": fillDeep, "chain": fillChain,
	"hooks": fillHooks,
}

var (
	leaked []interface{}
	cached = make([][]byte, 2003)
	busy   interface{}
)

// forever does a piece of work every few milliseconds.
func forever(work func(i int)) {
	go func() {
		for i := 0; ; i++ {
			work(i)
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

//go:noinline
func cache(i int) {
	for k := 0; k < 17; k++ {
		cached[(i*17+k)%len(cached)] = make([]byte, 512)
	}
}

func writeProfile(name string) {
	file, err := os.Create(name)
	if err != nil {
		panic(err)
	}
	if err := pprof.Lookup("heap").WriteTo(file, 0); err != nil {
		panic(err)
	}
	file.Close()
}

// Until it has taken a sample, each processor goes by how far it is to that at the rate there was when it was made
// (src/runtime/mcache.go allocmcache, mprof.go nextSample). All but the first are made anew here.
func settle() {
	n := runtime.GOMAXPROCS(1)
	for i := 0; i < 16; i++ {
		busy = make([]byte, 1<<20)
	}
	busy = nil
	runtime.GOMAXPROCS(n)
}

// init comes before whatever the test asks for; what was allocated until then is sampled as usual.
func init() {
	if rate, err := strconv.Atoi(os.Getenv("RATE")); err == nil {
		runtime.MemProfileRate = rate
		settle()
	}
}

func main() {
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch words[0] {
		case "fill":
			n, _ := strconv.Atoi(words[2])
			kept[words[1]] = append(kept[words[1]], fills[words[1]](n))
		case "drop":
			delete(kept, words[1])
		case "collect": // the third publishes what the first has seen
			for i := 0; i < 3; i++ {
				runtime.GC()
			}
		case "never": // collect
			debug.SetGCPercent(-1)
		case "leak":
			forever(func(int) { leaked = append(leaked, fillNodes(7)) })
		case "churn": // 100 MB/s at most, next to a cache that is full
			forever(func(i int) { busy = fillHeaders(503) })
			forever(cache)
		case "profile":
			writeProfile(words[1])
		}
		fmt.Println("ok", words[0])
	}
}
