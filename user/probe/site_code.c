// SPDX-License-Identifier: Apache-2.0
#include "probe/site_code.h"

#include <string.h>

#ifdef __aarch64__

/* `brk #imm16` (Arm ARM, C6.2): debuggers and uprobes have numbers of their own, which may change. */
static size_t breakpoint_bytes(const uint8_t *code)
{
	uint32_t word;

	memcpy(&word, code, sizeof(word));
	return (word & 0xffe0001f) == 0xd4200000 ? sizeof(word) : 0;
}

#else

/* `int3` */
static size_t breakpoint_bytes(const uint8_t *code)
{
	return code[0] == 0xcc;
}

#endif

enum site_code site_code__look(const struct probe_site *site, struct remote *remote,
			       uint64_t load_bias)
{
	uint8_t running[sizeof(site->code)];
	size_t head;

	if (remote__read(remote, site->address + load_bias, running, site->length))
		return SITE_CODE_UNREADABLE;
	if (!memcmp(running, site->code, site->length))
		return SITE_CODE_SAME;
	head = breakpoint_bytes(running);
	return head && !memcmp(running + head, site->code + head, site->length - head) ?
		       SITE_CODE_BREAKPOINT :
		       SITE_CODE_CHANGED;
}
