// SPDX-License-Identifier: Apache-2.0
#include "heap/scan/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "heap/spans/spans.h"
#include "host/access.h"
#include "host/memory_copy.h"
#include "host/process_stop.h"
#include "host/stop_delay.h"

struct heap_picture {
	const struct heap_runtime *live;
	struct heap_picture_options options;
	struct heap_picture_figures figures;
	struct heap_spans *spans; /* as they were before the stop: which were left out */
	struct memory_copy *copy;
	struct process_stop *stop;
	struct heap_runtime then;
	struct heap_thread *threads;
	struct user_regs_struct *registers; /* of each of them */
	size_t n_threads;
};

static int read_spans(struct heap_picture *picture, struct failure *failure)
{
	int err = heap_spans__new(picture->live, NULL, &picture->spans);

	if (!err)
		err = heap_spans__start(picture->spans);
	if (!err)
		err = heap_spans__step(picture->spans, 0);
	return err < 0 ? failure__set(failure, err,
				      "the spans of the heap of process %d cannot be read: %s; try "
				      "again",
				      picture->options.pid, strerror(-err)) :
			 0;
}

static void leave_out_noscan(struct heap_picture *picture)
{
	for (size_t i = 0; i < picture->spans->n; i++) {
		const struct heap_span *span = &picture->spans->all[i];

		if (!(span->flags & HEAP_SPAN_NOSCAN))
			continue;
		memory_copy__skip(picture->copy, span->base, heap_span__bytes(span));
		picture->figures.left_out_bytes += heap_span__bytes(span);
	}
}

static int explain_copy(int err, const struct heap_picture *picture, struct failure *failure)
{
	switch (err) {
	case -E2BIG:
		return failure__set(
			failure, err,
			"a copy of the memory of process %d takes more than the %llu MiB "
			"that gleakd may use; allow more with --max-memory",
			picture->options.pid,
			(unsigned long long)(picture->options.max_bytes >> 20));
	case -ETIME:
		return failure__set(
			failure, err,
			"process %d would have stood still for more than %llu ms; it goes on, "
			"nothing was proven: allow more with --max-stop",
			picture->options.pid,
			(unsigned long long)(picture->options.max_stop_ns / NSEC_PER_MSEC));
	case -EFAULT:
	case -EAGAIN:
		return failure__set(
			failure, -EAGAIN,
			"what process %d has mapped changed while it was copied; try again",
			picture->options.pid);
	default:
		return failure__set(failure, err, "the memory of process %d cannot be copied: %s",
				    picture->options.pid, strerror(-err));
	}
}

static int copy_first(struct heap_picture *picture, struct failure *failure)
{
	const struct memory_copy_options options = {
		.proc_root = picture->options.proc_root,
		.pid = picture->options.pid,
		.remote = picture->live->remote,
		.max_bytes = picture->options.max_bytes,
	};
	const struct memory_copy_totals *totals;
	int err = memory_copy__new(&options, &picture->copy, failure);

	if (err)
		return err;
	leave_out_noscan(picture);
	err = memory_copy__first(picture->copy, 0);
	if (!err)
		err = memory_copy__rehearse(picture->copy);
	if (err)
		return explain_copy(err, picture, failure);
	totals = memory_copy__totals(picture->copy);
	picture->figures.copy_bytes = totals->copied_bytes;
	picture->figures.expected_stop_ns =
		totals->rehearsed_ns +
		process_stop__expected_ns(picture->options.proc_root, picture->options.pid) +
		/* Threads stop when they get a processor, and those of ours wait as long for one. */
		stop_delay__measure();
	picture->figures.soft_dirty = totals->soft_dirty;
	return 0;
}

int heap_picture__prepare(const struct heap_runtime *runtime,
			  const struct heap_picture_options *options,
			  struct heap_picture **ret_picture, struct failure *failure)
{
	struct heap_picture *picture = calloc(1, sizeof(*picture));
	int err;

