// SPDX-License-Identifier: Apache-2.0
/*
 * heapscan [--exact] [--from GOID,...] PID [SCANS [PAUSE_MS]] - scans the heap of a running Go process and prints, per
 * scan, what was found, and one line per unreachable goroutine. With --exact a picture is taken first.
 * For tests of user/heap against real programs:
 *
 *	scan doubt=... goroutines=N candidates=N unreachable=N moved=N rounds=N ms=N ...
 *	root KIND N
 *	unreachable GOID CLASS SCANS BLOCK FUNCTION
 *	held GOID KIND FUNCTION
 *	behind GOID
 *	retained objects=N bytes=N stack_bytes=N
 *	confirmed twice=N thrice=N
 *	again WHY
 *
 * SCANS: how many scans running it was unreachable in. BLOCK: "tiny" where what it waits on lies in a
 * block that small objects share, else "own"; held: one that something leads to, in such a block.
 * Behind: unreachable ones that would not be if those of --from could go on. A scan that could not be
 * made is made again (WHY).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "discover/load_bias.h"
#include "golang/binary.h"
#include "heap/scan/confirm.h"
#include "heap/scan/picture.h"
#include "heap/scan/scan.h"

#define TINY_BLOCK 16

/* Scans running of which one may fail, because the heap changes too fast or the stop takes too long. */
#define FAILURES_MAX 20

struct target {
	struct go_binary *binary;
	struct remote *remote;
	struct heap_runtime runtime;
	struct heap_confirm *confirm;
	const char *from; /* goids with commas, or NULL */
};

static int open_target(struct target *target, pid_t pid, struct failure *failure)
{
	char path[64];
	uint64_t bias;
	int fd __cleanup_close = -1;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failure__set(failure, -1, "no %s", path);
	err = go_binary__open(fd, &target->binary, failure);
	if (!err)
		err = remote__open_process(pid, &target->remote, failure);
	if (!err)
		err = load_bias__read("/proc", pid, NULL, target->binary, &bias, failure);
	if (!err)
		err = go_binary__bind(target->binary, target->remote, bias, failure);
	if (!err)
		err = heap_runtime__init(&target->runtime, target->binary, target->remote, bias,
					 failure);
	return err;
}

/* A lock that shares a block of 16 bytes with others' objects (src/runtime/malloc.go tinySizeClass). */
static const char *block_of(struct heap_scan *scan, const struct heap_goroutine *g)
{
	const struct heap_spans *spans = heap_mark__spans(heap_scan__mark(scan));
	const struct heap_wait *wait = &heap_scan__goroutines(scan)->waits[g->first_wait];
	uint32_t span = g->n_waits ? heap_spans__find(spans, wait->object) : HEAP_NO_SPAN;

	return span != HEAP_NO_SPAN && spans->all[span].elemsize == TINY_BLOCK &&
			       spans->all[span].flags & HEAP_SPAN_NOSCAN ?
		       "tiny" :
		       "own";
}

static void name_of(const struct target *target, const struct heap_goroutine *g, char *name,
		    size_t size)
{
	struct pclntab_func func;
	uint64_t startpc;

	snprintf(name, size, "?");
	if (!remote__read_u64(target->remote, g->address + target->runtime.layout->g_startpc,
			      &startpc) &&
	    !pclntab__lookup(target->runtime.tab, startpc - target->runtime.bias, &func) &&
	    pclntab__name(target->runtime.tab, &func, name, size) < 0)
		snprintf(name, size, "?");
}

static void print_candidate(const struct target *target, struct heap_scan *scan,
			    const struct heap_goroutine *g)
{
	const char *block = block_of(scan, g);
	char name[256];

	name_of(target, g, name, sizeof(name));
	if (heap_scan__is_unreachable(g))
		printf("unreachable %llu %u %u %s %s\n", (unsigned long long)g->goid, g->wait_class,
		       heap_confirm__count(target->confirm, g->goid), block, name);
	else if (strcmp(block, "tiny") == 0)
		printf("held %llu %u %s\n", (unsigned long long)g->goid, g->reached_by, name);
}

static void print_retained(struct heap_scan *scan)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	struct heap_retained retained;
	size_t *indices = calloc(goroutines->n + 1, sizeof(*indices)), n = 0;

	for (size_t i = 0; indices && i < goroutines->n; i++) {
		if (heap_scan__is_unreachable(&goroutines->all[i]))
			indices[n++] = i;
	}
	if (indices && !heap_scan__retain(scan, indices, n, &retained))
		printf("retained objects=%llu bytes=%llu stack_bytes=%llu\n",
		       (unsigned long long)retained.objects, (unsigned long long)retained.bytes,
		       (unsigned long long)retained.stack_bytes);
	free(indices);
}

