/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_PROCESS_SCAN_H
#define GLEAKD_DISCOVER_PROCESS_SCAN_H

/*
 * The Go processes of this host, looked at once. A process that ends or becomes another program
 * meanwhile is left out.
 */
#include "base/common.h"
#include "base/failure.h"
#include "discover/process_list.h"

struct process_scan;

/*
 * process_scan__take - look at everything in @proc_root. What cannot be read is counted, not an error.
 * Errors: -ENOMEM, or that @proc_root itself cannot be read.
 */
int process_scan__take(const char *proc_root, struct process_scan **ret_scan,
		       struct failure *failure) __must_check;
void process_scan__free(struct process_scan *scan);

/* process_scan__list - sorted: most goroutines first, then by pid. Lives as long as the scan. */
const struct process_list *process_scan__list(const struct process_scan *scan);

#endif /* GLEAKD_DISCOVER_PROCESS_SCAN_H */
