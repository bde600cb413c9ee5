// SPDX-License-Identifier: Apache-2.0

// Memory has objects and goroutines in known numbers, all primes, and says what the runtime counts of
// its memory, so that what is read from outside can be held against it. It builds with every Go from
// 1.18 on.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

type node struct {
	next *node
	pad  [5]int
}

var (
	nodes  []*node
	blocks [][]byte
	unread []byte
)

// fill allocates what stays, written to, and what is garbage soon.
func fill(nodeCount, blockCount, garbageBytes int) {
	for i := 0; i < nodeCount; i++ {
		nodes = append(nodes, &node{})
	}
	for i := 0; i < blockCount; i++ {
		blocks = append(blocks, touched(1<<20))
	}
	garbage(garbageBytes)
}

// peak allocates n blocks, each a span of its own, and gives them up.
//
//go:noinline
func peak(n int) {
	all := make([][]byte, n)
	for i := range all {
		all[i] = make([]byte, 8192)
	}
	runtime.KeepAlive(all)
}

//go:noinline
func garbage(n int) { touched(n) }

//go:noinline
func touched(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 1
	}
	return b
}

func numbers(words []string) []int {
	var n []int
	for _, word := range words {
		number, err := strconv.Atoi(word)
		if err != nil {
			panic(err)
		}
		n = append(n, number)
	}
	return n
}

// counted is what the runtime itself counts, right now.
func counted() string {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	live := int64(-1)
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() == metrics.KindUint64 { // from Go 1.21 on
		live = int64(sample[0].Value.Uint64())
	}
	return fmt.Sprint(m.HeapAlloc, m.HeapObjects, m.HeapInuse, m.StackInuse, m.NumGC, live,
		m.NextGC, m.TotalAlloc, m.Mallocs, m.PauseTotalNs, m.HeapReleased)
}

func main() {
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch words[0] {
		case "fill":
			n := numbers(words[1:])
			fill(n[0], n[1], n[2])
		case "collect":
			runtime.GC()
			runtime.GC() // the first one's garbage is swept
		case "peak":
			peak(numbers(words[1:])[0])
		case "reserve": // never written to
			unread = make([]byte, numbers(words[1:])[0])
		case "start":
			for i := 0; i < numbers(words[1:])[0]; i++ {
				go func() { time.Sleep(time.Hour) }()
			}
		case "counted":
			fmt.Println("ok counted", counted())
			continue
		}
		fmt.Println("ok", words[0])
	}
}
