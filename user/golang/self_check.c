// SPDX-License-Identifier: Apache-2.0
/*
 * The states a g can be in and what then holds: src/runtime/runtime2.go and proc.go (newproc1,
 * gopark, gdestroy).
 */
#include "golang/self_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"

#define WORD	    sizeof(uint64_t)
#define SAMPLES	    64
#define ATTEMPTS    8
#define G_READ_SIZE 512 /* a g has 456 bytes in the largest version */
#define MAX_GOID    (1ULL << 48)
#define MAX_STACK   (1ULL << 32) /* above maxstackceiling of 2 GB (proc.go main) */

struct sample {
	uint64_t index; /* in allgs */
	uint64_t g;	/* in the target */
	uint8_t data[G_READ_SIZE];
};

/* --- one goroutine ------------------------------------------------------------------------------ */

static bool is_code(const struct live *live, uint64_t target_pc)
{
	uint64_t pc = target_pc - live->bias;

	return live->other_modules || (pc >= live->module.minpc && pc < live->module.maxpc);
}

static bool is_entry(struct live *live, uint64_t target_pc)
{
	struct pclntab_func func;

	return !pclntab__lookup(live->tab, target_pc - live->bias, &func) &&
	       func.entry + live->bias == target_pc;
}

/* Idle is none of them: allgadd refuses a g that is (src/runtime/proc.go). */
static bool is_status(const struct live *live, uint32_t status)
{
	switch (status) {
	case GO_STATUS_RUNNABLE:
	case GO_STATUS_RUNNING:
	case GO_STATUS_SYSCALL:
	case GO_STATUS_WAITING:
	case GO_STATUS_DEAD:
	case GO_STATUS_COPYSTACK:
	case GO_STATUS_PREEMPTED:
		return true;
	case GO_STATUS_LEAKED:
	case GO_STATUS_DEAD_EXTRA:
		return live->layout->minor >= 26;
	default:
		return false;
	}
}

static uint32_t status_of(const struct live *live, const uint8_t *g)
{
	return go_status__of(bytes__u32(g, live->layout->g_atomicstatus));
}

/* Off its thread with registers saved. A waiting g that has an m is in the hands of the GC. */
static bool is_parked(const struct live *live, const uint8_t *g, uint32_t status)
{
	return (go_status__waits(status) || status == GO_STATUS_RUNNABLE ||
		status == GO_STATUS_PREEMPTED) &&
	       !bytes__u64(g, live->layout->g_m);
}

/* What is wrong with a g; NULL when nothing is. @ret_value is the number that is wrong. */
static const char *defect(struct live *live, const uint8_t *g, uint64_t *ret_value)
{
	const struct go_layout *l = live->layout;
	uint32_t status = status_of(live, g);
	uint64_t low = bytes__u64(g, l->g_stack_lo), high = bytes__u64(g, l->g_stack_hi);
	uint64_t startpc = bytes__u64(g, l->g_startpc), pc = bytes__u64(g, l->g_sched_pc);
	uint64_t goid = bytes__u64(g, l->g_goid), sp = bytes__u64(g, l->g_sched_sp);

	*ret_value = status;
	if (!is_status(live, status))
		return "unknown status";
	if (go_status__is_free(status))
		return NULL;
	*ret_value = goid;
	if (goid == 0 || goid > MAX_GOID)
		return "impossible goid";
	*ret_value = low;
	if (low >= high || high - low > MAX_STACK || low % WORD || high % WORD)
		return "impossible stack";
	/* Goroutines of C threads that call Go have no function they started at. */
	*ret_value = startpc;
	if (startpc && !live->other_modules && !is_entry(live, startpc))
		return "startpc is not where a function begins";
	if (!is_parked(live, g, status))
		return NULL;
	*ret_value = pc;
	if (!is_code(live, pc))
		return "saved pc is not code";
	*ret_value = sp;
	return sp < low || sp > high ? "saved sp is not on its stack" : NULL;
}

enum first_goroutine self_check__first(struct live *live, uint64_t array)
{
	const struct go_layout *l = live->layout;
	uint64_t g, goid, startpc;

	if (!array)
		return FIRST_NOT_YET;
	if (array % WORD || remote__read_u64(live->remote, array, &g))
		return FIRST_DIFFERS;
	if (!g)
		return FIRST_NOT_YET;
	if (g % WORD || remote__read_u64(live->remote, g + l->g_goid, &goid) ||
	    remote__read_u64(live->remote, g + l->g_startpc, &startpc))
		return FIRST_DIFFERS;
	if (goid == 0)
		return FIRST_NOT_YET;
	if (goid == 1)
		return startpc == live->runtime_main + live->bias ? FIRST_FITS : FIRST_DIFFERS;
	return goid <= MAX_GOID && (live->other_modules || is_entry(live, startpc)) ? FIRST_FITS :
										      FIRST_DIFFERS;
}

