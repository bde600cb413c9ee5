// SPDX-License-Identifier: Apache-2.0

// Libraries forgets things: each command makes a number of one kind of goroutine that the standard
// library starts on a program's behalf.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var forever = make(chan int)

// kept makes sure that nothing is collected that is to stay.
var kept []interface{}

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

// --- HTTP ---

func answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/big":
		for i := 0; i < 100; i++ {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	case "/never":
		w.(http.Flusher).Flush()
		<-forever
	}
}

func get(client *http.Client, url string) *http.Response {
	response, err := client.Get(url)
	must(err)
	kept = append(kept, response)
	return response
}

// unread leaves bodies unread.
func unread(n int) {
	server := httptest.NewServer(http.HandlerFunc(answer))
	client := &http.Client{Transport: &http.Transport{}}
	for i := 0; i < n; i++ {
		get(client, server.URL+"/big")
	}
}

// idle keeps connections that nobody uses.
func idle(n int) {
	server := httptest.NewServer(http.HandlerFunc(answer))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	var bodies []io.ReadCloser
	for i := 0; i < n; i++ {
		bodies = append(bodies, get(client, server.URL+"/big").Body)
	}
	for _, body := range bodies {
		io.Copy(io.Discard, body)
		body.Close()
	}
}

// unread2 leaves streams of one HTTP/2 connection unread.
func unread2(n int) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	server.EnableHTTP2 = true
	server.StartTLS()
	for i := 0; i < n; i++ {
		if get(server.Client(), server.URL+"/never").ProtoMajor != 2 {
			must(fmt.Errorf("not HTTP/2"))
		}
	}
}

// unanswered waits for a server that accepts and says nothing.
func unanswered(n int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	kept = append(kept, listener)
	for i := 0; i < n; i++ {
		go http.Get("http://" + listener.Addr().String()) // made:unanswered
	}
}

// --- database/sql ---

func database(connections int) *sql.DB {
	db, err := sql.Open("nothing", "")
	must(err)
	db.SetMaxOpenConns(connections)
	kept = append(kept, db)
	return db
}

func opened(n int) {
	for i := 0; i < n; i++ {
		database(0)
	}
}

func unfinished(n int) {
	db := database(0)
	for i := 0; i < n; i++ {
		tx, err := db.Begin()
		must(err)
		kept = append(kept, tx)
	}
}

func rows(n int) {
	db := database(0)
	ctx, cancel := context.WithCancel(context.Background())
	for i := 0; i < n; i++ {
		rows, err := db.QueryContext(ctx, "")
		must(err)
		kept = append(kept, rows, cancel)
	}
}

func exhausted(n int) {
	db := database(1)
	conn, err := db.Conn(context.Background())
	must(err)
	kept = append(kept, conn)
	for i := 0; i < n; i++ {
		go db.Ping() // made:exhausted
	}
}

// --- context, signals, commands, pipes, timers ---

// custom is a context of a type that package context does not know.
type custom struct {
	context.Context
	done chan struct{}
}

func (c custom) Done() <-chan struct{} { return c.done }

func parents(n int) {
	for i := 0; i < n; i++ {
		parent := custom{context.Background(), make(chan struct{})}
		ctx, cancel := context.WithCancel(parent)
		kept = append(kept, ctx, cancel)
	}
}

func notified(n int) {
	for i := 0; i < n; i++ {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR2)
		kept = append(kept, ctx, stop)
	}
}

// commands end, but nobody waits for them.
func commands(n int) {
	ctx, cancel := context.WithCancel(context.Background())
	for i := 0; i < n; i++ {
		command := exec.CommandContext(ctx, "true")
		must(command.Start())
		kept = append(kept, command, cancel)
	}
}

func outputs(n int) {
	for i := 0; i < n; i++ {
		command := exec.Command("sleep", "600")
		command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		command.Stdout = &strings.Builder{}
		must(command.Start())
		kept = append(kept, command)
	}
}

func pipes(n int) {
	for i := 0; i < n; i++ {
		reader, writer := io.Pipe()
		kept = append(kept, reader)
		go writer.Write([]byte("x")) // made:pipes
	}
}

func readers(n int) {
	for i := 0; i < n; i++ {
		reader, writer := io.Pipe()
		kept = append(kept, writer)
		go io.ReadAll(reader) // made:readers
	}
}

func timers(n int) {
	for i := 0; i < n; i++ {
		time.AfterFunc(0, func() { <-forever })
	}
}

func main() {
	kinds := map[string]func(int){
		"unread": unread, "idle": idle, "unread2": unread2, "unanswered": unanswered,
		"opened": opened, "unfinished": unfinished, "rows": rows, "exhausted": exhausted,
		"parents": parents, "notified": notified, "commands": commands, "outputs": outputs,
		"pipes": pipes, "readers": readers, "timers": timers,
	}
	sql.Register("nothing", nothing{})
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		number, err := strconv.Atoi(words[1])
		must(err)
		kinds[words[0]](number)
		fmt.Println("ok", words[0])
	}
}
