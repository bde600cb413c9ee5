// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/alloc_types.h"

#include "session/allocs/allocs_private.h"
#include "session/target_internal.h"

struct heap_allocation alloc_types__of(const struct target *target,
				       struct heap_allocated *allocated, const uint64_t *pcs,
				       size_t n, uint64_t bytes)
{
	uint64_t stack[STACK_MAX_DEPTH];
	size_t depth;

	for (depth = 0; depth < min_of(n, (size_t)STACK_MAX_DEPTH); depth++) {
		const struct loaded_module *module = module_map__of(target->modules, pcs[depth]);

		if (!module)
			break;
		stack[depth] = module_pc__address(pcs[depth]) + module->bias;
	}
	return heap_allocated__of(allocated, stack, depth, bytes);
}

/* Parts of a map or channel are told as what they are parts of. */
static enum heap_allocated_as whole_of(enum heap_allocated_as as)
{
	switch (as) {
	case HEAP_ALLOCATED_MAP_SLOTS:
	case HEAP_ALLOCATED_MAP_PART:
		return HEAP_ALLOCATED_MAP;
	case HEAP_ALLOCATED_CHAN_BUFFER:
		return HEAP_ALLOCATED_CHAN;
	default:
		return as;
	}
}

struct heap_allocation target_allocs__what(const struct target *target,
					   const struct alloc_flow_entry *entry)
{
	const struct target_allocs *allocs = target->allocs;
	size_t n;
	const uint64_t *pcs = stack_table__get(allocs->stacks, entry->stack, &n);
	struct heap_allocation what = {0};

	if (pcs)
		what = alloc_types__of(target, allocs->allocated, pcs, n, entry->bytes);
	what.as = whole_of(what.as);
	/* The types of a process that has ended are not there any more. */
	if (what.type && !heap_types__any(allocs->types, what.type))
		what = (struct heap_allocation){0};
	/* What is not in the code of who called it, the allocator was told. */
	if (what.as == HEAP_ALLOCATED_UNKNOWN && entry->type &&
	    heap_types__any(allocs->types, entry->type))
		what = (struct heap_allocation){HEAP_ALLOCATED_VALUE, entry->type};
	return what;
}

void target_allocs__name_type(const struct target *target, const struct heap_allocation *what,
			      char *name, size_t size)
{
	heap_allocated__name(target->allocs->allocated, what, name, size);
}
