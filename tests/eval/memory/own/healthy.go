// SPDX-License-Identifier: Apache-2.0
package main

import (
	"container/list"
	"math/rand"
	"runtime/debug"
	"sync"
	"time"
)

var began = time.Now()

// seconds since the program began.
func seconds() float64 { return time.Since(began).Seconds() }

func block() []byte { return make([]byte, 4096) }

// lru is a cache that evicts what was used longest ago.
type lru struct {
	limit int
	items map[int]*list.Element
	order *list.List
}

func newLRU(limit int) *lru {
	return &lru{limit, map[int]*list.Element{}, list.New()}
}

func (c *lru) get(key int) {
	if e := c.items[key]; e != nil {
		c.order.MoveToFront(e)
		return
	}
	c.items[key] = c.order.PushFront([2]any{key, block()})
	if c.order.Len() > c.limit {
		last := c.order.Back()
		delete(c.items, last.Value.([2]any)[0].(int))
		c.order.Remove(last)
	}
}

// visit is a session that ends by itself.
type visit struct {
	until float64
	data  []byte
}

// visits begin at a rate that changes, and last for so many seconds.
func visits(rate func() float64, length float64) {
	var all []visit
	due := 0.0
	every(tick, func(i int) {
		for due += rate() * tick.Seconds(); due > 1; due-- {
			all = append(all, visit{seconds() + length*(0.5+rand.Float64()), block()})
		}
		left := all[:0]
		for _, v := range all {
			if v.until > seconds() {
				left = append(left, v)
			}
		}
		clear(all[len(left):])
		all = left
	})
}

// filled keeps what fills up to a number of blocks over so many seconds.
func filled(share func(t float64) float64, blocks int) {
	var all [][]byte
	every(tick, func(i int) {
		for len(all) < int(share(seconds())*float64(blocks)) {
			all = append(all, block())
		}
	})
}

func init() {
	cases["churn"] = churn
	cases["lru"] = func() {
		cache := newLRU(20000)
		every(tick, func(i int) {
			for k := 0; k < 100; k++ {
				cache.get(rand.Intn(60000))
			}
		})
	}
	// All but a thousandth within two minutes.
	cases["warm-up"] = func() {
		go churn()
		filled(func(t float64) float64 { return 1 - 1/(1+t*t*t/1000) }, 30000)
	}
	cases["fills-for-a-minute"] = func() {
		go churn()
		filled(func(t float64) float64 { return min(1, t/60) }, 30000)
	}
	cases["loaded-at-once"] = func() {
		go churn()
		filled(func(t float64) float64 { return min(1, max(0, t-150)/10) }, 50000)
	}
	// Fifty more visitors every second, for as long as it runs.
	cases["load-ramp"] = func() {
		visits(func() float64 { return 50 + seconds() }, 30)
	}
	cases["load-ramp-to-its-top"] = func() {
		visits(func() float64 { return 50 + min(150, seconds()) }, 60)
	}
	cases["sessions"] = func() {
		visits(func() float64 { return 100 }, 60)
	}
	cases["batch"] = func() {
		for {
			var rows [][]byte
			for end := seconds() + 40; seconds() < end; time.Sleep(tick) {
				rows = append(rows, block(), block(), block())
			}
			use(rows)
		}
	}
	cases["burst"] = func() {
		go churn()
		for {
			var rows [][]byte
			for k := 0; k < 5000; k++ {
				rows = append(rows, block())
			}
			time.Sleep(20 * time.Second)
			use(rows)
			rows = nil
			time.Sleep(25 * time.Second)
		}
	}
	cases["pool"] = func() {
		pool := sync.Pool{New: func() any { b := block(); return &b }}
		every(tick, func(i int) {
			var taken []*[]byte
			for k := 0; k < 100+i%7*100; k++ {
				taken = append(taken, pool.Get().(*[]byte))
			}
			for _, b := range taken {
				pool.Put(b)
			}
		})
	}
	cases["gogc"] = func() {
		go churn()
		go func() {
			for i := 0; ; i++ {
				debug.SetGCPercent([]int{50, 400, 100}[i%3])
				time.Sleep(25 * time.Second)
			}
		}()
		cache := newLRU(10000)
		every(tick, func(i int) {
			for k := 0; k < 100; k++ {
				cache.get(rand.Intn(11000))
			}
		})
	}
	cases["queue"] = func() { // whose consumer is behind now and then
		jobs := make(chan []byte, 20000)
		go func() {
			for i := 0; ; i++ {
				use(<-jobs)
				if i%3000 == 0 {
					time.Sleep(9 * time.Second)
				}
			}
		}()
		every(tick, func(i int) {
			jobs <- block()
			jobs <- block()
		})
	}
	cases["fills-for-twenty-minutes"] = func() {
		go churn()
		filled(func(t float64) float64 { return min(1, t/1200) }, 150000)
	}
}
