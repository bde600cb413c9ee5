// SPDX-License-Identifier: Apache-2.0
// Versions as they were when these leaks were reported.
module gleakd.test/memorypublic

go 1.23

require (
	github.com/gorilla/sessions v1.1.1
	github.com/prometheus/client_golang v1.11.0
	github.com/rcrowley/go-metrics v0.0.0-20161128210544-1f30fe9094a5
	go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp v0.43.0
	go.opentelemetry.io/otel/sdk/metric v0.40.0
	gorm.io/gorm v1.25.8
)
