// SPDX-License-Identifier: Apache-2.0

// A service tries again and again to reach its database, with a new client each time, and does not
// disconnect those whose ping has failed.
package main

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func try(string) {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	c, err := mongo.Connect(ctx, options.Client().ApplyURI("mongodb://127.0.0.1:1/"))
	must(err)
	if c.Ping(ctx, nil) != nil && repaired {
		_ = c.Disconnect(context.Background())
	}
}

func main() {
	run(program{step: try, pause: 1500 * time.Millisecond})
}
