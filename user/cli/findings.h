/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_FINDINGS_H
#define GLEAKD_CLI_FINDINGS_H

/* What a run found, for its exit status; and what it found of the known cases. */
#include "cli/options.h"
#include "output/report.h"
#include "naming/allow_list.h"

/* findings__any - whether @report flags something of @fail_on (enum finding); silenced is not. */
bool findings__any(const struct report *report, unsigned int fail_on);

/* findings__tell_unused - which patterns of @allow, read from @path, no site ever matched. */
void findings__tell_unused(const struct allow_list *allow, const char *path);

#endif /* GLEAKD_CLI_FINDINGS_H */
