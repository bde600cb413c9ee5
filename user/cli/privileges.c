// SPDX-License-Identifier: Apache-2.0
#include "cli/privileges.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "broker/client.h"
#include "host/capability.h"

/* Whether only an override of permissions lets gleakd write into the folder of file @path. */
static bool needs_override(const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	if (!path)
		return false;
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		return !capability__writable(".");
	slash[slash == folder] = '\0';
	return !capability__writable(folder);
}

static void tell_left(uint64_t kept)
{
	char names[256];

	capability__names(kept, names, sizeof(names));
	log_debug("privileges that are left: %s", names);
}

/*
 * What is waited for, or paid by somebody else, is to be over soon: who has a real-time priority then. A daemon, which
 * the user has forgotten, has none (docs/systemd.md).
 */
static bool comes_first(const struct options *options, bool probes)
{
	switch (options->command) {
	case COMMAND_PROVE:
		return true;
	case COMMAND_HEAP:
	case COMMAND_RESOURCES:
		return probes;
	case COMMAND_WATCH:
	case COMMAND_RECORD:
	case COMMAND_TOP:
		return probes && !options->no_heap && options->processes.n;
	default:
		return false;
	}
}

uint64_t privileges__keep(const struct options *options, bool probes, bool uprobe_multi)
{
	const struct capability_use use = {
		.probes = probes,
		.uprobe_multi = uprobe_multi,
		.comes_first = comes_first(options, probes),
		.write_anywhere = needs_override(options->state) ||
				  needs_override(options->textfile) ||
				  needs_override(options->output) ||
				  needs_override(options->html) || needs_override(options->pprof),
	};
	struct failure failure = {0};
	uint64_t kept = 0;

	if (capability__keep(capability__needed(&use), &kept, &failure))
		log_warn("privileges were not given up: %s", failure.text);
	return kept;
}

void privileges__drop(const struct options *options, bool probes, bool uprobe_multi)
{
	uint64_t kept;

	if (broker_client__in_use()) {
		kept = broker_client__give_up(probes);
		capability__set_agent(kept);
	} else {
		kept = privileges__keep(options, probes, uprobe_multi);
	}
	tell_left(kept);
}
