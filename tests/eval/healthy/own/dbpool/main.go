// SPDX-License-Identifier: Apache-2.0

// A web service in front of a database: its connection pool fills up slowly and empties again.
// The driver keeps one watcher per connection, as drivers do that must notice a cancelled query.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// serve is the database: it answers each byte after so many times 10 ms.
func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			one := make([]byte, 1)
			for {
				if _, err := io.ReadFull(conn, one); err != nil {
					return
				}
				time.Sleep(time.Duration(one[0]) * 10 * time.Millisecond)
				if _, err := conn.Write(one); err != nil {
					return
				}
			}
		}()
	}
}

type connector struct{ address string }

func (c connector) Driver() driver.Driver { return nil }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	socket, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	made := &conn{
		socket: socket, watch: make(chan context.Context),
		done: make(chan struct{}), closed: make(chan struct{}),
	}
	go made.watcher()
	return made, nil
}

type conn struct {
	socket net.Conn
	watch  chan context.Context
	done   chan struct{}
	closed chan struct{}
	broken bool
}

// IsValid keeps the pool from giving out a connection whose last query was broken off.
func (c *conn) IsValid() bool { return !c.broken }

func (c *conn) watcher() {
	for {
		var ctx context.Context
		select {
		case ctx = <-c.watch:
		case <-c.closed:
			return
		}
		select {
		case <-ctx.Done():
			c.socket.Close()
			<-c.done
		case <-c.done:
		}
	}
}

func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (c *conn) Begin() (driver.Tx, error)           { return tx{}, nil }

func (c *conn) Close() error {
	close(c.closed)
	return c.socket.Close()
}

func (c *conn) ExecContext(ctx context.Context, _ string, args []driver.NamedValue) (
	driver.Result, error,
) {
	c.watch <- ctx
	defer func() { c.done <- struct{}{} }()
	one := []byte{byte(args[0].Value.(int64))}
	_, err := c.socket.Write(one)
	if err == nil {
		_, err = io.ReadFull(c.socket, one)
	}
	if err != nil {
		c.broken = true
		return nil, driver.ErrBadConn
	}
	return driver.RowsAffected(1), nil
}

type tx struct{}

func (tx) Commit() error   { return nil }
func (tx) Rollback() error { return nil }

func query(db *sql.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		steps, _ := strconv.Atoi(r.FormValue("steps"))
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
		defer cancel()
		t, err := db.BeginTx(ctx, nil)
		if err == nil {
			for range 2 {
				_, err = t.ExecContext(ctx, "work", int64(min(steps, 250)))
			}
			t.Commit()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "done")
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go serve(listener)
	db := sql.OpenDB(connector{listener.Addr().String()})
	db.SetMaxOpenConns(80)
	db.SetMaxIdleConns(80)
	db.SetConnMaxIdleTime(45 * time.Second)
	db.SetConnMaxLifetime(100 * time.Second)
	http.Handle("/query", query(db))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
