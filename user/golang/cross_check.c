// SPDX-License-Identifier: Apache-2.0
/*
 * The process runs while it is read, and a goroutine that moved in between contradicts itself. So a
 * contradiction counts only when the g, read once more after what it was compared with, has not
 * changed by a byte. A goroutine that changes at every attempt is left out.
 */
#include "golang/cross_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "golang/arch.h"

#define WORD	    sizeof(uint64_t)
#define ATTEMPTS    8
#define G_READ_SIZE 512
#define MAX_GOID    (1ULL << 48)
#define MAX_WAIT_NS (1ULL << 60) /* 36 years on the monotonic clock */

/* A g as it was read. */
struct g_copy {
	uint64_t address; /* of the g, the target's */
	uint8_t data[G_READ_SIZE];
	uint32_t status;
};

struct cross_check {
	struct live *live;
	const struct live_reasons *reasons;
	size_t parks, creations; /* that were confirmed in the second way */
	struct g_copy g, again;
	uint64_t goids[CROSS_CHECK_SAMPLES];
	size_t n_goids;
};

static uint64_t word(const struct g_copy *copy, uint32_t offset)
{
	return bytes__u64(copy->data, offset);
}

static bool read_word(struct live *live, uint64_t target, uint64_t *ret_word)
{
	return target % WORD == 0 && !remote__read_u64(live->remote, target, ret_word);
}

static const char *reason_of(const struct cross_check *check, const struct g_copy *copy)
{
	uint8_t number = copy->data[check->live->layout->g_waitreason];

	return number < check->reasons->n ? check->reasons->texts[number] : NULL;
}

/* --- where it was created ----------------------------------------------------------------------- */

static bool is_after_call(struct live *live, uint64_t pc)
{
	uint8_t before[8];

	return !elf_image__read(live->image, pc - sizeof(before), before, sizeof(before)) &&
	       go_arch__of(live->image)->ends_in_call(before);
}

static const char *check_creation(struct cross_check *check)
{
	struct live *live = check->live;
	uint64_t gopc = word(&check->g, live->layout->g_gopc), pc = gopc - live->bias;

	if (!gopc) /* extra Ms of cgo */
		return NULL;
	if (pc < live->module.minpc || pc >= live->module.maxpc)
		return live->other_modules ? NULL : "gopc is not code";
	if (!is_after_call(live, pc))
		return "gopc does not follow a call";
	check->creations++;
	return NULL;
}

/* --- why it waits ------------------------------------------------------------------------------- */

/* Functions that call runtime.gopark, and how the wait reason begins that they give. */
static const struct {
	const char *function, *reason;
} parkers[] = {
	{"runtime.chanrecv", "chan receive"},
	{"runtime.chansend", "chan send"},
	{"runtime.selectgo", "select"},
	{"runtime.block", "select (no cases)"},
	{"runtime.netpollblock", "IO wait"},
	{"time.Sleep", "sleep"},
	{"sync.runtime_notifyListWait", "sync.Cond.Wait"},
	{"runtime.forcegchelper", "force gc (idle)"},
	{"runtime.bgsweep", "GC sweep wait"},
	{"runtime.(*scavengerState).park", "GC scavenge wait"},
};

static bool name_at(struct live *live, uint64_t target_pc, char *name, size_t size)
{
	struct pclntab_func func;

	return !pclntab__lookup(live->tab, target_pc - live->bias, &func) &&
	       pclntab__name(live->tab, &func, name, size) > 0;
}

/*
 * The function that called gopark, in which the goroutine was parked; false when that is unknown.
 */
static bool parker_of(struct live *live, const struct g_copy *copy, char *name, size_t size)
{
	const struct go_layout *l = live->layout;
	uint64_t bp = word(copy, l->g_sched_bp), caller;

	if (!name_at(live, word(copy, l->g_sched_pc), name, size) ||
	    strcmp(name, "runtime.gopark") != 0)
		return false;
	return bp >= word(copy, l->g_stack_lo) && bp < word(copy, l->g_stack_hi) &&
	       read_word(live, bp + WORD, &caller) && name_at(live, caller - 1, name, size);
}

