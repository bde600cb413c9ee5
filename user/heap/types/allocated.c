// SPDX-License-Identifier: Apache-2.0
#include "heap/types/allocated.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/index.h"
#include "golang/call_values.h"
#include "heap/spans/spans.h"

#define MAX_CALLS    65536u
#define MAX_FRAMES   12	 /* of the runtime, before the one that allocates */
#define NAME_SIZE    256 /* of a function of the runtime, of which none has so many */
#define TINY	     16u /* src/runtime/malloc.go maxTinySize */
#define FIRST_HEADER 22	 /* Go 1.22 */
#define MAKERS	     4	 /* frames in which what it is for can be told */
#define FIRST_SWISS  24	 /* Go 1.24: maps of another kind */
#define MAP_SIZE     48
#define HCHAN_SIZE   112 /* src/runtime/chan.go: 96 until Go 1.22, then 104, which takes so many */
#define NO_ARGUMENT  CALL_VALUES_MAX

/* A call of the allocator. */
struct call {
	uint64_t pc; /* where it returns to */
	enum heap_allocated_as as;
	uint64_t type;	/* 0: not known */
	bool allocates; /* it is in the program's own code, and not in the allocator itself */
};

struct heap_allocated {
	const struct heap_runtime *runtime;
	struct heap_types *types;
	struct index *by_pc;
	struct call *calls;
	size_t n, capacity;
};

int heap_allocated__new(const struct heap_runtime *runtime, struct heap_types *types,
			struct heap_allocated **ret_allocated)
{
	struct heap_allocated *allocated = calloc(1, sizeof(*allocated));

	if (!allocated)
		return -ENOMEM;
	allocated->runtime = runtime;
	allocated->types = types;
	if (index__new(MAX_CALLS, &allocated->by_pc)) {
		free(allocated);
		return -ENOMEM;
	}
	*ret_allocated = allocated;
	return 0;
}

void heap_allocated__free(struct heap_allocated *allocated)
{
	if (!allocated)
		return;
	index__free(allocated->by_pc);
	free(allocated->calls);
	free(allocated);
}

/* --- what the allocator's functions make -------------------------------------------------------- */

enum heap_allocated_as heap_allocated__as(int minor, const char *function, size_t *ret_argument)
{
	/*
	 * src/cmd/compile/internal/typecheck/_builtin/runtime.go; each stands for all names that begin
	 * with it, as those of the entries of Go 1.27 do that are made for sizes.
	 */
	static const struct {
		const char *prefix;
		enum heap_allocated_as as;
		uint8_t argument;
	} functions[] = {
		{"runtime.newobject", HEAP_ALLOCATED_VALUE, 0},
		{"runtime.mallocgc", HEAP_ALLOCATED_VALUE, 1},
		{"runtime.mallocTiny", HEAP_ALLOCATED_VALUE, 1},
		{"runtime.makeslice", HEAP_ALLOCATED_ARRAY, 0},
		{"runtime.growslice", HEAP_ALLOCATED_ARRAY, 4},
		{"runtime.moveSlice", HEAP_ALLOCATED_ARRAY, 0},
		{"runtime.makechan", HEAP_ALLOCATED_CHAN, 0},
		{"runtime.makemap_small", HEAP_ALLOCATED_UNKNOWN, NO_ARGUMENT},
		{"runtime.makemap", HEAP_ALLOCATED_MAP_PART, 0},
		{"runtime.mapassign", HEAP_ALLOCATED_MAP_PART, 0},
		{"runtime.convTstring", HEAP_ALLOCATED_UNKNOWN, NO_ARGUMENT},
		{"runtime.convTslice", HEAP_ALLOCATED_UNKNOWN, NO_ARGUMENT},
		{"runtime.convT16", HEAP_ALLOCATED_UNKNOWN, NO_ARGUMENT},
		{"runtime.convT32", HEAP_ALLOCATED_UNKNOWN, NO_ARGUMENT},
		{"runtime.convT64", HEAP_ALLOCATED_UNKNOWN, NO_ARGUMENT},
		{"runtime.convT", HEAP_ALLOCATED_VALUE, 0},
		{"runtime.concatstring", HEAP_ALLOCATED_STRING, NO_ARGUMENT},
		{"runtime.slicebytetostring", HEAP_ALLOCATED_STRING, NO_ARGUMENT},
		{"runtime.slicerunetostring", HEAP_ALLOCATED_STRING, NO_ARGUMENT},
		{"runtime.concatbyte", HEAP_ALLOCATED_BYTES, NO_ARGUMENT},
		{"runtime.stringtoslicebyte", HEAP_ALLOCATED_BYTES, NO_ARGUMENT},
		{"internal/bytealg.MakeNoZero", HEAP_ALLOCATED_BYTES, NO_ARGUMENT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (strncmp(function, functions[i].prefix, strlen(functions[i].prefix)) != 0)
			continue;
		*ret_argument = functions[i].argument;
		/* src/runtime/slice.go: until Go 1.19 the type came first. */
		if (minor < 20 && !strcmp(function, "runtime.growslice"))
			*ret_argument = 0;
		return functions[i].as;
	}
	return HEAP_ALLOCATED_UNKNOWN;
}

static bool is_allocator(const char *function)
{
	static const char *const packages[] = {"runtime.", "internal/runtime/maps.",
					       "internal/bytealg."};

	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		if (!strncmp(function, packages[i], strlen(packages[i])))
			return true;
	}
	return false;
}

