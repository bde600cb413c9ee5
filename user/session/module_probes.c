// SPDX-License-Identifier: Apache-2.0
#include "session/module_probes.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

struct module_probes {
	struct probes *probes;
	pid_t pid;
	unsigned int event_mask; /* attached */
	bool closed;
	struct gl_losses lost;	       /* by the time of closing */
	struct module_probe **modules; /* pointers: most have one, which is large */
	size_t n, capacity;
};

int module_probes__new(struct probes *probes, pid_t pid, struct module_probes **ret_probes)
{
	struct module_probes *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->probes = probes;
	made->pid = pid;
	*ret_probes = made;
	return 0;
}

void module_probes__free(struct module_probes *probes)
{
	if (!probes)
		return;
	module_probes__close(probes);
	for (size_t i = 0; i < probes->n; i++)
		free(probes->modules[i]);
	free(probes->modules);
	free(probes);
}

int module_probes__add(struct module_probes *probes, const struct loaded_module *module,
		       const struct probe_plan *plan, int exe_fd, struct failure *failure)
{
	struct module_probe *added = calloc(1, sizeof(*added));
	int err = 0;

	if (!added || !array__reserve(probes->modules, probes->capacity, probes->n + 1)) {
		free(added);
		return failure__set(failure, -ENOMEM, "out of memory");
	}
	*added = (struct module_probe){.bias = module->bias, .plan = *plan};
	if (!probes->closed)
		err = probes__attach(probes->probes, module->binary, plan, probes->pid, exe_fd,
				     probes->event_mask, &added->attachment, failure);
	if (err)
		free(added);
	else
		probes->modules[probes->n++] = added;
	return err;
}

int module_probes__set(struct module_probes *probes, unsigned int event_mask,
		       struct failure *failure)
{
	probes->event_mask = event_mask;
	for (size_t i = 0; i < probes->n && !probes->closed; i++) {
		int err =
			probe_attachment__set(probes->modules[i]->attachment, event_mask, failure);

		if (err)
			return err;
	}
	return 0;
}

void module_probes__close(struct module_probes *probes)
{
	if (probes->closed)
		return;
	module_probes__losses(probes, &probes->lost);
	for (size_t i = 0; i < probes->n; i++) {
		probe_attachment__free(probes->modules[i]->attachment);
		probes->modules[i]->attachment = NULL;
	}
	probes->closed = true;
}

bool module_probes__is_open(const struct module_probes *probes)
{
	return !probes->closed;
}

static void add_losses(struct gl_losses *sum, const struct gl_losses *losses)
{
	for (size_t i = 0; i < ARRAY_SIZE(sum->by_reason); i++)
		sum->by_reason[i] += losses->by_reason[i];
	for (size_t i = 0; i < ARRAY_SIZE(sum->by_event); i++) {
		sum->by_event[i] += losses->by_event[i];
		sum->untold[i] += losses->untold[i];
	}
}

void module_probes__losses(const struct module_probes *probes, struct gl_losses *ret_losses)
{
	struct gl_losses sum = probes->lost, losses;

	for (size_t i = 0; i < probes->n && !probes->closed; i++) {
		if (!probe_attachment__losses(probes->modules[i]->attachment, &losses))
			add_losses(&sum, &losses);
	}
	*ret_losses = sum;
}

size_t module_probes__count(const struct module_probes *probes)
{
	return probes->n;
}

const struct module_probe *module_probes__at(const struct module_probes *probes, size_t index)
{
	return probes->modules[index];
}
