/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_SAMPLE_TRIGGERS_H
#define GLEAKD_TESTS_SAMPLE_TRIGGERS_H

#include "output/report.h"

static const struct report_trigger sample_triggers[] = {
	{"goroutines>1000", true, "/var/lib/gleakd/evidence/20260102T030405Z-4242-89abcdef"},
	{"runnable>100ms for 10s", false, ""},
};

static inline void sample_triggers__add(struct report_target *target)
{
	target->triggers = sample_triggers;
	target->n_triggers = ARRAY_SIZE(sample_triggers);
}

#endif /* GLEAKD_TESTS_SAMPLE_TRIGGERS_H */
