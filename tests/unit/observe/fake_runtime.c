// SPDX-License-Identifier: Apache-2.0
#include "fake_runtime.h"

#include <stdlib.h>
#include <string.h>

/* Offsets as in the runtime sources of these versions; see data/go-layout.tsv. */
static void set_layout(struct go_layout *layout, int minor)
{
	bool new = minor >= 26;

	memset(layout, 0xff, sizeof(*layout)); /* GO_LAYOUT_ABSENT */
	layout->minor = minor;
	layout->g_stack_lo = 0;
	layout->g_stack_hi = 8;
	layout->g_m = 48;
	layout->g_sched_sp = 56;
	layout->g_sched_pc = 64;
	layout->g_sched_bp = new ? 96 : 104;
	layout->g_syscallsp = new ? 104 : 112;
	layout->g_syscallpc = new ? 112 : 120;
	if (new)
		layout->g_syscallbp = 120;
	layout->g_atomicstatus = 144;
	layout->g_goid = 152;
	layout->g_waitsince = 168;
	layout->g_waitreason = 176;
	layout->g_trackingSeq = new ? 191 : 189;
	if (new)
		layout->g_parentGoid = 280;
	layout->g_gopc = new ? 288 : 296;
	layout->g_startpc = new ? 304 : 312;
	layout->g_sizeof = new ? 456 : 392;
	layout->p_goidcache = 384;
	layout->p_goidcacheend = 392;
	layout->sched_goidgen = 0;
}

static void put(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void put_module(struct fake *fake)
{
	const struct loaded_module module = {
		.bias = fake->bias,
		.text = FAKE_TEXT + fake->bias,
		.etext = FAKE_ETEXT + fake->bias,
		.goexit = FAKE_GOEXIT,
		.goexit_end = FAKE_GOEXIT_END,
	};

	if (module_map__new(&fake->runtime.modules) ||
	    module_map__add(fake->runtime.modules, &module))
		abort();
}

struct fake *fake_new(int minor, size_t max)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	const uint64_t main_pcs[] = {FAKE_GOPARK, FAKE_MAIN + 0x20};

	if (!fake)
		abort();
	set_layout(&fake->layout, minor);
	fake->stride = minor >= 26 ? 480 : 416;
	fake->stack_size = FAKE_STACK_SIZE;
	fake->max = max;
	fake->globals = calloc(1, FAKE_GLOBALS_SIZE);
	fake->array = calloc(max, sizeof(uint64_t));
	fake->heap = calloc(max, fake->stride);
	fake->stacks = calloc(max, FAKE_STACK_SIZE);
	if (!fake->globals || !fake->array || !fake->heap || !fake->stacks)
		abort();
	fake->ranges[0] = (struct remote_range){FAKE_GLOBALS, fake->globals, FAKE_GLOBALS_SIZE};
	fake->ranges[1] = (struct remote_range){FAKE_ARRAY, fake->array, max * sizeof(uint64_t)};
	fake->ranges[2] = (struct remote_range){FAKE_HEAP, fake->heap, max * fake->stride};
	fake->ranges[3] = (struct remote_range){FAKE_STACKS, fake->stacks, max * FAKE_STACK_SIZE};
	fake->n_ranges = 4;
	fake->runtime = (struct census_runtime){
		.layout = &fake->layout,
		.allgptr = FAKE_GLOBALS + FAKE_ALLGPTR,
		.allglen = FAKE_GLOBALS + FAKE_ALLGLEN,
	};
	fake->bias = minor >= 26 ? 0x555555000000ULL : 0;
	put_module(fake);
	if (census_runtime__set_window(&fake->runtime, NULL))
		abort();
	put(fake->globals + FAKE_ALLGPTR, FAKE_ARRAY);
	fake_park(fake, fake_add(fake, 1), 2, main_pcs, 2, 64, true);
	fake_set64(fake, 0, fake->layout.g_startpc, FAKE_MAIN + fake->bias);
	fake_open(fake);
	return fake;
}

void fake_free(struct fake *fake)
{
	remote__free(fake->runtime.remote);
	module_map__free(fake->runtime.modules);
	free(fake->globals);
	free(fake->array);
	free(fake->heap);
	free(fake->stacks);
	free(fake);
}

