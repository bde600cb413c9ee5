// SPDX-License-Identifier: Apache-2.0

// Goroutines that end by themselves, only much later: an entry of a cache that removes itself, a
// session that ends when nobody has asked for it for a while, a retry in a minute and a half.
// None of them has a connection of its own.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

type cache struct {
	mutex   sync.Mutex
	entries map[string]bool
}

// put has a goroutine sleep for as long as the entry is good.
func (c *cache) put(key string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.entries[key] {
		return
	}
	c.entries[key] = true
	go func() {
		time.Sleep(80 * time.Second)
		c.mutex.Lock()
		delete(c.entries, key)
		c.mutex.Unlock()
	}()
}

type sessions struct {
	mutex sync.Mutex
	all   map[string]chan struct{}
}

// keep ends a session which was not touched for 50 seconds.
func (s *sessions) keep(name string, touched <-chan struct{}) {
	idle := time.NewTimer(50 * time.Second)
	defer idle.Stop()
	for {
		select {
		case <-touched:
			idle.Reset(50 * time.Second)
		case <-idle.C:
			s.mutex.Lock()
			delete(s.all, name)
			s.mutex.Unlock()
			return
		}
	}
}

func (s *sessions) touch(name string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	touched, known := s.all[name]
	if !known {
		touched = make(chan struct{}, 1)
		s.all[name] = touched
		go s.keep(name, touched)
	}
	select {
	case touched <- struct{}{}:
	default:
	}
}

// retry tries again after 90 seconds, unless the server ends before.
func retry(end <-chan struct{}) {
	select {
	case <-time.After(90 * time.Second):
	case <-end:
	}
}

func main() {
	entries := &cache{entries: make(map[string]bool)}
	users := &sessions{all: make(map[string]chan struct{})}
	end := make(chan struct{})
	http.HandleFunc("/cache", func(w http.ResponseWriter, r *http.Request) {
		entries.put(r.FormValue("key"))
		fmt.Fprintln(w, "cached")
	})
	http.HandleFunc("/session", func(w http.ResponseWriter, r *http.Request) {
		users.touch(r.FormValue("user"))
		fmt.Fprintln(w, "welcome")
	})
	http.HandleFunc("/later", func(w http.ResponseWriter, _ *http.Request) {
		go retry(end)
		fmt.Fprintln(w, "later")
	})
	err := http.ListenAndServe(os.Args[1], nil)
	close(end)
	log.Fatal(err)
}
