// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample_evidence.h"

#define SECONDS(s) ((uint64_t)((s)*1e9 + 0.5))
#define SRC	   "/home/joe/src/shop/"
#define GOROOT	   "/usr/lib/go-1.26/src/"

#define FRAME(function_, file_, line_, ...)                                            \
	{                                                                              \
		.function = (function_), .file = (file_), .line = (line_), __VA_ARGS__ \
	}

static const struct report_frame fetch_stack[] = {
	FRAME("runtime.gopark", GOROOT "runtime/proc.go", 461),
	FRAME("runtime.chansend", GOROOT "runtime/chan.go", 283),
	FRAME("runtime.chansend1", GOROOT "runtime/chan.go", 161),
	FRAME("main.deliver", SRC "fetch.go", 17, .own = true, .inlined = true),
	FRAME("main.fetch.func1", SRC "fetch.go", 31, .own = true),
};

static const struct report_frame lock_stack[] = {
	FRAME("runtime.goparkunlock", GOROOT "runtime/proc.go", 467, .inlined = true),
	FRAME("runtime.semacquire1", GOROOT "runtime/sema.go", 192),
	FRAME("internal/sync.(*Mutex).lockSlow", GOROOT "internal/sync/mutex.go", 149),
	FRAME("example.org/shop/internal/inventory.(*Warehouse[...]).Reserve",
	      SRC "internal/inventory/warehouse.go", 208, .own = true),
};

static const char *const fetch_why[] = {
	"503 goroutines parked here, none that stayed 10s ever left",
	"grew by 120/min over 42s, in 6 of 6 periods",
};
static const char *const cond_why[] = {
	"88 goroutines parked here, none that stayed 10s ever left",
	"grew by 20.5/min over 42s, in 6 of 6 periods; arrivals 0.34/s, departures 0/s, and the "
	"oldest ones have been here since before gleakd looked",
};
static const char *const lock_why[] = {"3 goroutines wait 41s for a lock that nobody released"};

