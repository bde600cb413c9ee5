// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

// cache forgets what is old, by a goroutine that sleeps nearly all the time.
type cache struct {
	mu     sync.RWMutex
	prices map[int]price
}

type price struct {
	value int
	at    time.Time
}

func newCache() *cache {
	c := &cache{prices: make(map[int]price)}
	go c.clean()
	return c
}

func (c *cache) clean() {
	for {
		time.Sleep(3 * time.Second)
		c.mu.Lock()
		for item, p := range c.prices {
			if time.Since(p.at) > time.Minute {
				delete(c.prices, item)
			}
		}
		c.mu.Unlock()
	}
}

func (c *cache) remember(item, value int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prices[item] = price{value, time.Now()}
	return value
}

func (c *cache) recall(item int) int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.prices[item].value
}

// mailbox is a bounded queue under a condition variable, with its consumers.
type mailbox struct {
	mu       sync.Mutex
	filled   *sync.Cond
	letters  []string
	consumed int
}

func newMailbox(consumers int) *mailbox {
	m := &mailbox{}
	m.filled = sync.NewCond(&m.mu)
	for i := 0; i < consumers; i++ {
		go m.consume()
	}
	return m
}

func (m *mailbox) consume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		for len(m.letters) == 0 {
			m.filled.Wait()
		}
		m.letters = m.letters[1:]
		m.consumed++
	}
}

// put drops the letter when the queue is full: nobody blocks on mail.
func (m *mailbox) put(letter string) {
	m.mu.Lock()
	if len(m.letters) < 1000 {
		m.letters = append(m.letters, letter)
	}
	m.mu.Unlock()
	m.filled.Signal()
}

// bulletin hands the same item to everybody who waits for it.
type bulletin struct {
	mu      sync.Mutex
	readers []chan string
}

func newBulletin() *bulletin {
	return &bulletin{}
}

func (b *bulletin) next() <-chan string {
	reader := make(chan string, 1)
	b.mu.Lock()
	b.readers = append(b.readers, reader)
	b.mu.Unlock()
	return reader
}

func (b *bulletin) publish(item string) {
	b.mu.Lock()
	readers := b.readers
	b.readers = nil
	b.mu.Unlock()
	for _, reader := range readers {
		reader <- item
	}
}