/* --- calls -------------------------------------------------------------------------------------- */

/* The function of the executable that @pc, an address of the target, is in. */
static bool function_at(const struct heap_allocated *allocated, uint64_t pc,
			struct pclntab_func *ret_func, char *name, size_t size)
{
	const struct heap_runtime *runtime = allocated->runtime;

	return runtime->tab && !pclntab__lookup(runtime->tab, pc - runtime->bias, ret_func) &&
	       pclntab__name(runtime->tab, ret_func, name, size) >= 0;
}

static void read_operand(struct heap_allocated *allocated, const struct pclntab_func *func,
			 struct call *call)
{
	const struct heap_runtime *runtime = allocated->runtime;
	uint64_t entry = func->entry + runtime->bias;
	size_t at = (size_t)(call->pc - entry), argument;
	uint8_t *code __cleanup_free = NULL;
	struct pclntab_func callee;
	struct call_values values;
	char name[NAME_SIZE];

	if (at > CALL_VALUES_MAX_BYTES)
		return;
	code = malloc(at + 1);
	if (!code || remote__read(runtime->remote, entry, code, at) ||
	    call_values__read(runtime->arch, entry, code, at, &values) ||
	    !function_at(allocated, values.callee, &callee, name, sizeof(name)))
		return;
	call->as = heap_allocated__as(runtime->layout->minor, name, &argument);
	if (argument < CALL_VALUES_MAX &&
	    heap_types__in_module(allocated->types, values.arguments[argument]))
		call->type = values.arguments[argument];
}

static struct call read_call(struct heap_allocated *allocated, uint64_t pc)
{
	struct call call = {.pc = pc};
	struct pclntab_func func;
	char name[NAME_SIZE];

	/* A return address may be the one behind the last instruction of its function. */
	if (!pc || !function_at(allocated, pc - 1, &func, name, sizeof(name)) || is_allocator(name))
		return call;
	call.allocates = true;
	read_operand(allocated, &func, &call);
	return call;
}

static struct call call_at(struct heap_allocated *allocated, uint64_t pc)
{
	uint64_t hash = hash__keyed_word(pc);
	struct index_search search = index__search(allocated->by_pc, hash);
	struct call call;

	while (index__next(&search)) {
		if (allocated->calls[search.number].pc == pc)
			return allocated->calls[search.number];
	}
	call = read_call(allocated, pc);
	/* What there is no room for is looked at again. */
	if (array__reserve(allocated->calls, allocated->capacity, allocated->n + 1) &&
	    !index__add(allocated->by_pc, hash, (uint32_t)allocated->n))
		allocated->calls[allocated->n++] = call;
	return call;
}

/* --- one object --------------------------------------------------------------------------------- */

/* Whether the allocator, which rounds up, makes @size bytes of a value of @type. */
static bool fits_value(const struct heap_allocated *allocated, const struct heap_type *type,
		       uint64_t size)
{
	uint64_t needed = type->size;
	uint32_t rounded;

	if (!type->pointer_size && needed < TINY)
		return size <= TINY;
	if (allocated->runtime->layout->minor >= FIRST_HEADER && type->pointer_size &&
	    needed > HEAP_BITS_IN_SPAN && needed <= HEAP_SMALL_MAX - HEAP_HEADER_SIZE)
		needed += HEAP_HEADER_SIZE;
	if (!heap_spans__size_class(needed, &rounded))
		return size >= needed && size - needed < GO_PAGE_SIZE;
	return rounded == size;
}

static bool fits(struct heap_allocated *allocated, const struct heap_allocation *allocation,
		 uint64_t size)
{
	const struct heap_type *type = heap_types__any(allocated->types, allocation->type);

	if (!type)
		return false;
	switch (allocation->as) {
	case HEAP_ALLOCATED_VALUE:
		return fits_value(allocated, type, size);
	case HEAP_ALLOCATED_ARRAY:
		return type->size && type->size <= size;
	case HEAP_ALLOCATED_CHAN:
	case HEAP_ALLOCATED_CHAN_BUFFER:
		return type->kind == GO_KIND_CHAN;
	default:
		return type->kind == GO_KIND_MAP;
	}
}

