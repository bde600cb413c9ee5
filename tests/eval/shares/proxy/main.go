// SPDX-License-Identifier: Apache-2.0

// Proxy is an HTTP proxy that marks what goes through it.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/elazarl/goproxy"
)

func main() {
	proxy := goproxy.NewProxyHttpServer()
	proxy.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		r.Header.Set("X-Through", "a proxy")
		return r, nil
	})
	log.Fatal(http.ListenAndServe(os.Args[1], proxy))
}