void fake_open(struct fake *fake)
{
	remote__free(fake->runtime.remote);
	fake->runtime.remote = NULL;
	if (remote__open_image(fake->ranges, fake->n_ranges, &fake->runtime.remote))
		abort();
}

uint64_t fake_g_address(const struct fake *fake, size_t index)
{
	return FAKE_HEAP + index * fake->stride;
}

void fake_set64(struct fake *fake, size_t index, uint32_t offset, uint64_t value)
{
	put(fake->heap + index * fake->stride + offset, value);
}

uint64_t fake_get64(const struct fake *fake, size_t index, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, fake->heap + index * fake->stride + offset, sizeof(value));
	return value;
}

void fake_set_status(struct fake *fake, size_t index, uint32_t status)
{
	memcpy(fake->heap + index * fake->stride + fake->layout.g_atomicstatus, &status,
	       sizeof(status));
}

void fake_set_reason(struct fake *fake, size_t index, uint8_t reason)
{
	fake->heap[index * fake->stride + fake->layout.g_waitreason] = reason;
}

void fake_ran(struct fake *fake, size_t index)
{
	fake->heap[index * fake->stride + fake->layout.g_trackingSeq]++;
}

void fake_entry(struct fake *fake, size_t index, uint64_t address)
{
	put(fake->array + index * sizeof(address), address);
}

void fake_length(struct fake *fake, uint64_t length)
{
	put(fake->globals + FAKE_ALLGLEN, length);
}

void fake_global(struct fake *fake, uint32_t offset, uint64_t value)
{
	put(fake->globals + offset, value);
}

size_t fake_add(struct fake *fake, uint64_t goid)
{
	const struct go_layout *layout = &fake->layout;
	uint64_t lo = FAKE_STACKS + fake->n * fake->stack_size;
	uint64_t bias = fake->bias;
	size_t index = fake->n++;

	if (index >= fake->max)
		abort();
	fake_set64(fake, index, layout->g_stack_lo, lo);
	fake_set64(fake, index, layout->g_stack_hi, lo + fake->stack_size);
	fake_set64(fake, index, layout->g_goid, goid);
	fake_set64(fake, index, layout->g_gopc, FAKE_MAIN + 0x80 + bias);
	fake_set64(fake, index, layout->g_startpc, FAKE_MAIN + 0x1000 + bias);
	if (layout->g_parentGoid != GO_LAYOUT_ABSENT)
		fake_set64(fake, index, layout->g_parentGoid, 1);
	fake_set_status(fake, index, GO_STATUS_DEAD);
	fake_entry(fake, index, fake_g_address(fake, index));
	fake_length(fake, fake->n);
	return index;
}

void fake_park(struct fake *fake, size_t index, uint8_t reason, const uint64_t *pcs, size_t n,
	       size_t frame_size, bool ends)
{
	const struct go_layout *layout = &fake->layout;
	uint64_t bias = fake->bias;
	uint64_t hi = FAKE_STACKS + (index + 1) * fake->stack_size;
	uint64_t sp = hi - 64 - n * frame_size;

	for (size_t i = 0; i < n; i++) {
		uint64_t frame = sp + 16 + i * frame_size;
		bool last = i + 1 == n;
		uint8_t *at = fake->stacks + (frame - FAKE_STACKS);

		put(at, last ? 0 : frame + frame_size);
		put(at + 8, last ? (ends ? FAKE_GOEXIT + 1 + bias : 0) : pcs[i + 1] + bias);
	}
	fake_set64(fake, index, layout->g_sched_sp, sp);
	fake_set64(fake, index, layout->g_sched_bp, sp + 16);
	fake_set64(fake, index, layout->g_sched_pc, pcs[0] + bias);
	fake_set_status(fake, index, GO_STATUS_WAITING);
	fake_set_reason(fake, index, reason);
}

size_t fake_add_parked(struct fake *fake, uint64_t goid, uint64_t caller)
{
	const uint64_t pcs[] = {FAKE_GOPARK, caller, FAKE_MAIN + 0x1010};
	size_t index = fake_add(fake, goid);

	fake_park(fake, index, 14, pcs, ARRAY_SIZE(pcs), 64, true);
	return index;
}
