// SPDX-License-Identifier: Apache-2.0

// What services do with goroutines besides serving connections: a pool that grows with its queue
// and shrinks when idle, one actor per tenant, fan-outs, a semaphore with a queue before it, a
// batch writer, jobs that come at once every 30 seconds.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand"
	"net/http"
	"os"
	"sync"
	"time"
)

// pool has up to `most` workers, each of which ends after 25 idle seconds.
type pool struct {
	mutex   sync.Mutex
	workers int
	most    int
	jobs    chan func()
}

func (p *pool) work() {
	idle := time.NewTimer(25 * time.Second)
	for {
		idle.Reset(25 * time.Second)
		select {
		case job := <-p.jobs:
			job()
		case <-idle.C:
			p.mutex.Lock()
			p.workers--
			p.mutex.Unlock()
			return
		}
	}
}

func (p *pool) submit(job func()) {
	select {
	case p.jobs <- job:
		return
	default:
	}
	p.mutex.Lock()
	if p.workers < p.most {
		p.workers++
		go p.work()
	}
	p.mutex.Unlock()
	p.jobs <- job
}

// tenants keeps one actor for each tenant that was ever seen; there are 120 at most.
type tenants struct {
	mutex  sync.Mutex
	actors map[int]chan chan int
}

func actor(inbox chan chan int) {
	served := 0
	for reply := range inbox {
		served++
		reply <- served
	}
}

func (t *tenants) ask(number int) int {
	t.mutex.Lock()
	inbox, known := t.actors[number]
	if !known {
		inbox = make(chan chan int)
		t.actors[number] = inbox
		go actor(inbox)
	}
	t.mutex.Unlock()
	reply := make(chan int)
	inbox <- reply
	return <-reply
}

// batch writes what many ask for at once, every two seconds; they wait for it.
type batch struct {
	mutex   sync.Mutex
	written *sync.Cond
	turn    int
}

func (b *batch) run() {
	for range time.Tick(2 * time.Second) {
		b.mutex.Lock()
		b.turn++
		b.mutex.Unlock()
		b.written.Broadcast()
	}
}

func (b *batch) wait() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for turn := b.turn; turn == b.turn; {
		b.written.Wait()
	}
}

func fanOut(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan int, 8)
	var all sync.WaitGroup
	for i := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			select {
			case <-time.After(time.Duration(50+rand.Intn(400)) * time.Millisecond):
				results <- i
			case <-ctx.Done():
			}
		}()
	}
	all.Wait()
	return ctx.Err()
}

// nightly starts 150 jobs at once that share 10 places and take half a second each.
func nightly() {
	for range time.Tick(30 * time.Second) {
		places := make(chan struct{}, 10)
		for range 150 {
			go func() {
				places <- struct{}{}
				time.Sleep(500 * time.Millisecond)
				<-places
			}()
		}
	}
}

func main() {
	workers := &pool{most: 60, jobs: make(chan func())}
	actors := &tenants{actors: make(map[int]chan chan int)}
	writer := &batch{}
	writer.written = sync.NewCond(&writer.mutex)
	go writer.run()
	go nightly()
	places := make(chan struct{}, 5)
	zipf := rand.NewZipf(rand.New(rand.NewSource(1)), 1.2, 4, 119)
	var zipfMutex sync.Mutex

	http.HandleFunc("/job", func(w http.ResponseWriter, _ *http.Request) {
		done := make(chan struct{})
		workers.submit(func() {
			time.Sleep(time.Duration(300+rand.Intn(1500)) * time.Millisecond)
			close(done)
		})
		<-done
	})
	http.HandleFunc("/tenant", func(w http.ResponseWriter, _ *http.Request) {
		zipfMutex.Lock()
		number := int(zipf.Uint64())
		zipfMutex.Unlock()
		fmt.Fprintln(w, actors.ask(number))
	})
	http.HandleFunc("/fan", func(w http.ResponseWriter, r *http.Request) {
		if err := fanOut(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusGatewayTimeout)
		}
	})
	http.HandleFunc("/limited", func(w http.ResponseWriter, _ *http.Request) {
		places <- struct{}{}
		time.Sleep(time.Duration(100+rand.Intn(400)) * time.Millisecond)
		<-places
	})
	http.HandleFunc("/write", func(w http.ResponseWriter, _ *http.Request) { writer.wait() })
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
