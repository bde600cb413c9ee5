// SPDX-License-Identifier: Apache-2.0

// ballast has a heap of a given size and many goroutines, some of which nothing can wake any more:
//
//	ballast MEGABYTES GOROUTINES LEAKED
//
// The heap is a table of records of ten objects each, in an order that has nothing to do with where they
// lie. One goroutine works on it without a pause: it replaces objects and talks to another one.
// Commands on stdin, one line of answer each:
//
//	window     what the worker did since the last asking: {"ops", "seconds", "p50_us", "p99_us",
//	           "longest_us"}; an operation is 50 replacements and one exchange
//	meter      from now on a thread is busy, which notices when it is held up
//	stall      the longest time in nanoseconds that it was, since the last asking
//	threads N  N more threads, each of a goroutine of its own
//	churn      from now on threads come and go, as fast as they can
//	exec       becomes the same program once more, which keeps its process
//	pace N     from now on at most N operations a second; 0: none
//	profile    takes the runtime's own goroutineleak profile: {"seconds", "leaked"}, or "none"
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type leaf struct {
	owner *record
	n     [5]uint64
}

type record struct {
	name       string
	next, prev *record
	leaves     []*leaf
	n          [4]uint64
}

const (
	leaves     = 8
	recordSize = 96 + 16 + 64 + leaves*48 // by size classes
)

var (
	table   []*record
	inbox   = make(chan *record)
	outbox  = make(chan *record)
	never   = make(chan int)
	mutex   sync.Mutex
	samples []float64 // microseconds
	begun   time.Time
	longest int64
	pace    int64 = -1 // operations a second; -1: as many as can be
)

func newRecord(i int) *record {
	r := &record{name: strconv.Itoa(1000000000 + i), leaves: make([]*leaf, leaves)}
	for k := range r.leaves {
		r.leaves[k] = &leaf{owner: r}
	}
	return r
}

func fill(megabytes int) {
	table = make([]*record, megabytes*1000*1000/recordSize+1)
	for i := range table {
		table[i] = newRecord(i)
	}
	rand.New(rand.NewSource(7)).Shuffle(len(table), func(i, j int) {
		table[i], table[j] = table[j], table[i]
	})
	for i, r := range table {
		r.next, r.prev = table[(i+1)%len(table)], table[(i+len(table)-1)%len(table)]
	}
}

func park(n, leaked int) {
	for i := 0; i < n-leaked; i++ {
		go func() { <-never }()
	}
	for i := 0; i < leaked; i++ {
		go func() {
			lost := make(chan *record)
			<-lost
		}()
	}
}

func echo() {
	for r := range inbox {
		outbox <- r
	}
}

func keepPace() {
	switch most := atomic.LoadInt64(&pace); {
	case most > 0:
		time.Sleep(time.Second / time.Duration(most))
	case most == 0:
		<-never
	}
}

func work() {
	random := rand.New(rand.NewSource(11))
	for {
		keepPace()
		begin := time.Now()
		for i := 0; i < 50; i++ {
			r := table[random.Intn(len(table))]
			r.leaves[random.Intn(leaves)] = &leaf{owner: r}
		}
		inbox <- table[random.Intn(len(table))]
		<-outbox
		took := float64(time.Since(begin).Nanoseconds()) / 1000
		mutex.Lock()
		samples = append(samples, took)
		mutex.Unlock()
	}
}

// meter never parks: a gap between two readings of the clock is time in which its thread did not run.
func meter() {
	runtime.LockOSThread()
	last := time.Now()
	for {
		now := time.Now()
		if gap := int64(now.Sub(last)); gap > atomic.LoadInt64(&longest) {
			atomic.StoreInt64(&longest, gap)
		}
		last = now
	}
}

func lockThreads(n int) {
	var locked sync.WaitGroup
	locked.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			runtime.LockOSThread()
			locked.Done()
			<-never
		}()
	}
	locked.Wait()
}

// churn ends threads: that of a goroutine which ends while it is locked to it.
func churn() {
	for {
		ended := make(chan int)
		go func() {
			runtime.LockOSThread()
			close(ended)
		}()
		<-ended
	}
}

func window() string {
	mutex.Lock()
	got := samples
	samples = make([]float64, 0, len(got)+len(got)/4)
	seconds := time.Since(begun).Seconds()
	begun = time.Now()
	mutex.Unlock()
	sort.Float64s(got)
	at := func(share float64) float64 {
		if len(got) == 0 {
			return 0
		}
		return got[int(share*float64(len(got)-1))]
	}
	text, _ := json.Marshal(map[string]float64{"ops": float64(len(got)), "seconds": seconds,
		"p50_us": at(0.5), "p99_us": at(0.99), "longest_us": at(1)})
	return string(text)
}

func profile() string {
	found := pprof.Lookup("goroutineleak")
	if found == nil {
		return "none"
	}
	begin := time.Now()
	if err := found.WriteTo(io.Discard, 0); err != nil {
		return err.Error()
	}
	return fmt.Sprintf(`{"seconds": %g, "leaked": %d}`, time.Since(begin).Seconds(), found.Count())
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: ballast MEGABYTES GOROUTINES LEAKED")
		os.Exit(2)
	}
	numbers := [3]int{}
	for i := range numbers {
		numbers[i], _ = strconv.Atoi(os.Args[i+1])
	}
	fill(numbers[0])
	park(numbers[1], numbers[2])
	runtime.GC()
	begun = time.Now()
	go echo()
	go work()
	fmt.Println("ready")
	metering := false
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		command, argument, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		switch command {
		case "window":
			fmt.Println(window())
		case "meter":
			if !metering {
				go meter()
			}
			metering = true
			fmt.Println("ok")
		case "stall":
			fmt.Println(atomic.SwapInt64(&longest, 0))
		case "threads":
			n, _ := strconv.Atoi(argument)
			lockThreads(n)
			fmt.Println("ok threads")
		case "pace":
			n, _ := strconv.ParseInt(argument, 10, 64)
			atomic.StoreInt64(&pace, n)
			fmt.Println("ok pace")
		case "churn":
			go churn()
			fmt.Println("ok churn")
		case "exec":
			fmt.Println(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
		case "profile":
			fmt.Println(profile())
		default:
			fmt.Println("?")
		}
	}
}
