// SPDX-License-Identifier: Apache-2.0

// public is a set of programs that use modules at versions whose memory leaks were reported in public:
// `public CASE` runs one of them until its stdin ends. The line of this program that gets to what stays
// for ever has a comment "leak: CASE". Beside each 100 MB a second come and go.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/gorilla/sessions"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rcrowley/go-metrics"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/utils/tests"
)

const tick = 10 * time.Millisecond

func every(work func(i int)) {
	ticker := time.NewTicker(tick)
	for i := 0; ; i++ {
		work(i)
		<-ticker.C
	}
}

var inUse [64][]byte

func churn() {
	every(func(i int) {
		for k := 0; k < 250; k++ {
			inUse[(i*250+k)%len(inUse)] = make([]byte, 4096)
		}
	})
}

// rcrowley/go-metrics#201: meters that are unregistered stay with the arbiter.
func goMetrics() {
	every(func(i int) {
		registry := metrics.NewRegistry()
		for k := 0; k < 10; k++ {
			metrics.GetOrRegisterMeter(fmt.Sprint("event-", k), registry).Mark(1) // leak: go-metrics
		}
		registry.UnregisterAll()
	})
}

// gorilla/sessions without gorilla/mux: the request stays in the map of gorilla/context.
func gorillaSessions() {
	store := sessions.NewCookieStore([]byte("a key of thirty-two bytes, or so"))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "shop") // leak: gorilla-sessions
		session.Values["visits"] = 1       // leak: gorilla-sessions
	})
	every(func(i int) {
		for k := 0; k < 3; k++ {
			r := httptest.NewRequest("GET", "/", nil)    // leak: gorilla-sessions
			handler.ServeHTTP(httptest.NewRecorder(), r) // leak: gorilla-sessions
		}
	})
}

// CVE-2022-21698 of prometheus/client_golang: a time series for each method that a client makes up.
func clientGolang() {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"},
		[]string{"code", "method"})
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	handler := promhttp.InstrumentHandlerCounter(requests, inner)
	every(func(i int) {
		for k := 0; k < 10; k++ {
			r := httptest.NewRequest(fmt.Sprintf("M%d", i*10+k), "/", nil) // leak: client-golang
			handler.ServeHTTP(httptest.NewRecorder(), r)                   // leak: client-golang
		}
	})
}

// CVE-2023-45142 of otelhttp: likewise.
func otelHTTP() {
	reader := sdk.NewManualReader()
	otel.SetMeterProvider(sdk.NewMeterProvider(sdk.WithReader(reader)))
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	handler := otelhttp.NewHandler(inner, "shop")
	every(func(i int) {
		for k := 0; k < 3; k++ {
			r := httptest.NewRequest(fmt.Sprintf("M%d", i*3+k), "/", nil) // leak: otelhttp
			handler.ServeHTTP(httptest.NewRecorder(), r)                  // leak: otelhttp
		}
	})
}

// A database that prepares everything and then refuses to execute it.
type refusing struct{}

func (refusing) Open(string) (driver.Conn, error)    { return refusing{}, nil }
func (refusing) Prepare(string) (driver.Stmt, error) { return refusing{}, nil }
func (refusing) Close() error                        { return nil }
func (refusing) Begin() (driver.Tx, error)           { return refusing{}, nil }
func (refusing) Commit() error                       { return nil }
func (refusing) Rollback() error                     { return nil }
func (refusing) NumInput() int                       { return -1 }
func (refusing) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("duplicate entry")
}
func (refusing) Query([]driver.Value) (driver.Rows, error) { return nil, errors.New("no rows") }

// go-gorm/gorm#7137: the text of a statement that failed stays in the list of what was prepared.
func gormPrepared() {
	sql.Register("refusing", refusing{})
	pool, err := sql.Open("refusing", "")
	if err != nil {
		panic(err)
	}
	db, err := gorm.Open(tests.DummyDialector{}, &gorm.Config{ConnPool: pool, PrepareStmt: true,
		SkipDefaultTransaction: true, Logger: logger.Discard})
	if err != nil {
		panic(err)
	}
	row := fmt.Sprintf("%04000d", 7)
	every(func(i int) {
		text := fmt.Sprintf("INSERT INTO orders VALUES (%d, %s)", i, row) // leak: gorm
		db.WithContext(context.Background()).Exec(text)                   // leak: gorm
	})
}

var cases = map[string]func(){"go-metrics": goMetrics, "gorilla-sessions": gorillaSessions,
	"client-golang": clientGolang, "otelhttp": otelHTTP, "gorm": gormPrepared}

func main() {
	if len(os.Args) != 2 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: public CASE; go-metrics, gorilla-sessions, client-golang, otelhttp, gorm")
		os.Exit(2)
	}
	go churn()
	go cases[os.Args[1]]()
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