static const struct report_site leaks[] = {
	{.id = "a1b2c3d4",
	 .view.verdict = VERDICT_LEAKING,
	 .view.why = fetch_why,
	 .view.n_why = ARRAY_SIZE(fetch_why),
	 .view.goroutines = 1503,
	 .view.parked = 1503,
	 .view.created = 503,
	 .wait_reason = "chan send",
	 .created_by = FRAME("main.(*Server).handle", SRC "server.go", 42, .own = true),
	 .blocked_at = FRAME("main.deliver", SRC "fetch.go", 17, .own = true, .inlined = true),
	 .start_function = "main.fetch.func1",
	 .stack = fetch_stack,
	 .n_stack = ARRAY_SIZE(fetch_stack),
	 .view.oldest_park_ns = SECONDS(41.27),
	 .view.oldest_age_ns = SECONDS(41.3),
	 .view.growth_per_minute = 120,
	 .view.proof = {.level = PROOF_CONFIRMED,
			.goroutines = 1499,
			.heap_bytes = 2551104,
			.stack_bytes = 5695488,
			.objects = 17304}},
	{.id = "00c0ffee",
	 .view.verdict = VERDICT_LEAKING,
	 .view.why = cond_why,
	 .view.n_why = ARRAY_SIZE(cond_why),
	 .view.goroutines = 88,
	 .view.parked = 80,
	 .view.created = 14,
	 .wait_reason = "sync.Cond.Wait",
	 .created_by =
		 FRAME("github.com/acme/queue/v2/internal/dispatch.(*Dispatcher).Subscribe",
		       "/home/joe/go/pkg/mod/github.com/acme/queue/v2@v2.3.1/dispatch.go", 1208),
	 .called_from = FRAME("main.(*listener).start", SRC "listen.go", 41, .own = true),
	 .view.called = 83,
	 .blocked_at = FRAME("main.(*listener).run", SRC "listen.go", 77, .own = true),
	 .start_function = "main.(*listener).run",
	 .view.oldest_park_ns = SECONDS(93784),
	 .view.oldest_age_ns = SECONDS(93790),
	 .view.growth_per_minute = 20.5,
	 .view.proof = {.holder = HOLDER_VARIABLE}},
	{.id = "0badf00d",
	 .view.verdict = VERDICT_STUCK,
	 .view.why = lock_why,
	 .view.n_why = ARRAY_SIZE(lock_why),
	 .view.goroutines = 3,
	 .view.parked = 3,
	 .wait_reason = "sync.Mutex.Lock",
	 .blocked_at = FRAME("example.org/shop/internal/inventory.(*Warehouse[...]).Reserve",
			     SRC "internal/inventory/warehouse.go", 208, .own = true),
	 .start_function = "net/http.(*conn).serve",
	 .stack = lock_stack,
	 .n_stack = ARRAY_SIZE(lock_stack),
	 .view.oldest_park_ns = SECONDS(41),
	 .view.oldest_age_ns = SECONDS(62)},
	{.id = "11111111",
	 .view.verdict = VERDICT_GROWING,
	 .view.goroutines = 12,
	 .view.parked = 12,
	 .view.created = 9,
	 .view.exited = 2,
	 .wait_reason = "select",
	 .created_by = FRAME("main.watch", SRC "watch.go", 9, .own = true, .module = "watch.so"),
	 .blocked_at =
		 FRAME("main.watch.func1", SRC "watch.go", 12, .own = true, .module = "watch.so"),
	 .start_function = "main.watch.func1",
	 .view.growth_per_minute = 1.5},
	{.id = "22222222",
	 .view.verdict = VERDICT_IDLE,
	 .view.goroutines = 64,
	 .view.parked = 64,
	 .wait_reason = "chan receive",
	 .created_by = FRAME("main.newPool", SRC "pool.go", 11, .own = true),
	 .blocked_at = FRAME("main.(*pool).worker", SRC "pool.go", 17, .own = true),
	 .start_function = "main.(*pool).worker",
	 .view.oldest_park_ns = SECONDS(40),
	 .view.oldest_age_ns = SECONDS(60)},
	{.id = "33333333",
	 .view.verdict = VERDICT_IDLE,
	 .view.goroutines = 40,
	 .view.parked = 40,
	 .wait_reason = "IO wait",
	 .created_by = FRAME("net/http.(*Server).Serve", GOROOT "net/http/server.go", 3493),
	 .blocked_at =
		 FRAME("net/http.(*connReader).backgroundRead", GOROOT "net/http/server.go", 702),
	 .start_function = "net/http.(*conn).serve"},
	{.id = "44444444",
	 .view.verdict = VERDICT_ACTIVE,
	 .view.goroutines = 2,
	 .view.parked = 0,
	 .view.created = 300,
	 .view.exited = 118,
	 .start_function = "main.compute"},
	{.id = "55555555",
	 .view.verdict = VERDICT_IDLE,
	 .view.goroutines = 1,
	 .view.parked = 1,
	 .wait_reason = "select (no cases)",
	 .blocked_at = FRAME("main.main", SRC "main.go", 60, .own = true),
	 .start_function = "runtime.main"},
	{.id = "66666666",
	 .view.verdict = VERDICT_IDLE,
	 .view.goroutines = 1,
	 .view.parked = 1,
	 .wait_reason = "sleep",
	 .blocked_at = FRAME("main.tick", SRC "main.go", 71, .own = true),
	 .start_function = "main.tick"},
	{.id = "77777777",
	 .view.verdict = VERDICT_IDLE,
	 .view.goroutines = 1,
	 .view.parked = 1,
	 .wait_reason = "chan receive",
	 .blocked_at = FRAME("os/signal.loop", GOROOT "os/signal/signal_unix.go", 21),
	 .start_function = "os/signal.loop"},
	{.id = "88888888",
	 .view.verdict = VERDICT_ACTIVE,
	 .view.created = 4000,
	 .view.exited = 4000,
	 .start_function = "main.burst"},
};

