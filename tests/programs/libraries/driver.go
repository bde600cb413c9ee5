// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql/driver"
	"io"
)

// nothing is a database without contents.
type nothing struct{}

type connection struct{}

type noRows struct{ left int }

func (nothing) Open(string) (driver.Conn, error) { return connection{}, nil }

func (connection) Prepare(string) (driver.Stmt, error) { return nil, io.EOF }
func (connection) Close() error                        { return nil }
func (connection) Begin() (driver.Tx, error)           { return connection{}, nil }
func (connection) Commit() error                       { return nil }
func (connection) Rollback() error                     { return nil }
func (connection) Ping(context.Context) error          { return nil }

func (connection) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &noRows{1 << 30}, nil
}

func (*noRows) Columns() []string           { return []string{"a"} }
func (*noRows) Close() error                { return nil }
func (r *noRows) Next([]driver.Value) error { r.left--; return nil }