static void print_unreachable(const struct target *target, struct heap_scan *scan)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	size_t kinds[HEAP_ROOT_MOVED + 1] = {0};

	for (size_t i = 0; i < goroutines->n; i++) {
		const struct heap_goroutine *g = &goroutines->all[i];

		if (!g->candidate && g->reached_by != HEAP_ROOT_MOVED)
			continue;
		kinds[g->reached_by]++;
		print_candidate(target, scan, g);
	}
	for (size_t k = 0; k <= HEAP_ROOT_MOVED; k++)
		printf("root %s %zu\n", heap_root_kind__name((enum heap_root_kind)k), kinds[k]);
}

static bool is_listed(const char *list, uint64_t goid)
{
	while (*list) {
		char *end;

		if (strtoull(list, &end, 10) == goid)
			return true;
		list = *end ? end + 1 : end;
	}
	return false;
}

static bool waits_for_marked(struct heap_scan *scan, const struct heap_goroutine *g)
{
	const struct heap_wait *waits = &heap_scan__goroutines(scan)->waits[g->first_wait];

	for (uint32_t w = 0; w < g->n_waits; w++) {
		if (heap_mark__is_marked(heap_scan__mark(scan), waits[w].object))
			return true;
	}
	return false;
}

/* Lets those that are listed go on, and whoever can then; until no more can. */
static void print_behind(const char *list, struct heap_scan *scan)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	bool *done = calloc(goroutines->n + 1, sizeof(*done)), more = done;

	while (more) {
		more = false;
		for (size_t i = 0; i < goroutines->n; i++) {
			const struct heap_goroutine *g = &goroutines->all[i];
			struct heap_retained retained;

			if (done[i] || !heap_scan__is_unreachable(g) ||
			    (!is_listed(list, g->goid) && !waits_for_marked(scan, g)))
				continue;
			done[i] = more = true;
			if (heap_scan__retain(scan, &i, 1, &retained))
				break;
			printf("behind %llu\n", (unsigned long long)g->goid);
		}
	}
	free(done);
}

static void print_result(const struct heap_scan_result *r, size_t steps)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("scan doubt=%d goroutines=%zu candidates=%zu unreachable=%zu moved=%zu rounds=%zu "
	       "ms=%.1f cpu_ms=%.1f steps=%zu rss_kb=%ld\n",
	       r->doubt, r->goroutines, r->candidates, r->unreachable, r->moved, r->rounds,
	       (double)(r->finished_ns - r->started_ns) / 1e6, (double)r->cpu_ns / 1e6, steps,
	       usage.ru_maxrss);
	printf("spans bytes=%llu scannable=%llu refused=%zu unreadable=%zu late=%zu\n",
	       (unsigned long long)r->spans.bytes, (unsigned long long)r->spans.scannable_bytes,
	       r->spans.refused, r->spans.unreadable, r->spans.late);
	printf("marked objects=%llu bytes=%llu read=%llu pieces=%llu changed=%llu unreadable=%llu "
	       "late_refused=%llu guesses_free=%llu\n",
	       (unsigned long long)r->marked.objects, (unsigned long long)r->marked.bytes,
	       (unsigned long long)r->marked.bytes_read, (unsigned long long)r->marked.pieces,
	       (unsigned long long)r->marked.spans_changed,
	       (unsigned long long)r->marked.pieces_unreadable,
	       (unsigned long long)r->marked.late_refused,
	       (unsigned long long)r->marked.guesses_free);
	printf("roots globals=%llu specials=%llu queued=%llu processors=%llu unreadable=%llu\n",
	       (unsigned long long)r->roots.globals_bytes, (unsigned long long)r->roots.specials,
	       (unsigned long long)r->roots.queued, (unsigned long long)r->roots.processors,
	       (unsigned long long)r->roots.unreadable);
	printf("stacks n=%llu bytes=%llu whole=%llu torn=%llu unreadable=%llu frames=%llu "
	       "guessed_frames=%llu guessed_stacks=%llu defers_refused=%llu\n",
	       (unsigned long long)r->frames.stacks, (unsigned long long)r->stacks.bytes,
	       (unsigned long long)r->stacks.whole, (unsigned long long)r->stacks.torn,
	       (unsigned long long)r->stacks.unreadable, (unsigned long long)r->frames.frames,
	       (unsigned long long)r->frames.guessed_frames,
	       (unsigned long long)r->frames.guessed_stacks,
	       (unsigned long long)r->frames.defers_refused);
}