static void use(struct sample *sample, const struct report_site *sites, size_t n)
{
	if (n)
		memcpy(sample->sites, sites, n * sizeof(*sites));
	sample->target.sites = sample->sites;
	sample->target.n_sites = n;
	sample->report = (struct report){
		.realtime_ns = SAMPLE_TIME_NS,
		.targets = &sample->target,
		.n_targets = 1,
	};
}

void sample__leaks(struct sample *sample)
{
	*sample = (struct sample){
		.target = {
			.pid = 4242,
			.comm = "demo-service",
			.exe = "/usr/local/bin/demo-service",
			.runtime_file = "/usr/local/bin/demo-service",
			.build_id = "5f3c2b1a0d",
			.go_version = "go1.26.8",
			.module = "example.org/demo",
			.module_version = "v2.3.1",
			.vcs_revision = "1b2ddab05f6c3c2f4e9d8a7b6c5d4e3f2a1b0c9d",
			.vcs_modified = true,
			.how = "stripped, non-PIE; functions from pclntab, layout go1.26",
			.mode = PROBE_MODE_FULL,
			.mode_reason = "",
			.observed_ns = SECONDS(42.04),
			.totals.alive = 1715,
			.totals.created = 4826,
			.totals.exited = 4120,
			.totals.parked = 1705,
			.created_per_second = 19,
			.exited_per_second = 2.95,
			.unit = "demo.service",
			.overhead = 0.0042,
			.overhead_max = 0.05,
			.cost = {.basis = COST_CALIBRATED,
				 .ns_per_s = 2.1e6,
				 .ns_per_creation = 1310,
				 .cpu_share = 0.0042},
			.dearer = 1,
			.cgroup = "/system.slice/demo.service",
			.counters_known = true,
			.heap_scanned = true,
			.counters = {.gc_cycles = 1204,
				     .counted = true,
				     .stack_bytes = 22020096,
				     .marked = true,
				     .live_bytes = 310378496},
		}};
	use(sample, leaks, ARRAY_SIZE(leaks));
	sample_evidence__leaks(sample->sites);
	sample->sites[0].evidence_folder =
		"/var/lib/gleakd/evidence/20260102T030405Z-4242-0123abcd";
}

void sample__suppressed(struct sample *sample)
{
	sample__leaks(sample);
	for (size_t i = 1; i < 4; i++) {
		sample->sites[i].suppressed = true;
		sample->sites[i].suppressed_reason = i == 2 ? "the warehouse is being rebuilt" :
							      "known, goes away with the new queue";
	}
	/* Idle: nothing to suppress. */
	sample->sites[5].suppressed = true;
	sample->sites[5].suppressed_reason = "clients may stay as long as they like";
}

void sample__healthy(struct sample *sample)
{
	sample__leaks(sample);
	use(sample, leaks + 4, ARRAY_SIZE(leaks) - 4);
	sample->target.totals.alive = 109;
	sample->target.totals.parked = 107;
	sample->target.totals.created = 4300;
	sample->target.totals.exited = 4118;
}

void sample__empty(struct sample *sample)
{
	sample__leaks(sample);
	use(sample, NULL, 0);
	sample->target.totals.alive = sample->target.totals.parked = 0;
	sample->target.totals.created = sample->target.totals.exited = 0;
	sample->target.created_per_second = sample->target.exited_per_second = 0;
	sample->target.observed_ns = SECONDS(0.1);
}

/* Title, red, home and clear; C1's CSI in UTF-8 and as a bare byte; bidi override; bad bytes. */
#define EVIL                                                                       \
	"\033]0;owned\007\033[31m\033[2J\033[H\xc2\x9b"                            \
	"31m\x9b"                                                                  \
	"1m\r\n\t\x7f\xe2\x80\xaemain\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80" \
	"\xe2\x80"

#define LONG16(s)  s s s s s s s s s s s s s s s s
#define LONG256(s) LONG16(LONG16(s))

