// SPDX-License-Identifier: Apache-2.0

// plugins is a program that opens plugins, each of which makes goroutines of its own. It obeys
// commands on stdin, each with one line; WHO is the number of a plugin, in the order of opening, or 0
// for the program itself:
//
//	open FILE    open a plugin
//	park WHO N   N goroutines at made:park of WHO, parked at blocked:park when acknowledged
//	run WHO N    N goroutines at made:run of WHO, all finished when acknowledged
//	count        nothing
//
// What it answers ends in what runtime.NumGoroutine says.
package main

import (
	"bufio"
	"fmt"
	"os"
	"plugin"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// worker is what each plugin has under these names.
type worker struct {
	park, run func(n int)
}

var never = make(chan struct{})

func parked(ready *sync.WaitGroup) {
	ready.Done()
	<-never // blocked:park
}

func park(n int) {
	var ready sync.WaitGroup
	ready.Add(n)
	for i := 0; i < n; i++ {
		go parked(&ready) // made:park
	}
	ready.Wait()
}

func run(n int) {
	var done sync.WaitGroup
	done.Add(n)
	for i := 0; i < n; i++ {
		go done.Done() // made:run
	}
	done.Wait()
}

func open(path string) (worker, error) {
	var w worker
	opened, err := plugin.Open(path)
	if err != nil {
		return w, err
	}
	for name, function := range map[string]*func(int){"Park": &w.park, "Run": &w.run} {
		symbol, err := opened.Lookup(name)
		if err != nil {
			return w, err
		}
		*function = symbol.(func(int))
	}
	return w, nil
}

func main() {
	workers := []worker{{park, run}}
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		who, n := 0, 0
		if len(words) > 2 {
			who, _ = strconv.Atoi(words[1])
			n, _ = strconv.Atoi(words[2])
		}
		switch words[0] {
		case "open":
			w, err := open(words[1])
			if err != nil {
				fmt.Println("no:", err)
				continue
			}
			workers = append(workers, w)
		case "park":
			workers[who].park(n)
		case "run":
			workers[who].run(n)
		}
		fmt.Println("ok", words[0], runtime.NumGoroutine())
	}
}