/* How many were unreachable in three scans running, however soon one after the other. */
static void print_confirmed(struct target *target, struct heap_scan *scan)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	size_t twice = 0, thrice = 0;

	if (heap_confirm__take(target->confirm, scan, NULL, NULL))
		return;
	for (size_t i = 0; i < goroutines->n; i++) {
		uint32_t n = heap_scan__is_unreachable(&goroutines->all[i]) ?
				     heap_confirm__count(target->confirm, goroutines->all[i].goid) :
				     0;

		twice += n == 2;
		thrice += n >= 3;
	}
	printf("confirmed twice=%zu thrice=%zu\n", twice, thrice);
}

static void print_picture(const struct heap_picture *picture)
{
	const struct heap_picture_figures *f = heap_picture__figures(picture);

	printf("picture copy=%llu left_out=%llu again=%llu threads=%zu expected_ms=%.2f stopped_ms=%.2f "
	       "soft_dirty=%d\n",
	       (unsigned long long)f->copy_bytes, (unsigned long long)f->left_out_bytes,
	       (unsigned long long)f->again_bytes, f->threads, (double)f->expected_stop_ns / 1e6,
	       (double)f->stopped_ns / 1e6, f->soft_dirty);
}

static int take_picture(struct target *target, pid_t pid, struct heap_picture **ret_picture,
			struct failure *failure)
{
	const struct heap_picture_options options = {
		.proc_root = "/proc", .pid = pid, .max_stop_ns = 10 * NSEC_PER_SEC};
	int err = heap_picture__prepare(&target->runtime, &options, ret_picture, failure);

	if (!err)
		err = heap_picture__take(*ret_picture, failure);
	if (!err)
		print_picture(*ret_picture);
	return err;
}

static int scan_once(struct target *target, pid_t exact, struct failure *failure)
{
	struct heap_scan_options options = {.exact = exact != 0};
	struct heap_picture *picture = NULL;
	struct heap_scan *scan;
	size_t steps = 0;
	int err = exact ? take_picture(target, exact, &picture, failure) : 0;

	if (err)
		return err;
	if (exact)
		options.threads = heap_picture__threads(picture, &options.n_threads);
	err = heap_scan__new(exact ? heap_picture__runtime(picture) : &target->runtime, &options,
			     &scan);
	if (err)
		return failure__set(failure, err, "out of memory");
	do {
		err = heap_scan__step(scan, 10 * NSEC_PER_MSEC, failure);
		steps++;
	} while (err == 1);
	if (!err) {
		print_result(heap_scan__result(scan), steps);
		print_confirmed(target, scan);
		print_unreachable(target, scan);
		if (target->from)
			print_behind(target->from, scan);
		else
			print_retained(scan);
	}
	heap_scan__free(scan);
	heap_picture__free(picture);
	return err;
}

/* One that the moment was not right for is made again. */
static int scan_all(struct target *target, pid_t exact, long scans, useconds_t pause_us,
		    struct failure *failure)
{
	long done = 0, failed = 0;

	while (done < scans) {
		int err = scan_once(target, exact, failure);

		if (err && (++failed > FAILURES_MAX || (err != -EAGAIN && err != -ETIME)))
			return err;
		if (err)
			printf("again %s\n", failure->text);
		done += !err;
		fflush(stdout);
		if (done < scans)
			usleep(pause_us);
	}
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: heapscan [--exact] [--from GOID,...] PID [SCANS [PAUSE_MS]]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct target target = {0};
	struct failure failure = {.text = ""};
	bool exact = argc > 1 && !strcmp(argv[1], "--exact");
	char **arguments = argv + 1 + exact;
	long scans = 1, pause_ms = 0;
	pid_t pid;
	int err;

	if (*arguments && !strcmp(*arguments, "--from") && arguments[1]) {
		target.from = arguments[1];
		arguments += 2;
	}
	pid = *arguments ? (pid_t)strtol(*arguments, NULL, 10) : 0;
	if (!pid)
		return usage();
	if (arguments[1]) {
		scans = strtol(arguments[1], NULL, 10);
		pause_ms = arguments[2] ? strtol(arguments[2], NULL, 10) : 0;
	}
	err = open_target(&target, pid, &failure);
	if (!err)
		err = heap_confirm__new(&(struct heap_confirm_options){.interval_ns = 1},
					&target.confirm);
	if (!err)
		err = scan_all(&target, exact ? pid : 0, scans, (useconds_t)pause_ms * 1000,
			       &failure);
	if (err)
		fprintf(stderr, "heapscan: %s\n", failure.text);
	heap_confirm__free(target.confirm);
	remote__free(target.remote);
	go_binary__free(target.binary);
	return err ? 1 : 0;
}