static const struct report_frame evil_stack[] = {
	FRAME(EVIL, EVIL, UINT32_MAX, .module = EVIL),
	FRAME("main." LONG256("Very"), "/" LONG256("deep/") "x.go", 7, .inlined = true),
	FRAME("main.\xe6\xbc\xa2\xe5\xad\x97\xe5\xad\x97" LONG16("\xe6\xbc\xa2"),
	      "/src/\xe6\xbc\xa2\xe5\xad\x97.go", 12, .own = true),
	FRAME(NULL, NULL, 0),
	FRAME("", "", 3),
	FRAME("main.Map[" LONG16("example.org/a/b.T,") "]", "x.go", 1),
};
static const char *const evil_why[] = {EVIL, LONG256("word "), LONG256("endless"), ""};

static const struct report_site evil_sites[] = {
	{.id = "deadbeef",
	 .view.verdict = VERDICT_LEAKING,
	 .view.why = evil_why,
	 .view.n_why = ARRAY_SIZE(evil_why),
	 .view.goroutines = UINT64_MAX,
	 .view.parked = UINT64_MAX - 1,
	 .view.created = UINT64_MAX,
	 .view.exited = UINT64_MAX,
	 .wait_reason = EVIL LONG16(" wait"),
	 .created_by = FRAME(EVIL, EVIL, 1),
	 .blocked_at = FRAME("main." LONG256("Very"), "/" LONG256("deep/") "x.go", 7),
	 .start_function = EVIL,
	 .stack = evil_stack,
	 .n_stack = ARRAY_SIZE(evil_stack),
	 .view.oldest_park_ns = UINT64_MAX,
	 .view.growth_per_minute = 1e300},
	{.id = "0",
	 .view.verdict = VERDICT_GROWING,
	 .view.goroutines = 1,
	 .wait_reason = LONG16(EVIL),
	 .blocked_at = FRAME("main." LONG256("\xf0\x9f\x90\xb9"), EVIL, 0),
	 .view.growth_per_minute = -1e300},
	{.id = "", .view.goroutines = 2, .view.growth_per_minute = 0.0 / 0.0},
};

void sample__hostile(struct sample *sample)
{
	*sample = (struct sample){.target = {
					  .pid = INT32_MAX,
					  .comm = EVIL,
					  .exe = EVIL,
					  .runtime_file = EVIL,
					  .library = EVIL,
					  .go_version = LONG16("go1.99"),
					  .module = EVIL,
					  .module_version = EVIL,
					  .vcs_revision = EVIL,
					  .how = EVIL LONG256(" how"),
					  .unit = EVIL,
					  .container_id = EVIL,
					  .pod_uid = EVIL,
					  .cgroup = EVIL,
					  .claims = {.exe = "user " EVIL,
						     .unit = EVIL,
						     .container_id = EVIL,
						     .pod_uid = EVIL,
						     .cgroup = EVIL,
						     .exe_elsewhere = true},
					  .execution = {.state = EXECUTION_TRACED,
							.tracer = INT32_MAX,
							.tracer_comm = "\033[2J\xff\xe2\x80\xae"},
					  .mode = PROBE_MODE_CENSUS,
					  .mode_reason = LONG16(EVIL),
					  .observed_ns = UINT64_MAX,
					  .totals.alive = UINT64_MAX,
					  .totals.created = UINT64_MAX,
					  .totals.exited = UINT64_MAX,
					  .totals.parked = UINT64_MAX,
					  .created_per_second = 1e300,
					  .exited_per_second = -1e300,
					  .totals.lost = UINT64_MAX,
					  .totals.repaired = UINT64_MAX,
					  .unreadable = UINT64_MAX,
					  .totals.refused = UINT64_MAX,
					  .totals.inexact = true,
					  .exited_target = true,
				  }};
	use(sample, evil_sites, ARRAY_SIZE(evil_sites));
	sample_evidence__hostile(&sample->sites[0], EVIL);
	sample->sites[1].suppressed = true;
	sample->sites[1].suppressed_reason = LONG16(EVIL) LONG256("word ");
}

