// SPDX-License-Identifier: Apache-2.0
package main

import (
	"sync"
	"time"
)

// Healthy: waits that are long, or of many, or that begin one by one.
func init() {
	// 500 workers on one queue, four a second and then no more.
	add("worker-pool", func() {
		tasks := make(chan int)
		go every(20*time.Millisecond, -1, func(i int) { tasks <- i })
		every(240*time.Millisecond, 500, func(int) {
			go serve(tasks)
		})
	})
	// The same, with nothing to do for now.
	add("worker-pool-idle", func() {
		tasks := make(chan int)
		kept = append(kept, tasks) // of a queue that nobody has any more they would be leaked
		every(240*time.Millisecond, 500, func(int) {
			go serve(tasks)
		})
	})
	// The same, each with a queue of its own.
	add("worker-pool-own-queues", func() {
		every(240*time.Millisecond, 500, func(int) {
			tasks := make(chan int)
			kept = append(kept, tasks)
			go serve(tasks)
		})
	})
	addPrepared("tickers-at-boot", func() string { tickers(0); return "" }, func() {})
	add("tickers-while-watched", func() { tickers(100 * time.Millisecond) })
	add("generators", func() { generators(20, 4*time.Minute) })
	add("generator", func() { generators(1, 2*time.Minute) })
	add("generators-by-turns", func() { generators(20, 20*time.Minute) })
	add("generators-unasked", func() { generators(20, 400*time.Minute) })
	add("lock-convoy", convoy)
	add("semaphore", semaphore)
	add("full-queue", func() { fullQueue(50, 0) })
	// One more producer each second while the consumer pauses.
	add("full-queue-arrivals", func() { fullQueue(20, 500) })
	add("tenants", tenants)
	add("singleflight", singleFlight)
	add("cond-queue", condQueue)
	add("start-barrier", barrier)
}

func serve(tasks <-chan int) {
	for range tasks {
		handled.Add(1)
	}
}

// 200 services that do something every few seconds, started one after the other.
func tickers(pause time.Duration) {
	every(pause, 200, func(i int) {
		go func() {
			for range time.NewTicker(time.Duration(1+i%30) * time.Second).C {
				handled.Add(1)
			}
		}()
	})
}

// Each of n generators is asked every so often, by turns.
func generators(n int, period time.Duration) {
	all := make([]chan int, n)
	for i := range all {
		c := make(chan int)
		all[i] = c
		go func() {
			for next := 0; ; next++ {
				c <- next
			}
		}()
	}
	every(period/time.Duration(n), -1, func(i int) { <-all[i%n] })
}

// 30 goroutines take turns with a lock that each holds for 5 s: everybody waits for 2.5 minutes.
func convoy() {
	var lock sync.Mutex
	for i := 0; i < 30; i++ {
		go func() {
			for {
				lock.Lock()
				<-later(5 * time.Second)
				lock.Unlock()
			}
		}()
	}
}

// 1000 jobs for ten places; each holds one for a second. Every two minutes.
func semaphore() {
	places := make(chan struct{}, 10)
	every(2*time.Minute, -1, func(int) {
		for i := 0; i < 1000; i++ {
			go func() {
				places <- struct{}{}
				<-later(time.Second)
				<-places
			}()
		}
	})
}

// The consumer works for 20 s, 100 items a second, then pauses for three minutes.
func fullQueue(producers, arrivals int) {
	queue := make(chan int, 100)
	go func() {
		for {
			every(10*time.Millisecond, 2000, func(int) { <-queue })
			time.Sleep(3 * time.Minute)
		}
	}()
	for i := 0; i < producers; i++ {
		i := i
		go func() {
			for {
				queue <- i
			}
		}()
	}
	every(time.Second, arrivals, func(i int) {
		go func() { queue <- i }()
	})
}

// Who ends the service has it; else all that wait for it would be lost.
var shutdown = make(chan struct{})

// Goroutines that wait for the end of the service, one for each tenant; 100 tenants in 200 s.
func tenants() {
	every(2*time.Second, 100, func(int) {
		go func() {
			<-shutdown
			handled.Add(1)
		}()
	})
}

// Calls that take 8 to 15 s; who asks for the same waits for the first to be done.
func singleFlight() {
	random := seeded()
	var lock sync.Mutex
	flights := map[int]*sync.WaitGroup{}
	every(100*time.Millisecond, -1, func(int) {
		key, takes := random.Intn(5), time.Duration(8+random.Intn(8))*time.Second
		go func() {
			lock.Lock()
			if flight, ok := flights[key]; ok {
				lock.Unlock()
				flight.Wait()
				return
			}
			flight := new(sync.WaitGroup)
			flight.Add(1)
			flights[key] = flight
			lock.Unlock()
			<-later(takes)
			lock.Lock()
			delete(flights, key)
			lock.Unlock()
			flight.Done()
		}()
	})
}

// A queue with a condition: 50 workers, 20 items a second.
func condQueue() {
	var lock sync.Mutex
	cond, items := sync.NewCond(&lock), 0
	for i := 0; i < 50; i++ {
		go func() {
			for {
				lock.Lock()
				for items == 0 {
					cond.Wait()
				}
				items--
				lock.Unlock()
			}
		}()
	}
	every(50*time.Millisecond, -1, func(int) {
		lock.Lock()
		items++
		lock.Unlock()
		cond.Signal()
	})
}

// A job of two minutes, all of whose parts wait for the slowest before the next begins.
func barrier() {
	for {
		var start sync.WaitGroup
		start.Add(1)
		for i := 0; i < 40; i++ {
			go func() {
				start.Wait()
				<-later(20 * time.Second)
			}()
		}
		<-later(100 * time.Second)
		start.Done()
		<-later(20 * time.Second)
	}
}
