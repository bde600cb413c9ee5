// SPDX-License-Identifier: Apache-2.0

package main

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	pb "google.golang.org/grpc/health/grpc_health_v1"
)

// healthServer is a gRPC server with the health service.
func healthServer() string {
	l, s := listen(), grpc.NewServer()
	pb.RegisterHealthServer(s, health.NewServer())
	go func() { must(s.Serve(l)) }()
	return l.Addr().String()
}
