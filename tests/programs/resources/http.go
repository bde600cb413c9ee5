// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"sync"
)

var (
	bodiesMu sync.Mutex
	bodies   []*http.Response
	started  [2]sync.Once
	servers  [2]*httptest.Server
	peer     string // another process's server of HTTP/2, which is asked instead of its own
)

// A body that does not end as long as somebody might read it.
func answer(w http.ResponseWriter, r *http.Request) {
	w.Write(make([]byte, 1<<10))
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func serve2() string {
	started[1].Do(func() { startServer(2) })
	return servers[1].URL
}

func startServer(version int) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	s.EnableHTTP2 = version == 2
	s.StartTLS()
	servers[version-1] = s
}

func get(version int) func() {
	started[version-1].Do(func() { startServer(version) })
	url := servers[version-1].URL
	if version == 2 && peer != "" {
		url = peer
	}
	response, err := servers[version-1].Client().Get(url)
	must(err)
	bodiesMu.Lock()
	bodies = append(bodies, response)
	bodiesMu.Unlock()
	return func() { response.Body.Close() }
}

func openBody() func()  { return get(1) }
func openBody2() func() { return get(2) }
