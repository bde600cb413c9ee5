// SPDX-License-Identifier: Apache-2.0
//go:build go1.23

package main

import "iter"

// numbers is suspended in its second yield.
func numbers(yield func(int) bool) {
	for n := 0; yield(n); n++ {
	}
}

//go:noinline
func pullAndWait(next func() (int, bool)) {
	next()
	<-never
}

// fresh is a coroutine that nobody has asked for anything yet.
func fresh(yield func(int) bool) { yield(0) }

func parkInCoroutines() {
	next, stop := iter.Pull(iter.Seq[int](numbers))
	next()
	next()
	untouched, end := iter.Pull(iter.Seq[int](fresh))
	keep = append(keep, next, stop, untouched, end)
	inside, leave := iter.Pull(iter.Seq[int](numbers))
	keep = append(keep, leave)
	go pullAndWait(inside)
	way("numbers/coroutine")
	way("pullAndWait/chan")
}
