// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"load/crowd"
)

// dialer remembers its connections, so that a rude client can reset them all.
type dialer struct {
	mutex sync.Mutex
	open  []*net.TCPConn
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		d.mutex.Lock()
		d.open = append(d.open, tcp)
		d.mutex.Unlock()
	}
	return conn, err
}

func (d *dialer) reset() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, conn := range d.open {
		conn.SetLinger(0)
		conn.Close()
	}
}

func newTransport(spec *crowd.Spec, d *dialer) *http.Transport {
	transport := &http.Transport{
		DialContext:         d.dial,
		MaxIdleConnsPerHost: 1000,
		IdleConnTimeout:     10 * time.Minute,
		DisableKeepAlives:   spec.Conn == "fresh",
		DisableCompression:  true,
	}
	if spec.Conn == "h2" {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	return transport
}

// take reads a body at the client's pace.
func take(ctx context.Context, c *crowd.Client, body io.Reader) error {
	chunk := make([]byte, 16384)
	if c.Spec.Rate > 0 {
		chunk = chunk[:min(len(chunk), max(1, c.Spec.Rate/4))]
	}
	for {
		n, err := body.Read(chunk)
		c.Counts.Bytes.Add(int64(n))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if c.Spec.Rate > 0 && !crowd.Sleep(ctx, float64(n)/float64(c.Spec.Rate)) {
			return ctx.Err()
		}
	}
}

func newRequest(ctx context.Context, c *crowd.Client, body io.Reader) (*http.Request, error) {
	method := c.Spec.Method
	if method == "" {
		method = "GET"
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Fill(c.Spec.URL), body)
	if err != nil {
		return nil, err
	}
	for name, value := range c.Spec.Headers {
		request.Header.Set(name, value)
	}
	return request, nil
}

func ask(ctx context.Context, c *crowd.Client, transport *http.Transport) error {
	request, err := newRequest(ctx, c, strings.NewReader(c.Fill(c.Spec.Body)))
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	c.Counts.Requests.Add(1)
	if response.StatusCode >= 400 {
		c.Counts.Failed(ctx, fmt.Errorf("%s: %s", request.URL, response.Status))
	}
	return take(ctx, c, response.Body)
}

func newHTTP(spec *crowd.Spec) (crowd.Behaviour, error) {
	shared := newTransport(spec, &dialer{})
	return func(ctx context.Context, c *crowd.Client) {
		d, transport := &dialer{}, shared
		if spec.Conn != "shared" && spec.Conn != "h2" {
			transport = newTransport(spec, d)
			defer transport.CloseIdleConnections()
		}
		if spec.Rude {
			stop := context.AfterFunc(ctx, d.reset)
			defer stop()
		}
		for {
			c.Counts.Failed(ctx, ask(ctx, c, transport))
			if !c.Pause(ctx) {
				return
			}
		}
	}, nil
}

// slowBody gives the body a few bytes at a time.
type slowBody struct {
	ctx  context.Context
	rate int
	left int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), b.left, max(1, b.rate/4))
	if !crowd.Sleep(b.ctx, float64(n)/float64(b.rate)) {
		return 0, b.ctx.Err()
	}
	for i := range p[:n] {
		p[i] = 'x'
	}
	b.left -= n
	return n, nil
}

// newUpload sends ten seconds' worth of bytes at the given rate.
func newUpload(spec *crowd.Spec) (crowd.Behaviour, error) {
	rate := max(1, spec.Rate)
	return func(ctx context.Context, c *crowd.Client) {
		d := &dialer{}
		transport := newTransport(spec, d)
		defer transport.CloseIdleConnections()
		if spec.Rude {
			stop := context.AfterFunc(ctx, d.reset)
			defer stop()
		}
		request, err := newRequest(ctx, c, &slowBody{ctx, rate, 10 * rate})
		if err != nil {
			c.Counts.Failed(ctx, err)
			return
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			c.Counts.Failed(ctx, err)
			return
		}
		defer response.Body.Close()
		c.Counts.Requests.Add(1)
		c.Counts.Failed(ctx, take(ctx, c, response.Body))
	}, nil
}
