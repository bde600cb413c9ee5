// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// customers are the clients: a steady load on every route over keep-alive connections.
type customers struct {
	base    string
	client  *http.Client
	answers int64
	errors  int64
}

func openCustomers(ctx context.Context, base string, calm int) *customers {
	c := &customers{
		base: base,
		client: &http.Client{
			Timeout:   30 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		},
	}
	pace := func(ms int) time.Duration { return time.Duration(ms*calm) * time.Millisecond }
	branches := []string{"north", "south", "north", "south", "north", "south", "export"}
	go c.each(ctx, pace(12), func(i int) string { return fmt.Sprint("/quote?item=", i) })
	go c.each(ctx, pace(40), func(i int) string {
		return "/order?branch=" + branches[i%len(branches)]
	})
	go c.each(ctx, pace(30), func(i int) string { return fmt.Sprint("/track?parcel=", i) })
	for i := 0; i < 20; i++ {
		go c.readNews(ctx)
	}
	return c
}

// each asks at a steady pace, whether or not earlier answers have come.
func (c *customers) each(ctx context.Context, pace time.Duration, path func(int) string) {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			go c.get(ctx, path(i))
		}
	}
}

func (c *customers) readNews(ctx context.Context) {
	for ctx.Err() == nil {
		c.get(ctx, "/news")
	}
}

func (c *customers) get(ctx context.Context, path string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		panic(err)
	}
	response, err := c.client.Do(request)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	switch {
	case err == nil:
		atomic.AddInt64(&c.answers, 1)
	case ctx.Err() == nil:
		atomic.AddInt64(&c.errors, 1)
	}
}

func (c *customers) failed() int64 {
	return atomic.LoadInt64(&c.errors)
}

func (c *customers) summary() string {
	return fmt.Sprintf("%d requests answered, %d failed", atomic.LoadInt64(&c.answers), c.failed())
}
