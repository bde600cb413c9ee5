// SPDX-License-Identifier: Apache-2.0

// No leak: queries that wait for a minute each, from the start of the watch on.
package main

import (
	"context"
	"time"
)

func wait(ctx context.Context, cancel context.CancelFunc) {
	defer cancel()
	<-ctx.Done()
}

func query(string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	go wait(ctx, cancel)
}

func main() {
	run(program{step: query, pause: 500 * time.Millisecond, delay: 10 * time.Second})
}
