// SPDX-License-Identifier: Apache-2.0

// A program follows the daemon's events. A burst of them fills the client's buffer: its reader sends while
// it holds a read lock, its consumer wants the write lock, and all who want to listen wait behind it.
package main

import (
	"fmt"
	"net/http"
	"time"

	docker "github.com/fsouza/go-dockerclient"
)

var api *docker.Client

func events(w http.ResponseWriter, _ *http.Request) {
	begin := time.Now()
	for {
		n := 1
		if !repaired && time.Since(begin) > 15*time.Second {
			n = 3000
		}
		for ; n > 0; n-- {
			if _, err := fmt.Fprintf(w, `{"Type":"container","Action":"start","time":%d}`,
				time.Now().Unix()); err != nil {
				return
			}
		}
		w.(http.Flusher).Flush()
		time.Sleep(500 * time.Millisecond)
	}
}

func daemon() string {
	l := listen()
	go func() { must(http.Serve(l, http.HandlerFunc(events))) }()
	return l.Addr().String()
}

func connect(peer string) {
	c, err := docker.NewClient("tcp://" + peer)
	must(err)
	api = c
	all := make(chan *docker.APIEvents, 16)
	must(api.AddEventListener(all))
	go func() {
		for range all {
		}
	}()
}

func task() {
	mine := make(chan *docker.APIEvents, 16)
	if api.AddEventListener(mine) != nil {
		return
	}
	select {
	case <-mine:
	case <-time.After(2 * time.Second):
	}
	_ = api.RemoveEventListener(mine)
}

func step(peer string) {
	if api == nil {
		connect(peer)
	}
	go task()
}

func main() {
	run(program{step: step, pause: 20 * time.Second, peer: daemon})
}
