/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_MODULE_PROBES_H
#define GLEAKD_SESSION_MODULE_PROBES_H

/*
 * The probes of one target: each of its modules has copies of the runtime's functions, so that each
 * event is probed in each of them. A plugin that comes later is added, and what is attached to the
 * others is attached to it, too.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/module_map.h"
#include "probe/probes.h"

struct module_probes;

/* Where the probes of one module go, and what holds them. */
struct module_probe {
	uint64_t bias;
	struct probe_plan plan;
	struct probe_attachment *attachment; /* NULL: closed */
};

int module_probes__new(struct probes *probes, pid_t pid,
		       struct module_probes **ret_probes) __must_check;
/* module_probes__free - detaches everything. NULL is fine. */
void module_probes__free(struct module_probes *probes);

/*
 * module_probes__add - the next module, with what is attached to the others. @exe_fd: as
 * probes__attach() has it. Errors: as there, -ENOMEM.
 */
int module_probes__add(struct module_probes *probes, const struct loaded_module *module,
		       const struct probe_plan *plan, int exe_fd,
		       struct failure *failure) __must_check;

/* module_probes__set - as probe_attachment__set(), of all modules. */
int module_probes__set(struct module_probes *probes, unsigned int event_mask,
		       struct failure *failure) __must_check;

/* module_probes__close - detach for good. What was lost until then is still told. */
void module_probes__close(struct module_probes *probes);
bool module_probes__is_open(const struct module_probes *probes);

/* module_probes__losses - of all modules; nothing is lost any more once they are closed. */
void module_probes__losses(const struct module_probes *probes, struct gl_losses *ret_losses);

size_t module_probes__count(const struct module_probes *probes);
const struct module_probe *module_probes__at(const struct module_probes *probes, size_t index);

#endif /* GLEAKD_SESSION_MODULE_PROBES_H */