/* --- random reports ------------------------------------------------------------------------------- */

static char *random_text(unsigned int *seed)
{
	static const char *const pieces[] = {
		"main",
		".",
		"/",
		"(*T)",
		"[...]",
		"github.com",
		" ",
		"x",
		EVIL,
		"\xe6\xbc\xa2",
		"\xf0\x9f\x90\xb9",
		"-",
		"func1",
		"_",
		"\xff",
		"internal",
	};
	size_t n = (size_t)rand_r(seed) % 24, size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	for (size_t i = 0; i < n; i++)
		fputs(pieces[(size_t)rand_r(seed) % ARRAY_SIZE(pieces)], out);
	fclose(out);
	return text;
}

static uint64_t random_count(unsigned int *seed)
{
	uint64_t bits = (uint64_t)rand_r(seed) << 33 | (uint64_t)rand_r(seed) << 2;

	return bits >> ((unsigned int)rand_r(seed) % 64);
}

static double random_real(unsigned int *seed)
{
	return ((double)random_count(seed) - (double)random_count(seed)) / 1000;
}

static struct report_frame random_frame(unsigned int *seed)
{
	return (struct report_frame){
		.function = random_text(seed),
		.file = random_text(seed),
		.line = (uint32_t)random_count(seed),
		.own = rand_r(seed) % 2,
		.inlined = rand_r(seed) % 2,
		.module = rand_r(seed) % 4 ? NULL : random_text(seed),
	};
}

static void random_site(struct report_site *site, unsigned int *seed)
{
	struct report_frame *stack = calloc(8, sizeof(*stack));
	const char **why = calloc(3, sizeof(*why));

	cr_assert(stack && why);
	*site = (struct report_site){
		.view.verdict = (enum verdict)(rand_r(seed) % (VERDICT_LEAKING + 1)),
		.view.why = why,
		.view.n_why = (size_t)rand_r(seed) % 4,
		.view.goroutines = random_count(seed),
		.view.parked = random_count(seed),
		.view.running = random_count(seed),
		.view.in_syscall = rand_r(seed) % 2,
		.view.created = random_count(seed),
		.view.exited = random_count(seed),
		.wait_reason = random_text(seed),
		.created_by = random_frame(seed),
		.blocked_at = random_frame(seed),
		.start_function = random_text(seed),
		.stack = stack,
		.n_stack = (size_t)rand_r(seed) % 9,
		.view.oldest_park_ns = random_count(seed),
		.view.oldest_age_ns = random_count(seed),
		.view.growth_per_minute = random_real(seed),
		.due_ns = random_count(seed),
	};
	snprintf(site->id, sizeof(site->id), "%08x", (unsigned int)rand_r(seed));
	for (size_t i = 0; i < site->view.n_why; i++)
		why[i] = random_text(seed);
	for (size_t i = 0; i < site->n_stack; i++)
		stack[i] = random_frame(seed);
	sample_evidence__random(site, seed, random_text, random_real, random_count);
}

void sample__random(struct sample *sample, unsigned int seed)
{
	*sample =
		(struct sample){.target = {
					.pid = rand_r(&seed),
					.comm = random_text(&seed),
					.exe = random_text(&seed),
					.runtime_file = random_text(&seed),
					.library = random_text(&seed),
					.go_version = random_text(&seed),
					.module = random_text(&seed),
					.module_version = random_text(&seed),
					.vcs_revision = random_text(&seed),
					.how = random_text(&seed),
					.mode = (enum probe_mode)(rand_r(&seed) % PROBE_MODE_COUNT),
					.mode_reason = random_text(&seed),
					.observed_ns = random_count(&seed),
					.totals.alive = random_count(&seed),
					.totals.created = random_count(&seed),
					.totals.exited = random_count(&seed),
					.totals.parked = random_count(&seed),
					.created_per_second = random_real(&seed),
					.exited_per_second = random_real(&seed),
					.totals.lost = random_count(&seed),
					.totals.repaired = random_count(&seed),
					.totals.inexact = rand_r(&seed) % 2,
				}};
	use(sample, NULL, 0);
	sample->target.n_sites = (size_t)rand_r(&seed) % (SAMPLE_MAX_SITES + 1);
	for (size_t i = 0; i < sample->target.n_sites; i++)
		random_site(&sample->sites[i], &seed);
}

