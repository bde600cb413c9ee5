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
)

// What is larger than any buffer on the way is still there when nobody reads it.
func answer(w http.ResponseWriter, r *http.Request) {
	page := make([]byte, 64<<10)
	for i := 0; i < 256; i++ {
		if _, err := w.Write(page); err != nil {
			return
		}
	}
}

func get(version int) func() {
	started[version-1].Do(func() {
		s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
		s.EnableHTTP2 = version == 2
		s.StartTLS()
		servers[version-1] = s
	})
	response, err := servers[version-1].Client().Get(servers[version-1].URL)
	must(err)
	bodiesMu.Lock()
	bodies = append(bodies, response)
	bodiesMu.Unlock()
	return func() { response.Body.Close() }
}

func openBody() func()  { return get(1) }
func openBody2() func() { return get(2) }
