// SPDX-License-Identifier: Apache-2.0
/*
 * Goroutines of libraries are recognised by the names of functions, which seldom change, and never
 * by lines. The names come from the sources of the standard library of Go 1.18 to 1.27, and of
 * several versions of each module.
 */
#include "naming/meanings.h"

#include <ctype.h>
#include <string.h>

/*
 * A row applies to a site when the site has everything that the row names. A name is that of a
 * function, in which stand
 *	#	for a number, or several with dots in between, as closures have: func1, func1.2
 *	~	at the end, for whatever follows.
 * It is compared with the names of the site's functions as plain_name() makes them.
 */
struct row {
	/*
	 * A function of the park stack, from the innermost frame outwards up to the first frame of
	 * the program's own code: what the program has called, or what a library has started.
	 */
	const char *frame;
	const char *creator; /* the function with the `go` statement */
	uint32_t classes;    /* bits of wait classes; 0: any */
	bool innermost;	     /* `frame` has to be the innermost frame: it has called nothing */
	struct meaning meaning;
};

#define IN(class)  (1U << (class))
#define IN_RECEIVE IN(WAIT_CHAN_RECEIVE)
#define IN_SELECT  IN(WAIT_SELECT)
#define IN_IO	   IN(WAIT_IO)

#define ABANDONED(text)                \
	{                              \
		text, NATURE_ABANDONED \
	}
#define CONNECTION(text)                \
	{                               \
		text, NATURE_CONNECTION \
	}
#define SERVICE(text)                \
	{                            \
		text, NATURE_SERVICE \
	}
#define CALL(text)                   \
	{                            \
		text, NATURE_UNKNOWN \
	} /* a goroutine of the program itself: what it is for, only the program knows */

#define HTTP	    "net/http."
#define SQL	    "database/sql."
#define GRPC	    "google.golang.org/grpc."
#define GRPCI	    "google.golang.org/grpc/internal/"
#define NATS	    "github.com/nats-io/nats%2ego."
#define REDIS	    "github.com/redis/go-redis."
#define OLD_REDIS   "github.com/go-redis/redis."
#define MONGO	    "go.mongodb.org/mongo-driver/x/mongo/driver/topology."
#define ETCD	    "go.etcd.io/etcd/client."
#define AMQP	    "github.com/rabbitmq/amqp091-go."
#define YAMUX	    "github.com/hashicorp/yamux."
#define SSH	    "golang.org/x/crypto/ssh."
#define SARAMA	    "github.com/IBM/sarama."
#define KAFKA	    "github.com/segmentio/kafka-go."
#define BADGER	    "github.com/dgraph-io/badger."
#define GOCQL	    "github.com/gocql/gocql."
#define MEMBERS	    "github.com/hashicorp/memberlist."
#define OF_MEMBERS  SERVICE("memberlist: serves a Memberlist until it is shut down")
#define OF_SSH	    ABANDONED("SSH client: some for each ssh.Client; share a Client, or close it")
#define OF_PRODUCER ABANDONED("sarama: some for each producer; share a producer, or close it")
#define OF_CONSUMER ABANDONED("sarama: some for each consumer; close those that are not needed")
#define OF_BADGER \
	ABANDONED("badger: some for each DB; open a database once and share it, or close it")
#define OF_SESSION ABANDONED("gocql: some for each Session; share a Session, or close it")

