// SPDX-License-Identifier: Apache-2.0

// Two queries wait for changes in hundreds of rows, for ten minutes each, and look again after each change.
// go-memdb v1.3.3 leaves the watchers of each look behind until the query's context ends.
package main

import (
	"context"
	"strconv"
	"time"

	"github.com/hashicorp/go-memdb"
)

const rows = 600

type node struct {
	Name string
	Load int64
}

var table = &memdb.DBSchema{Tables: map[string]*memdb.TableSchema{"nodes": {
	Name: "nodes",
	Indexes: map[string]*memdb.IndexSchema{"id": {
		Name: "id", Unique: true, Indexer: &memdb.StringFieldIndex{Field: "Name"}}},
}}}

func put(db *memdb.MemDB, row int, load int64) {
	txn := db.Txn(true)
	must(txn.Insert("nodes", &node{"node-" + strconv.Itoa(row), load}))
	txn.Commit()
}

func query(ctx context.Context, db *memdb.MemDB) {
	for ctx.Err() == nil {
		changed, txn := memdb.NewWatchSet(), db.Txn(false)
		for row := 0; row < rows; row++ {
			c, _, err := txn.FirstWatch("nodes", "id", "node-"+strconv.Itoa(row))
			must(err)
			changed.Add(c)
		}
		txn.Abort()
		_ = changed.WatchCtx(ctx)
	}
}

func queries(db *memdb.MemDB) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		query(ctx, db)
		cancel()
	}
}

func main() {
	db, err := memdb.NewMemDB(table)
	must(err)
	for row := 0; row < rows; row++ {
		put(db, row, 0)
	}
	run(program{
		start: func() {
			go queries(db)
			go queries(db)
		},
		step:  func(string) { put(db, 7, time.Now().UnixNano()) },
		pause: 500 * time.Millisecond,
	})
}
