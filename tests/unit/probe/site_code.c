// SPDX-License-Identifier: Apache-2.0
#include "probe/site_code.h"

#include <criterion/criterion.h>

#define ADDRESS 0x401000
#define BIAS	0x550000000000

#ifdef __aarch64__
#define CODE	   0x00, 0x00, 0x40, 0xf9 /* ldr x0, [x0] */
#define BREAKPOINT 0x00, 0x00, 0x20, 0xd4 /* brk #0 */
#define UPROBE	   0xa0, 0x00, 0x20, 0xd4 /* brk #5 */
#define OTHER	   0x01, 0x00, 0x40, 0xf9
#else
#define CODE	   0xe8, 0x01, 0x02, 0x03, 0x04 /* call */
#define BREAKPOINT 0xcc, 0x01, 0x02, 0x03, 0x04
#define UPROBE	   BREAKPOINT
#define OTHER	   0xe9, 0x01, 0x02, 0x03, 0x04
#endif

static const uint8_t code[] = {CODE};

/* What is seen of a process whose memory there is @size bytes of @memory. */
static enum site_code look(const uint8_t *memory, size_t size)
{
	const struct remote_range range = {ADDRESS + BIAS, memory, size};
	struct probe_site site = {.present = true, .address = ADDRESS, .length = sizeof(code)};
	struct remote *remote;
	enum site_code seen;

	memcpy(site.code, code, sizeof(code));
	cr_assert_eq(remote__open_image(&range, 1, &remote), 0);
	seen = site_code__look(&site, remote, BIAS);
	remote__free(remote);
	return seen;
}

#define LOOK(...)                                               \
	({                                                      \
		static const uint8_t memory_[] = {__VA_ARGS__}; \
		look(memory_, sizeof(memory_));                 \
	})

Test(site_code, as_in_the_file)
{
	cr_assert_eq(LOOK(CODE), SITE_CODE_SAME);
	cr_assert_eq(LOOK(CODE, 0x90, 0x90), SITE_CODE_SAME);
}

Test(site_code, breakpoints)
{
	cr_assert_eq(LOOK(BREAKPOINT), SITE_CODE_BREAKPOINT);
	cr_assert_eq(LOOK(UPROBE), SITE_CODE_BREAKPOINT);
}

Test(site_code, changed)
{
	cr_assert_eq(LOOK(OTHER), SITE_CODE_CHANGED);
#ifndef __aarch64__
	cr_assert_eq(LOOK(0xcc, 0x01, 0x02, 0x03, 0x05), SITE_CODE_CHANGED, "not of this one");
	cr_assert_eq(LOOK(0xe8, 0x01, 0x02, 0x03, 0xcc), SITE_CODE_CHANGED);
	cr_assert_eq(LOOK(0xcc, 0xcc, 0xcc, 0xcc, 0xcc), SITE_CODE_CHANGED);
#endif
}

Test(site_code, unreadable)
{
	cr_assert_eq(look(code, 0), SITE_CODE_UNREADABLE);
	cr_assert_eq(look(code, sizeof(code) - 1), SITE_CODE_UNREADABLE);
}