	if (!picture)
		return failure__set(failure, -ENOMEM, "out of memory");
	picture->live = runtime;
	picture->options = *options;
	err = read_spans(picture, failure);
	if (!err)
		err = copy_first(picture, failure);
	if (err) {
		heap_picture__free(picture);
		return err;
	}
	*ret_picture = picture;
	return 0;
}

/*
 * What was left out may have got another use since: its mspan, which the copy has as it is now, tells.
 * Returns how many there are.
 */
static size_t want_reused(struct heap_picture *picture, struct remote *now)
{
	uint32_t size = picture->live->layout->mspan_sizeof;
	size_t reused = 0;

	for (size_t i = 0; i < picture->spans->n; i++) {
		const struct heap_span *span = &picture->spans->all[i];
		uint8_t mspan[HEAP_MSPAN_MAX];

		if (!(span->flags & HEAP_SPAN_NOSCAN))
			continue;
		if (!remote__read(now, span->mspan, mspan, size) &&
		    heap_spans__same(picture->spans, span, mspan))
			continue;
		memory_copy__want(picture->copy, span->base, heap_span__bytes(span));
		reused++;
	}
	return reused;
}

static int copy_stopped(struct heap_picture *picture)
{
	uint64_t deadline_ns = clock__monotonic_ns() - process_stop__elapsed_ns(picture->stop) +
			       picture->options.max_stop_ns;
	struct remote *now;
	int err = memory_copy__again(picture->copy, deadline_ns);

	if (!err)
		err = memory_copy__open(picture->copy, &now);
	if (!err && want_reused(picture, now))
		err = memory_copy__again(picture->copy, deadline_ns);
	return err ? err : memory_copy__open(picture->copy, &picture->then.remote);
}

static uint64_t stack_pointer(const struct user_regs_struct *registers)
{
#if defined(__x86_64__)
	return registers->rsp;
#else
	return registers->sp;
#endif
}

static int keep_threads(struct heap_picture *picture)
{
	size_t n;
	const struct stopped_thread *threads = process_stop__threads(picture->stop, &n);

	picture->registers = calloc(n + 1, sizeof(*picture->registers));
	picture->threads = calloc(n + 1, sizeof(*picture->threads));
	if (!picture->registers || !picture->threads)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		picture->registers[i] = threads[i].registers;
		picture->threads[i] = (struct heap_thread){
			.sp = stack_pointer(&threads[i].registers),
			.registers = (const uint64_t *)&picture->registers[i],
			.n_registers = sizeof(picture->registers[i]) / sizeof(uint64_t),
		};
	}
	picture->n_threads = n;
	picture->figures.threads = n;
	return 0;
}

int heap_picture__take(struct heap_picture *picture, struct failure *failure)
{
	const struct memory_copy_totals *totals = memory_copy__totals(picture->copy);
	int err;

	picture->then = *picture->live;
	err = access__hold(picture->options.proc_root, picture->options.pid,
			   picture->options.max_stop_ns, &picture->stop, failure);
	if (err)
		return err;
	err = keep_threads(picture);
	if (!err)
		err = copy_stopped(picture);
	picture->figures.stopped_ns = access__release(picture->stop);
	/* It was let go before. */
	if (!err && !picture->figures.stopped_ns)
		err = -ETIME;
	picture->stop = NULL;
	picture->figures.again_bytes = totals->again_bytes;
	picture->figures.copy_bytes = totals->copied_bytes;
	picture->then.pages.remote = picture->then.remote;
	return err ? explain_copy(err, picture, failure) : 0;
}

void heap_picture__free(struct heap_picture *picture)
{
	if (!picture)
		return;
	access__release(picture->stop);
	memory_copy__free(picture->copy);
	heap_spans__free(picture->spans);
	free(picture->threads);
	free(picture->registers);
	free(picture);
}

const struct heap_picture_figures *heap_picture__figures(const struct heap_picture *picture)
{
	return &picture->figures;
}

const struct heap_runtime *heap_picture__runtime(const struct heap_picture *picture)
{
	return &picture->then;
}

const struct heap_thread *heap_picture__threads(const struct heap_picture *picture, size_t *ret_n)
{
	*ret_n = picture->n_threads;
	return picture->threads;
}