/* Whether one of @names is among the innermost functions, which are the allocator's. */
static bool made_by(const struct heap_allocated *allocated, const uint64_t *stack, size_t n,
		    const char *const *names, size_t n_names)
{
	struct pclntab_func func;
	char name[NAME_SIZE];

	for (size_t i = 0; i < n && i < MAKERS; i++) {
		if (!function_at(allocated, stack[i] - 1, &func, name, sizeof(name)))
			return false;
		for (size_t k = 0; k < n_names; k++) {
			if (!strncmp(name, names[k], strlen(names[k])))
				return true;
		}
	}
	return false;
}

/* Arrays of groups and buckets are made by newarray, which some versions leave out of the stack. */
static bool is_map_slots(const struct heap_allocated *allocated, const uint64_t *stack, size_t n)
{
	static const char *const makers[] = {
		"runtime.newarray",
		"internal/runtime/maps.newarray",
		"runtime.makeBucketArray",
		"runtime.(*hmap).newoverflow",
	};
	static const char *const assign[] = {"runtime.mapassign"};

	return made_by(allocated, stack, n, makers, ARRAY_SIZE(makers)) ||
	       (allocated->runtime->layout->minor < FIRST_SWISS &&
		made_by(allocated, stack, 1, assign, ARRAY_SIZE(assign)));
}

/* Whether it is the map itself: src/runtime/map.go hmap, internal/runtime/maps/map.go Map. */
static bool is_map_head(const struct heap_allocated *allocated, const uint64_t *stack, size_t n,
			uint64_t size)
{
	static const char *const makers[] = {
		"runtime.makemap",
		"internal/runtime/maps.NewMap",
		"internal/runtime/maps.NewEmptyMap",
	};

	return size == MAP_SIZE && made_by(allocated, stack, n, makers, ARRAY_SIZE(makers));
}

/* src/runtime/chan.go makechan: elements with pointers have a buffer of their own. */
static bool is_buffer(struct heap_allocated *allocated, uint64_t chan, uint64_t size)
{
	const struct heap_type *type = heap_types__any(allocated->types, chan);
	const struct heap_shape *shape = type ? heap_types__shape(allocated->types, type) : NULL;
	const struct heap_type *elem =
		shape ? heap_types__any(allocated->types, shape->elem) : NULL;

	return elem && elem->pointer_size && size > HCHAN_SIZE;
}

struct heap_allocation heap_allocated__of(struct heap_allocated *allocated, const uint64_t *stack,
					  size_t n, uint64_t size)
{
	struct heap_allocation allocation = {0};
	struct call call = {0};

	for (size_t i = 0; i < n && i < MAX_FRAMES && !call.allocates; i++)
		call = call_at(allocated, stack[i]);
	allocation.as = call.as;
	allocation.type = call.type;
	if (call.as == HEAP_ALLOCATED_STRING || call.as == HEAP_ALLOCATED_BYTES)
		return allocation;
	if (!call.type || !fits(allocated, &allocation, size))
		return (struct heap_allocation){0};
	if (call.as == HEAP_ALLOCATED_MAP_PART && is_map_slots(allocated, stack, n))
		allocation.as = HEAP_ALLOCATED_MAP_SLOTS;
	else if (call.as == HEAP_ALLOCATED_MAP_PART && is_map_head(allocated, stack, n, size))
		allocation.as = HEAP_ALLOCATED_MAP;
	if (call.as == HEAP_ALLOCATED_CHAN && is_buffer(allocated, call.type, size))
		allocation.as = HEAP_ALLOCATED_CHAN_BUFFER;
	return allocation;
}

void heap_allocated__name(struct heap_allocated *allocated,
			  const struct heap_allocation *allocation, char *name, size_t size)
{
	const char *type =
		allocation->type ? heap_types__name(allocated->types, allocation->type) : "";

	switch (allocation->as) {
	case HEAP_ALLOCATED_UNKNOWN:
		snprintf(name, size, "%s", "");
		break;
	case HEAP_ALLOCATED_STRING:
		snprintf(name, size, "string");
		break;
	case HEAP_ALLOCATED_BYTES:
		snprintf(name, size, "[]uint8");
		break;
	case HEAP_ALLOCATED_ARRAY:
		snprintf(name, size, "[]%s", type);
		break;
	default:
		snprintf(name, size, "%s", type);
	}
}
