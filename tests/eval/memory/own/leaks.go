// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bytes"
	"container/list"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// About half a megabyte a second each.

type session struct {
	user    string
	payload [5000]byte
}

type event struct {
	number int
	data   [5000]byte
	next   *event
}

var (
	sessions   = map[int]*session{}
	events     []*event
	queue      = list.New()
	background context.Context
	stop       context.CancelFunc
	reports    = map[int]*strings.Builder{}
	titles     []string
	answers    = map[string][]byte{}
	callbacks  []func() int
	lines      [][]byte
	registry   sync.Map
	scratch    = sync.Pool{New: newWork}
	journal    bytes.Buffer
	pages      [][]byte
	bus        topic
)

type work struct{ done []*event }

// All that were ever made, for statistics.
var everyWork []*work

func newWork() any {
	w := new(work)
	everyWork = append(everyWork, w)
	return w
}

type topic struct{ subscribers []chan *event }

func (t *topic) subscribe() chan *event {
	c := make(chan *event, 600)              // leak: subscribers
	t.subscribers = append(t.subscribers, c) // leak: subscribers
	return c
}

func init() {
	background, stop = context.WithCancel(context.Background())
	add("map", func(i int) {
		sessions[i] = &session{user: "somebody"} // leak: map
	})
	add("slice", func(i int) {
		events = append(events, &event{number: i}) // leak: slice
	})
	add("list", func(i int) {
		for k := 0; k < 60; k++ {
			queue.PushBack(i) // leak: list
		}
	})
	add("contexts", func(i int) {
		for k := 0; k < 40; k++ {
			ctx, _ := context.WithCancel(background) // leak: contexts
			inContext(ctx)
		}
	})
	add("timers", func(i int) {
		data := make([]byte, 5000)                         // leak: timers
		time.AfterFunc(24*time.Hour, func() { use(data) }) // leak: timers
	})
	add("builders", func(i int) {
		report := &strings.Builder{} // leak: builders
		for k := 0; k < 50; k++ {
			report.WriteString("a line of a report that nobody will ever ask for, one of many like it\n") // leak: builders
		}
		reports[i] = report // leak: builders
	})
	add("substrings", func(i int) {
		page := fmt.Sprintf("<title>page %d</title>%s", i, strings.Repeat("x", 5000)) // leak: substrings
		titles = append(titles, page[7:20])                                           // leak: substrings
	})
	add("cache-without-limit", func(i int) {
		key := fmt.Sprintf("/search?q=%d", i) // leak: cache-without-limit
		answers[key] = make([]byte, 5000)     // leak: cache-without-limit
	})
	add("closures", func(i int) {
		seen := make([]int, 600)                                       // leak: closures
		callbacks = append(callbacks, func() int { return len(seen) }) // leak: closures
	})
	cases["goroutine"] = func() {
		go churn()
		var mine []*event
		every(tick, func(i int) {
			mine = append(mine, &event{number: i}) // leak: goroutine
		})
		use(mine)
	}
	add("pool-misuse", func(i int) {
		w := scratch.Get().(*work)
		w.done = append(w.done, &event{number: i}) // leak: pool-misuse
		scratch.Put(w)
	})
	add("log-lines", func(i int) {
		for k := 0; k < 20; k++ {
			lines = append(lines, []byte(strings.Repeat("level=info ", 25))) // leak: log-lines
		}
	})
	add("sync-map", func(i int) {
		registry.Store(i, &event{number: i}) // leak: sync-map
	})
	add("linked", func(i int) {
		head = &event{number: i, next: head} // leak: linked
	})
	add("subscribers", func(i int) { bus.subscribe() })
	add("one-buffer", func(i int) {
		journal.Write(inUse[i%len(inUse)]) // leak: one-buffer
	})
	for _, megabytes := range []int{20, 5, 1} {
		cases[fmt.Sprintf("%d-a-minute", megabytes)] = trickle(megabytes)
	}
}

// trickle is a leak of so many megabytes a minute, beside as much churn as the others have.
func trickle(megabytes int) func() {
	return func() {
		go churn()
		every(time.Minute/time.Duration(1000*megabytes), func(int) {
			pages = append(pages, page()) // leak: by-rate
		})
	}
}

//go:noinline
func page() []byte {
	return make([]byte, 1000) // leak: by-rate
}

var (
	head *event
)

//go:noinline
func inContext(ctx context.Context) bool { return ctx.Err() == nil }

//go:noinline
func use(any) {}
