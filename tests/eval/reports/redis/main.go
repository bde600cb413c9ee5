// SPDX-License-Identifier: Apache-2.0

// No leak: a client for each request, which is closed; its reaper sees that within a minute.
package main

import (
	"bufio"
	"time"

	"github.com/go-redis/redis"
)

func server() string {
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			must(err)
			go func() {
				defer c.Close()
				for in := bufio.NewScanner(c); in.Scan(); {
					if in.Text() == "ping" {
						_, _ = c.Write([]byte("+PONG\r\n"))
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func request(peer string) {
	c := redis.NewClient(&redis.Options{Addr: peer})
	_ = c.Ping().Err()
	_ = c.Close()
}

func main() {
	run(program{step: request, pause: 500 * time.Millisecond, delay: 10 * time.Second, peer: server})
}
