// SPDX-License-Identifier: Apache-2.0

// Growth has ten kinds of memory that only grows, and ten that look like it for a while and are
// healthy. Everything happens a few times each step, at a constant rate. With names of kinds as arguments
// only these are active; "copies" is only then.
package main

import (
	"bytes"
	"container/list"
	"container/ring"
	"context"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	step    = 20 * time.Millisecond
	perStep = 7 // of each kind
	limit   = 503
)

type session struct {
	id   int
	name string
	data []byte
}

func newSession(id int) *session {
	return &session{id: id, name: fmt.Sprint("session ", id), data: make([]byte, 40)}
}

// What grows.

type store struct {
	mu sync.Mutex
	m  map[int]*session
}

type link struct {
	next *link
	of   *session
}

type subscriber struct {
	events list.List
}

var (
	sessions       = store{m: map[int]*session{}}
	history        []*session
	log            = &subscriber{}
	chain          = &link{}
	registry       sync.Map
	parent, cancel = context.WithCancel(context.Background())
	handlers       []func() int
	queue          = make(chan *session, 1<<20)
)

func growMap(i int) {
	sessions.mu.Lock()
	defer sessions.mu.Unlock()
	sessions.m[i] = newSession(i)
}

func growSlice(i int) { history = append(history, newSession(i)) }
func growList(i int)  { log.events.PushBack(newSession(i)) }

func growRing(i int) {
	added := &link{next: chain.next, of: newSession(i)}
	if added.next == nil {
		added.next = chain
	}
	chain.next = added
}

func growSyncMap(i int) { registry.Store(i, newSession(i)) }

var lastCancel context.CancelFunc

// The child's cancel function is forgotten: it hangs from its parent for ever.
func growContexts(int) {
	_, forgotten := context.WithCancel(parent)
	lastCancel = forgotten
}

func growTimers(i int) {
	s := newSession(i)
	time.AfterFunc(time.Hour, func() { fmt.Println(s.id) })
}

func growClosures(i int) {
	s := newSession(i)
	handlers = append(handlers, func() int { return s.id })
}

func growChannel(i int) { queue <- newSession(i) }

// As C does: memory that the Go runtime knows nothing of.
func growForeign(int) {
	const size = 8192
	_, _, err := syscall.RawSyscall6(syscall.SYS_MMAP, 0, size, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_POPULATE, ^uintptr(0), 0)
	if err != 0 {
		panic(err)
	}
}

// What does not.

type lru struct {
	byKey map[int]*list.Element
	order list.List
}

var (
	cache    = lru{byKey: map[int]*list.Element{}}
	warming  = map[int]*session{}
	pool     = sync.Pool{New: func() interface{} { return new(session) }}
	batch    []*session
	recent   = ring.New(limit)
	visitors = map[int]*session{}
	jobs     = make(chan *session, 4*limit)
	buffer   bytes.Buffer
	matrix   [][]int
	words    = map[string]int{}
	copies   map[int]*session
)

func useLRU(i int) {
	cache.byKey[i] = cache.order.PushFront(newSession(i))
	if len(cache.byKey) > limit {
		oldest := cache.order.Remove(cache.order.Back()).(*session)
		delete(cache.byKey, oldest.id)
	}
}

// Grows in the first seconds.
func useWarming(i int) { warming[i%(2*limit)] = newSession(i) }

func usePool(i int) {
	var taken []interface{}
	for n := 0; n < 1+i%limit/50; n++ {
		taken = append(taken, pool.Get())
	}
	for _, s := range taken {
		pool.Put(s)
	}
}

func useBatch(i int) {
	batch = append(batch, newSession(i))
	if len(batch) == limit/2 {
		batch = nil
	}
}

func useRing(i int) {
	recent.Value = newSession(i)
	recent = recent.Next()
}

// As many come as go, by chance.
func useVisitors(i int) {
	visitors[i] = newSession(i)
	for len(visitors) > limit+rand.Intn(limit/4) {
		for id := range visitors {
			delete(visitors, id)
			break
		}
	}
}

func useJobs(i int) {
	jobs <- newSession(i)
	if len(jobs) > limit/2 {
		for len(jobs) > 0 {
			<-jobs
		}
	}
}

func useTimers(i int) {
	s := newSession(i)
	time.AfterFunc(time.Hour, func() { fmt.Println(s.id) }).Stop()
}

func useContexts(int) {
	_, done := context.WithTimeout(parent, time.Hour)
	done()
}

func useBuffer(i int) {
	fmt.Fprintln(&buffer, "line", i)
	words[fmt.Sprint(i%limit)]++
	if buffer.Len() > 8192 {
		buffer.Reset()
	}
	if len(matrix) < limit {
		matrix = append(matrix, make([]int, 10))
	}
}

// Every 1.4 seconds, with more in it each time, and nothing of what was in it before.
func useCopies(i int) {
	if i%(70*perStep) != 0 {
		return
	}
	made := map[int]*session{}
	for n := 0; n < 5*(i/perStep-limit); n++ {
		made[n] = newSession(n)
	}
	copies = made
}

var kinds = []struct {
	name string
	do   func(int)
}{
	{"map", growMap}, {"slice", growSlice}, {"list", growList}, {"ring", growRing},
	{"sync.Map", growSyncMap}, {"contexts", growContexts}, {"timers", growTimers},
	{"closures", growClosures}, {"channel", growChannel}, {"foreign", growForeign},
	{"lru", useLRU}, {"warming", useWarming}, {"pool", usePool}, {"batch", useBatch},
	{"fixed ring", useRing}, {"visitors", useVisitors}, {"jobs", useJobs},
	{"stopped timers", useTimers}, {"cancelled contexts", useContexts}, {"buffer", useBuffer},
	{asked, useCopies},
}

// Never without its name.
const asked = "copies"

func wanted(name string) bool {
	for _, arg := range os.Args[1:] {
		if arg == name {
			return true
		}
	}
	return false
}

func main() {
	for i := 0; i < limit; i++ {
		useLRU(i)
		useVisitors(i)
		useBuffer(i)
		useRing(i)
	}
	fmt.Println("ready")
	for i := limit; ; i++ {
		for _, kind := range kinds {
			if (len(os.Args) > 1 || kind.name == asked) && !wanted(kind.name) {
				continue
			}
			for n := 0; n < perStep; n++ {
				kind.do(i*perStep + n)
			}
		}
		time.Sleep(step)
	}
}
