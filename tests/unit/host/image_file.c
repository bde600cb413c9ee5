// SPDX-License-Identifier: Apache-2.0
#include "host/image_file.h"
#include "host/mounts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_tree.h"

Test(image_file, is_what_stat_says)
{
	struct image_file file = {0};
	struct stat exe;

	cr_assert_eq(stat("/proc/self/exe", &exe), 0);
	cr_assert_eq(image_file__identify(PROC_ROOT, getpid(), &file), 0);
	cr_expect_eq(file.device, exe.st_dev);
	cr_expect_eq(file.inode, exe.st_ino);
	cr_expect_not(image_file__may_block(PROC_ROOT, getpid(), &file));
}

Test(image_file, no_such_process)
{
	struct image_file file = {.inode = 5};

	cr_expect_eq(image_file__identify("/nowhere", 1, &file), -ESRCH);
	cr_expect_eq(file.inode, 5, "outputs stay untouched on failure");
}

/* Lines of mountinfo as Linux 6.18 writes them, and some that it never would. */
static const char mountinfo[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"23 22 0:21 / /sys/fs/fuse/connections rw shared:14 - fusectl fusectl rw\n"
	"24 22 0:45 / /home/joe/remote rw,nosuid shared:2 master:1 - fuse.sshfs joe@host: rw\n"
	"25 22 0:46 / /mnt/plain rw - fuse /dev/fuse rw,user_id=0\n"
	"26 22 8:17 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw\n"
	"27 22 0:47 / /mnt/a\\040-\\040fuse rw - tmpfs tmpfs rw\n"
	"28 22 0:48 / /cut\n"
	"nonsense - fuse x\n"
	"\n"
	"29 22 0:49 / /mnt/x rw - fuse.";

Test(image_file, file_systems_that_may_block)
{
	static const struct {
		uint64_t mount;
		bool blocks;
	} cases[] = {{22, false}, {23, false}, {24, true},  {25, true}, {26, true}, {27, false},
		     {28, false}, {29, true},  {99, false}, {0, false}, {2, false}};
	const char *root = made_tree__new();

	made_tree__put("77/mountinfo", mountinfo);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_file file = {.mount = cases[i].mount};

		cr_expect_eq(image_file__may_block(root, 77, &file), cases[i].blocks, "mount %d",
			     (int)cases[i].mount);
		cr_expect_not(image_file__may_block(root, 78, &file), "no such file");
	}
	made_tree__remove();
}

/* Processes that see the same mounts share one list; it is read again for a mount that is not in it. */
Test(image_file, mounts_are_read_once_for_all)
{
	struct image_file file = {0}, other = {.mount = 1u << 30};
	uint64_t reads;

	mounts__forget();
	cr_assert_eq(image_file__identify(PROC_ROOT, getpid(), &file), 0);
	if (!file.mount)
		cr_skip("the kernel does not tell mounts");
	reads = mounts__reads();
	for (int i = 0; i < 300; i++)
		cr_expect_not(image_file__may_block(PROC_ROOT, getpid(), &file));
	cr_expect_eq(mounts__reads(), reads + 1);
	cr_expect_not(image_file__may_block(PROC_ROOT, getpid(), &other));
	cr_expect_leq(mounts__reads(), reads + 2);
	for (int i = 0; i < 300; i++)
		cr_expect_not(image_file__path_may_block(PROC_ROOT, getpid(), "/usr/bin/true"));
	cr_expect_leq(mounts__reads(), reads + 3);
}