static void free_frame(const struct report_frame *frame)
{
	free((char *)frame->function);
	free((char *)frame->file);
	free((char *)frame->module);
}

void sample__random_free(struct sample *sample)
{
	for (size_t i = 0; i < sample->target.n_sites; i++) {
		struct report_site *site = &sample->sites[i];

		free_frame(&site->created_by);
		free_frame(&site->blocked_at);
		for (size_t f = 0; f < site->n_stack; f++)
			free_frame(&site->stack[f]);
		for (size_t w = 0; w < site->view.n_why; w++)
			free((char *)site->view.why[w]);
		free((struct report_frame *)site->stack);
		free((char **)site->view.why);
		free((char *)site->wait_reason);
		free((char *)site->start_function);
		sample_evidence__free(site);
	}
	free((char *)sample->target.comm);
	free((char *)sample->target.exe);
	free((char *)sample->target.runtime_file);
	free((char *)sample->target.library);
	free((char *)sample->target.go_version);
	free((char *)sample->target.module);
	free((char *)sample->target.module_version);
	free((char *)sample->target.vcs_revision);
	free((char *)sample->target.how);
	free((char *)sample->target.mode_reason);
}

void sample__remove_site(struct sample *sample, size_t index)
{
	sample->target.n_sites--;
	memmove(&sample->sites[index], &sample->sites[index + 1],
		(sample->target.n_sites - index) * sizeof(sample->sites[0]));
}

/* --- output --------------------------------------------------------------------------------------- */

void sample__open(struct sample_stream *stream)
{
	*stream = (struct sample_stream){0};
	stream->file = open_memstream(&stream->bytes, &stream->n);
	cr_assert_not_null(stream->file);
}

const char *sample__added(struct sample_stream *stream)
{
	const char *added;

	cr_assert_eq(fflush(stream->file), 0);
	added = stream->bytes + stream->seen;
	stream->seen = stream->n;
	return added;
}

void sample__close(struct sample_stream *stream)
{
	fclose(stream->file);
	free(stream->bytes);
}

char *sample__text(const struct report *report, const struct text_options *options)
{
	struct sample_stream stream;
	struct text_writer *writer;
	char *text;

	sample__open(&stream);
	cr_assert_eq(text_writer__new(stream.file, options, &writer), 0);
	cr_assert_eq(text_writer__write(writer, report), 0);
	text_writer__free(writer);
	cr_assert_eq(fflush(stream.file), 0);
	text = strdup(stream.bytes);
	cr_assert_not_null(text);
	sample__close(&stream);
	return text;
}

#define GOLDEN_DIR "tests/golden/output/"

static void update_golden(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "cannot write %s", path);
}

void sample__golden(const char *name, const char *text)
{
	const char *update = getenv("GLEAKD_UPDATE_GOLDEN");
	char path[128], *expected = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *file;

	snprintf(path, sizeof(path), GOLDEN_DIR "%s", name);
	if (update && *update == '1')
		update_golden(path, text);
	file = fopen(path, "r");
	cr_assert_not_null(file, "no %s; tests run at the top of the tree", path);
	n = getdelim(&expected, &size, '\0', file);
	fclose(file);
	cr_assert(n > 0 && strcmp(expected, text) == 0,
		  "output differs from %s; GLEAKD_UPDATE_GOLDEN=1 accepts it. It was:\n%s", path,
		  text);
	free(expected);
}