/* --- the sample --------------------------------------------------------------------------------- */

static int read_sample(struct live *live, uint64_t array, struct sample *sample)
{
	int err = live__read_target(live, array + sample->index * WORD, &sample->g, WORD,
				    "an element of allgs");

	if (err)
		return err;
	if (!sample->g || sample->g % WORD)
		return live__refuse(live, "allgs[%llu] is 0x%llx, which is no goroutine",
				    (unsigned long long)sample->index,
				    (unsigned long long)sample->g);
	return live__read_target(live, sample->g, sample->data, live->layout->g_sizeof,
				 "a goroutine");
}

static int check_sample(struct live *live, uint64_t array, struct sample *sample)
{
	const char *wrong = NULL;
	uint64_t value = 0;

	for (int i = 0; i < ATTEMPTS; i++) {
		int err = read_sample(live, array, sample);

		if (err)
			return err;
		wrong = defect(live, sample->data, &value);
		if (!wrong)
			return 0;
	}
	return live__refuse(live, "allgs[%llu], goroutine %llu at 0x%llx: %s (0x%llx)",
			    (unsigned long long)sample->index,
			    (unsigned long long)bytes__u64(sample->data, live->layout->g_goid),
			    (unsigned long long)sample->g, wrong, (unsigned long long)value);
}

/* All of @n samples by two reads; which of them could be read, and fit, is told in @fits. */
static void read_at_once(struct live *live, uint64_t array, struct sample *samples, size_t n,
			 bool *fits)
{
	struct remote_span spans[SAMPLES];
	uint64_t value;
	int err;

	for (size_t i = 0; i < n; i++) {
		samples[i].g = 0;
		spans[i] = (struct remote_span){array + samples[i].index * WORD, &samples[i].g,
						WORD, 0};
	}
	err = remote__read_spans(live->remote, spans, n);
	for (size_t i = 0; i < n; i++) {
		fits[i] = !err && !spans[i].result && samples[i].g && samples[i].g % WORD == 0;
		spans[i] = (struct remote_span){samples[i].g, samples[i].data,
						fits[i] ? live->layout->g_sizeof : 0, 0};
	}
	err = remote__read_spans(live->remote, spans, n);
	for (size_t i = 0; i < n; i++)
		fits[i] = fits[i] && !err && !spans[i].result &&
			  !defect(live, samples[i].data, &value);
}

static int check_samples(struct live *live, uint64_t array, uint64_t n)
{
	size_t count = (size_t)min_of(n, (uint64_t)SAMPLES);
	struct sample *samples __cleanup_free = calloc(SAMPLES, sizeof(*samples));
	bool fits[SAMPLES];

	if (!samples)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	if (live->layout->g_sizeof > sizeof(samples->data))
		return live__refuse(live, "a g of %u bytes", live->layout->g_sizeof);
	for (size_t i = 0; i < count; i++)
		samples[i].index = i * n / count;
	read_at_once(live, array, samples, count, fits);
	for (size_t i = 0; i < count; i++) {
		int err = fits[i] ? 0 : check_sample(live, array, &samples[i]);

		if (err)
			return err;
	}
	return 0;
}

int self_check__run(struct live *live, const struct go_globals *globals)
{
	uint64_t n, array;
	int err;

	/* The length first: the array that is read later is never shorter (allgadd). */
	err = live__read(live, globals->allglen, &n, sizeof(n), "runtime.allglen");
	if (err)
		return err;
	err = live__read(live, globals->allgptr, &array, sizeof(array), "runtime.allgptr");
	if (err)
		return err;
	if (!n || !array)
		return live__not_yet(live, "there is no goroutine");
	if (n > SELF_CHECK_MAX_GOROUTINES || array % WORD)
		return live__refuse(live, "allgs has %llu elements at 0x%llx",
				    (unsigned long long)n, (unsigned long long)array);
	switch (self_check__first(live, array)) {
	case FIRST_NOT_YET:
		return live__not_yet(live, "goroutine 1 has not been created");
	case FIRST_DIFFERS:
		return live__refuse(live, "allgs[0] is not goroutine 1 of runtime.main at 0x%llx",
				    (unsigned long long)live->runtime_main + live->bias);
	case FIRST_FITS:
		break;
	}
	return check_samples(live, array, n);
}
