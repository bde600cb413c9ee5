// SPDX-License-Identifier: Apache-2.0
#include "host/capability.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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

Test(capability, names_of_a_set)
{
	char out[64] = "old";

	capability__names(1ULL << 39 | 1ULL << 38 | 1ULL << 63, out, sizeof(out));
	cr_expect_str_eq(out, "CAP_PERFMON, CAP_BPF, capability 63");
	capability__names(0, out, sizeof(out));
	cr_expect_str_eq(out, "none");
	capability__names(~0ULL, out, 8);
	cr_expect_str_eq(out, "CAP_CHO");
	capability__names(~0ULL, NULL, 0);
}

/* --- giving up ---------------------------------------------------------------------------------- */

static uint64_t needed(bool probes, bool uprobe_multi, bool write_anywhere)
{
	const struct capability_use use = {
		.probes = probes,
		.uprobe_multi = uprobe_multi,
		.write_anywhere = write_anywhere,
	};

	return capability__needed(&use);
}

#define READING (1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH | 1ULL << 40)
#define LOADING (1ULL << 38 | 1ULL << 39)

Test(capability, what_is_needed_for_what)
{
	cr_expect_eq(needed(false, false, false), READING);
	cr_expect_eq(needed(false, true, false), READING);
	cr_expect_eq(needed(true, true, false), READING | LOADING);
	cr_expect_eq(needed(true, false, false), READING | LOADING | 1ULL << CAP_SYS_ADMIN);
	cr_expect_eq(needed(true, true, true), READING | LOADING | 1ULL << CAP_DAC_OVERRIDE);
}

static uint64_t status_line(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long long set = ~0ULL;
	char line[256];

	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)))
			cr_assert_eq(sscanf(line + strlen(name), ":%llx", &set), 1);
	}
	fclose(file);
	return set;
}

/* Every test is a process of its own: what is gone here is not missing elsewhere. */
Test(capability, keep_gives_up_the_rest)
{
	uint64_t before = kernel_says(), set = needed(true, true, false), kept = 7;
	bool privileged = capability__has(CAP_SETPCAP);
	struct failure failure = {""};

	cr_assert_eq(capability__keep(set, &kept, &failure), 0, "%s", failure.text);
	cr_expect_eq(kept, before & set);
	cr_expect_eq(status_line("CapEff"), before & set);
	cr_expect_eq(status_line("CapPrm") & ~set, 0);
	cr_expect_eq(status_line("CapInh"), 0);
	cr_expect_eq(status_line("CapAmb"), 0);
	if (privileged)
		cr_expect_eq(status_line("CapBnd") & ~set, 0);
	cr_expect_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

Test(capability, keep_is_for_good)
{
	struct failure failure = {""};
	uint64_t kept = 7;

	cr_assert_eq(capability__keep(0, &kept, &failure), 0);
	cr_expect_eq(kept, 0);
	cr_assert_eq(capability__keep(~0ULL, &kept, &failure), 0);
	cr_expect_eq(kept, 0);
	cr_expect_eq(kernel_says(), 0);
}

/* --- folders ------------------------------------------------------------------------------------ */

Test(capability, writable_means_without_override)
{
	char folder[] = "/tmp/gleakd-writable-XXXXXX";
	uint64_t before = kernel_says();

	cr_assert_not_null(mkdtemp(folder));
	cr_expect(capability__writable(folder));
	cr_assert_eq(chmod(folder, 0500), 0);
	cr_expect_not(capability__writable(folder));
	cr_expect_eq(kernel_says(), before);
	cr_assert_eq(rmdir(folder), 0);
	cr_expect_not(capability__writable(folder));
	cr_expect_not(capability__writable("/proc/self/status/x"));
}

Test(capability, what_is_writable_stays_so)
{
	char folder[] = "/tmp/gleakd-writable-XXXXXX", path[64];
	struct failure failure = {""};
	uint64_t kept;
	FILE *file;

	cr_assert_not_null(mkdtemp(folder));
	cr_assert(capability__writable(folder));
	cr_assert_eq(capability__keep(needed(true, true, false), &kept, &failure), 0);
	snprintf(path, sizeof(path), "%s/file", folder);
	file = fopen(path, "w");
	cr_expect_not_null(file);
	if (file)
		fclose(file);
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(rmdir(folder), 0);
}

Test(capability, refusals_name_what_is_missing)
{
	struct failure failure = {""};
	const int nobodys = 63; /* no kernel has it */

	cr_expect_eq(capability__refused("the file", &nobodys, 1, &failure), -EACCES);
	cr_expect_not_null(
		strstr(failure.text, "the file may not be read without capability 63; "));
	cr_expect_eq(strstr(failure.text, "sudo") != NULL, geteuid() != 0, "%s", failure.text);
	/* Nothing is missing: sudo is of no use to anybody. */
	cr_expect_eq(capability__refused("the file", &nobodys, 0, &failure), -EACCES);
	cr_expect_null(strstr(failure.text, "sudo"), "%s", failure.text);
	cr_expect_not_null(strstr(failure.text, "user namespace"));
}
