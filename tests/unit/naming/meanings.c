// SPDX-License-Identifier: Apache-2.0
#include "naming/meanings.h"

#include <criterion/criterion.h>
#include <string.h>

/*
 * One case for what a row can be told by: frames, innermost first, those of the service's own code
 * with a '!' before them; the function with the `go` statement behind a '<'.
 */
struct meaning_case {
	const char *stack;
	const char *reason;
	enum site_nature nature;
	const char *words; /* in the text; NULL: nothing is known */
};

static struct site_frames frames;

/* Takes @stack apart. Frames are separated by blanks. */
static void make_frames(const char *stack)
{
	static char text[2048];
	char *next = text, *word;

	memset(&frames, 0, sizeof(frames));
	frames.created_by.function = "";
	frames.start_function = "";
	cr_assert_lt(strlen(stack), sizeof(text));
	strncpy(text, stack, sizeof(text) - 1);
	while ((word = strsep(&next, " "))) {
		bool own = *word == '!';

		if (*word == '<')
			frames.created_by.function = word + 1;
		else
			frames.stack[frames.n_stack++] = (struct report_frame){
				.function = word + own, .file = "", .own = own};
	}
}

static void check(const struct meaning_case *c)
{
	const struct meaning *meaning;

	make_frames(c->stack);
	meaning = meanings__of(&frames, c->reason, NULL);
	if (!c->words) {
		cr_expect_null(meaning, "%s: %s", c->stack, meaning ? meaning->text : "");
		return;
	}
	cr_expect_not_null(meaning, "%s", c->stack);
	if (!meaning)
		return;
	cr_expect_not_null(strstr(meaning->text, c->words), "%s: %s", c->stack, meaning->text);
	cr_expect_eq(meaning->nature, c->nature, "%s: %d", c->stack, meaning->nature);
}

#define POLL "internal/poll.runtime_pollWait internal/poll.(*FD).Read net.(*conn).Read "

static const struct meaning_case http_cases[] = {
	{"net/http.(*persistConn).readLoop", "select", NATURE_ABANDONED, "close it"},
	{POLL "net/http.(*persistConn).Read bufio.(*Reader).Peek net/http.(*persistConn).readLoop",
	 "IO wait", NATURE_CONNECTION, "idle"},
	{"net/http.(*persistConn).readLoop", "chan receive", NATURE_CONNECTION, "idle"},
	{"net/http.(*persistConn).writeLoop", "select", NATURE_CONNECTION, "writes"},
	{POLL "crypto/tls.(*Conn).Handshake net/http.(*persistConn).addTLS.func2", "IO wait",
	 NATURE_CONNECTION, "TLS"},
	{POLL "net/http.ReadResponse net/http.(*Transport).dialConn.func3", "IO wait",
	 NATURE_CONNECTION, "proxy"},
	{"net.(*Dialer).DialContext net/http.(*Transport).dialConn "
	 "net/http.(*Transport).dialConnFor net/http.(*Transport).startDialConnForLocked.func1",
	 "select", NATURE_CONNECTION, "connects"},
	{"net/http.setRequestCancel.func4", "select", NATURE_ABANDONED, "timeout"},
	{"net/http.awaitLegacyCancel", "select", NATURE_ABANDONED, "Request.Cancel"},
	{POLL "io.CopyN net/http.maybeDrainBody.func1", "IO wait", NATURE_CONNECTION, "left"},
	{"net/http.(*Transport).getConn net/http.(*Client).Do !main.ask", "select", NATURE_UNKNOWN,
	 "MaxConnsPerHost"},
	{"net/http.(*persistConn).roundTrip net/http.(*Client).Do !main.ask", "select",
	 NATURE_UNKNOWN, "answer"},
	{"net/http.(*http2clientStream).writeRequest net/http.(*http2clientStream).doRequest",
	 "select", NATURE_ABANDONED, "HTTP/2 client"},
	{"golang.org/x/net/http2.(*clientStream).doRequest", "select", NATURE_ABANDONED, "closed"},
	{"net/http/internal/http2.(*clientStream).doRequest", "select", NATURE_ABANDONED, "closed"},
	{"golang.org/x/net/http2.(*clientStream).doRequest", "IO wait", NATURE_CONNECTION, "sends"},
	{POLL "net/http.(*http2clientConnReadLoop).run net/http.(*http2ClientConn).readLoop",
	 "IO wait", NATURE_CONNECTION, "connection"},
	{"golang.org/x/net/http2.(*ClientConn).RoundTrip !main.ask", "select", NATURE_UNKNOWN,
	 "answer"},
	{"net/http.(*http2ClientConn).roundTrip !main.ask", "select", NATURE_UNKNOWN, "answer"},
	{POLL "net/http.(*http2serverConn).readFrames", "IO wait", NATURE_CONNECTION, "reads"},
	{"golang.org/x/net/http2.(*serverConn).writeFrameAsync", "IO wait", NATURE_CONNECTION,
	 "slow"},
	{"net/http.(*http2serverConn).serve net/http.(*conn).serve", "select", NATURE_CONNECTION,
	 "HTTP/2 server"},
	{POLL "net/http.(*connReader).backgroundRead", "IO wait", NATURE_CONNECTION, "hangs up"},
	{POLL "net/http.(*conn).readRequest net/http.(*conn).serve", "IO wait", NATURE_CONNECTION,
	 "waits for its client"},
	{"net.(*TCPListener).Accept net/http.(*Server).Serve !main.main", "IO wait", NATURE_SERVICE,
	 "HTTP server"},
	{"!main.handle <net/http.(*timeoutHandler).ServeHTTP", "chan receive", NATURE_UNKNOWN,
	 "TimeoutHandler"},
	{POLL "net/http/httputil.switchProtocolCopier.copyToBackend", "IO wait", NATURE_CONNECTION,
	 "upgraded"},
	{"net/http/httputil.(*ReverseProxy).handleUpgradeResponse.func1", "select",
	 NATURE_CONNECTION, "upgraded"},
	{"net/http/httputil.(*ReverseProxy).ServeHTTP.func1", "select", NATURE_CONNECTION,
	 "hangs up"},
	{"net/http.(*onceCloseListener).x net/http/httptest.(*Server).goServe.func1", "select",
	 NATURE_ABANDONED, "httptest"},
};

