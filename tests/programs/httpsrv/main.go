// SPDX-License-Identifier: Apache-2.0

// httpsrv answers every request with the help of two goroutines: a load generator sees what tracing
// their lifetimes costs a service.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func price(item string, answer chan<- int) {
	sum := 0
	for _, c := range item {
		sum = sum*31 + int(c)
	}
	answer <- sum & 0xfff
}

func handle(w http.ResponseWriter, r *http.Request) {
	// Buffered: neither can stay behind.
	base, tax := make(chan int, 1), make(chan int, 1)
	go price(r.URL.Path, base)
	go price(r.URL.RawQuery, tax)
	fmt.Fprintf(w, "%d\n", <-base+<-tax)
}

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready", os.Getpid(), listener.Addr())
	// Ends with its parent: end of input is end of service.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, http.Serve(listener, http.HandlerFunc(handle)))
	os.Exit(1)
}
