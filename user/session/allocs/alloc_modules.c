// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/alloc_modules.h"

#include <errno.h>

#include "session/target_internal.h"

int alloc_modules__attach(const struct alloc_modules *modules, struct alloc_probes *probes,
			  struct target *target, size_t slot, struct failure *failure)
{
	int err = 0;

	for (size_t i = 0; i < modules->n && !err; i++) {
		struct alloc_module *module = &modules->all[i];

		if (target_hindrance__of_allocations(target, &module->plan, module->bias,
						     failure->text, sizeof(failure->text)))
			err = -EBUSY;
		else
			err = alloc_probes__attach(probes, slot, &module->plan, target__pid(target),
						   module->fd, &module->links, failure);
	}
	if (err)
		alloc_modules__detach(modules);
	return err;
}

void alloc_modules__detach(const struct alloc_modules *modules)
{
	for (size_t i = 0; i < modules->n; i++)
		alloc_links__detach(&modules->all[i].links);
}
