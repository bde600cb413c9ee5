// SPDX-License-Identifier: Apache-2.0

// A handler makes a client for each search, which looks for other nodes and after their health for ever.
package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/olivere/elastic"
)

func cluster() string {
	l := listen()
	nodes := fmt.Sprintf(`{"nodes":{"one":{"http":{"publish_address":%q}}}}`, l.Addr())
	answer := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/_nodes/http" {
			fmt.Fprint(w, nodes)
			return
		}
		fmt.Fprint(w, `{"hits":{"total":0,"hits":[]}}`)
	}
	go func() { must(http.Serve(l, http.HandlerFunc(answer))) }()
	return l.Addr().String()
}

func search(peer string) {
	c, err := elastic.NewClient(elastic.SetURL("http://" + peer))
	must(err)
	if repaired {
		defer c.Stop()
	}
	_, _ = c.Search("orders").Query(elastic.NewMatchAllQuery()).Do(context.Background())
}

func main() {
	run(program{step: search, pause: 1200 * time.Millisecond, peer: cluster})
}
