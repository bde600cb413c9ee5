// SPDX-License-Identifier: Apache-2.0

// demo is a small order service with its own customers: it listens on loopback, and clients in the
// same process use it. It has three goroutine leaks of the kinds that code review misses (marked
// "leak:" where their goroutines block), among many goroutines which wait for good reason. With
// -healthy the same service runs without the three mistakes.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	healthy := flag.Bool("healthy", false, "run without the leaks")
	length := flag.Duration("for", 2*time.Minute, "how long to run")
	quiet := flag.Bool("quiet", false, "no words on stdout but the first line")
	calm := flag.Int("calm", 1, "how many times less often customers come, for slow machines")
	flag.Parse()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	shop := newShop(!*healthy)
	server := &http.Server{Handler: shop.routes()}
	go func() {
		if err := server.Serve(listener); err != http.ErrServerClosed {
			fmt.Fprintln(os.Stderr, "demo:", err)
			os.Exit(1)
		}
	}()
	fmt.Println("ready", os.Getpid(), listener.Addr())

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), *length)
	defer cancel()
	customers := openCustomers(ctx, "http://"+listener.Addr().String(), *calm)
	select {
	case <-stop:
	case <-ctx.Done():
	}
	cancel()
	if !*quiet {
		fmt.Println(customers.summary())
	}
	if customers.failed() > 0 {
		os.Exit(1)
	}
}