Test(meanings, http)
{
	for (size_t i = 0; i < ARRAY_SIZE(http_cases); i++)
		check(&http_cases[i]);
}

static const struct meaning_case standard_cases[] = {
	{"database/sql.(*Tx).awaitDone", "chan receive", NATURE_ABANDONED, "rolled back"},
	{"database/sql.(*Rows).awaitDone", "select", NATURE_ABANDONED, "Rows"},
	{"database/sql.(*DB).connectionOpener", "select", NATURE_ABANDONED, "sql.Open"},
	{"database/sql.(*DB).connectionCleaner", "select", NATURE_SERVICE, "idle"},
	{"database/sql.(*DB).conn database/sql.(*DB).QueryContext !main.query", "select",
	 NATURE_UNKNOWN, "SetMaxOpenConns"},
	{"context.propagateCancel.func1", "select", NATURE_ABANDONED, "cancel"},
	{"context.(*cancelCtx).propagateCancel.func2", "select", NATURE_ABANDONED, "cancel"},
	{"!main.stop <context.(*afterFuncCtx).cancel.func1", "chan receive", NATURE_UNKNOWN,
	 "context.AfterFunc"},
	{"os/signal.NotifyContext.func1", "select", NATURE_ABANDONED, "stop function"},
	{"os/signal.signal_recv os/signal.loop", "syscall", NATURE_SERVICE, "signals"},
	{"os/exec.(*Cmd).watchCtx", "select", NATURE_ABANDONED, "Wait"},
	{"os/exec.(*Cmd).Start.func2", "select", NATURE_ABANDONED, "Wait"},
	{POLL "io.Copy os/exec.(*Cmd).writerDescriptor.func1 os/exec.(*Cmd).Start.func1", "IO wait",
	 NATURE_CONNECTION, "output"},
	{POLL "os/exec.(*Cmd).Start.func1", "IO wait", NATURE_CONNECTION, "copies"},
	{"!main.values <iter.Pull[...]", "coroutine", NATURE_ABANDONED, "stop function"},
	{"!main.values <iter.Pull2[...]", "coroutine", NATURE_ABANDONED, "stop function"},
	{"net.(*netFD).connect.func2", "select", NATURE_CONNECTION, "connect"},
	{"net.dnsWaitGroupDone", "chan receive", NATURE_CONNECTION, "lookup"},
	{POLL "net.dnsStreamRoundTrip net.(*Resolver).exchange net.(*Resolver).tryOneName",
	 "IO wait", NATURE_CONNECTION, "looks"},
	{"net.doBlockingWithCtx[...].func1", "semacquire", NATURE_CONNECTION, "looks"},
	{"testing.(*testState).waitParallel testing.(*T).Parallel !main.TestX", "chan receive",
	 NATURE_SERVICE, "parallel"},
	{"testing.(*T).Run !main.TestX testing.tRunner", "chan receive", NATURE_SERVICE, "subtest"},
	{"testing.tRunner.func1 testing.tRunner", "chan receive", NATURE_SERVICE, "subtests"},
	{"time.Sleep runtime/pprof.profileWriter", "sleep", NATURE_SERVICE, "CPU profile"},
	{"io.(*pipe).read io.(*PipeReader).Read !main.read", "select", NATURE_UNKNOWN, "writing"},
	{"io.(*pipe).write io.(*PipeWriter).Write !main.write", "select", NATURE_ABANDONED,
	 "reading"},
	{"net.(*netFD).accept net.(*TCPListener).Accept !main.main", "IO wait", NATURE_SERVICE,
	 "TCP"},
	{"net.(*netFD).accept net.(*UnixListener).Accept !main.main", "IO wait", NATURE_SERVICE,
	 "connections"},
	{"!main.later <time.goFunc", "chan receive", NATURE_UNKNOWN, "time.AfterFunc"},
};

