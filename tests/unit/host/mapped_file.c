// SPDX-License-Identifier: Apache-2.0
#include "host/mapped_file.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_proc.h"

/* --- this process -------------------------------------------------------------------------------- */

static void read_back(const struct mapped_file *file, const char *wanted, size_t size)
{
	struct failure failure = {""};
	int fd = mapped_file__open(PROC_ROOT, getpid(), file, &failure);
	char bytes[64];

	cr_assert_geq(fd, 0, "%s", failure.text);
	cr_assert_leq(size, sizeof(bytes));
	cr_assert_eq(pread(fd, bytes, size, 0), (ssize_t)size);
	cr_expect_eq(memcmp(bytes, wanted, size), 0);
	close(fd);
}

Test(mapped_file_self, a_library)
{
	uint64_t inside = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "getpid");
	struct exe_file identity;
	struct mapped_file file;
	struct stat stat_of_path;

	cr_assert_eq(mapped_file__at(PROC_ROOT, getpid(), inside, &file), 0);
	cr_expect(file.start <= inside && inside < file.end);
	cr_expect(strstr(mapped_file__name(&file), "libc"), "%s", file.path);
	cr_expect_not(file.removed);
	cr_assert_eq(stat(file.path, &stat_of_path), 0);
	cr_assert_eq(mapped_file__identify(PROC_ROOT, getpid(), &file, &identity), 0);
	cr_expect_eq(identity.file.inode, stat_of_path.st_ino);
	cr_expect_eq(identity.size, (uint64_t)stat_of_path.st_size);
	read_back(&file, "\177ELF", 4);
}

Test(mapped_file_self, memory_without_a_file)
{
	struct mapped_file file = {.inode = 7};
	int on_stack = 0;

	cr_expect_eq(mapped_file__at(PROC_ROOT, getpid(), (uint64_t)(uintptr_t)&on_stack, &file),
		     -ENOENT);
	cr_expect_eq(mapped_file__at(PROC_ROOT, getpid(), 16, &file), -ENOENT);
	cr_expect_eq(file.inode, 7, "untouched on failure");
}

/* Root may look at a file that has no name. */
Test(mapped_file_self, a_file_without_a_path)
{
	int fd = memfd_create("a plugin", MFD_CLOEXEC);
	struct failure failure = {""};
	struct mapped_file file;
	void *map;

	cr_assert_eq(write(fd, "contents", 8), 8);
	map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	cr_assert_neq(map, MAP_FAILED);
	close(fd);
	cr_assert_eq(mapped_file__at(PROC_ROOT, getpid(), (uint64_t)(uintptr_t)map, &file), 0);
	cr_expect_str_eq(file.path, "/memfd:a plugin");
	cr_expect(file.removed);
	if (geteuid() == 0) {
		read_back(&file, "contents", 8);
		return;
	}
	cr_expect_eq(mapped_file__open(PROC_ROOT, getpid(), &file, &failure), -EACCES);
	cr_expect(strstr(failure.text, "CAP_CHECKPOINT_RESTORE"), "%s", failure.text);
}

static bool count_code(void *ctx, const struct mapped_file *file)
{
	size_t *left = ctx;

	cr_expect(file->inode && file->start < file->end && file->path[0]);
	return --*left > 0;
}

Test(mapped_file_self, code_is_told_until_enough)
{
	size_t left = 100000, two = 2;

	cr_assert_eq(mapped_file__each_executable(PROC_ROOT, getpid(), count_code, &left), 0);
	cr_expect_lt(left, 100000 - 3, "the program, libc and ld.so at least");
	cr_assert_eq(mapped_file__each_executable(PROC_ROOT, getpid(), count_code, &two), 0);
	cr_expect_eq(two, 0);
}

/* --- a tree of /proc ----------------------------------------------------------------------------- */

static struct mapped_file library;
static char folder[PATH_MAX];

