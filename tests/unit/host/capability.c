// SPDX-License-Identifier: Apache-2.0
#include "host/capability.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

static uint64_t kernel_says(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	cr_assert_eq(syscall(SYS_capget, &header, data), 0);
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static int effective_of(const char *text, uint64_t *ret_set)
{
	char path[] = "/tmp/gleakd-status-XXXXXX";
	int fd = mkstemp(path);
	int err;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	err = capability__effective(path, ret_set);
	unlink(path);
	return err;
}

Test(capability, agrees_with_capget)
{
	uint64_t expected = kernel_says();

	for (int cap = 0; cap < 64; cap++)
		cr_assert_eq(capability__has(cap), (expected >> cap & 1) != 0, "capability %d",
			     cap);
}

Test(capability, numbers_out_of_range_are_not_effective)
{
	cr_assert_not(capability__has(-1));
	cr_assert_not(capability__has(64));
	cr_assert_not(capability__has(1 << 30));
}

Test(capability, effective_is_read_not_permitted)
{
	uint64_t set = 7;

	cr_assert_eq(effective_of("Name:\tx\nCapInh:\t0000000000000001\n"
				  "CapPrm:\t000001ffffffffff\nCapEff:\t000000c000080000\n",
				  &set),
		     0);
	cr_assert_eq(set, 1ULL << 19 | 1ULL << 38 | 1ULL << 39);
}

Test(capability, name_line_does_not_pass_for_cap_eff)
{
	uint64_t set = 7;

	cr_assert_eq(effective_of("Name:\tCapEff: ff\\nCapEff: ff\n", &set), -EPROTO);
	cr_assert_eq(set, 7);
}

Test(capability, long_lines_are_passed_over)
{
	char text[20000];
	uint64_t set = 0;

	memset(text, '1', sizeof(text));
	memcpy(text, "Groups:\t", 8);
	memcpy(text + 15000, "\nCapEff:\t4\n", sizeof("\nCapEff:\t4\n"));
	cr_assert_eq(effective_of(text, &set), 0);
	cr_assert_eq(set, 4);
}

Test(capability, missing_file)
{
	uint64_t set = 7;

	cr_assert_eq(capability__effective("/nonexistent/status", &set), -ENOENT);
	cr_assert_eq(set, 7);
}

/* 63 has no name and is never effective. */
Test(capability, missing_names_each)
{
	const int caps[] = {63, 62};
	char out[64] = "old";

	cr_assert_eq(capability__missing(caps, 2, out, sizeof(out)), 2);
	cr_assert_str_eq(out, "capability 63, capability 62");
	cr_assert_eq(capability__missing(caps, 0, out, sizeof(out)), 0);
	cr_assert_str_eq(out, "");
}

Test(capability, missing_agrees_with_has)
{
	const int cap = 39;
	char out[64];
	size_t n = capability__missing(&cap, 1, out, sizeof(out));

	cr_assert_eq(n, capability__has(cap) ? 0 : 1);
	cr_assert_str_eq(out, n ? "CAP_BPF" : "");
}

Test(capability, missing_is_cut_to_the_buffer)
{
	const int caps[] = {63, 62, 61};
	char out[20];

	memset(out, '#', sizeof(out));
	cr_assert_eq(capability__missing(caps, 3, out, 18), 3);
	cr_assert_str_eq(out, "capability 63, ca");
	cr_assert_eq(out[18], '#');
	cr_assert_eq(capability__missing(caps, 3, NULL, 0), 3);
}

Test(capability, names)
{
	cr_assert_str_eq(capability__name(CAP_SYS_PTRACE), "CAP_SYS_PTRACE");
	cr_assert_str_eq(capability__name(38), "CAP_PERFMON");
	cr_assert_str_eq(capability__name(CAP_DAC_READ_SEARCH), "CAP_DAC_READ_SEARCH");
	cr_assert_null(capability__name(5));
	cr_assert_null(capability__name(-1));
}
