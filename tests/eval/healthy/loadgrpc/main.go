// SPDX-License-Identifier: Apache-2.0

// Clients for servers that speak gRPC: etcd, and the route guide of grpc-go's examples.
package main

import (
	"context"
	"io"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/examples/route_guide/routeguide"

	"load/crowd"
)

func main() {
	crowd.Main(map[string]func(*crowd.Spec) (crowd.Behaviour, error){
		"etcd-put":   etcd(put),
		"etcd-watch": etcd(watch),
		"etcd-lease": etcd(lease),
		"route-chat": route(chat),
		"route-list": route(list),
	})
}

type etcdBehaviour func(context.Context, *crowd.Client, *clientv3.Client)

// dialEtcd does not wait for the connection.
func dialEtcd(address string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: []string{address}, DialTimeout: 10 * time.Second, Logger: zap.NewNop(),
	})
}

// etcd gives every client a connection of its own, or all of them one with "conn": "shared".
func etcd(behave etcdBehaviour) func(*crowd.Spec) (crowd.Behaviour, error) {
	return func(spec *crowd.Spec) (crowd.Behaviour, error) {
		shared, err := dialEtcd(spec.URL)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, c *crowd.Client) {
			client := shared
			if spec.Conn != "shared" {
				own, err := dialEtcd(spec.URL)
				if err != nil {
					c.Counts.Failed(ctx, err)
					return
				}
				defer own.Close()
				client = own
			}
			behave(ctx, c, client)
		}, nil
	}
}

func put(ctx context.Context, c *crowd.Client, client *clientv3.Client) {
	for {
		key := c.Fill("/eval/$N/") + c.Fill("$R")[:1]
		_, err := client.Put(ctx, key, c.Spec.Body)
		if err == nil {
			_, err = client.Get(ctx, "/eval/", clientv3.WithPrefix(), clientv3.WithLimit(10))
		}
		c.Counts.Failed(ctx, err)
		c.Counts.Requests.Add(2)
		if !c.Pause(ctx) {
			return
		}
	}
}

// watch opens "streams" watch streams; without a context value of its own they would be one.
func watch(ctx context.Context, c *crowd.Client, client *clientv3.Client) {
	for i := 1; i < c.Spec.Streams; i++ {
		go watchOne(context.WithValue(ctx, streamKey{}, i), c, client)
	}
	watchOne(ctx, c, client)
}

type streamKey struct{}

func watchOne(ctx context.Context, c *crowd.Client, client *clientv3.Client) {
	ctx = clientv3.WithRequireLeader(ctx)
	for response := range client.Watch(ctx, "/eval/", clientv3.WithPrefix()) {
		c.Counts.Requests.Add(1)
		c.Counts.Failed(ctx, response.Err())
	}
}

func lease(ctx context.Context, c *crowd.Client, client *clientv3.Client) {
	granted, err := client.Grant(ctx, 15)
	if err != nil {
		c.Counts.Failed(ctx, err)
		return
	}
	if _, err = client.Put(ctx, c.Fill("/lease/$N"), "x", clientv3.WithLease(granted.ID)); err != nil {
		c.Counts.Failed(ctx, err)
	}
	answers, err := client.KeepAlive(ctx, granted.ID)
	if err != nil {
		c.Counts.Failed(ctx, err)
		return
	}
	for range answers {
		c.Counts.Requests.Add(1)
	}
}

type routeBehaviour func(context.Context, *crowd.Client, pb.RouteGuideClient) error

func dialRoute(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func route(behave routeBehaviour) func(*crowd.Spec) (crowd.Behaviour, error) {
	return func(spec *crowd.Spec) (crowd.Behaviour, error) {
		shared, err := dialRoute(spec.URL)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, c *crowd.Client) {
			conn := shared
			if spec.Conn != "shared" {
				own, err := dialRoute(spec.URL)
				if err != nil {
					c.Counts.Failed(ctx, err)
					return
				}
				defer own.Close()
				conn = own
			}
			c.Counts.Failed(ctx, behave(ctx, c, pb.NewRouteGuideClient(conn)))
		}, nil
	}
}

// chat keeps a stream in both directions open and says something now and then.
func chat(ctx context.Context, c *crowd.Client, client pb.RouteGuideClient) error {
	stream, err := client.RouteChat(ctx)
	if err != nil {
		return err
	}
	place := &pb.Point{Latitude: int32(c.Number), Longitude: int32(time.Now().UnixNano() >> 20)}
	go func() {
		for {
			if _, err := stream.Recv(); err != nil {
				return
			}
			c.Counts.Requests.Add(1)
		}
	}()
	for c.Pause(ctx) {
		place.Longitude++
		if err := stream.Send(&pb.RouteNote{Location: place, Message: c.Spec.Say}); err != nil {
			return err
		}
	}
	return nil
}

// list asks for one feature and then for a stream of them.
func list(ctx context.Context, c *crowd.Client, client pb.RouteGuideClient) error {
	for {
		if _, err := client.GetFeature(ctx, &pb.Point{Latitude: 409146138}); err != nil {
			return err
		}
		stream, err := client.ListFeatures(ctx, &pb.Rectangle{
			Lo: &pb.Point{Latitude: 400000000, Longitude: -750000000},
			Hi: &pb.Point{Latitude: 420000000, Longitude: -730000000},
		})
		if err != nil {
			return err
		}
		for {
			if _, err = stream.Recv(); err != nil {
				break
			}
		}
		if err != io.EOF {
			return err
		}
		c.Counts.Requests.Add(2)
		if !c.Pause(ctx) {
			return nil
		}
	}
}
