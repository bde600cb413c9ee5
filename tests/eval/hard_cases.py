# SPDX-License-Identifier: Apache-2.0
"""The hard cases: what each does, how long it is watched, what is expected of its go statements.

The programs are tests/eval/hard (hard CASE); the marks are comments "leak: MARK" in its source.
"""

MIN_AGE, INTERVAL = 10.0, 2.0  # gleakd's defaults


def promise(rate):
    """Seconds to the verdict on a leak of so many a second."""
    return MIN_AGE + max(16.0, 8.0 / rate) + INTERVAL


class Leak:
    """Goroutines which are lost.

    mark     of the line that creates them, or blocks them where a library creates them
    library  instead: beginning of the name of the library's function that creates them
    rate     a second
    within   seconds to the verdict, where the promise does not apply; the case says why
    sites    how many sites of this line leak
    grows    seconds after which it stops
    """

    def __init__(self, mark="", library="", rate=1.0, within=None, sites=1, grows=None):
        self.mark, self.library, self.rate, self.sites = mark, library, rate, sites
        self.within = within or promise(rate)
        self.grows = grows


class Hard:
    """One case.

    leaks    what has to be leaking; without any the case is healthy
    peak     goroutines which there must be at one time, else the case did not do its work
    created  goroutines which must be created a second, likewise
    about    in words, for the table
    untold   why it cannot be told in a short watch; it is judged all the same
    during   {second: signal} sent to the program
    prepare  seconds that the program may take to get ready
    """

    def __init__(self, name, seconds, *leaks, peak=0, created=0, about="", untold="", during=None,
                 nice=0, prepare=30):
        self.name, self.seconds, self.leaks, self.peak = name, seconds, leaks, peak
        self.about, self.untold, self.during, self.nice = about, untold, during or {}, nice
        self.prepare, self.created = prepare, created
        self.group = "leaks" if leaks else "healthy"


PLAIN = [Hard(name, 60, Leak(name), about="1/s")
         for name in ("recv", "send", "select", "mutex", "waitgroup", "cond", "nilchan")]

SLOW = [
    Hard("minute", 960, Leak("minute", rate=1 / 60), about="1/min"),
    Hard("minute-churn-same", 960, Leak("churn-same", rate=1 / 60), created=4000,
         about="1/min among 5,000/s short ones of the same lines"),
    Hard("minute-churn-other", 960, Leak("minute-churn-other", rate=1 / 60), created=4000,
         about="1/min beside 5,000/s short ones"),
    Hard("tenth-churn-same", 150, Leak("churn-same", rate=0.1), created=4000,
         about="1 in 10 s among 5,000/s short ones of the same lines"),
    Hard("tenth-churn-other", 150, Leak("tenth-churn-other", rate=0.1), created=4000,
         about="1 in 10 s beside 5,000/s short ones"),
    Hard("burst", 330, Leak("burst", rate=100 / 60, within=4 * 60 + promise(1)),
         about="100 at once each minute; one burst says nothing, four periods do"),
    Hard("attach-middle", 60, Leak("attach-middle"), peak=5000,
         about="1/s, 5,000 there before the attach"),
    Hard("stops-growing", 330, Leak("stops-growing", grows=90), about="1/s for 90 s, then none"),
]

HIDDEN = [
    *(Hard(f"ticker-{p}", 90, Leak("ticker"), about=f"1/s, each wakes up every {words}")
      for p, words in (("100ms", "100 ms"), ("1s", "second"), ("5s", "5 s"))),
    # A timer wakes them: nothing can be said before most have been seen to go on after that.
    Hard("ticker-30s", 180, Leak("ticker", within=2 * 30 + INTERVAL),
         about="1/s, each wakes up every 30 s: twice that is the limit"),
    Hard("retry-backoff", 90, Leak("retry-backoff"), about="1/s, retries with pauses up to 5 s"),
    Hard("poll", 90, Leak("poll"), about="1/s, sleeps 50 ms at a time"),
    Hard("select-after", 90, Leak("select-after"), about="1/s, time.After of 1 s in a loop"),
    Hard("breathing-pool", 240, Leak("breathing-pool", rate=0.1), peak=80,
         about="2 in 20 s of a pool that goes from 0 to 100 and back; idle ones end after 5 s"),
    Hard("breathing-pool-slow", 960, Leak("breathing-pool", rate=1 / 60, within=900), peak=80,
         about="2 in 120 s of such a pool; idle ones end after 30 s"),
    Hard("among-long-requests", 480, Leak("among-long-requests", rate=0.4, within=300), peak=60,
         about="2 in 5 s among requests of 40 s at the same line; staying means more than 40 s"),
    Hard("two-reasons", 60, Leak("two-reasons", sites=2), about="1/s send, 1/s receive, one line"),
    Hard("two-rates", 150, Leak("two-rates-fast"), Leak("two-rates-slow", rate=0.1),
         about="1/s and 1 in 10 s of two go statements, blocked at one line"),
]

SHARED = [
    Hard("shared-channel", 720, Leak("shared-channel", within=700),
         about="1/s, all wait for one signal that never comes",
         untold="like a pool of workers or tenants that wait for the end of the service"),
]

