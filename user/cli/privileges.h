/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_PRIVILEGES_H
#define GLEAKD_CLI_PRIVILEGES_H

/* Capabilities that a run has no use for once its files are open and its programs loaded. */
#include "cli/options.h"

/*
 * privileges__keep - in the broker: keep what watching, and writing the files of @options, will need, and
 * give up the rest for good. A kernel that refuses is a warning in the log. @probes: probes will be
 * attached; @uprobe_multi: of struct kernel_features. Returns what is left.
 */
uint64_t privileges__keep(const struct options *options, bool probes, bool uprobe_multi);

/* privileges__drop - in the worker: have the broker do that, which knows about uprobe_multi itself. */
void privileges__drop(const struct options *options, bool probes, bool uprobe_multi);

#endif /* GLEAKD_CLI_PRIVILEGES_H */
