// SPDX-License-Identifier: Apache-2.0
package main

import (
	"runtime"
	"sync"
	"time"
)

// Healthy: load that rises, falls and comes in bursts.
func init() {
	add("ramp-5s", func() { load(5*time.Second, rampUp) })
	add("ramp-20s", func() { load(20*time.Second, rampUp) })
	add("ramp-60s", func() { load(60*time.Second, rampUp) })
	addPrepared("ramp-60s-running", func() string {
		go load(60*time.Second, func(time.Duration) float64 { return 60 })
		time.Sleep(130 * time.Second)
		return ""
	}, func() { load(60*time.Second, rampUp) })
	add("ramp-up-down", func() {
		load(5*time.Second, func(t time.Duration) float64 {
			return 1 + 199*(1-abs(1-t.Seconds()/180))
		})
	})
	add("sawtooth", func() {
		load(5*time.Second, func(t time.Duration) float64 {
			return 1 + 199*(t%time.Minute).Seconds()/60
		})
	})
	add("cron-burst", func() {
		every(time.Minute, -1, func(int) {
			for i := 0; i < 500; i++ {
				go func() { <-later(20 * time.Second) }()
			}
		})
	})
	add("periodic-job", func() {
		every(2*time.Minute, -1, func(int) {
			for i := 0; i < 100; i++ {
				i := i
				go func() { <-later(30*time.Second + time.Duration(i)*10*time.Millisecond) }()
			}
		})
	})
	add("errgroup", fanOut)
	add("afterfunc-churn", func() {
		every(10*time.Millisecond, -1, func(int) {
			for i := 1; i <= 5; i++ {
				time.AfterFunc(time.Duration(i)*200*time.Millisecond, func() { <-later(time.Millisecond) })
			}
		})
	})
	steady := func() { load(2*time.Second, func(time.Duration) float64 { return 50 }) }
	add("gc-pauses", func() { go collect(); steady() })
	add("stopped", steady)
	add("starved", func() { busy(); steady() })
	add("one-processor", func() { runtime.GOMAXPROCS(1); steady() })
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

// 1 to 200 requests in flight within three minutes, then as many.
func rampUp(t time.Duration) float64 {
	if t > 3*time.Minute {
		return 200
	}
	return 1 + 199*t.Seconds()/180
}

// load keeps @concurrent(time) requests in flight (never less than 0), each of which takes @each.
func load(each time.Duration, concurrent func(time.Duration) float64) {
	const step = 50 * time.Millisecond
	due := 0.0
	every(step, -1, func(i int) {
		due += concurrent(time.Duration(i)*step) * step.Seconds() / each.Seconds()
		for ; due >= 1; due-- {
			go request(each)
		}
	})
}

func request(each time.Duration) {
	<-later(each)
}

// What errgroup does: a limit, tasks, one that waits for them all.
func fanOut() {
	random := seeded()
	every(time.Second, -1, func(int) {
		times := make([]time.Duration, 10)
		for i := range times {
			times[i] = time.Duration(200+random.Intn(2800)) * time.Millisecond
		}
		go func() {
			limit := make(chan struct{}, 4)
			group := sync.WaitGroup{}
			for _, each := range times {
				each := each
				limit <- struct{}{}
				group.Add(1)
				go func() {
					request(each)
					<-limit
					group.Done()
				}()
			}
			group.Wait()
		}()
	})
}

// A heap with many pointers, collected all the time.
func collect() {
	heap := make([]*[16]*int, 400000)
	every(500*time.Millisecond, -1, func(i int) {
		for j := i % 8; j < len(heap); j += 8 {
			heap[j] = new([16]*int)
		}
		runtime.GC()
	})
}

// Threads that compete with the case itself.
func busy() {
	for i := 0; i < 2*runtime.NumCPU(); i++ {
		go func() {
			for n := 0; ; n++ {
				if n%1000000 == 0 {
					handled.Add(1)
				}
			}
		}()
	}
}