Test(meanings, standard_library)
{
	for (size_t i = 0; i < ARRAY_SIZE(standard_cases); i++)
		check(&standard_cases[i]);
}

#define GRPC  "google.golang.org/grpc."
#define GRPCI "google.golang.org/grpc/internal/"

static const struct meaning_case grpc_cases[] = {
	{GRPC "newClientStreamWithParams.func4", "select", NATURE_ABANDONED, "Recv"},
	{GRPC "newNonRetryClientStream.func2", "select", NATURE_ABANDONED, "Recv"},
	{GRPCI "grpcsync.(*CallbackSerializer).run", "select", NATURE_ABANDONED, "ClientConn"},
	{GRPC "(*ccBalancerWrapper).watcher", "select", NATURE_ABANDONED, "ClientConn"},
	{GRPC "(*ClientConn).scWatcher", "select", NATURE_ABANDONED, "ClientConn"},
	{GRPCI "resolver/dns.(*dnsResolver).watcher", "select", NATURE_ABANDONED, "ClientConn"},
	{GRPC "(*addrConn).resetTransport " GRPC "(*addrConn).connect", "select", NATURE_CONNECTION,
	 "try again"},
	{POLL GRPCI "transport.(*http2Client).reader", "IO wait", NATURE_CONNECTION, "reads"},
	{GRPCI "transport.(*http2Client).keepalive", "select", NATURE_CONNECTION, "alive"},
	{GRPCI "transport.(*http2Server).keepalive", "select", NATURE_CONNECTION, "alive"},
	{GRPCI "transport.(*controlBuffer).get " GRPCI "transport.(*loopyWriter).run " GRPCI
	       "transport.newHTTP2Client.func3",
	 "select", NATURE_CONNECTION, "writes"},
	{POLL GRPCI "transport.(*http2Server).HandleStreams " GRPC "(*Server).serveStreams",
	 "IO wait", NATURE_CONNECTION, "server"},
	{GRPCI "transport.(*serverHandlerTransport).runStream", "select", NATURE_CONNECTION,
	 "stream"},
	{GRPC "(*Server).serverWorker", "chan receive", NATURE_SERVICE, "worker"},
	{POLL GRPC "(*Server).Serve !main.main", "IO wait", NATURE_SERVICE, "gRPC"},
	{GRPCI "transport.(*recvBufferReader).readClient " GRPC "(*clientStream).RecvMsg !main.f",
	 "select", NATURE_CONNECTION, "message"},
	{GRPCI "transport.(*Stream).waitOnHeader " GRPC "(*clientStream).Header !main.f", "select",
	 NATURE_CONNECTION, "answer"},
	{GRPCI "transport.(*ClientStream).waitOnHeader !main.f", "select", NATURE_CONNECTION,
	 "answer"},
	{GRPCI "transport.(*writeQuota).get !main.f", "select", NATURE_CONNECTION, "slow"},
	{GRPC "(*pickerWrapper).pick " GRPC "(*ClientConn).Invoke !main.f", "select",
	 NATURE_UNKNOWN, "deadline"},
};