/* The first that applies is taken: what says more comes first. */
static const struct row rows[] = {
	/* --- HTTP client ------------------------------------------------------------------ */
	{HTTP "(*persistConn).readLoop", NULL, IN_SELECT, true,
	 ABANDONED("HTTP client: a response whose body was not read to its end nor closed; read "
		   "resp.Body to its end and close it")},
	{HTTP "(*persistConn).readLoop", NULL, 0, false,
	 CONNECTION("HTTP client: a connection that is idle or waits for an answer")},
	{HTTP "(*persistConn).writeLoop", NULL, 0, false,
	 CONNECTION("HTTP client: writes the requests of a connection")},
	{HTTP "(*persistConn).addTLS.func#", NULL, 0, false,
	 CONNECTION("HTTP client: a TLS handshake under way")},
	{HTTP "(*Transport).dialConn.func#", NULL, 0, false,
	 CONNECTION("HTTP client: waits for a proxy to connect")},
	{HTTP "(*Transport).dialConnFor", NULL, 0, false,
	 CONNECTION("HTTP client: connects to a server")},
	{HTTP "setRequestCancel.func#", NULL, IN_SELECT, true,
	 ABANDONED(
		 "HTTP client: a response whose body was not closed, of a request with a timeout")},
	{HTTP "awaitLegacyCancel", NULL, IN_SELECT, true,
	 ABANDONED("HTTP client: a response whose body was not closed, of a request with "
		   "Request.Cancel")},
	{HTTP "maybeDrainBody.func#", NULL, 0, false,
	 CONNECTION("HTTP client: reads what is left of a body that was closed")},
	{HTTP "(*Transport).getConn", NULL, IN_SELECT, true,
	 CALL("HTTP client: waits for a connection: one is being made, or MaxConnsPerHost is reached")},
	{HTTP "(*persistConn).roundTrip", NULL, IN_SELECT, true,
	 CALL("HTTP client: waits for the server to answer; a timeout of the client would end it")},

	/* --- HTTP/2, see plain_name() ------------------------------------------------------ */
	{"http2.(*clientStream).doRequest", NULL, IN_SELECT, false,
	 ABANDONED("HTTP/2 client: a stream that is open: its response's body was not read to its "
		   "end nor closed")},
	{"http2.(*clientStream).doRequest", NULL, 0, false,
	 CONNECTION("HTTP/2 client: sends a request")},
	{"http2.(*ClientConn).readLoop", NULL, 0, false, CONNECTION("HTTP/2 client: a connection")},
	{"http2.(*ClientConn).roundTrip", NULL, IN_SELECT, false,
	 CALL("HTTP/2 client: waits for the server to answer; a timeout of the client would end it")},
	{"http2.(*ClientConn).RoundTrip", NULL, IN_SELECT, false,
	 CALL("HTTP/2 client: waits for the server to answer; a timeout of the client would end it")},
	{"http2.(*serverConn).readFrames", NULL, 0, false,
	 CONNECTION("HTTP/2 server: reads an open connection")},
	{"http2.(*serverConn).writeFrameAsync", NULL, 0, false,
	 CONNECTION("HTTP/2 server: writes to a client that is slow to read")},
	{"http2.(*serverConn).serve", NULL, 0, false,
	 CONNECTION("HTTP/2 server: an open connection")},

	/* --- HTTP server and what is around it --------------------------------------------- */
	{HTTP "(*connReader).backgroundRead", NULL, 0, false,
	 CONNECTION("HTTP server: watches whether a client hangs up while a handler runs")},
	{HTTP "(*conn).serve", NULL, IN_IO, false,
	 CONNECTION("HTTP server: an open connection that waits for its client")},
	{HTTP "(*Server).Serve", NULL, IN_IO, false, SERVICE("HTTP server: waits for connections")},
	{NULL, HTTP "(*timeoutHandler).ServeHTTP", 0, false,
	 CALL("HTTP server: a handler within http.TimeoutHandler, which answers for it but cannot "
	      "end it")},
	{"net/http/httputil.switchProtocolCopier.~", NULL, 0, false,
	 CONNECTION("reverse proxy: copies one direction of an upgraded connection")},
	{"net/http/httputil.(*ReverseProxy).handleUpgradeResponse.func#", NULL, 0, false,
	 CONNECTION("reverse proxy: watches an upgraded connection")},
	{"net/http/httputil.(*ReverseProxy).ServeHTTP.func#", NULL, 0, false,
	 CONNECTION("reverse proxy: watches whether a client hangs up")},
	{"net/http/httptest.(*Server).goServe.func#", NULL, 0, false,
	 ABANDONED("httptest.Server: serves until it is closed")},

	/* --- database/sql ------------------------------------------------------------------ */
	{SQL "(*Tx).awaitDone", NULL, IN_RECEIVE, false,
	 ABANDONED("database/sql: a transaction that was neither committed nor rolled back")},
	{SQL "(*Rows).awaitDone", NULL, IN_SELECT, false,
	 ABANDONED("database/sql: Rows that were neither read to their end nor closed")},
	{SQL "(*DB).connectionOpener", NULL, IN_SELECT, true,
	 ABANDONED(
		 "database/sql: one for each sql.Open; open a database once and share the sql.DB, "
		 "or close it")},
	{SQL "(*DB).connectionCleaner", NULL, 0, false,
	 SERVICE("database/sql: closes connections that are old or idle; one for each sql.DB")},
	{SQL "(*DB).conn", NULL, IN_SELECT, true,
	 CALL("database/sql: waits for a connection: SetMaxOpenConns is reached, by queries under "
	      "way or by Rows, Tx or Conn that were not closed")},

	/* --- context, signals, commands ---------------------------------------------------- */
	{"context.propagateCancel.func#", NULL, IN_SELECT, true,
	 ABANDONED("context: a context whose parent is of a type of its own; call its cancel "
		   "function")},
	{"context.(*cancelCtx).propagateCancel.func#", NULL, IN_SELECT, true,
	 ABANDONED("context: a context whose parent is of a type of its own; call its cancel "
		   "function")},
	{NULL, "context.(*afterFuncCtx).cancel.func#", 0, false,
	 CALL("a function that context.AfterFunc has started")},
	{"os/signal.NotifyContext.func#", NULL, IN_SELECT, true,
	 ABANDONED("signal.NotifyContext: waits for a signal until its stop function is called")},
	{"os/signal.loop", NULL, 0, false, SERVICE("os/signal: delivers signals; one per program")},
	{"os/exec.(*Cmd).watchCtx", NULL, IN_SELECT, true,
	 ABANDONED("os/exec: a command with a context that runs or was not waited for; call Wait")},
	{"os/exec.(*Cmd).watchCtx.func#", NULL, IN_SELECT, true, /* Go 1.19 */
	 ABANDONED("os/exec: a command with a context that runs or was not waited for; call Wait")},
	{"os/exec.(*Cmd).Start.func#", NULL, IN_SELECT, true,
	 ABANDONED("os/exec: a command with a context that runs or was not waited for; call Wait")},
	{"os/exec.(*Cmd).writerDescriptor.func#", NULL, IN_IO, false,
	 CONNECTION("os/exec: copies the output of a command while it, or what it started, runs")},
	{"os/exec.(*Cmd).Start.func#", NULL, 0, false,
	 CONNECTION("os/exec: copies to or from a command while it runs")},

	/* --- time, iterators, names, tests ------------------------------------------------- */
	{NULL, "iter.Pull", IN(WAIT_COROUTINE), false,
	 ABANDONED("iter.Pull: an iterator that was neither run to its end nor stopped; call its "
		   "stop function")},
	{NULL, "iter.Pull2", IN(WAIT_COROUTINE), false,
	 ABANDONED("iter.Pull2: an iterator that was neither run to its end nor stopped; call its "
		   "stop function")},
	{"net.(*netFD).connect.func#", NULL, 0, false,
	 CONNECTION("net: watches whether a connect is cancelled")},
	{"net.dnsWaitGroupDone", NULL, 0, false,
	 CONNECTION("net: waits for a name's lookup to end")},
	{"net.(*Resolver).~", NULL, 0, false, CONNECTION("net: looks a name up")},
	{"net.doBlockingWithCtx.func#", NULL, 0, false, CONNECTION("net: looks a name up")},
	{"testing.(*T).Parallel", NULL, 0, false,
	 SERVICE("a test that waits for its turn to run in parallel")},
	{"testing.(*T).Run", NULL, 0, false, SERVICE("a test that waits for its subtest")},
	{"testing.tRunner.func#", NULL, 0, false, SERVICE("a test that waits for its subtests")},
	{"runtime/pprof.profileWriter", NULL, 0, false,
	 SERVICE("runtime/pprof: writes a CPU profile until StopCPUProfile")},

	/* --- gRPC -------------------------------------------------------------------------- */
	{GRPC "newClientStreamWithParams.func#", NULL, IN_SELECT, true,
	 ABANDONED("gRPC client: a stream that was not received to its end; cancel its context, or "
		   "call Recv until it fails")},
	{GRPC "newNonRetryClientStream.func#", NULL, IN_SELECT, true,
	 ABANDONED("gRPC client: a stream that was not received to its end; cancel its context, or "
		   "call Recv until it fails")},
	{GRPCI "grpcsync.(*CallbackSerializer).run", NULL, 0, false,
	 ABANDONED("gRPC client: some for each grpc.ClientConn; share a ClientConn, or close it")},
	{GRPC "(*ccBalancerWrapper).watcher", NULL, 0, false,
	 ABANDONED("gRPC client: one for each grpc.ClientConn; share a ClientConn, or close it")},
	{GRPC "(*ClientConn).scWatcher", NULL, 0, false,
	 ABANDONED("gRPC client: one for each grpc.ClientConn; share a ClientConn, or close it")},
	{GRPCI "resolver/dns.(*dnsResolver).watcher", NULL, 0, false,
	 ABANDONED(
		 "gRPC client: looks up names for a grpc.ClientConn; share a ClientConn, or close "
		 "it")},
	{GRPC "(*addrConn).~", NULL, 0, false,
	 CONNECTION("gRPC client: connects to a server, or waits to try again")},
	{GRPCI "transport.(*http2Client).reader", NULL, 0, false,
	 CONNECTION("gRPC client: reads a connection")},
	{GRPCI "transport.(*http2Client).keepalive", NULL, 0, false,
	 CONNECTION("gRPC client: keeps a connection alive")},
	{GRPCI "transport.(*http2Server).keepalive", NULL, 0, false,
	 CONNECTION("gRPC server: keeps a connection alive")},
	{GRPCI "transport.(*loopyWriter).run", NULL, 0, false,
	 CONNECTION("gRPC: writes to a connection")},
	{GRPCI "transport.(*http2Server).HandleStreams", NULL, 0, false,
	 CONNECTION("gRPC server: reads an open connection")},
	{GRPCI "transport.(*serverHandlerTransport).~", NULL, 0, false,
	 CONNECTION("gRPC server: an open stream")},
	{GRPC "(*Server).serverWorker", NULL, 0, false,
	 SERVICE("gRPC server: a worker that waits for streams")},
	{GRPC "(*Server).Serve", NULL, IN_IO, false, SERVICE("gRPC server: waits for connections")},
	{GRPCI "transport.(*recvBufferReader).~", NULL, IN_SELECT, false,
	 CONNECTION("gRPC: waits for a message of an open stream")},
	{GRPCI "transport.(*Stream).waitOnHeader", NULL, 0, false,
	 CONNECTION("gRPC client: waits for a server to answer")},
	{GRPCI "transport.(*ClientStream).waitOnHeader", NULL, 0, false,
	 CONNECTION("gRPC client: waits for a server to answer")},
	{GRPCI "transport.(*writeQuota).get", NULL, 0, false,
	 CONNECTION("gRPC: sends on a stream whose other end is slow to receive")},
	{GRPC "(*pickerWrapper).pick", NULL, IN_SELECT, true,
	 CALL("gRPC client: a call that waits until there is a connection; a deadline would end it")},

	/* --- logs, metrics, files ---------------------------------------------------------- */
	{"go.opencensus.io/stats/view.(*worker).start", NULL, 0, false,
	 SERVICE("opencensus: collects measurements; one per program")},
	{"go.opentelemetry.io/otel/sdk/trace.(*batchSpanProcessor).processQueue", NULL, 0, false,
	 ABANDONED("opentelemetry: one for each batch span processor; make one TracerProvider, or "
		   "shut it down")},
	{"go.opentelemetry.io/otel/sdk/metric.(*PeriodicReader).run", NULL, 0, false,
	 ABANDONED(
		 "opentelemetry: one for each periodic reader; make one MeterProvider, or shut it "
		 "down")},
	{"k8s.io/klog.(*flushDaemon).run.func#", NULL, 0, false,
	 SERVICE("klog: flushes the log; one per program")},
	{"k8s.io/klog.(*loggingT).flushDaemon", NULL, 0, false,
	 SERVICE("klog: flushes the log; one per program")},
	{"github.com/golang/glog.(*loggingT).flushDaemon", NULL, 0, false,
	 SERVICE("glog: flushes the log; one per program")},
	{"github.com/golang/glog.(*fileSink).flushDaemon", NULL, 0, false,
	 SERVICE("glog: flushes the log; one per program")},
	{"gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun", NULL, 0, false,
	 ABANDONED("lumberjack: one for each Logger, for ever; make one and keep it")},
	{"github.com/sirupsen/logrus.(*Entry).writerScanner", NULL, 0, false,
	 ABANDONED("logrus: reads what is written to Logger.Writer(); close that writer")},
	{"github.com/fsnotify/fsnotify.(*Watcher).readEvents", NULL, 0, false,
	 ABANDONED("fsnotify: one for each Watcher; share it, or close it")},
	{"github.com/fsnotify/fsnotify.(*inotify).readEvents", NULL, 0, false,
	 ABANDONED("fsnotify: one for each Watcher; share it, or close it")},
	{"github.com/patrickmn/go-cache.(*janitor).Run", NULL, 0, false,
	 ABANDONED("go-cache: one for each Cache; make one and keep it")},

	/* --- databases and brokers --------------------------------------------------------- */
	{REDIS "(*channel).~", NULL, 0, false, ABANDONED("redis: a PubSub that was not closed")},
	{OLD_REDIS "(*channel).~", NULL, 0, false,
	 ABANDONED("redis: a PubSub that was not closed")},
	{"github.com/go-redis/redis/internal/pool.(*ConnPool).reaper", NULL, 0, false,
	 ABANDONED("redis: one for each Client; share a Client, or close it")},
	{"github.com/go-redis/redis/internal/pool.(*ConnPool).waitTurn", NULL, 0, false,
	 CALL("redis: waits for a connection of the pool; PoolSize is reached")},
	{"github.com/redis/go-redis/internal/pool.(*ConnPool).waitTurn", NULL, 0, false,
	 CALL("redis: waits for a connection of the pool; PoolSize is reached")},
	{"github.com/jackc/pgx/pgxpool.(*Pool).backgroundHealthCheck", NULL, 0, false,
	 ABANDONED("pgx: one for each Pool; share a Pool, or close it")},
	{"github.com/jackc/pgx/pgconn/internal/ctxwatch.(*ContextWatcher).Watch.func#", NULL,
	 IN_SELECT, true, ABANDONED("pgx: a query under way, or Rows that were not closed")},
	{"github.com/jackc/pgconn/internal/ctxwatch.(*ContextWatcher).Watch.func#", NULL, IN_SELECT,
	 true, ABANDONED("pgx: a query under way, or Rows that were not closed")},
	{"github.com/go-sql-driver/mysql.(*mysqlConn).startWatcher.func#", NULL, 0, false,
	 CONNECTION("mysql: watches the contexts of a connection's queries")},
	{"github.com/lib/pq.(*conn).watchCancel.func#", NULL, IN_SELECT, true,
	 ABANDONED("pq: a query under way, or Rows that were not closed")},
	{"github.com/lib/pq.(*stmt).watchCancel.func#", NULL, IN_SELECT, true,
	 ABANDONED("pq: a query under way, or Rows that were not closed")},
	{"github.com/lib/pq.(*ListenerConn).listenerConnMain", NULL, 0, false,
	 CONNECTION("pq: a Listener's connection")},
	{"github.com/lib/pq.(*Listener).listenerMain", NULL, 0, false,
	 ABANDONED("pq: one for each Listener; share it, or close it")},
	{MONGO "(*Server).update", NULL, 0, false,
	 ABANDONED("mongo: some for each Client; share a Client, or disconnect it")},
	{MONGO "(*pool).~", NULL, 0, false,
	 ABANDONED("mongo: some for each Client; share a Client, or disconnect it")},
	{NATS "(*Conn).readLoop", NULL, 0, false, CONNECTION("NATS: reads a connection")},
	{NATS "(*Conn).flusher", NULL, 0, false, CONNECTION("NATS: writes to a connection")},
	{NATS "(*Conn).doReconnect", NULL, 0, false,
	 CONNECTION("NATS: a connection that is being made again")},
	{NATS "(*asyncCallbacksHandler).asyncCBDispatcher", NULL, 0, false,
	 ABANDONED("NATS: one for each Conn; share a Conn, or close it")},
	{NATS "(*Conn).waitForMsgs", NULL, 0, false,
	 ABANDONED("NATS: one for each Subscribe; unsubscribe what is no longer needed")},
	{ETCD "(*watchGrpcStream).~", NULL, 0, false,
	 ABANDONED("etcd: a Watch; cancel its context when it is no longer needed")},
	{ETCD "(*watchGRPCStream).~", NULL, 0, false,
	 ABANDONED("etcd: a Watch; cancel its context when it is no longer needed")},
	{ETCD "(*lessor).~", NULL, 0, false,
	 ABANDONED("etcd: keeps leases alive; cancel the context, or close the Client")},
	{AMQP "(*Connection).~", NULL, 0, false, CONNECTION("AMQP: serves a connection")},
	{AMQP "(*consumers).buffer", NULL, 0, false,
	 ABANDONED("AMQP: one for each Consume; cancel the consumer, or close the channel")},
	{YAMUX "(*Session).~", NULL, 0, false, CONNECTION("yamux: serves a session")},
	{"github.com/IBM/sarama.(*client).backgroundMetadataUpdater", NULL, 0, false,
	 ABANDONED("sarama: one for each Client; share a Client, or close it")},
	{"github.com/IBM/sarama.(*Broker).responseReceiver", NULL, 0, false,
	 CONNECTION("sarama: reads the connection to a broker")},

	{SARAMA "(*asyncProducer).dispatcher", NULL, 0, false, OF_PRODUCER},
	{SARAMA "(*asyncProducer).retryHandler", NULL, 0, false, OF_PRODUCER},
	{SARAMA "(*topicProducer).dispatch", NULL, 0, false, OF_PRODUCER},
	{SARAMA "(*partitionProducer).dispatch", NULL, 0, false, OF_PRODUCER},
	{SARAMA "(*brokerProducer).run", NULL, 0, false, OF_PRODUCER},
	{SARAMA "(*asyncProducer).newBrokerProducer.func#", NULL, 0, false, OF_PRODUCER},
	{SARAMA "(*partitionConsumer).dispatcher", NULL, 0, false, OF_CONSUMER},
	{SARAMA "(*partitionConsumer).responseFeeder", NULL, 0, false, OF_CONSUMER},
	{SARAMA "(*brokerConsumer).subscriptionManager", NULL, 0, false, OF_CONSUMER},
	{SARAMA "(*brokerConsumer).subscriptionConsumer", NULL, 0, false, OF_CONSUMER},
	{SARAMA "(*offsetManager).mainLoop", NULL, 0, false, OF_CONSUMER},
	{SARAMA "(*consumerGroupSession).heartbeatLoop", NULL, 0, false, OF_CONSUMER},
	{KAFKA "NewConsumerGroup.func#", NULL, 0, false,
	 ABANDONED("kafka-go: one for each ConsumerGroup or Reader of a group; close it")},
	{KAFKA "(*Reader).start.func#", NULL, 0, false,
	 ABANDONED("kafka-go: one for each partition of a Reader; close the Reader")},
	{KAFKA "(*Reader).readLag", NULL, 0, false,
	 ABANDONED("kafka-go: one for each Reader; close it")},
	{KAFKA "(*connPool).discover", NULL, 0, false,
	 ABANDONED("kafka-go: one for each address of a Transport; share a Transport")},
	{KAFKA "(*conn).run", NULL, 0, false, CONNECTION("kafka-go: serves a connection")},
	{GOCQL "(*Conn).serve", NULL, 0, false, CONNECTION("gocql: reads a connection")},
	{GOCQL "(*Conn).heartBeat", NULL, 0, false, CONNECTION("gocql: keeps a connection alive")},
	{GOCQL "(*writeCoalescer).writeFlusher", NULL, 0, false,
	 CONNECTION("gocql: writes to a connection")},
	{GOCQL "(*controlConn).heartBeat", NULL, 0, false, OF_SESSION},
	{GOCQL "(*eventDebouncer).flusher", NULL, 0, false, OF_SESSION},
	{GOCQL "(*refreshDebouncer).flusher", NULL, 0, false, OF_SESSION},
	{GOCQL "(*Session).reconnectDownedHosts", NULL, 0, false, OF_SESSION},
	{"github.com/olivere/elastic.(*Client).sniffer", NULL, 0, false,
	 ABANDONED("elastic: one for each Client; share a Client, or stop it")},
	{"github.com/olivere/elastic.(*Client).healthchecker", NULL, 0, false,
	 ABANDONED("elastic: one for each Client; share a Client, or stop it")},
	{"github.com/olivere/elastic.(*BulkProcessor).flusher", NULL, 0, false,
	 ABANDONED("elastic: one for each BulkProcessor; close it")},
	{"github.com/olivere/elastic.(*bulkWorker).work", NULL, 0, false,
	 ABANDONED("elastic: some for each BulkProcessor; close it")},
	{BADGER "(*DB).doWrites", NULL, 0, false, OF_BADGER},
	{BADGER "(*DB).monitorCache", NULL, 0, false, OF_BADGER},
	{BADGER "(*DB).updateSize", NULL, 0, false, OF_BADGER},
	{BADGER "(*levelsController).runCompactor", NULL, 0, false, OF_BADGER},
	{BADGER "(*publisher).listenForUpdates", NULL, 0, false, OF_BADGER},
	{BADGER "(*vlogThreshold).listenForValueThresholdUpdate", NULL, 0, false, OF_BADGER},
	{BADGER "(*valueLog).waitOnGC", NULL, 0, false, OF_BADGER},
	{"github.com/dgraph-io/badger/y.(*WaterMark).process", NULL, 0, false, OF_BADGER},

	/* --- caches, watches, clocks, clusters --------------------------------------------- */
	{"github.com/dgraph-io/ristretto.(*Cache).processItems", NULL, 0, false,
	 ABANDONED("ristretto: one for each Cache; make one and keep it, or close it")},
	{"github.com/dgraph-io/ristretto.(*defaultPolicy).processItems", NULL, 0, false,
	 ABANDONED("ristretto: one for each Cache; make one and keep it, or close it")},
	{"github.com/allegro/bigcache.newBigCache.func#", NULL, 0, false,
	 ABANDONED("bigcache: one for each BigCache; make one and keep it, or close it")},
	{"github.com/jellydator/ttlcache.(*Cache).Start", NULL, 0, false,
	 ABANDONED("ttlcache: one for each Cache that was started; stop it")},
	{"github.com/hashicorp/go-memdb.watchFew", NULL, 0, false,
	 ABANDONED("go-memdb: watches some channels of a WatchSet until its context ends; before "
		   "v1.3.4 also when another channel has been closed")},
	{"github.com/robfig/cron.(*Cron).run", NULL, 0, false,
	 ABANDONED("cron: one for each Cron that was started; keep one, or stop it")},
	{"github.com/containerd/fifo.openFifo.func#", NULL, 0, false,
	 ABANDONED("fifo: waits until somebody opens the other end of a fifo; close it, or cancel "
		   "its context")},
	{"github.com/DataDog/datadog-go/statsd.(*worker).pullMetric", NULL, 0, false,
	 ABANDONED("statsd: some for each Client; share a Client, or close it")},
	{"github.com/DataDog/datadog-go/statsd.(*aggregator).pullMetric", NULL, 0, false,
	 ABANDONED("statsd: some for each Client; share a Client, or close it")},
	{"github.com/DataDog/datadog-go/statsd.(*sender).sendLoop", NULL, 0, false,
	 ABANDONED("statsd: one for each Client; share a Client, or close it")},
	{"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/"
	 "otelgrpc.wrapClientStream.func#",
	 NULL, 0, false,
	 ABANDONED(
		 "otelgrpc: a client stream that was not received to its end; cancel its context, "
		 "or call Recv until it fails")},
	{MEMBERS "(*Memberlist).streamListen", NULL, 0, false, OF_MEMBERS},
	{MEMBERS "(*Memberlist).packetListen", NULL, 0, false, OF_MEMBERS},
	{MEMBERS "(*Memberlist).packetHandler", NULL, 0, false, OF_MEMBERS},
	{MEMBERS "(*Memberlist).checkBroadcastQueueDepth", NULL, 0, false, OF_MEMBERS},
	{MEMBERS "(*Memberlist).triggerFunc", NULL, 0, false, OF_MEMBERS},
	{MEMBERS "(*Memberlist).pushPullTrigger", NULL, 0, false, OF_MEMBERS},
	{MEMBERS "(*NetTransport).tcpListen", NULL, 0, false, OF_MEMBERS},
	{MEMBERS "(*NetTransport).udpListen", NULL, 0, false, OF_MEMBERS},
	{"github.com/hashicorp/raft.(*NetworkTransport).handleConn", NULL, 0, false,
	 CONNECTION("raft: serves a connection of a peer")},
	{"github.com/hashicorp/raft.(*NetworkTransport).listen", NULL, 0, false,
	 SERVICE("raft: waits for peers")},
	{"github.com/hashicorp/raft.(*raftState).goFunc.func#", NULL, 0, false,
	 SERVICE("raft: runs a node until it is shut down")},

	/* --- SSH, QUIC, WebSocket ---------------------------------------------------------- */
	{SSH "(*Client).handleGlobalRequests", NULL, 0, false, OF_SSH},
	{SSH "(*Client).handleChannelOpens", NULL, 0, false, OF_SSH},
	{SSH "NewClient.func#", NULL, 0, false, OF_SSH},
	{SSH "(*mux).loop", NULL, 0, false, CONNECTION("SSH: serves the channels of a connection")},
	{SSH "(*handshakeTransport).readLoop", NULL, 0, false,
	 CONNECTION("SSH: reads a connection")},
	{SSH "(*handshakeTransport).kexLoop", NULL, 0, false,
	 CONNECTION("SSH: negotiates the keys of a connection")},
	{SSH "DiscardRequests", NULL, 0, false,
	 CONNECTION("SSH: refuses requests until a channel or connection is closed")},
	{"github.com/quic-go/quic-go.(*connection).run", NULL, 0, false,
	 CONNECTION("QUIC: serves a connection")},
	{"github.com/quic-go/quic-go.(*sendQueue).Run", NULL, 0, false,
	 CONNECTION("QUIC: sends for a connection")},
	{"github.com/quic-go/quic-go.(*Transport).listen", NULL, 0, false,
	 SERVICE("QUIC: reads the socket of a Transport")},
	{"github.com/coder/websocket.(*Conn).timeoutLoop", NULL, 0, false,
	 CONNECTION("WebSocket: watches the deadlines of a connection")},
	{"nhooyr.io/websocket.(*Conn).timeoutLoop", NULL, 0, false,
	 CONNECTION("WebSocket: watches the deadlines of a connection")},

	/* --- Kubernetes clients ------------------------------------------------------------ */
	{"k8s.io/apimachinery/pkg/watch.(*StreamWatcher).receive", NULL, 0, false,
	 ABANDONED("Kubernetes: a watch; stop it when it is no longer needed")},
	{"k8s.io/apimachinery/pkg/watch.(*Broadcaster).loop", NULL, 0, false,
	 ABANDONED("Kubernetes: one for each event broadcaster; share it, or shut it down")},
	{"k8s.io/client-go/util/workqueue.(*delayingType).waitingLoop", NULL, 0, false,
	 ABANDONED("Kubernetes: one for each delaying work queue; shut it down")},
	{"k8s.io/client-go/util/workqueue.(*Type).updateUnfinishedWorkLoop", NULL, 0, false,
	 ABANDONED("Kubernetes: one for each work queue; shut it down")},
	{"k8s.io/client-go/util/workqueue.(*Typed).updateUnfinishedWorkLoop", NULL, 0, false,
	 ABANDONED("Kubernetes: one for each work queue; shut it down")},
	{"k8s.io/client-go/tools/cache.(*processorListener).~", NULL, 0, false,
	 ABANDONED("Kubernetes: two or more for each handler of an informer, until that is removed "
		   "or the informer stops")},
	{"k8s.io/client-go/tools/cache.(*Reflector).~", NULL, 0, false,
	 SERVICE("Kubernetes: lists and watches for an informer")},
	{"k8s.io/apimachinery/pkg/util/wait.~", NULL, 0, false,
	 SERVICE("Kubernetes: a loop that runs until its channel or context ends it")},

	/* --- what says least --------------------------------------------------------------- */
	{"golang.org/x/sync/semaphore.(*Weighted).Acquire", NULL, IN_SELECT, true,
	 CALL("semaphore: waits until others release what they hold")},
	{"golang.org/x/sync/errgroup.(*Group).Wait", NULL, 0, false,
	 CALL("errgroup: waits for the goroutines of the group")},
	{"golang.org/x/sync/errgroup.(*Group).Go", NULL, IN(WAIT_CHAN_SEND), true,
	 CALL("errgroup: the limit of the group is reached")},
	{"golang.org/x/sync/singleflight.(*Group).Do", NULL, 0, false,
	 CALL("singleflight: waits for the call of another goroutine with the same key")},
	{"io.(*pipe).read", NULL, IN_SELECT, true,
	 CALL("io.Pipe: waits for the writing end, which neither writes nor is closed")},
	{"io.(*pipe).write", NULL, IN_SELECT, true,
	 ABANDONED("io.Pipe: waits for the reading end, which neither reads nor is closed")},
	{"net.(*TCPListener).Accept", NULL, 0, false, SERVICE("waits for TCP connections")},
	{"net.(*UnixListener).Accept", NULL, 0, false, SERVICE("waits for connections")},
	{NULL, "time.goFunc", 0, false, CALL("a function that time.AfterFunc has started")},
};

