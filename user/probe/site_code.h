/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_SITE_CODE_H
#define GLEAKD_PROBE_SITE_CODE_H

/*
 * What a process has in memory where a probe is to go. The kernel decodes the instruction in the
 * file but writes a breakpoint over what is in memory, and when the probe goes it writes the bytes
 * of the file. That is right only as long as memory has the same bytes.
 */
#include "base/common.h"
#include "host/remote.h"
#include "probe/plan.h"

enum site_code {
	SITE_CODE_SAME,	      /* as in the file */
	SITE_CODE_BREAKPOINT, /* of a debugger, or another tracer's probe: they look the same */
	SITE_CODE_CHANGED,    /* the process runs other code there */
	SITE_CODE_UNREADABLE, /* it may be executed only, or is not mapped */
};

/*
 * site_code__look - compare memory with the file at @site, which must be present, in a program
 * loaded at @load_bias.
 */
enum site_code site_code__look(const struct probe_site *site, struct remote *remote,
			       uint64_t load_bias);

#endif /* GLEAKD_PROBE_SITE_CODE_H */
