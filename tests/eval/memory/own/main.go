// SPDX-License-Identifier: Apache-2.0

// own is a set of programs whose memory grows, or looks as if it did: `own CASE` runs one of them until
// its stdin ends. A line at which what stays for ever is allocated has a comment "leak: CASE"; what all
// other lines allocate is freed some day. Beside each leak 100 MB a second come and go.
package main

import (
	"fmt"
	"io"
	"os"
	"sort"
	"time"
)

const tick = 10 * time.Millisecond

var cases = map[string]func(){}

// add makes a case of what is done a hundred times a second.
func add(name string, work func(i int)) {
	cases[name] = func() {
		go churn()
		every(tick, work)
	}
}

func every(pause time.Duration, work func(i int)) {
	ticker := time.NewTicker(pause)
	for i := 0; ; i++ {
		work(i)
		<-ticker.C
	}
}

var inUse [64][]byte

// churn allocates 100 MB a second, the latest few of which are in use.
func churn() {
	every(tick, func(i int) {
		for k := 0; k < 250; k++ {
			inUse[(i*250+k)%len(inUse)] = make([]byte, 4096)
		}
	})
}

func main() {
	run := func() {}
	if len(os.Args) == 2 {
		run = cases[os.Args[1]]
	}
	if len(os.Args) != 2 || run == nil {
		names := []string{}
		for name := range cases {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "usage: own CASE, one of:", names)
		os.Exit(2)
	}
	go run()
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
