// SPDX-License-Identifier: Apache-2.0

// A tunnel keeps its connection alive with requests. The gateway drops it now and then; the request under
// way then runs for ever (golang.org/x/crypto v0.52.0, ssh.(*mux).SendRequest).
package main

import (
	"time"

	"golang.org/x/crypto/ssh"
)

func keepAlive(c *ssh.Client) {
	for {
		time.Sleep(3 * time.Second)
		if _, _, err := c.SendRequest("keepalive", true, nil); err != nil {
			return
		}
	}
}

func tunnel(gateway string) {
	c, err := ssh.Dial("tcp", gateway, clientConfig())
	if err != nil {
		return
	}
	go keepAlive(c)
	_ = c.Wait()
	_ = c.Close()
}

func main() {
	run(program{step: tunnel, pause: time.Second,
		peer: func() string { return sshServer(8 * time.Second) }})
}
