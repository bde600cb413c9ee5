// SPDX-License-Identifier: Apache-2.0

// Each question is asked through a connection of its own, which is not closed.
package main

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/health/grpc_health_v1"
)

func ask(peer string) {
	c, err := grpc.NewClient(peer, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	if repaired {
		defer c.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = pb.NewHealthClient(c).Check(ctx, &pb.HealthCheckRequest{})
}

func main() {
	run(program{step: ask, pause: time.Second, peer: healthServer})
}
