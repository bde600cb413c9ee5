// SPDX-License-Identifier: Apache-2.0

// Clients for servers that speak HTTP, WebSocket, DNS or lines of text.
package main

import "load/crowd"

func main() {
	crowd.Main(map[string]func(*crowd.Spec) (crowd.Behaviour, error){
		"http":   newHTTP,
		"stream": newHTTP,
		"upload": newUpload,
		"raw":    newRaw,
		"ws":     newWebSocket,
		"dns":    newDNS,
	})
}