Test(meanings, grpc)
{
	for (size_t i = 0; i < ARRAY_SIZE(grpc_cases); i++)
		check(&grpc_cases[i]);
}

#define TOPOLOGY "go.mongodb.org/mongo-driver/x/mongo/driver/topology."
#define KUBE	 "k8s.io/apimachinery/pkg/"
#define CLIENT	 "k8s.io/client-go/"

static const struct meaning_case module_cases[] = {
	{"go.opencensus.io/stats/view.(*worker).start", "select", NATURE_SERVICE, "opencensus"},
	{"go.opentelemetry.io/otel/sdk/trace.(*batchSpanProcessor).processQueue "
	 "go.opentelemetry.io/otel/sdk/trace.NewBatchSpanProcessor.func1",
	 "select", NATURE_ABANDONED, "TracerProvider"},
	{"go.opentelemetry.io/otel/sdk/metric.(*PeriodicReader).run", "select", NATURE_ABANDONED,
	 "MeterProvider"},
	{"k8s.io/klog/v2.(*flushDaemon).run.func1", "select", NATURE_SERVICE, "klog"},
	{"k8s.io/klog.(*loggingT).flushDaemon", "chan receive", NATURE_SERVICE, "klog"},
	{"github.com/golang/glog.(*loggingT).flushDaemon", "chan receive", NATURE_SERVICE, "glog"},
	{"github.com/golang/glog.(*fileSink).flushDaemon", "select", NATURE_SERVICE, "glog"},
	{"gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun", "chan receive", NATURE_ABANDONED,
	 "lumberjack"},
	{"cloud.google.com/go/pubsub.(*messageIterator).sender", "select", NATURE_ABANDONED,
	 "one for each Receive"},
	{"go.temporal.io/sdk/internal.(*baseWorker).pollTask "
	 "go.temporal.io/sdk/internal.(*baseWorker).runPoller",
	 "select", NATURE_ABANDONED, "some for each Worker"},
	{"github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1", "chan receive",
	 NATURE_ABANDONED, "terminate containers"},
	{"github.com/minio/minio-go/v7.(*Client).listObjectsV2.func1", "select", NATURE_ABANDONED,
	 "not read to its end"},
	{"github.com/hashicorp/golang-lru/v2/expirable.NewLRU[...].func1", "select",
	 NATURE_ABANDONED, "for ever"},
	{"github.com/eclipse/paho%2emqtt%2egolang.startIncoming.func1", "IO wait",
	 NATURE_CONNECTION, "MQTT: reads"},
	{"github.com/ClickHouse/clickhouse-go/v2.(*clickhouse).startAutoCloseIdleConnections",
	 "select", NATURE_ABANDONED, "one for each Open"},
	{"github.com/valyala/fasthttp.(*workerPool).getCh.func1", "chan receive", NATURE_CONNECTION,
	 "a worker of a Server"},
	{"io.(*pipe).read io.(*PipeReader).Read bufio.(*Scanner).Scan "
	 "github.com/sirupsen/logrus.(*Entry).writerScanner",
	 "select", NATURE_ABANDONED, "logrus"},
	{"github.com/fsnotify/fsnotify.(*Watcher).readEvents", "IO wait", NATURE_ABANDONED,
	 "Watcher"},
	{"github.com/fsnotify/fsnotify.(*inotify).readEvents", "IO wait", NATURE_ABANDONED,
	 "Watcher"},
	{"github.com/patrickmn/go-cache.(*janitor).Run", "select", NATURE_ABANDONED, "go-cache"},
	{"github.com/redis/go-redis/v9.(*channel).initHealthCheck.func1", "select",
	 NATURE_ABANDONED, "PubSub"},
	{"github.com/go-redis/redis/v8.(*channel).initMsgChan.func1", "IO wait", NATURE_ABANDONED,
	 "PubSub"},
	{"github.com/go-redis/redis/v8/internal/pool.(*ConnPool).reaper", "select",
	 NATURE_ABANDONED, "Client"},
	{"github.com/go-redis/redis/v8/internal/pool.(*ConnPool).waitTurn !main.get", "select",
	 NATURE_UNKNOWN, "PoolSize"},
	{"github.com/redis/go-redis/v9/internal/pool.(*ConnPool).waitTurn !main.get", "select",
	 NATURE_UNKNOWN, "PoolSize"},
	{"github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck", "select",
	 NATURE_ABANDONED, "Pool"},
	{"github.com/jackc/pgx/v5/pgconn/internal/ctxwatch.(*ContextWatcher).Watch.func1", "select",
	 NATURE_ABANDONED, "Rows"},
	{"github.com/jackc/pgconn/internal/ctxwatch.(*ContextWatcher).Watch.func1", "select",
	 NATURE_ABANDONED, "Rows"},
	{"github.com/go-sql-driver/mysql.(*mysqlConn).startWatcher.func1", "select",
	 NATURE_CONNECTION, "mysql"},
	{"github.com/lib/pq.(*conn).watchCancel.func1", "select", NATURE_ABANDONED, "Rows"},
	{"github.com/lib/pq.(*stmt).watchCancel.func1", "select", NATURE_ABANDONED, "Rows"},
	{"github.com/lib/pq.(*ListenerConn).listenerConnMain", "IO wait", NATURE_CONNECTION,
	 "Listener"},
	{"github.com/lib/pq.(*Listener).listenerMain", "chan receive", NATURE_ABANDONED,
	 "Listener"},
	{TOPOLOGY "(*Server).update", "select", NATURE_ABANDONED, "Client"},
	{"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology.(*pool).maintain", "select",
	 NATURE_ABANDONED, "Client"},
	{POLL "github.com/nats-io/nats%2ego.(*Conn).readLoop", "IO wait", NATURE_CONNECTION,
	 "reads"},
	{"github.com/nats-io/nats%2ego.(*Conn).flusher", "chan receive", NATURE_CONNECTION,
	 "writes"},
	{"github.com/nats-io/nats%2ego.(*Conn).doReconnect", "select", NATURE_CONNECTION, "again"},
	{"sync.(*Cond).Wait github.com/nats-io/nats%2ego.(*asyncCallbacksHandler)."
	 "asyncCBDispatcher",
	 "sync.Cond.Wait", NATURE_ABANDONED, "Conn"},
	{"sync.(*Cond).Wait github.com/nats-io/nats%2ego.(*Conn).waitForMsgs", "sync.Cond.Wait",
	 NATURE_ABANDONED, "unsubscribe"},
	{"go.etcd.io/etcd/client/v3.(*watchGrpcStream).serveSubstream", "select", NATURE_ABANDONED,
	 "Watch"},
	{"go.etcd.io/etcd/client/v3.(*watchGRPCStream).serveSubstream", "select", NATURE_ABANDONED,
	 "Watch"},
	{"go.etcd.io/etcd/client/v3.(*lessor).deadlineLoop", "select", NATURE_ABANDONED, "leases"},
	{POLL "github.com/rabbitmq/amqp091-go.(*Connection).reader", "IO wait", NATURE_CONNECTION,
	 "AMQP"},
	{"github.com/rabbitmq/amqp091-go.(*consumers).buffer", "select", NATURE_ABANDONED,
	 "Consume"},
	{"github.com/hashicorp/yamux.(*Session).send", "select", NATURE_CONNECTION, "yamux"},
	{"github.com/IBM/sarama.(*client).backgroundMetadataUpdater "
	 "github.com/IBM/sarama.withRecover",
	 "select", NATURE_ABANDONED, "sarama"},
	{"github.com/Shopify/sarama.(*Broker).responseReceiver", "chan receive", NATURE_CONNECTION,
	 "broker"},
	{POLL KUBE "watch.(*StreamWatcher).receive", "IO wait", NATURE_ABANDONED, "stop it"},
	{KUBE "watch.(*Broadcaster).loop", "chan receive", NATURE_ABANDONED, "broadcaster"},
	{CLIENT "util/workqueue.(*delayingType[...]).waitingLoop", "select", NATURE_ABANDONED,
	 "delaying"},
	{CLIENT "util/workqueue.(*Type).updateUnfinishedWorkLoop", "select", NATURE_ABANDONED,
	 "work queue"},
	{CLIENT "util/workqueue.(*Typed[...]).updateUnfinishedWorkLoop", "select", NATURE_ABANDONED,
	 "work queue"},
	{CLIENT "tools/cache.(*processorListener).pop " KUBE "util/wait.(*Group).Start.func1",
	 "select", NATURE_ABANDONED, "handler"},
	{CLIENT "tools/cache.(*Reflector).watchHandler " KUBE "util/wait.BackoffUntil", "select",
	 NATURE_SERVICE, "informer"},
	{KUBE "util/wait.BackoffUntil " KUBE "util/wait.Until", "select", NATURE_SERVICE, "loop"},
	{"golang.org/x/sync/semaphore.(*Weighted).Acquire !main.f", "select", NATURE_UNKNOWN,
	 "semaphore"},
	{"sync.(*WaitGroup).Wait golang.org/x/sync/errgroup.(*Group).Wait !main.f", "semacquire",
	 NATURE_UNKNOWN, "errgroup"},
	{"golang.org/x/sync/errgroup.(*Group).Go !main.f", "chan send", NATURE_UNKNOWN, "limit"},
	{"sync.(*WaitGroup).Wait golang.org/x/sync/singleflight.(*Group).Do !main.f",
	 "sync.WaitGroup.Wait", NATURE_UNKNOWN, "same key"},
};