/* What is in the folder of the container, which is the root of process 7. */
static const char *inside(const char *name)
{
	static char paths[4][PATH_MAX + 32];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void put(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
}

static void set_up(void)
{
	struct stat file;

	fake_proc__make();
	fake_exe__put("server", FAKE_C);
	fake_process__put(&(struct fake_process){.pid = 7, .exe = "server"});
	snprintf(folder, sizeof(folder), "%s/7/container", fake_proc__root());
	cr_assert(!mkdir(folder, 0755) && !mkdir(inside("lib"), 0755));
	cr_assert_eq(symlink(folder, inside("../root")), 0);
	put(inside("lib/libgo.so"), "library");
	cr_assert_eq(stat(inside("lib/libgo.so"), &file), 0);
	library = (struct mapped_file){
		.start = 0x1000, .end = 0x2000, .inode = file.st_ino, .path = "/lib/libgo.so"};
}

TestSuite(mapped_file, .init = set_up, .fini = fake_proc__remove);

static int open_library(const char *words)
{
	struct failure failure = {""};
	int fd = mapped_file__open(fake_proc__root(), 7, &library, &failure);

	if (words)
		cr_expect(strstr(failure.text, words), "\"%s\" is not in: %s", words, failure.text);
	if (fd >= 0)
		close(fd);
	return min_of(fd, 0);
}

Test(mapped_file, by_its_path_where_map_files_are_closed)
{
	cr_expect_eq(open_library(NULL), 0);
	put(inside("lib/new"), "another one");
	cr_assert_eq(rename(inside("lib/new"), inside("lib/libgo.so")), 0);
	cr_expect_eq(open_library("is not the file any more"), -ESTALE);
	unlink(inside("lib/libgo.so"));
	cr_expect_eq(open_library("is not the file any more"), -ESTALE);
}

Test(mapped_file, the_path_stays_in_the_root_of_the_process)
{
	char outside[PATH_MAX + 64];
	struct stat file;

	snprintf(outside, sizeof(outside), "%s/bin/server", fake_proc__root());
	cr_assert_eq(stat(outside, &file), 0);
	library.inode = file.st_ino;
	unlink(inside("lib/libgo.so"));
	cr_assert_eq(symlink(outside, inside("lib/libgo.so")), 0);
	cr_expect_eq(open_library(NULL), -ESTALE, "the link leads to our file of that name");
}

Test(mapped_file, a_removed_file_needs_map_files)
{
	char path[PATH_MAX + 64];

	library.removed = true;
	cr_expect_eq(open_library("CAP_CHECKPOINT_RESTORE"), -EACCES);
	snprintf(path, sizeof(path), "%s/7/map_files", fake_proc__root());
	cr_assert_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/7/map_files/1000-2000", fake_proc__root());
	cr_assert_eq(symlink(inside("lib/libgo.so"), path), 0);
	cr_expect_eq(open_library(NULL), 0);
}

Test(mapped_file, what_could_block_is_left_alone)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/7/mountinfo", fake_proc__root());
	put(path,
	    "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n24 22 0:45 / /lib rw - fuse.sshfs joe@host: rw\n");
	cr_expect_eq(open_library("FUSE"), -EAGAIN);
	put(path, "24 22 0:45 / /li rw - fuse.sshfs joe@host: rw\n");
	cr_expect_eq(open_library(NULL), 0, "another folder");
	put(path, "24 22 0:45 / / rw - fuse.sshfs joe@host: rw\n");
	cr_expect_eq(open_library("FUSE"), -EAGAIN);
}

Test(mapped_file, maps_of_all_kinds)
{
	static const char maps[] = "1000-2000 r-xp 00003000 08:01 17   /lib/a\\012b.so (deleted)\n"
				   "3000-4000 rw-p 00000000 00:00 0    [heap]\n"
				   "5000-6000 r--p 00000000 fe:10 18   /memfd:x (deleted)\n";
	struct mapped_file file;
	char path[PATH_MAX + 64];
	size_t left = 9;

	snprintf(path, sizeof(path), "%s/7/maps", fake_proc__root());
	put(path, maps);
	cr_assert_eq(mapped_file__at(fake_proc__root(), 7, 0x1fff, &file), 0);
	cr_expect_str_eq(file.path, "/lib/a\nb.so");
	cr_expect(file.removed);
	cr_expect_eq(file.inode, 17);
	cr_expect_eq(file.file_offset, 0x3000);
	cr_expect_eq(mapped_file__at(fake_proc__root(), 7, 0x2000, &file), -ENOENT);
	cr_expect_eq(mapped_file__at(fake_proc__root(), 7, 0x3800, &file), -ENOENT, "no file");
	cr_assert_eq(mapped_file__at(fake_proc__root(), 7, 0x5000, &file), 0);
	cr_expect_eq(file.major, 0xfe);
	cr_expect_eq(file.minor, 0x10);
	cr_assert_eq(mapped_file__each_executable(fake_proc__root(), 7, count_code, &left), 0);
	cr_expect_eq(left, 8);
	cr_expect_eq(mapped_file__at(fake_proc__root(), 8, 0x1000, &file), -ESRCH);
}
