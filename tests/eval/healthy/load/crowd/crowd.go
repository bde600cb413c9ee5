// SPDX-License-Identifier: Apache-2.0

// Package crowd makes clients come and go: how many there are follows a shape over time, and what
// each one does is a function that runs until its context ends. Everything is bounded by the
// number of clients and the pause between their requests, so that a small machine is enough.
package crowd

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Spec is one crowd of clients that are alike.
type Spec struct {
	Kind    string            `json:"kind"`
	Shape   [][2]float64      `json:"shape"` // percent of the time, clients; straight lines between
	Every   float64           `json:"every"` // seconds between two requests of a client
	Life    float64           `json:"life"`  // mean seconds after which a client makes room for a new one
	URL     string            `json:"url"`   // or host:port
	Method  string            `json:"method"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
	Conn    string            `json:"conn"`  // http: "own", "shared" pool, "fresh" each time, "h2": one for all
	Hello   string            `json:"hello"` // raw: sent once
	Say     string            `json:"say"`   // raw, ws: sent again and again
	Rate    int               `json:"rate"`  // bytes per second that the client takes or sends; 0: all
	Trickle bool              `json:"trickle"`
	Rude    bool              `json:"rude"` // leaves with a reset instead of a farewell
	Streams int               `json:"streams"`
}

// Counts is what happened; all of it is added to by many goroutines.
type Counts struct {
	Clients, Requests, Errors, Bytes atomic.Int64
	lastError                        atomic.Value
}

// Failed counts an error, unless it is only the end of the client.
func (c *Counts) Failed(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	c.Errors.Add(1)
	c.lastError.Store(err.Error())
}

// Client is one member of a crowd.
type Client struct {
	Spec   *Spec
	Counts *Counts
	Number int64
	turn   atomic.Int64
}

// Fill replaces $N by the client's number, $W by the same in six digits, and $R by a number that
// rises with every use.
func (c *Client) Fill(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	turn := strconv.FormatInt(c.turn.Add(1), 10)
	return strings.NewReplacer(
		"$N", strconv.FormatInt(c.Number, 10), "$W", fmt.Sprintf("%06d", c.Number), "$R", turn,
	).Replace(text)
}

// Pause waits for the client's next turn; false when it has to go.
func (c *Client) Pause(ctx context.Context) bool {
	every := c.Spec.Every
	if every <= 0 {
		every = 1
	}
	return Sleep(ctx, every*(0.8+0.4*rand.Float64()))
}

// Sleep waits so many seconds; false when the context ended before.
func Sleep(ctx context.Context, seconds float64) bool {
	timer := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Behaviour is what a client does until its context ends. When it returns before, the client
// comes again after a pause.
type Behaviour func(ctx context.Context, client *Client)

func (s *Spec) at(percent float64) int {
	before := [2]float64{0, 0}
	for _, point := range s.Shape {
		if percent < point[0] {
			share := (percent - before[0]) / (point[0] - before[0])
			return int(before[1] + share*(point[1]-before[1]) + 0.5)
		}
		before = point
	}
	return int(before[1])
}

type running struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func live(ctx context.Context, client *Client, behave Behaviour, done chan struct{}) {
	defer close(done)
	for ctx.Err() == nil {
		behave(ctx, client)
		if !client.Pause(ctx) {
			return
		}
	}
}

func start(ctx context.Context, spec *Spec, counts *Counts, behave Behaviour) running {
	client := &Client{Spec: spec, Counts: counts, Number: counts.Clients.Add(1)}
	ctx, cancel := context.WithCancel(ctx)
	if spec.Life > 0 {
		life := spec.Life * (0.5 + rand.Float64())
		ctx, cancel = context.WithTimeout(ctx, time.Duration(life*float64(time.Second)))
	}
	r := running{cancel, make(chan struct{})}
	go live(ctx, client, behave, r.done)
	return r
}

func withoutEnded(all []running) []running {
	kept := all[:0]
	for _, r := range all {
		select {
		case <-r.done:
			r.cancel()
		default:
			kept = append(kept, r)
		}
	}
	return kept
}

func (s *Spec) run(ctx context.Context, length time.Duration, counts *Counts, behave Behaviour) {
	var clients []running
	begin := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		clients = withoutEnded(clients)
		wanted := s.at(100 * float64(time.Since(begin)) / float64(length))
		for len(clients) < wanted {
			clients = append(clients, start(ctx, s, counts, behave))
		}
		for ; len(clients) > wanted; clients = clients[1:] {
			clients[0].cancel()
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	for _, r := range clients {
		r.cancel()
		<-r.done
	}
}

type plan struct {
	Seconds float64 `json:"seconds"`
	Crowds  []*Spec `json:"crowds"`
}

// Main runs the plan in the file named on the command line and prints the counts as JSON.
func Main(kinds map[string]func(*Spec) (Behaviour, error)) {
	if err := mainOrError(kinds); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func read(path string) (*plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &plan{}
	return p, json.Unmarshal(text, p)
}

func mainOrError(kinds map[string]func(*Spec) (Behaviour, error)) error {
	if len(os.Args) != 2 {
		return fmt.Errorf("give it the file with the plan")
	}
	p, err := read(os.Args[1])
	if err != nil {
		return err
	}
	length := time.Duration(p.Seconds * float64(time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	counts := &Counts{}
	var all sync.WaitGroup
	for _, spec := range p.Crowds {
		make, known := kinds[spec.Kind]
		if !known {
			return fmt.Errorf("no kind of client is called %q", spec.Kind)
		}
		behave, err := make(spec)
		if err != nil {
			return err
		}
		all.Add(1)
		go func(spec *Spec) {
			defer all.Done()
			spec.run(ctx, length, counts, behave)
		}(spec)
	}
	all.Wait()
	last, _ := counts.lastError.Load().(string)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"clients": counts.Clients.Load(), "requests": counts.Requests.Load(),
		"errors": counts.Errors.Load(), "bytes": counts.Bytes.Load(), "last_error": last,
	})
}