Test(meanings, modules)
{
	for (size_t i = 0; i < ARRAY_SIZE(module_cases); i++)
		check(&module_cases[i]);
}

static const struct meaning_case client_cases[] = {
	{"golang.org/x/crypto/ssh.(*handshakeTransport).kexLoop", "select", NATURE_CONNECTION,
	 "SSH: negotiates"},
	{"golang.org/x/crypto/ssh.(*handshakeTransport).readPacket "
	 "golang.org/x/crypto/ssh.(*mux).onePacket golang.org/x/crypto/ssh.(*mux).loop",
	 "chan receive", NATURE_CONNECTION, "SSH: serves the channels"},
	{"sync.(*Cond).Wait golang.org/x/crypto/ssh.(*mux).Wait "
	 "golang.org/x/crypto/ssh.NewClient.func1",
	 "sync.Cond.Wait", NATURE_ABANDONED, "share a Client"},
	/* The program waits for a connection itself: that is no goroutine of the library's. */
	{"sync.(*Cond).Wait golang.org/x/crypto/ssh.(*mux).Wait !main.tunnel", "sync.Cond.Wait",
	 NATURE_UNKNOWN, NULL},
	{"github.com/IBM/sarama.(*topicProducer).dispatch github.com/IBM/sarama.withRecover",
	 "chan receive", NATURE_ABANDONED, "share a producer"},
	{"github.com/segmentio/kafka-go.(*reader).run github.com/segmentio/kafka-go.(*Reader).start."
	 "func1",
	 "select", NATURE_ABANDONED, "partition of a Reader"},
	{"github.com/olivere/elastic/v7.(*Client).sniffer", "select", NATURE_ABANDONED, "stop it"},
	{"github.com/olivere/elastic.(*Client).healthchecker", "select", NATURE_ABANDONED,
	 "elastic"},
	{"github.com/dgraph-io/ristretto/v2.(*Cache[go.shape.string,go.shape.int]).processItems",
	 "select", NATURE_ABANDONED, "ristretto"},
	{"github.com/dgraph-io/badger/v4/y.(*WaterMark).process", "select", NATURE_ABANDONED,
	 "badger"},
	{"github.com/DataDog/datadog-go/v5/statsd.(*sender).sendLoop", "select", NATURE_ABANDONED,
	 "statsd"},
	{"github.com/hashicorp/go-memdb.watchFew", "select", NATURE_ABANDONED, "v1.3.4"},
	{"github.com/containerd/fifo.openFifo.func1", "select", NATURE_ABANDONED, "fifo"},
	{"github.com/robfig/cron/v3.(*Cron).run", "select", NATURE_ABANDONED, "cron"},
	{POLL "github.com/gocql/gocql.(*Conn).serve", "IO wait", NATURE_CONNECTION, "gocql"},
	{"github.com/hashicorp/memberlist.(*Memberlist).triggerFunc", "select", NATURE_SERVICE,
	 "memberlist"},
	{"github.com/quic-go/quic-go.(*connection).run", "select", NATURE_CONNECTION, "QUIC"},
	{"nhooyr.io/websocket.(*Conn).timeoutLoop", "select", NATURE_CONNECTION, "WebSocket"},
	{"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc."
	 "wrapClientStream.func1",
	 "chan receive", NATURE_ABANDONED, "otelgrpc"},
};

