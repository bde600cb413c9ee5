// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand"
	"net"
	"net/http"
	"strings"
	"time"

	"load/crowd"
)

func dial(ctx context.Context, network string, c *crowd.Client) (net.Conn, error) {
	return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, c.Fill(c.Spec.URL))
}

// hangUp closes the connection when the client has to go, which also ends its blocked reads.
func hangUp(ctx context.Context, c *crowd.Client, conn net.Conn) func() {
	stop := context.AfterFunc(ctx, func() {
		if tcp, ok := conn.(*net.TCPConn); ok && c.Spec.Rude {
			tcp.SetLinger(0)
		}
		conn.Close()
	})
	return func() {
		stop()
		conn.Close()
	}
}

// listen takes what the server says, and answers the pings of text protocols (NATS, IRC).
func listen(ctx context.Context, c *crowd.Client, conn net.Conn, ended chan<- struct{}) {
	defer close(ended)
	buffer := make([]byte, 4096)
	if c.Spec.Rate > 0 {
		buffer = buffer[:min(len(buffer), max(1, c.Spec.Rate/4))]
	}
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		c.Counts.Bytes.Add(int64(n))
		if bytes.Contains(buffer[:n], []byte("PING")) {
			conn.Write([]byte("PONG\r\n"))
		}
		if c.Spec.Rate > 0 && !crowd.Sleep(ctx, float64(n)/float64(c.Spec.Rate)) {
			return
		}
	}
}

func send(ctx context.Context, c *crowd.Client, conn net.Conn, text string) error {
	if !c.Spec.Trickle {
		_, err := conn.Write([]byte(text))
		return err
	}
	for i := range text {
		if _, err := conn.Write([]byte(text[i : i+1])); err != nil {
			return err
		}
		if !crowd.Sleep(ctx, 0.2) {
			return ctx.Err()
		}
	}
	return nil
}

// converse sends what the client has to say, again and again, until either side has enough.
func converse(ctx context.Context, c *crowd.Client, ended <-chan struct{}, say func() error) {
	for {
		turn := make(chan bool, 1)
		go func() { turn <- c.Pause(ctx) }()
		select {
		case <-ended:
			return
		case more := <-turn:
			if !more {
				return
			}
		}
		if c.Spec.Say == "" {
			continue
		}
		if err := say(); err != nil {
			c.Counts.Failed(ctx, err)
			return
		}
		c.Counts.Requests.Add(1)
	}
}

func newRaw(spec *crowd.Spec) (crowd.Behaviour, error) {
	return func(ctx context.Context, c *crowd.Client) {
		conn, err := dial(ctx, "tcp", c)
		if err != nil {
			c.Counts.Failed(ctx, err)
			return
		}
		defer hangUp(ctx, c, conn)()
		ended := make(chan struct{})
		go listen(ctx, c, conn, ended)
		if err := send(ctx, c, conn, c.Fill(spec.Hello)); err != nil {
			c.Counts.Failed(ctx, err)
			return
		}
		c.Counts.Requests.Add(1)
		converse(ctx, c, ended, func() error { return send(ctx, c, conn, c.Fill(spec.Say)) })
	}, nil
}

// frame is a masked text frame of less than 64 KiB (RFC 6455, section 5.2).
func frame(text string) []byte {
	out := []byte{0x81}
	if len(text) < 126 {
		out = append(out, 0x80|byte(len(text)))
	} else {
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(len(text)))
	}
	var mask [4]byte
	binary.BigEndian.PutUint32(mask[:], rand.Uint32())
	out = append(out, mask[:]...)
	for i := range len(text) {
		out = append(out, text[i]^mask[i%4])
	}
	return out
}

func upgrade(ctx context.Context, c *crowd.Client) (net.Conn, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", c.Fill(c.Spec.URL), nil)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 16)
	rand.Read(key)
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "websocket")
	request.Header.Set("Sec-WebSocket-Version", "13")
	request.Header.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString(key))
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", request.URL.Host)
	if err != nil {
		return nil, err
	}
	if err = request.Write(conn); err == nil {
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		var response *http.Response
		response, err = http.ReadResponse(bufio.NewReader(conn), request)
		if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
			err = fmt.Errorf("%s: %s instead of a web socket", request.URL, response.Status)
		}
		conn.SetReadDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func newWebSocket(spec *crowd.Spec) (crowd.Behaviour, error) {
	return func(ctx context.Context, c *crowd.Client) {
		conn, err := upgrade(ctx, c)
		if err != nil {
			c.Counts.Failed(ctx, err)
			return
		}
		defer hangUp(ctx, c, conn)()
		c.Counts.Requests.Add(1)
		if spec.Hello != "" {
			conn.Write(frame(c.Fill(spec.Hello)))
		}
		ended := make(chan struct{})
		go listen(ctx, c, conn, ended)
		converse(ctx, c, ended, func() error {
			_, err := conn.Write(frame(c.Fill(spec.Say)))
			return err
		})
	}, nil
}

// query asks for the A records of a name (RFC 1035, section 4).
func query(name string) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(rand.Intn(1<<16)))
	out = append(out, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for _, label := range strings.Split(strings.Trim(name, "."), ".") {
		out = append(append(out, byte(len(label))), label...)
	}
	return append(out, 0, 0, 1, 0, 1)
}

func exchange(c *crowd.Client, conn net.Conn, overTCP bool) error {
	message := query(c.Fill(c.Spec.Say))
	if overTCP {
		message = append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
	}
	if _, err := conn.Write(message); err != nil {
		return err
	}
	conn.SetReadDeadline(time.Now().Add(8 * time.Second))
	n, err := conn.Read(make([]byte, 4096))
	c.Counts.Bytes.Add(int64(n))
	return err
}

// newDNS asks over UDP, or over one TCP connection with "conn": "own".
func newDNS(spec *crowd.Spec) (crowd.Behaviour, error) {
	network := "udp"
	if spec.Conn == "own" {
		network = "tcp"
	}
	return func(ctx context.Context, c *crowd.Client) {
		conn, err := dial(ctx, network, c)
		if err != nil {
			c.Counts.Failed(ctx, err)
			return
		}
		defer hangUp(ctx, c, conn)()
		for {
			if err := exchange(c, conn, network == "tcp"); err != nil {
				c.Counts.Failed(ctx, err)
				return
			}
			c.Counts.Requests.Add(1)
			if !c.Pause(ctx) {
				return
			}
		}
	}, nil
}
