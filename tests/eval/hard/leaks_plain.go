// SPDX-License-Identifier: Apache-2.0
package main

import (
	"sync"
	"time"
)

// One goroutine a second is lost, in each of the ways to wait; and what hides slower ones.
func init() {
	add("recv", func() {
		every(time.Second, -1, func(int) {
			answer := make(chan int)
			go func() { <-answer }() // leak: recv
		})
	})
	add("send", func() {
		every(time.Second, -1, func(i int) {
			answer := make(chan int)
			go func() { answer <- i }() // leak: send
		})
	})
	add("select", func() {
		every(time.Second, -1, func(int) {
			answer, done := make(chan int), make(chan int)
			go func() { // leak: select
				select {
				case <-answer:
				case <-done:
				}
			}()
		})
	})
	add("mutex", lockedForEver)
	add("waitgroup", func() {
		every(time.Second, -1, func(int) {
			group := new(sync.WaitGroup)
			group.Add(1)
			go group.Wait() // leak: waitgroup
		})
	})
	add("cond", func() {
		every(time.Second, -1, func(int) {
			cond := sync.NewCond(new(sync.Mutex))
			go func() { // leak: cond
				cond.L.Lock()
				cond.Wait()
			}()
		})
	})
	add("nilchan", func() {
		every(time.Second, -1, func(int) {
			var never chan int
			go func() { <-never }() // leak: nilchan
		})
	})
	add("minute", func() {
		every(time.Minute, -1, func(int) {
			go lost() // leak: minute
		})
	})
	add("minute-churn-same", func() { churnAndLose(60 * 5000) })
	add("minute-churn-other", func() {
		go churn()
		every(time.Minute, -1, func(int) {
			go lost() // leak: minute-churn-other
		})
	})
	add("tenth-churn-same", func() { churnAndLose(10 * 5000) })
	add("tenth-churn-other", func() {
		go churn()
		every(10*time.Second, -1, func(int) {
			go lost() // leak: tenth-churn-other
		})
	})
	add("stops-growing", func() {
		every(time.Second, 90, func(int) {
			go lost() // leak: stops-growing
		})
	})
	addPrepared("attach-middle", func() string {
		every(0, 5000, func(int) { loseOne() })
		return ""
	}, func() {
		every(time.Second, -1, func(int) { loseOne() })
	})
	add("burst", func() {
		every(time.Minute, -1, func(int) {
			for i := 0; i < 100; i++ {
				go lost() // leak: burst
			}
		})
	})
}

func lost() {
	<-make(chan int)
}

func loseOne() {
	go lost() // leak: attach-middle
}

// A request that fails half-way does not unlock.
func lockedForEver() {
	var lock sync.Mutex
	lock.Lock()
	every(time.Second, -1, func(int) {
		go func() { // leak: mutex
			lock.Lock()
			handled.Add(1)
			lock.Unlock()
		}()
	})
}

// A goroutine that asks for an answer. 5,000 a second get it within 2 ms.
func ask(questions chan<- chan int) {
	answer := make(chan int)
	questions <- answer
	<-answer
}

func answerAll(questions <-chan chan int) {
	for answer := range questions {
		answer <- 1
	}
}

// One of @oneOf gets no answer; all are created, and wait, at the same lines.
func churnAndLose(oneOf int) {
	answered, dropped := make(chan chan int), make(chan chan int, 1000)
	go answerAll(answered)
	every(10*time.Millisecond, -1, func(i int) {
		for j := 0; j < 50; j++ {
			questions := answered
			if (i*50+j)%oneOf == oneOf/2 {
				questions = dropped
			}
			go ask(questions) // leak: churn-same
		}
	})
}

func churn() {
	answered := make(chan chan int)
	go answerAll(answered)
	every(10*time.Millisecond, -1, func(int) {
		for j := 0; j < 50; j++ {
			go ask(answered)
		}
	})
}