Test(meanings, clients)
{
	for (size_t i = 0; i < ARRAY_SIZE(client_cases); i++)
		check(&client_cases[i]);
}

static const struct meaning_case nothing_cases[] = {
	{"!main.worker", "chan receive", NATURE_UNKNOWN, NULL},
	{"", "", NATURE_UNKNOWN, NULL},
	/* The service's own code runs inside of the library's goroutine: its line says more. */
	{"!main.handle net/http.(*conn).serve", "IO wait", NATURE_UNKNOWN, NULL},
	{POLL "!main.read net/http.(*conn).serve", "IO wait", NATURE_UNKNOWN, NULL},
	/* Not where the function itself waits. */
	{"sync.(*Mutex).Lock net/http.(*persistConn).roundTrip !main.ask", "sync.Mutex.Lock",
	 NATURE_UNKNOWN, NULL},
	{"database/sql.(*DB).connectionOpenerX", "select", NATURE_UNKNOWN, NULL},
	{"database/sql.(*DB).connectionOpene", "select", NATURE_UNKNOWN, NULL},
	{"context.(*cancelCtx).propagateCancel.func", "select", NATURE_UNKNOWN, NULL},
	{"context.(*cancelCtx).propagateCancel.func2x", "select", NATURE_UNKNOWN, NULL},
	{"example.com/database/sql.(*DB).connectionOpener", "select", NATURE_UNKNOWN, NULL},
	/* No major version. */
	{"k8s.io/klog/vendor.(*flushDaemon).run.func1", "select", NATURE_UNKNOWN, NULL},
	{"!main.values <iter.Pull[...]", "chan receive", NATURE_UNKNOWN, NULL},
};

