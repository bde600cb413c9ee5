// SPDX-License-Identifier: Apache-2.0
/*
 * The process runs meanwhile. A contradiction counts only when the goroutine, read again after what
 * it was compared with, is as it was; one that changes every time is not asked further.
 */
#include "golang/evidence.h"

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

struct witness {
	uint64_t g; /* in the target */
	uint8_t data[G_READ_SIZE];
	uint32_t status;
};

struct hearing {
	struct live *live;
	const struct live_reasons *reasons;
	size_t parks, creations; /* agreements */
	struct witness witness, again;
	uint64_t goids[EVIDENCE_SAMPLES];
	size_t n_goids;
};

static uint64_t word(const struct witness *witness, uint32_t offset)
{
	return bytes__u64(witness->data, offset);
}

static bool read_word(struct live *live, uint64_t target, uint64_t *ret_word)
{
	return target % WORD == 0 && !remote__read_u64(live->remote, target, ret_word);
}

static const char *reason_of(const struct hearing *hearing, const struct witness *witness)
{
	uint8_t number = witness->data[hearing->live->layout->g_waitreason];

	return number < hearing->reasons->n ? hearing->reasons->words[number] : NULL;
}

/* --- where it was created ----------------------------------------------------------------------- */

static bool is_after_call(struct live *live, uint64_t pc)
{
	uint8_t before[8];

	return !elf_image__read(live->image, pc - sizeof(before), before, sizeof(before)) &&
	       go_arch__of(live->image)->ends_in_call(before);
}

static const char *check_creation(struct hearing *hearing)
{
	struct live *live = hearing->live;
	uint64_t gopc = word(&hearing->witness, live->layout->g_gopc), pc = gopc - live->bias;

	if (!gopc) /* extra Ms of cgo */
		return NULL;
	if (pc < live->module.minpc || pc >= live->module.maxpc)
		return live->other_modules ? NULL : "gopc is not code";
	if (!is_after_call(live, pc))
		return "gopc does not follow a call";
	hearing->creations++;
	return NULL;
}

/* --- why it waits ------------------------------------------------------------------------------- */

