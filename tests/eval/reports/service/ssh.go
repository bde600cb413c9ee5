// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

func clientConfig() *ssh.ClientConfig {
	return &ssh.ClientConfig{User: "job", HostKeyCallback: ssh.InsecureIgnoreHostKey()}
}

func answerAll(requests <-chan *ssh.Request, ran func()) {
	for r := range requests {
		if r.WantReply {
			_ = r.Reply(true, nil)
		}
		if r.Type == "exec" && ran != nil {
			ran()
		}
	}
}

func serveSSH(c net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go answerAll(requests, nil)
	for wanted := range channels {
		channel, requests, err := wanted.Accept()
		if err != nil {
			return
		}
		go answerAll(requests, func() {
			_, _ = channel.SendRequest("exit-status", false, make([]byte, 4))
			_ = channel.Close()
		})
	}
}

// sshServer drops each connection after its life; 0: never.
func sshServer(life time.Duration) string {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	signer, err := ssh.NewSignerFromKey(key)
	must(err)
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(signer)
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			must(err)
			if life > 0 {
				time.AfterFunc(life, func() { _ = c.Close() })
			}
			go serveSSH(c, config)
		}
	}()
	return l.Addr().String()
}
