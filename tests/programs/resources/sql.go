// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"sync"
	"time"
)

// A driver whose every query has one row too many to be read to its end by accident.
type memory struct{}
type memoryConn struct{}
type memoryStmt struct{}
type memoryRows struct{ left int }
type memoryTx struct{}

func (memory) Open(string) (driver.Conn, error)                { return &memoryConn{}, nil }
func (*memoryConn) Prepare(string) (driver.Stmt, error)        { return &memoryStmt{}, nil }
func (*memoryConn) Close() error                               { return nil }
func (*memoryConn) Begin() (driver.Tx, error)                  { return &memoryTx{}, nil }
func (*memoryStmt) Close() error                               { return nil }
func (*memoryStmt) NumInput() int                              { return 0 }
func (*memoryStmt) Exec([]driver.Value) (driver.Result, error) { return nil, io.EOF }
func (*memoryStmt) Query([]driver.Value) (driver.Rows, error)  { return &memoryRows{3}, nil }
func (*memoryRows) Columns() []string                          { return []string{"n"} }
func (*memoryRows) Close() error                               { return nil }
func (*memoryTx) Commit() error                                { return nil }
func (*memoryTx) Rollback() error                              { return nil }

func (r *memoryRows) Next(row []driver.Value) error {
	if r.left == 0 {
		return io.EOF
	}
	r.left--
	row[0] = int64(r.left)
	return nil
}

var (
	registered sync.Once
	sqlMu      sync.Mutex
	orders     *sql.DB
	narrow     *sql.DB
	databases  = map[*sql.DB]bool{}
	results    []*sql.Rows
	statements []*sql.Stmt
	pending    []*sql.Tx
)

func open() *sql.DB {
	registered.Do(func() { sql.Register("memory", memory{}) })
	db, err := sql.Open("memory", "")
	must(err)
	return db
}

//go:noinline
func loseDB() { open() }

func theDB() *sql.DB {
	sqlMu.Lock()
	defer sqlMu.Unlock()
	if orders == nil {
		orders = open()
	}
	return orders
}

func openDB() func() {
	db := open()
	sqlMu.Lock()
	databases[db] = true
	sqlMu.Unlock()
	return func() {
		sqlMu.Lock()
		delete(databases, db)
		sqlMu.Unlock()
		db.Close()
	}
}

// One of a database that has one connection, which is taken: all but the first wait for it.
func openWaiting() func() {
	sqlMu.Lock()
	defer sqlMu.Unlock()
	if narrow != nil {
		wait := narrow.Stats().WaitCount
		go narrow.Conn(context.Background())
		for narrow.Stats().WaitCount == wait {
			time.Sleep(time.Millisecond)
		}
		return func() {}
	}
	narrow = open()
	narrow.SetMaxOpenConns(1)
	c, err := narrow.Conn(context.Background())
	must(err)
	return func() { c.Close() }
}

func openSQLConn() func() {
	c, err := theDB().Conn(context.Background())
	must(err)
	return func() { c.Close() }
}

func openRows() func() {
	rows, err := theDB().Query("select n")
	must(err)
	rows.Next()
	sqlMu.Lock()
	results = append(results, rows)
	sqlMu.Unlock()
	return func() { rows.Close() }
}

func openStmt() func() {
	stmt, err := theDB().Prepare("select n")
	must(err)
	sqlMu.Lock()
	statements = append(statements, stmt)
	sqlMu.Unlock()
	return func() { stmt.Close() }
}

func openTx() func() {
	tx, err := theDB().Begin()
	must(err)
	sqlMu.Lock()
	pending = append(pending, tx)
	sqlMu.Unlock()
	return func() { tx.Rollback() }
}
