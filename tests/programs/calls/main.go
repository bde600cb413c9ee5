// SPDX-License-Identifier: Apache-2.0

// Calls makes requests whose bodies it does not close, from one line, beside others whose bodies it holds
// for a while, from another: the goroutines that net/http starts for both are at the same places.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"
)

// kept makes sure that nothing is collected that is to stay.
var kept []*http.Response

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func answer(w http.ResponseWriter, _ *http.Request) {
	for i := 0; i < 100; i++ {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return
		}
	}
}

// forget closes none of n bodies.
func forget(client *http.Client, url string, n int) {
	for i := 0; i < n; i++ {
		response, err := client.Get(url) // call: forget
		must(err)
		kept = append(kept, response)
		time.Sleep(200 * time.Millisecond)
	}
}

// hold closes each of n bodies after two seconds.
func hold(client *http.Client, url string, n int) {
	for i := 0; i < n; i++ {
		response, err := client.Get(url) // call: hold
		must(err)
		time.AfterFunc(2*time.Second, func() { response.Body.Close() })
		time.Sleep(170 * time.Millisecond)
	}
}

func main() {
	server := httptest.NewServer(http.HandlerFunc(answer))
	client := &http.Client{Transport: &http.Transport{}}
	kinds := map[string]func(*http.Client, string, int){"forget": forget, "hold": hold}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		number, err := strconv.Atoi(words[1])
		must(err)
		go kinds[words[0]](client, server.URL, number)
		fmt.Println("ok", words[0])
	}
}