/* --- comparing ----------------------------------------------------------------------------------- */

#define MAX_NAME   256
#define MAX_FRAMES 64 /* that are compared, innermost first */

/* Copies of one package that differ in how its names begin. */
static const struct {
	const char *begins, *plain;
} copies[] = {
	/* Until Go 1.26 a tool put it into net/http, with a prefix to every name. */
	{"net/http.(*http2", "http2.(*"},
	{"net/http.http2", "http2."},
	{"net/http/internal/http2.", "http2."},
	{"golang.org/x/net/http2.", "http2."},
	/* The module's name before it moved. */
	{"github.com/Shopify/sarama.", "github.com/IBM/sarama."},
};

/* The length of "/v2" at @p when that is the element of a path that names a major version. */
static size_t major_version(const char *p)
{
	size_t n = 2;

	if (p[0] != '/' || p[1] != 'v' || !isdigit((unsigned char)p[2]))
		return 0;
	while (isdigit((unsigned char)p[n]))
		n++;
	return p[n] == '/' || p[n] == '.' ? n : 0;
}

/* @function without type arguments and major versions; a name that is too long becomes "". */
static void plain_name(const char *function, char plain[MAX_NAME])
{
	size_t n = 0, depth = 0;

	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		size_t length = strlen(copies[i].begins);

		if (strncmp(function, copies[i].begins, length) != 0)
			continue;
		n = strlen(copies[i].plain);
		memcpy(plain, copies[i].plain, n);
		function += length;
		break;
	}
	while (*function && n < MAX_NAME - 1) {
		function += major_version(function);
		depth += *function == '[';
		if (!depth)
			plain[n++] = *function;
		depth -= *function == ']' && depth;
		function++;
	}
	plain[*function ? 0 : n] = '\0';
}

