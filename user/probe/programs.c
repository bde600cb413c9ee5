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

int programs__load(uint32_t ring_bytes, const struct kernel_features *features,
		   struct programs **ret_programs, struct failure *failure)
{
	return ops->load(ring_bytes, features, ret_programs, failure);
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

int programs__describe(struct programs *programs, size_t slot, const struct gl_target *target)
{
	return ops->describe(programs, slot, target);
}

int programs__losses(const struct programs *programs, size_t slot, struct gl_losses *ret_losses)
{
	return ops->losses(programs, slot, ret_losses);
}

int programs__attach(struct programs *programs, const struct program_site *site)
{
	return ops->attach(programs, site);
}
