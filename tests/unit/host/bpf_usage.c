// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_usage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/process.h"

static char root[64];

static void make_root(void)
{
	static const char *const folders[] = {"self", "self/fd", "self/fdinfo"};
	char path[128];

	snprintf(root, sizeof(root), "/tmp/gleakd-fds-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		cr_assert_eq(mkdir(path, 0755), 0);
	}
}

static void remove_root(void)
{
	char path[128];
	static const char *const folders[] = {"self/fd", "self/fdinfo"};

	/* Every number that a test might have given. */
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		for (int fd = 9000; fd < 9032; fd++) {
			snprintf(path, sizeof(path), "%s/%s/%d", root, folders[i], fd);
			unlink(path);
		}
		snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		rmdir(path);
	}
	snprintf(path, sizeof(path), "%s/self", root);
	rmdir(path);
	rmdir(root);
}

/* Descriptor @fd, far above those that looking takes; its fdinfo unless NULL. */
static void add(int fd, const char *what, const char *fdinfo)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/self/fd/%d", root, fd);
	cr_assert_eq(symlink(what, path), 0);
	if (!fdinfo)
		return;
	snprintf(path, sizeof(path), "%s/self/fdinfo/%d", root, fd);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(fdinfo, file);
	fclose(file);
}

/* As Linux 6.18 prints them. */
#define MAP                                                                                   \
	"pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t1038\nmap_type:\t27\nkey_size:\t0\n"   \
	"value_size:\t0\nmax_entries:\t2097152\nmap_flags:\t0x0\nmap_extra:\t0x0\nmemlock:\t" \
	"2117960\nmap_id:\t18139\nfrozen:\t0\n"
#define PROGRAM                                                                               \
	"pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t1038\nprog_type:\t2\nprog_jited:\t1\n" \
	"prog_tag:\tb4a3195335b513cc\nmemlock:\t4096\nprog_id:\t27390\nrun_time_ns:\t0\n"
#define LINK "pos:\t0\nlink_type:\tkprobe_multi\nlink_id:\t3\nprog_tag:\t1\nprog_id:\t27390\n"

Test(bpf_usage, each_kind, .init = make_root, .fini = remove_root)
{
	struct bpf_usage usage;

	add(9000, "anon_inode:bpf-map", MAP);
	add(9001, "anon_inode:bpf-map", MAP);
	add(9002, "anon_inode:bpf-prog", PROGRAM);
	add(9003, "anon_inode:bpf_link", LINK);
	add(9004, "anon_inode:[perf_event]", "pos:\t0\n");
	add(9005, "/usr/bin/server", "memlock:\t1\n");
	add(9006, "anon_inode:bpf-map (deleted)", MAP);
	usage = bpf_usage__read(root, -1);
	cr_expect_eq(usage.bytes, 2 * 2117960 + 4096, "%lu", usage.bytes);
	cr_expect_eq(usage.links, 2);
	cr_expect_eq(usage.fds, 7);
}

/* A descriptor may be closed between the two looks; memlock may be missing or odd. */
Test(bpf_usage, what_cannot_be_read_counts_as_nothing, .init = make_root, .fini = remove_root)
{
	struct bpf_usage usage;

	add(9000, "anon_inode:bpf-map", NULL);
	add(9001, "anon_inode:bpf-prog", "memlock:\tmuch\n");
	add(9002, "anon_inode:bpf-prog", "");
	add(9003, "anon_inode:bpf-prog", "no memlock:\t5\nmemlock:\t12288\nmemlock:\t99\n");
	usage = bpf_usage__read(root, -1);
	cr_expect_eq(usage.bytes, 12288, "%lu", usage.bytes);
	cr_expect_eq(usage.fds, 4);
}

Test(bpf_usage, a_file_without_end, .init = make_root, .fini = remove_root)
{
	static const char last[] = "memlock:\t77\n";
	const size_t lines = 3000;
	char *text = calloc(1, 2 * lines + sizeof(last));

	cr_assert_not_null(text);
	for (size_t i = 0; i < lines; i++)
		memcpy(text + 2 * i, "x\n", 2);
	memcpy(text + 2 * lines, last, sizeof(last));
	add(9000, "anon_inode:bpf-map", text);
	cr_expect_eq(bpf_usage__read(root, -1).bytes, 0, "only the beginning is read");
	free(text);
}

Test(bpf_usage, nowhere)
{
	struct bpf_usage usage = bpf_usage__read("/nowhere", -1);

	cr_expect_eq(usage.fds, 0);
	cr_expect_eq(usage.bytes, 0);
}

/* Of this very process: one more than before, and looking leaves nothing open. */
Test(bpf_usage, own_descriptors)
{
	uint64_t before = bpf_usage__read(PROC_ROOT, -1).fds;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_gt(before, 2);
	cr_expect_eq(bpf_usage__read(PROC_ROOT, -1).fds, before + 1);
	close(fd);
	cr_expect_eq(bpf_usage__read(PROC_ROOT, -1).fds, before);
}