/* Who calls runtime.gopark, and how the words begin that it gives. */
static const struct {
	const char *function, *words;
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

/* The function that called gopark, in which the goroutine was parked; false when that is unknown. */
static bool parker_of(struct live *live, const struct witness *witness, char *name, size_t size)
{
	const struct go_layout *l = live->layout;
	uint64_t bp = word(witness, l->g_sched_bp), caller;

	if (!name_at(live, word(witness, l->g_sched_pc), name, size) ||
	    strcmp(name, "runtime.gopark") != 0)
		return false;
	return bp >= word(witness, l->g_stack_lo) && bp < word(witness, l->g_stack_hi) &&
	       read_word(live, bp + WORD, &caller) && name_at(live, caller - 1, name, size);
}

static const char *check_park(struct hearing *hearing)
{
	const struct witness *witness = &hearing->witness;
	const char *words = reason_of(hearing, witness);
	char name[128];

	if (!words)
		return "waitreason is none";
	if (word(witness, hearing->live->layout->g_waitsince) > MAX_WAIT_NS)
		return "waitsince is no time";
	if (!parker_of(hearing->live, witness, name, sizeof(name)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(parkers); i++) {
		if (strcmp(parkers[i].function, name) != 0)
			continue;
		if (strncmp(words, parkers[i].words, strlen(parkers[i].words)) != 0)
			return "waitreason is not what its stack shows";
		hearing->parks++;
	}
	return NULL;
}

/* --- what points back at it --------------------------------------------------------------------- */

static const char *check_thread(struct hearing *hearing)
{
	const struct go_layout *l = hearing->live->layout;
	uint64_t m = word(&hearing->witness, l->g_m), curg;

	if (m && (!read_word(hearing->live, m + l->m_curg, &curg) || curg != hearing->witness.g))
		return "m.curg is not this goroutine";
	return NULL;
}

static const char *check_sudog(struct hearing *hearing)
{
	const struct go_layout *l = hearing->live->layout;
	uint64_t sudog = word(&hearing->witness, l->g_waiting), g;

	if (sudog && (!read_word(hearing->live, sudog + l->sudog_g, &g) || g != hearing->witness.g))
		return "sudog.g is not this goroutine";
	return NULL;
}

/* --- one goroutine ------------------------------------------------------------------------------ */

static int read_witness(struct hearing *hearing, uint64_t g, struct witness *ret_witness)
{
	const struct go_layout *l = hearing->live->layout;
	int err;

	if (l->g_sizeof > sizeof(ret_witness->data))
		return live__refuse(hearing->live, "a g of %u bytes", l->g_sizeof);
	err = live__read_target(hearing->live, g, ret_witness->data, l->g_sizeof, "a goroutine");
	if (err)
		return err;
	ret_witness->g = g;
	ret_witness->status = go_status__of(bytes__u32(ret_witness->data, l->g_atomicstatus));
	return 0;
}

static const char *contradiction(struct hearing *hearing)
{
	const struct witness *witness = &hearing->witness;
	const struct go_layout *l = hearing->live->layout;
	const char *wrong;

	if (witness->status == GO_STATUS_DEAD || witness->status == GO_STATUS_DEAD_EXTRA)
		return NULL;
	if (l->g_parentGoid != GO_LAYOUT_ABSENT && word(witness, l->g_parentGoid) > MAX_GOID)
		return "impossible parentGoid";
	wrong = check_creation(hearing);
	if (wrong)
		return wrong;
	if (witness->status == GO_STATUS_RUNNING || witness->status == GO_STATUS_SYSCALL)
		return check_thread(hearing);
	if (witness->status != GO_STATUS_WAITING || word(witness, l->g_m))
		return NULL;
	wrong = check_park(hearing);
	return wrong ? wrong : check_sudog(hearing);
}

static bool is_unchanged(const struct hearing *hearing)
{
	return !memcmp(hearing->witness.data, hearing->again.data, hearing->live->layout->g_sizeof);
}

static int hear(struct hearing *hearing, uint64_t g)
{
	const struct go_layout *l = hearing->live->layout;

	for (int i = 0; i < ATTEMPTS; i++) {
		const char *wrong;
		int err = read_witness(hearing, g, &hearing->witness);

		if (err)
			return err;
		wrong = contradiction(hearing);
		if (!wrong)
			break;
		err = read_witness(hearing, g, &hearing->again);
		if (err)
			return err;
		if (is_unchanged(hearing))
			return live__refuse(hearing->live, "goroutine %llu at 0x%llx: %s",
					    (unsigned long long)word(&hearing->again, l->g_goid),
					    (unsigned long long)g, wrong);
	}
	if (hearing->witness.status != GO_STATUS_DEAD &&
	    hearing->witness.status != GO_STATUS_DEAD_EXTRA)
		hearing->goids[hearing->n_goids++] = word(&hearing->witness, l->g_goid);
	return 0;
}

/* --- all of them -------------------------------------------------------------------------------- */

static int compare_goids(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int judge(struct hearing *hearing)
{
	qsort(hearing->goids, hearing->n_goids, sizeof(hearing->goids[0]), compare_goids);
	for (size_t i = 1; i < hearing->n_goids; i++) {
		if (hearing->goids[i] == hearing->goids[i - 1])
			return live__refuse(hearing->live, "two goroutines have the number %llu",
					    (unsigned long long)hearing->goids[i]);
	}
	if (!hearing->parks || !hearing->creations)
		return live__not_yet(hearing->live,
				     "no parked goroutine confirms how it is laid out");
	return 0;
}

/* The first half of the samples is taken from the start, where the runtime's own are. */
static uint64_t sample_index(size_t sample, uint64_t n)
{
	const uint64_t half = EVIDENCE_SAMPLES / 2;

	if (n <= EVIDENCE_SAMPLES || sample < half)
		return sample;
	return half + (sample - half) * (n - half) / half;
}

/* Modules beyond the first excuse addresses that are not in it, so they have to be real. */
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

int evidence__check(struct live *live, const struct go_globals *globals,
		    const struct live_reasons *reasons)
{
	struct hearing *hearing __cleanup_free = calloc(1, sizeof(*hearing));
	uint64_t n, array, g;
	int err;

	if (!hearing)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	*hearing = (struct hearing){.live = live, .reasons = reasons};
	err = check_next_module(live);
	if (!err)
		err = live__read(live, globals->allglen, &n, sizeof(n), "runtime.allglen");
	if (!err)
		err = live__read(live, globals->allgptr, &array, sizeof(array), "runtime.allgptr");
	for (size_t i = 0; !err && i < min_of(n, (uint64_t)EVIDENCE_SAMPLES); i++) {
		err = live__read_target(live, array + sample_index(i, n) * WORD, &g, WORD,
					"an element of allgs");
		if (!err)
			err = hear(hearing, g);
	}
	return err ? err : judge(hearing);
}
