// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// shop is the service: quotes, orders, a long poll for news, a cache and background work.
type shop struct {
	leaky   bool
	orders  int64
	ledgers map[string]*ledger
	cache   *cache
	mail    *mailbox
	jobs    chan func()
	news    *bulletin
}

func newShop(leaky bool) *shop {
	s := &shop{
		leaky:   leaky,
		ledgers: map[string]*ledger{"north": {}, "south": {}, "export": {}},
		cache:   newCache(),
		mail:    newMailbox(4),
		jobs:    make(chan func()),
		news:    newBulletin(),
	}
	for i := 0; i < 8; i++ {
		go s.work()
	}
	go s.publish()
	go s.report()
	return s
}

// work is one of a fixed pool that waits for jobs: idle most of the time, and healthy.
func (s *shop) work() {
	for job := range s.jobs {
		job()
	}
}

// publish wakes everybody who polls for news.
func (s *shop) publish() {
	for range time.Tick(700 * time.Millisecond) {
		s.news.publish(fmt.Sprintf("%d orders", atomic.LoadInt64(&s.orders)))
	}
}

func (s *shop) report() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	never := make(chan struct{})
	for {
		select {
		case <-ticker.C:
			s.mail.put(fmt.Sprintf("report: %d orders", atomic.LoadInt64(&s.orders)))
		case <-never:
			return
		}
	}
}

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/quote", s.quote)
	mux.HandleFunc("/order", s.order)
	mux.HandleFunc("/track", s.track)
	mux.HandleFunc("/news", s.poll)
	return mux
}

// askSupplier answers on a channel that is unbuffered in the leaky shop: when the handler has given
// up, nobody will ever receive.
func askSupplier(delay time.Duration, price int, answer chan<- int) {
	time.Sleep(delay)
	answer <- price // leak: chan send
}

func (s *shop) quote(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("item"))
	room := 1
	if s.leaky {
		room = 0
	}
	answer := make(chan int, room)
	delay := 2 * time.Millisecond
	if n%20 == 0 { // a slow supplier
		delay = 120 * time.Millisecond
	}
	go askSupplier(delay, 100+n, answer)
	select {
	case price := <-answer:
		fmt.Fprintln(w, s.cache.remember(n, price))
	case <-time.After(40 * time.Millisecond):
		fmt.Fprintln(w, s.cache.recall(n))
	}
}

var errExport = errors.New("no licence")

// ledger keeps the books of one branch.
type ledger struct {
	mu    sync.Mutex
	lines int
}

// add books one order. The leaky shop forgets the lock on the way out of an error: every later
// booking of that branch waits for ever.
func (l *ledger) add(branch string, leaky bool) error {
	l.mu.Lock() // leak: mutex
	if branch == "export" {
		if !leaky {
			l.mu.Unlock()
		}
		return errExport
	}
	l.lines++
	l.mu.Unlock()
	return nil
}

func (s *shop) order(w http.ResponseWriter, r *http.Request) {
	branch := r.FormValue("branch")
	book := s.ledgers[branch]
	if book == nil {
		http.Error(w, "no such branch", http.StatusNotFound)
		return
	}
	number := atomic.AddInt64(&s.orders, 1)
	go func() {
		if err := book.add(branch, s.leaky); err != nil {
			s.mail.put(err.Error())
		}
	}()
	done := make(chan struct{})
	s.jobs <- func() {
		s.mail.put("confirmation " + strconv.FormatInt(number, 10))
		close(done)
	}
	<-done
	_ = json.NewEncoder(w).Encode(map[string]int64{"order": number})
}

// parcel is on its way: its context ends when it need not be followed any more.
type parcel struct {
	moves chan string
	close context.CancelFunc
	seen  int64
}

func (p *parcel) follow(ctx context.Context) {
	for {
		select { // leak: select
		case <-ctx.Done():
			return
		case <-p.moves:
			atomic.AddInt64(&p.seen, 1)
		}
	}
}

func (s *shop) track(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("parcel"))
	p := &parcel{moves: make(chan string, 1)}
	// Not the request's context: tracking was meant to outlive it, for a while.
	ctx, cancel := context.WithCancel(context.Background())
	p.close = cancel
	go p.follow(ctx)
	p.moves <- "packed"
	if n%10 == 0 {
		// The way out that nobody thought of.
		if !s.leaky {
			p.close()
		}
		http.Error(w, "lost parcel", http.StatusNotFound)
		return
	}
	defer p.close()
	fmt.Fprintln(w, "on its way")
}

// poll is held open until there is news: many goroutines wait here for long, and all leave.
func (s *shop) poll(w http.ResponseWriter, r *http.Request) {
	select {
	case item := <-s.news.next():
		fmt.Fprintln(w, item)
	case <-r.Context().Done():
	case <-time.After(20 * time.Second):
		w.WriteHeader(http.StatusNoContent)
	}
}
