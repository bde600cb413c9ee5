// SPDX-License-Identifier: Apache-2.0

// first is a plugin of plugins: goroutines made by code that came later than the program.
package main

import "sync"

var firstNever = make(chan struct{})

func firstParked(ready *sync.WaitGroup) {
	ready.Done()
	<-firstNever // blocked:park
}

// Park makes n goroutines that stay.
func Park(n int) {
	var ready sync.WaitGroup
	ready.Add(n)
	for i := 0; i < n; i++ {
		go firstParked(&ready) // made:park
	}
	ready.Wait()
}

// Run makes n goroutines that are gone when it returns.
func Run(n int) {
	var done sync.WaitGroup
	done.Add(n)
	for i := 0; i < n; i++ {
		go done.Done() // made:run
	}
	done.Wait()
}

func main() {}
