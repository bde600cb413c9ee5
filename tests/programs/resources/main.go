// SPDX-License-Identifier: Apache-2.0

// resources opens things in exact numbers and keeps them where their names say. It obeys commands on
// stdin and acknowledges each with one line:
//
//	open KIND N    N more of them, kept
//	churn KIND N   N of them, each closed before the next is opened
//	close KIND     all that are kept
//	lose KIND N    N of them, opened and kept by nobody
//	leak KIND MS   one more each MS milliseconds, kept, until the end
//	turn KIND MS   the same, but each closes the oldest of those kept
//	serve          accepts clients and keeps them; says where
//	serve2         answers requests of HTTP/2; says where
//	peer URL       what has to do with HTTP/2 asks there
//	ping           nothing
//	quit           (or end of input) exit 0
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// kind opens one and says how it is closed.
type kind struct {
	open func() (closer func())
	kept []func()
	mu   sync.Mutex
}

var kinds = map[string]*kind{
	"file":      {open: openFile},
	"conn":      {open: openConn},
	"listener":  {open: openListener},
	"process":   {open: openProcess},
	"forgotten": {open: startAndForget},
	"context":   {open: openContext},
	"db":        {open: openDB},
	"sqlconn":   {open: openSQLConn},
	"rows":      {open: openRows},
	"stmt":      {open: openStmt},
	"tx":        {open: openTx},
	"waiting":   {open: openWaiting},
	"body":      {open: openBody},
	"body2":     {open: openBody2},
	"timer":     {open: openTimer},
	"after":     {open: openAfter},
	"brief":     {open: openBrief},
	"timed":     {open: openTimed},
	"ticker":    {open: openTicker},
	"defer":     {open: openDefer},
	"deferred":  {open: closeDefer}, // each is over at once
	"lost":      {open: takeAndKeep},
	"pooled":    {open: takeAndPut},
}

func (k *kind) add() {
	closer := k.open()
	k.mu.Lock()
	k.kept = append(k.kept, closer)
	k.mu.Unlock()
}

func (k *kind) closeOldest() {
	k.mu.Lock()
	oldest := k.kept[0]
	k.kept = append([]func(){}, k.kept[1:]...)
	k.mu.Unlock()
	oldest()
}

func (k *kind) each(ms int, what func()) {
	for range time.Tick(time.Duration(ms) * time.Millisecond) {
		what()
	}
}

func lose(name string, n int) {
	for i := 0; i < n; i++ {
		switch name {
		case "file":
			loseFile()
		case "db":
			loseDB()
		default:
			panic("nobody can lose a " + name)
		}
	}
}

// obey returns what is to be said of it.
func obey(words []string) (says string) {
	var k *kind
	n := 0
	if len(words) > 1 {
		k = kinds[words[1]]
	}
	if len(words) > 2 {
		n, _ = strconv.Atoi(words[2])
	}
	switch words[0] {
	case "open":
		for i := 0; i < n; i++ {
			k.add()
		}
	case "churn":
		for i := 0; i < n; i++ {
			k.open()()
		}
	case "close":
		for len(k.kept) > 0 {
			k.closeOldest()
		}
	case "lose":
		lose(words[1], n)
	case "leak":
		go k.each(n, k.add)
	case "turn":
		go k.each(n, func() { k.add(); k.closeOldest() })
	case "serve":
		says = acceptClients()
	case "serve2":
		says = serve2()
	case "peer":
		peer = words[1]
	case "quit":
		os.Exit(0)
	}
	return says
}

func main() {
	fmt.Println("ready", os.Getpid())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if words := strings.Fields(in.Text()); len(words) > 0 {
			fmt.Println("ok", words[0], obey(words))
		}
	}
}
