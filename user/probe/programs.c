// SPDX-License-Identifier: Apache-2.0
#include "probe/programs.h"

static const struct programs_ops *ops = &programs_direct;

void programs__use(const struct programs_ops *wanted)
{
	ops = wanted;
}

int programs__prepare(struct programs_outlook *ret_outlook, struct failure *failure)
{
	return ops->prepare(ret_outlook, failure);
}

int programs__load(enum programs_kind kind, uint32_t ring_bytes,
		   const struct kernel_features *features, struct programs **ret_programs,
		   struct failure *failure)
{
	return ops->load(kind, ring_bytes, features, ret_programs, failure);
}

void programs__unload(struct programs *programs)
{
	if (programs)
		ops->unload(programs);
}

int programs__ring_fd(const struct programs *programs)
{
	return ops->ring_fd(programs);
}

int programs__hit_cost(struct programs *programs, struct alloc_cost *ret_cost)
{
	return ops->hit_cost(programs, ret_cost);
}

int programs__describe(struct programs *programs, size_t slot, const union program_target *target)
{
	return ops->describe(programs, slot, target);
}

int programs__counts(const struct programs *programs, size_t slot, union program_counts *ret_counts)
{
	return ops->counts(programs, slot, ret_counts);
}

int programs__draw(struct programs *programs, size_t slot, uint64_t gap)
{
	return ops->draw(programs, slot, gap);
}

int programs__attach(struct programs *programs, const struct program_site *site,
		     const struct program_place *places, size_t n)
{
	return ops->attach(programs, site, places, n);
}