Test(meanings, of_others_nothing_is_known)
{
	for (size_t i = 0; i < ARRAY_SIZE(nothing_cases); i++)
		check(&nothing_cases[i]);
}

/* Names are foreign data: they may be as long as the symbolizer lets them, and nested at will. */
Test(meanings, endless_names_match_nothing)
{
	static char name[4096];

	memset(name, '[', sizeof(name) - 1);
	frames = (struct site_frames){.created_by = {.function = name}, .n_stack = 1};
	frames.stack[0] = (struct report_frame){.function = name};
	cr_assert_null(meanings__of(&frames, "select", NULL));
	memset(name, 'a', sizeof(name) - 1);
	cr_assert_null(meanings__of(&frames, "select", NULL));
	memcpy(name, "net/http.http2", sizeof("net/http.http2"));
	cr_assert_null(meanings__of(&frames, "select", NULL));
}

Test(meanings, deep_stacks_are_fine)
{
	make_frames("net/http.(*persistConn).readLoop");
	while (frames.n_stack < SITE_MAX_FRAMES)
		frames.stack[frames.n_stack++] = (struct report_frame){.function = "main.f"};
	cr_assert_not_null(meanings__of(&frames, "select", NULL));
}

Test(meanings, versions_of_the_library)
{
	static const struct {
		struct go_dependency library;
		const char *words;
	} cases[] = {
		{{"github.com/hashicorp/go-memdb", "v1.3.3"}, "update to v1.3.4"},
		{{"github.com/hashicorp/go-memdb", "v0.9.12"}, "update to v1.3.4"},
		{{"github.com/hashicorp/go-memdb", "v1.3.4"}, "cancel the context"},
		{{"github.com/hashicorp/go-memdb", "v1.10.0-rc.1"}, "cancel the context"},
		{{"github.com/hashicorp/go-memdb", "(devel)"}, "before v1.3.4 also"},
		{{"github.com/hashicorp/go-memdb", "v1.3"}, "before v1.3.4 also"},
		{{"github.com/acme/other", "v1.3.3"}, "before v1.3.4 also"},
	};

	make_frames("github.com/hashicorp/go-memdb.watchFew "
		    "github.com/hashicorp/go-memdb.WatchSet.watchMany.func1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct meaning *meaning = meanings__of(&frames, "select", &cases[i].library);

		cr_assert_not_null(meaning);
		cr_expect_not_null(strstr(meaning->text, cases[i].words), "%s: %s",
				   cases[i].library.version, meaning->text);
	}
}
