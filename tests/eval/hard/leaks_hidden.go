// SPDX-License-Identifier: Apache-2.0
package main

import (
	"math"
	"time"
)

// Leaks that are awake now and then, that share their lines with healthy goroutines or each other.
func init() {
	for name, period := range map[string]time.Duration{
		"ticker-100ms": 100 * time.Millisecond, "ticker-1s": time.Second,
		"ticker-5s": 5 * time.Second, "ticker-30s": 30 * time.Second,
	} {
		period := period
		add(name, func() {
			every(time.Second, -1, func(int) {
				go refreshForEver(period) // leak: ticker
			})
		})
	}
	add("retry-backoff", func() {
		every(time.Second, -1, func(int) {
			go retry() // leak: retry-backoff
		})
	})
	add("poll", func() {
		every(time.Second, -1, func(int) {
			go poll() // leak: poll
		})
	})
	add("select-after", func() {
		every(time.Second, -1, func(int) {
			go watch(make(chan struct{})) // leak: select-after
		})
	})
	add("breathing-pool", func() { breathe(5 * time.Second) })
	add("breathing-pool-slow", func() { breathe(30 * time.Second) })
	add("among-long-requests", amongLongRequests)
	add("shared-channel", func() {
		signal := make(chan struct{})
		every(time.Second, -1, func(int) {
			go func() { <-signal }() // leak: shared-channel
		})
	})
	add("two-reasons", func() {
		every(500*time.Millisecond, -1, func(i int) {
			c := make(chan int)
			go pick(i%2 == 0, func() { c <- i }, func() { <-c })() // leak: two-reasons
		})
	})
	add("two-rates", func() {
		go every(10*time.Second, -1, func(int) {
			go lost() // leak: two-rates-slow
		})
		every(time.Second, -1, func(int) {
			go lost() // leak: two-rates-fast
		})
	})
}

func pick(first bool, a, b func()) func() {
	if first {
		return a
	}
	return b
}

// The owner has forgotten to stop it.
func refreshForEver(period time.Duration) {
	ticker := time.NewTicker(period)
	for range ticker.C {
		handled.Add(1)
	}
}

// Tries for ever what cannot succeed any more.
func retry() {
	for pause := 100 * time.Millisecond; ; pause = min2(2*pause, 5*time.Second) {
		handled.Add(1)
		time.Sleep(pause)
	}
}

func min2(a, b time.Duration) time.Duration {
	if a < b {
		return a
	}
	return b
}

func poll() {
	for handled.Load() >= 0 {
		time.Sleep(50 * time.Millisecond)
	}
}

func watch(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Second):
			handled.Add(1)
		}
	}
}

// A pool between 0 and 100 workers: nothing to do for half of a period of four times @idle, after
// which those without work end. One in 50 loses its queue and its timer.
func breathe(idle time.Duration) {
	queue := make(chan int)
	workers := 0
	gone := make(chan int, 1000)
	step := 100 * time.Millisecond
	every(step, -1, func(i int) {
		for len(gone) > 0 {
			<-gone
			workers--
		}
		phase := float64(i) * step.Seconds() / (4 * idle).Seconds()
		for load := int(100 * math.Sin(2*math.Pi*phase)); load > 0; load-- {
			select {
			case queue <- i:
			default:
				if workers < 100 {
					workers++
					breathed++
					go work(queue, gone, idle, breathed%50 == 0) // leak: breathing-pool
				}
			}
		}
	})
}

var breathed int

func work(queue <-chan int, gone chan<- int, idle time.Duration, forgotten bool) {
	defer func() { gone <- 1 }()
	timer := time.NewTimer(idle)
	if forgotten {
		gone <- 1
		queue = make(chan int)
		timer.Stop()
	}
	for {
		select {
		case <-queue:
			timer.Reset(idle)
			time.Sleep(50 * time.Millisecond)
		case <-timer.C:
			return
		}
	}
}

// Two requests a second take 40 s and end; one in five is never answered.
func amongLongRequests() {
	every(500*time.Millisecond, -1, func(i int) {
		answer := later(40 * time.Second)
		if i%5 == 0 {
			answer = make(chan struct{})
		}
		go func() { <-answer }() // leak: among-long-requests
	})
}
