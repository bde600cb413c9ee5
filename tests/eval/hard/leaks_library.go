// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/http"
	"time"
)

// Leaks whose goroutines a library starts, or beside those of a server. One a second.
func init() {
	add("afterfunc", func() {
		every(time.Second, -1, func(int) {
			answer := make(chan int)
			time.AfterFunc(10*time.Millisecond, func() {
				<-answer // leak: afterfunc
			})
		})
	})
	addPrepared("http-body", startBodies, leakBodies)
	add("context-parent", func() {
		every(time.Second, -1, func(int) {
			ctx, cancel := context.WithCancel(ownContext{context.Background(), make(chan struct{})})
			kept = append(kept, ctx, cancel)
		})
	})
	add("handler", func() { startPeer("requests", leakingServer()) })
	add("beside-connections", func() {
		startPeer("connect-3min", listen(readAndWrite))
		every(time.Second, -1, func(int) {
			go lost() // leak: beside-connections
		})
	})
	add("sql-rows", leakRows)
	add("sql-open", func() {
		every(time.Second, -1, func(int) {
			sql.OpenDB(nothing{}).Ping() // opened for each request, never closed
		})
	})
}

var kept []any
var bodies string

func startBodies() string {
	bodies = startServingPeer("bodies")
	return ""
}

func leakBodies() {
	every(time.Second, -1, func(int) {
		response, err := http.Get(bodies)
		if err == nil {
			kept = append(kept, response.StatusCode)
		}
	})
}

// Each request leaves somebody behind who wants to tell its result.
func leakingServer() string {
	return listenHTTP(func(w http.ResponseWriter, _ *http.Request) {
		result := make(chan bool)
		go func() { // leak: handler
			result <- w.Header()["X"] != nil
		}()
	})
}

// A context that package context does not know: it needs a goroutine to hear of its end.
type ownContext struct {
	context.Context
	done chan struct{}
}

func (c ownContext) Done() <-chan struct{} { return c.done }

var errNoTransactions = errors.New("no transactions")

// A database without data.
type nothing struct{}

func (nothing) Connect(context.Context) (driver.Conn, error) { return nothing{}, nil }
func (nothing) Driver() driver.Driver                        { return nothing{} }
func (nothing) Open(string) (driver.Conn, error)             { return nothing{}, nil }
func (nothing) Prepare(string) (driver.Stmt, error)          { return nothing{}, nil }
func (nothing) Close() error                                 { return nil }
func (nothing) Begin() (driver.Tx, error)                    { return nil, errNoTransactions }
func (nothing) NumInput() int                                { return 0 }
func (nothing) Exec([]driver.Value) (driver.Result, error)   { return driver.RowsAffected(0), nil }
func (nothing) Query([]driver.Value) (driver.Rows, error)    { return nothing{}, nil }
func (nothing) Columns() []string                            { return []string{"x"} }
func (nothing) Next(values []driver.Value) error             { return io.EOF }

// Rows that are neither read to their end nor closed.
func leakRows() {
	db := sql.OpenDB(nothing{})
	every(time.Second, -1, func(int) {
		ctx, cancel := context.WithCancel(context.Background())
		rows, err := db.QueryContext(ctx, "select x")
		if err == nil {
			kept = append(kept, rows)
		}
		kept = append(kept, cancel)
	})
}
