// SPDX-License-Identifier: Apache-2.0
//go:build go1.25 || (go1.24 && goexperiment.synctest)

package main

import (
	"sync"
	"testing/synctest"
	"time"
)

//go:noinline
func bubbleReceive(wait chan int) { <-wait }

//go:noinline
func bubbleSelect(wait chan int) {
	select {
	case <-wait:
	case <-time.After(time.Hour):
	}
}

//go:noinline
func bubbleSleep() { time.Sleep(time.Hour) }

//go:noinline
func bubbleGroup(group *sync.WaitGroup) { group.Wait() }

//go:noinline
func bubbleMutex() { mutex.Lock() }

//go:noinline
func bubbleWait() { synctest.Wait() }

// bubble stands still: the goroutine at the mutex may be released from outside at any time, so that
// the bubble's clock does not advance.
func bubble() {
	wait := make(chan int)
	group := new(sync.WaitGroup)
	group.Add(1)
	go bubbleMutex()
	go bubbleReceive(wait)
	go bubbleSelect(wait)
	go bubbleSleep()
	go bubbleGroup(group)
	go bubbleWait()
	time.Sleep(time.Hour)
}

func parkInBubble() {
	go runBubble(bubble)
	for _, name := range []string{"bubbleMutex/s", "bubbleReceive/chan", "bubbleSelect/select",
		"bubbleSleep/sleep", "bubbleGroup/s", "bubbleWait/s"} {
		way(name)
	}
}