static const char *check_park(struct cross_check *check)
{
	const struct g_copy *copy = &check->g;
	const char *reason = reason_of(check, copy);
	char name[128];

	if (!reason)
		return "waitreason is none";
	if (word(copy, check->live->layout->g_waitsince) > MAX_WAIT_NS)
		return "waitsince is no time";
	if (!parker_of(check->live, copy, name, sizeof(name)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(parkers); i++) {
		if (strcmp(parkers[i].function, name) != 0)
			continue;
		if (strncmp(reason, parkers[i].reason, strlen(parkers[i].reason)) != 0)
			return "waitreason is not what its stack shows";
		check->parks++;
	}
	return NULL;
}

/* --- what points back at it --------------------------------------------------------------------- */

static const char *check_thread(struct cross_check *check)
{
	const struct go_layout *l = check->live->layout;
	uint64_t m = word(&check->g, l->g_m), curg;

	if (m && (!read_word(check->live, m + l->m_curg, &curg) || curg != check->g.address))
		return "m.curg is not this goroutine";
	return NULL;
}

static const char *check_sudog(struct cross_check *check)
{
	const struct go_layout *l = check->live->layout;
	uint64_t sudog = word(&check->g, l->g_waiting), g;

	if (sudog && (!read_word(check->live, sudog + l->sudog_g, &g) || g != check->g.address))
		return "sudog.g is not this goroutine";
	return NULL;
}

/* --- one goroutine ------------------------------------------------------------------------------ */

static int read_g(struct cross_check *check, uint64_t g, struct g_copy *ret_copy)
{
	const struct go_layout *l = check->live->layout;
	int err;

	if (l->g_sizeof > sizeof(ret_copy->data))
		return live__refuse(check->live, "a g of %u bytes", l->g_sizeof);
	err = live__read_target(check->live, g, ret_copy->data, l->g_sizeof, "a goroutine");
	if (err)
		return err;
	ret_copy->address = g;
	ret_copy->status = go_status__of(bytes__u32(ret_copy->data, l->g_atomicstatus));
	return 0;
}

static const char *contradiction(struct cross_check *check)
{
	const struct g_copy *copy = &check->g;
	const struct go_layout *l = check->live->layout;
	const char *wrong;

	if (copy->status == GO_STATUS_DEAD || copy->status == GO_STATUS_DEAD_EXTRA)
		return NULL;
	if (l->g_parentGoid != GO_LAYOUT_ABSENT && word(copy, l->g_parentGoid) > MAX_GOID)
		return "impossible parentGoid";
	wrong = check_creation(check);
	if (wrong)
		return wrong;
	if (copy->status == GO_STATUS_RUNNING || copy->status == GO_STATUS_SYSCALL)
		return check_thread(check);
	if (copy->status != GO_STATUS_WAITING || word(copy, l->g_m))
		return NULL;
	wrong = check_park(check);
	return wrong ? wrong : check_sudog(check);
}

static bool is_unchanged(const struct cross_check *check)
{
	return !memcmp(check->g.data, check->again.data, check->live->layout->g_sizeof);
}

static int check_goroutine(struct cross_check *check, uint64_t g)
{
	const struct go_layout *l = check->live->layout;

	for (int i = 0; i < ATTEMPTS; i++) {
		const char *wrong;
		int err = read_g(check, g, &check->g);

		if (err)
			return err;
		wrong = contradiction(check);
		if (!wrong)
			break;
		err = read_g(check, g, &check->again);
		if (err)
			return err;
		if (is_unchanged(check))
			return live__refuse(check->live, "goroutine %llu at 0x%llx: %s",
					    (unsigned long long)word(&check->again, l->g_goid),
					    (unsigned long long)g, wrong);
	}
	if (check->g.status != GO_STATUS_DEAD && check->g.status != GO_STATUS_DEAD_EXTRA)
		check->goids[check->n_goids++] = word(&check->g, l->g_goid);
	return 0;
}

/* --- all of them -------------------------------------------------------------------------------- */

static int compare_goids(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int conclude(struct cross_check *check)
{
	qsort(check->goids, check->n_goids, sizeof(check->goids[0]), compare_goids);
	for (size_t i = 1; i < check->n_goids; i++) {
		if (check->goids[i] == check->goids[i - 1])
			return live__refuse(check->live, "two goroutines have the number %llu",
					    (unsigned long long)check->goids[i]);
	}
	if (!check->parks || !check->creations)
		return live__not_yet(check->live,
				     "no parked goroutine confirms how it is laid out");
	return 0;
}

/* The first half of the samples is taken from the start, where the runtime's own are. */
static uint64_t sample_index(size_t sample, uint64_t n)
{
	const uint64_t half = CROSS_CHECK_SAMPLES / 2;

	if (n <= CROSS_CHECK_SAMPLES || sample < half)
		return sample;
	return half + (sample - half) * (n - half) / half;
}

/* Other modules excuse code addresses outside of the first, so the next one has to be real. */
static int check_next_module(struct live *live)
{
	uint64_t header;
	uint32_t magic, own;

	if (!live->other_modules)
		return 0;
	if (elf_image__read(live->image, pclntab__address(live->tab), &own, sizeof(own)) ||
	    !read_word(live, live->next_module + live->layout->moduledata_pcHeader, &header) ||
	    remote__read(live->remote, header, &magic, sizeof(magic)) || magic != own)
		return live__refuse(live, "moduledata.next, 0x%llx, is no moduledata",
				    (unsigned long long)live->next_module);
	return 0;
}

int cross_check__run(struct live *live, const struct go_globals *globals,
		     const struct live_reasons *reasons)
{
	struct cross_check *check __cleanup_free = calloc(1, sizeof(*check));
	uint64_t n, array, g;
	int err;

	if (!check)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	*check = (struct cross_check){.live = live, .reasons = reasons};
	err = check_next_module(live);
	if (!err)
		err = live__read(live, globals->allglen, &n, sizeof(n), "runtime.allglen");
	if (!err)
		err = live__read(live, globals->allgptr, &array, sizeof(array), "runtime.allgptr");
	for (size_t i = 0; !err && i < min_of(n, (uint64_t)CROSS_CHECK_SAMPLES); i++) {
		err = live__read_target(live, array + sample_index(i, n) * WORD, &g, WORD,
					"an element of allgs");
		if (!err)
			err = check_goroutine(check, g);
	}
	return err ? err : conclude(check);
}