static bool matches(const char *pattern, const char *name)
{
	for (; *pattern; pattern++) {
		if (*pattern == '~')
			return true;
		if (*pattern != '#') {
			if (*pattern != *name++)
				return false;
			continue;
		}
		if (!isdigit((unsigned char)*name))
			return false;
		while (isdigit((unsigned char)*name) ||
		       (*name == '.' && isdigit((unsigned char)name[1])))
			name++;
	}
	return !*name;
}

/* What of a site is compared with every row. */
struct subject {
	char creator[MAX_NAME];
	char frames[MAX_FRAMES][MAX_NAME]; /* up to the service's own code */
	size_t n_frames;
	uint32_t class;
};

static bool row_applies(const struct row *row, const struct subject *subject)
{
	size_t n = row->innermost ? min_of(subject->n_frames, (size_t)1) : subject->n_frames;

	if (row->classes && !(row->classes & subject->class))
		return false;
	if (row->creator && !matches(row->creator, subject->creator))
		return false;
	for (size_t i = 0; i < n && row->frame; i++) {
		if (matches(row->frame, subject->frames[i]))
			return true;
	}
	return !row->frame;
}

const struct meaning *meanings__of(const struct site_frames *frames, const char *wait_reason)
{
	enum wait_class class = site_frames__wait_class(frames, wait_class__of(wait_reason));
	struct subject subject;

	plain_name(frames->created_by.function, subject.creator);
	subject.class = IN(class);
	subject.n_frames = 0;
	while (subject.n_frames < min_of(frames->n_stack, (size_t)MAX_FRAMES) &&
	       !frames->stack[subject.n_frames].own) {
		plain_name(frames->stack[subject.n_frames].function,
			   subject.frames[subject.n_frames]);
		subject.n_frames++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (row_applies(&rows[i], &subject))
			return &rows[i].meaning;
	}
	return NULL;
}
