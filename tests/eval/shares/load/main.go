// SPDX-License-Identifier: Apache-2.0

// Load is eight clients of a server, each of which does the same things in turn, with pauses: so what the server does of
// each is the same part of all, however fast it is.
//
//	load httpbin|proxy|mqtt|redis ADDRESS
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	clients = 8
	pause   = 3 * time.Millisecond
)

// A client does what comes next.
type client interface{ step(n int) error }

// --- HTTP ---------------------------------------------------------------------------------------

type request struct{ method, path, body string }

type web struct {
	client   *http.Client
	base     string
	requests []request
}

func (w *web) step(n int) error {
	what := w.requests[n%len(w.requests)]
	r, err := http.NewRequest(what.method, w.base+what.path, strings.NewReader(what.body))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if what.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

var document = `{"list": [` + strings.Repeat(`{"name": "one of many", "n": 12345},`, 40) + `{}]}`

var requests = []request{
	{"GET", "/get?a=b&c=d", ""}, {"POST", "/post", document}, {"GET", "/json", ""}, {"GET", "/uuid", ""},
	{"GET", "/bytes/4096?seed=7", ""}, {"GET", "/headers", ""}, {"GET", "/gzip", ""}, {"GET", "/stream/7", ""},
	{"GET", "/links/20/1", ""}, {"PUT", "/put", document}, {"GET", "/base64/Z2xlYWtk", ""}, {"GET", "/xml", ""},
}

func httpbin(address string) (client, error) {
	return &web{&http.Client{Transport: &http.Transport{}}, "http://" + address, requests}, nil
}

// Through the proxy to a server of ours.
func proxied(address string) (client, error) {
	through, err := url.Parse("http://" + address)
	if err != nil {
		return nil, err
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, document)
	}))
	return &web{&http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
		return through, nil // also to what is local
	}}}, origin.URL, []request{{"GET", "/a", ""}, {"POST", "/b", document}, {"GET", "/c?d=e", ""}}}, nil
}

// --- the protocol of Redis -----------------------------------------------------------------------

type redis struct {
	conn net.Conn
	in   *bufio.Reader
}

func dialRedis(address string) (client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &redis{conn, bufio.NewReader(conn)}, nil
}

func (r *redis) answered() error {
	line, err := r.in.ReadString('\n')
	var length int
	if err == nil && line[0] == '$' && line != "$-1\r\n" {
		if _, err = fmt.Sscanf(line, "$%d", &length); err == nil {
			_, err = r.in.Discard(length + 2)
		}
	}
	return err
}

func (r *redis) step(n int) error {
	key := fmt.Sprint("key:", n/3%1000)
	commands := [][]string{{"set", key, strings.Repeat("v", 50+n%7*100)}, {"get", key}, {"del", key}}
	var out bytes.Buffer
	const atOnce = 5
	for i := 0; i < atOnce; i++ {
		words := commands[(n+i)%len(commands)]
		fmt.Fprintf(&out, "*%d\r\n", len(words))
		for _, word := range words {
			fmt.Fprintf(&out, "$%d\r\n%s\r\n", len(word), word)
		}
	}
	if _, err := r.conn.Write(out.Bytes()); err != nil {
		return err
	}
	for i := 0; i < atOnce; i++ {
		if err := r.answered(); err != nil {
			return err
		}
	}
	return nil
}

// --- MQTT 3.1.1 ----------------------------------------------------------------------------------

type mqtt struct{ conn net.Conn }

func text(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }

func packet(kind byte, rest string) []byte {
	head := []byte{kind}
	for n := len(rest); ; {
		digit := byte(n % 128)
		if n /= 128; n > 0 {
			head = append(head, digit|128)
			continue
		}
		return append(append(head, digit), rest...)
	}
}

var named int

func dialMqtt(address string) (client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	named++
	name := fmt.Sprint("client-", named)
	const cleanSession, keepAlive = "\x02", "\x00\xf0"
	conn.Write(packet(0x10, text("MQTT")+"\x04"+cleanSession+keepAlive+text(name)))
	conn.Write(packet(0x82, "\x00\x01"+text(fmt.Sprintf("room/%d/#", named%4))+"\x00"))
	go io.Copy(io.Discard, conn)
	return &mqtt{conn}, nil
}

func (m *mqtt) step(n int) error {
	topic := fmt.Sprintf("room/%d/%d", n%4, n%13)
	kind := byte(0x30)
	if n%10 == 0 {
		kind |= 1 // to be retained
	}
	_, err := m.conn.Write(packet(kind, text(topic)+strings.Repeat("p", 20+n%5*60)))
	return err
}

// -------------------------------------------------------------------------------------------------

func main() {
	begin := map[string]func(string) (client, error){
		"httpbin": httpbin, "proxy": proxied, "mqtt": dialMqtt, "redis": dialRedis}[os.Args[1]]
	ended := make(chan error)
	for i := 0; i < clients; i++ {
		one, err := begin(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			for n := i; ; n++ {
				if err := one.step(n); err != nil {
					ended <- err
				}
				time.Sleep(pause)
			}
		}()
	}
	log.Fatal(<-ended)
}
