// SPDX-License-Identifier: Apache-2.0

// A gateway whose pool of keep-alive connections fills up: /fetch?b=N gets a page from the N-th of
// many hosts (all of them this process, at addresses 127.1.x.y).
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

func backend(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(20 * time.Millisecond)
	fmt.Fprintln(w, "page")
}

func fetch(client *http.Client, port int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("b"))
		url := fmt.Sprintf("http://127.1.%d.%d:%d/", n/250%250, 1+n%250, port)
		request, err := http.NewRequestWithContext(r.Context(), "GET", url, nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		response, err := client.Do(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		io.Copy(w, response.Body)
	}
}

func main() {
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, http.HandlerFunc(backend))
	client := &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			MaxIdleConns: 400, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		},
	}
	http.Handle("/fetch", fetch(client, listener.Addr().(*net.TCPAddr).Port))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
