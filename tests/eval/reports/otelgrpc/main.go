// SPDX-License-Identifier: Apache-2.0

// A probe opens a stream, receives one message and lets its context end. The interceptor of otelgrpc
// v0.20.0 waits for somebody to receive to the end.
package main

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/health/grpc_health_v1"
)

var (
	once   sync.Once
	checks pb.HealthClient
)

func connect(peer string) {
	c, err := grpc.Dial(peer, grpc.WithInsecure(),
		grpc.WithStreamInterceptor(otelgrpc.StreamClientInterceptor()))
	must(err)
	checks = pb.NewHealthClient(c)
}

func probe(peer string) {
	once.Do(func() { connect(peer) })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	stream, err := checks.Watch(ctx, &pb.HealthCheckRequest{})
	if err != nil {
		return
	}
	_, err = stream.Recv()
	if repaired {
		cancel()
		for err == nil {
			_, err = stream.Recv()
		}
	}
}

func main() {
	run(program{step: probe, pause: time.Second, peer: healthServer})
}
