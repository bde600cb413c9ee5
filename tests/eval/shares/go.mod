module gleakd.test/shares

go 1.26

require (
	github.com/elazarl/goproxy v1.9.4
	github.com/mccutchen/go-httpbin/v2 v2.26.0
	github.com/mochi-mqtt/server/v2 v2.7.9
	github.com/tidwall/redcon v1.6.4
)