LIBRARY = [
    Hard("afterfunc", 60, Leak("afterfunc"), about="time.AfterFunc, 1/s"),
    Hard("http-body", 90, Leak(library="net/http.(*Transport).dialConn"),
         about="response bodies not closed, 1/s"),
    Hard("context-parent", 60, Leak(library="context.(*cancelCtx).propagateCancel"),
         about="contexts of a foreign parent never cancelled, 1/s"),
    Hard("sql-rows", 60, Leak(library="database/sql.(*Rows).initContextClose"),
         about="rows not closed, 1/s"),
    Hard("sql-open", 60, Leak(library="database/sql.OpenDB"), about="databases not closed, 1/s"),
    Hard("handler", 60, Leak("handler", rate=2), about="one for each request, 2/s"),
    Hard("beside-connections", 330, Leak("beside-connections", within=180 + promise(1)),
         about="1/s, while connections that stay come at 1/s for 3 min; told when those have come"),
    Hard("connections-never-closed", 840, Leak("connections", rate=1, within=840), peak=600,
         about="a connection each second that nobody closes",
         untold="like connections which live long"),
]

LOAD = [
    Hard("ramp-5s", 300, peak=190, about="1 to 200 requests in flight in 3 min, 5 s each"),
    Hard("ramp-20s", 300, peak=190, about="the same, 20 s each"),
    Hard("ramp-60s", 360, peak=190, about="the same, 60 s each"),
    Hard("ramp-60s-running", 360, peak=190, prepare=200,
         about="the same, after two minutes with 60 in flight"),
    Hard("ramp-up-down", 390, peak=190, about="1 to 200 and back in 6 min, 5 s each"),
    Hard("sawtooth", 250, peak=150, about="1 to 200 each minute, 5 s each"),
    Hard("cron-burst", 250, peak=500, about="500 for 20 s, each minute"),
    Hard("periodic-job", 400, peak=100, about="100 for 30 s, every 2 minutes"),
    Hard("errgroup", 90, peak=30, about="fan-out: 1/s with 10 tasks, 4 at a time"),
    Hard("afterfunc-churn", 90, created=400, about="500/s time.AfterFunc"),
    Hard("gc-pauses", 90, peak=50, about="collections twice a second"),
    Hard("stopped", 90, peak=50, during={30: "SIGSTOP", 50: "SIGCONT"},
         about="SIGSTOP for 20 s in the middle"),
    Hard("starved", 90, peak=20, nice=19, about="nice 19 and busy threads"),
    Hard("one-processor", 60, peak=50, about="GOMAXPROCS=1"),
]

NET = [
    Hard("connection-pool", 420, peak=300, about="1/s for 3 min, then as many: reader and writer"),
    Hard("sockets-without-io-wait", 420, peak=180,
         about="sockets polled by an own event loop, 1/s for 3 min"),
    Hard("long-poll-25", 240, peak=50, about="2/s, 25 s each"),
    Hard("long-poll-90", 330, peak=200, about="2/s, 90 s each"),
    Hard("long-poll-90-running", 240, peak=200, prepare=200,
         about="the same, going on for 2 minutes before"),
    Hard("long-poll-client", 330, peak=150, about="1/s waits 90 s for an answer"),
    Hard("http-client-pool", 240, peak=180, about="idle connections to 100 hosts, 1/s"),
    Hard("streams", 840, peak=1000, about="1/s, 10 min each",
         untold="for 10 minutes nobody leaves"),
    Hard("slow-clients", 240, peak=60, about="1/s takes 40 s to read what a producer sends"),
    Hard("keepalive-100k", 260, peak=15000, about="100,000 idle connections, 1,000/s"),
    Hard("keepalive-20k-there", 90, peak=15000, about="20,000 idle connections from before"),
]

WAIT = [
    Hard("worker-pool", 300, peak=500, about="500 workers on one busy queue, started in 2 min"),
    Hard("worker-pool-idle", 300, peak=500, about="500 workers on one idle queue, the same"),
    Hard("worker-pool-own-queues", 300, peak=500, about="500 workers with a queue each, the same",
         untold="like 500 that nobody will ever send to"),
    Hard("tickers-at-boot", 90, peak=200, about="200 services with a ticker from before"),
    Hard("tickers-while-watched", 180, peak=200, about="200 services with a ticker, 10/s",
         untold="10/s for 20 s"),
    Hard("generators", 420, peak=20, about="20 asked every 4 minutes"),
    Hard("generator", 420, about="one asked every 2 minutes"),
    Hard("generators-by-turns", 420, peak=20, about="20, of which one is asked each minute"),
    Hard("generators-unasked", 420, peak=20, about="20 that nobody asks",
         untold="like sends that nobody will ever receive"),
    Hard("lock-convoy", 330, peak=30, about="30 take turns, 5 s each: all wait for 150 s"),
    Hard("semaphore", 330, peak=900, about="1,000 queue for 10 places, 100 s long"),
    Hard("full-queue", 420, peak=50, about="50 producers while the consumer pauses for 3 min"),
    Hard("full-queue-arrivals", 420, peak=150, about="the same with a producer more each second",
         untold="for 3 minutes nobody leaves"),
    Hard("tenants", 360, peak=100, about="100 tenants in 200 s, each with a goroutine for the end",
         untold="a leak until it stops"),
    Hard("singleflight", 90, peak=60, about="10/s wait for 5 calls of 8 to 15 s"),
    Hard("cond-queue", 90, peak=50, about="50 workers at a sync.Cond"),
    Hard("start-barrier", 330, peak=40, about="40 wait 100 s for a WaitGroup"),
]

CASES = PLAIN + SLOW + HIDDEN + SHARED + LIBRARY + LOAD + NET + WAIT
QUICK_SECONDS = 90
