// SPDX-License-Identifier: Apache-2.0

// Each job runs a command over SSH, and forgets to close the client.
package main

import (
	"time"

	"golang.org/x/crypto/ssh"
)

func job(host string) {
	c, err := ssh.Dial("tcp", host, clientConfig())
	must(err)
	if repaired {
		defer c.Close()
	}
	session, err := c.NewSession()
	must(err)
	defer session.Close()
	must(session.Run("true"))
}

func main() {
	run(program{step: job, pause: 700 * time.Millisecond,
		peer: func() string { return sshServer(0) }})
}
