// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package main

var rangedCalls = deferring{turns: make(chan bool)}

func (d *deferring) each(yield func(bool) bool) {
	for late := range d.turns {
		if !yield(late) {
			return
		}
	}
}

func deferInRange(d *deferring) {
	for range d.each {
		defer expireTurn(d)
	}
}

func openRanged() func() {
	rangedCalls.once.Do(func() { go deferInRange(&rangedCalls) })
	rangedCalls.turns <- true
	return func() {}
}

func init() {
	kinds["ranged"] = &kind{open: openRanged}
}
