// SPDX-License-Identifier: Apache-2.0
#include "fake_proc.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/gleakd-hosts-XXXXXX";

const char *fake_proc__root(void)
{
	return root;
}

static const char *in_root(const char *format, ...) __printf_fmt(1, 2);
static const char *in_root(const char *format, ...)
{
	static char path[4][PATH_MAX];
	static unsigned int turn;
	char *out = path[turn++ % 4];
	va_list args;
	int n = snprintf(out, PATH_MAX, "%s/", root);

	va_start(args, format);
	vsnprintf(out + n, PATH_MAX - (size_t)n, format, args);
	va_end(args);
	return out;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_below(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fake_proc__make(void)
{
	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(mkdir(in_root("bin"), 0755), 0);
}

void fake_proc__remove(void)
{
	remove_below(root);
}

static void put(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(data, 1, size, file), size);
	cr_assert_eq(fclose(file), 0);
}

/* --- executables --------------------------------------------------------------------------------- */

struct fake_elf {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3]; /* null, names, and the one that says what it is */
	char names[40];
	char contents[40];
};

#define NAME_AT 11 /* in `names`, behind "\0.shstrtab\0" */

static struct fake_elf make_elf(const char *section, const void *contents, size_t size)
{
	struct fake_elf elf = {
		.header = {.e_ident = ELFMAG "\2\1\1",
			   .e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_shoff = offsetof(struct fake_elf, sections),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 3,
			   .e_shstrndx = 1},
		.sections = {[1] = {.sh_name = 1,
				    .sh_type = SHT_STRTAB,
				    .sh_offset = offsetof(struct fake_elf, names),
				    .sh_size = sizeof(elf.names)},
			     [2] = {.sh_name = NAME_AT,
				    .sh_type = *section == '.' && section[1] == 'd' ? SHT_STRTAB :
										      SHT_NOTE,
				    .sh_offset = offsetof(struct fake_elf, contents),
				    .sh_size = size}},
		.names = "\0.shstrtab",
	};

	snprintf(elf.names + NAME_AT, sizeof(elf.names) - NAME_AT, "%s", section);
	memcpy(elf.contents, contents, size);
	return elf;
}

void fake_exe__put(const char *name, enum fake_exe kind)
{
	static const char go_note[] = "\4\0\0\0\4\0\0\0\4\0\0\0Go\0\0abcd";
	static const char libgo[] = "\0libgo.so.21\0";
	const char *path = in_root("bin/%s", name), *new = in_root("bin/.new");
	struct fake_elf elf;

	if (kind == FAKE_GO)
		elf = make_elf(".note.go.buildid", go_note, sizeof(go_note));
	else if (kind == FAKE_GCCGO)
		elf = make_elf(".dynstr", libgo, sizeof(libgo));
	else
		elf = make_elf(".comment", "GCC", 4);
	if (kind == FAKE_UNKNOWN)
		elf.header.e_shoff = 0;
	if (kind == FAKE_SCRIPT)
		put(new, "#!/bin/sh\n", 10);
	else
		put(new, &elf, sizeof(elf));
	/* While the old file is there, the new one cannot get its inode. */
	cr_assert_eq(rename(new, path), 0);
}

void fake_exe__put_bytes(const char *name, const void *bytes, size_t size)
{
	put(in_root("bin/%s", name), bytes, size);
}

void fake_exe__rename(const char *name, const char *to)
{
	cr_assert_eq(rename(in_root("bin/%s", name), in_root("bin/%s", to)), 0);
}

/* --- processes ----------------------------------------------------------------------------------- */

static void put_stat(const struct fake_process *process, const char *comm)
{
	unsigned long long start =
		process->start_seconds * (unsigned long long)sysconf(_SC_CLK_TCK);
	char line[512];

	/* 0x200000: PF_KTHREAD */
	snprintf(
		line, sizeof(line),
		"%d (%s) %c 1 1 1 0 -1 %u 0 0 0 0 250 150 0 0 20 0 1 0 %llu 1000000 50 "
		"18446744073709551615 4194304 4807025 140722436045088 0 0 0 0 0 0 0 0 0 17 0 0 0\n",
		process->pid, comm, process->zombie ? 'Z' : 'S', process->exe ? 0 : 0x200000,
		start);
	put(in_root("%d/stat", process->pid), line, strlen(line));
	snprintf(line, sizeof(line), "Name:\t%s\nUmask:\t0022\nUid:\t%u\t%u\t%u\t%u\n", comm,
		 process->uid, process->uid, process->uid, process->uid);
	if (process->code)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "VmLib:\t%8lu kB\n",
			 process->code);
	put(in_root("%d/status", process->pid), line, strlen(line));
}

static void put_fuse_mount(const struct fake_process *process)
{
	struct statx exe;
	char line[96];

	cr_assert_eq(statx(AT_FDCWD, in_root("%d/exe", process->pid), 0, STATX_MNT_ID, &exe), 0);
	snprintf(line, sizeof(line), "%llu 1 0:44 / /home/u rw - fuse.sshfs host: rw\n",
		 (unsigned long long)exe.stx_mnt_id);
	put(in_root("%d/mountinfo", process->pid), line, strlen(line));
}

/* Its root is the folder of the executables. */
static void put_libraries(const struct fake_process *process)
{
	char maps[1024];
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(process->libraries) && process->libraries[i]; i++) {
		struct stat file;

		cr_assert_eq(stat(in_root("bin/%s", process->libraries[i]), &file), 0);
		used += (size_t)snprintf(
			maps + used, sizeof(maps) - used,
			"7f%02zx00000000-7f%02zx00001000 r-xp 00000000 00:00 %lu   "
			"/%s\n",
			i, i, (unsigned long)file.st_ino, process->libraries[i]);
	}
	put(in_root("%d/maps", process->pid), maps, used);
	cr_assert_eq(symlink(in_root("bin"), in_root("%d/root", process->pid)), 0);
}

void fake_process__put(const struct fake_process *process)
{
	fake_process__remove(process->pid);
	cr_assert_eq(mkdir(in_root("%d", process->pid), 0755), 0);
	put_stat(process, process->comm ? process->comm : "server");
	if (process->exe && !process->zombie)
		cr_assert_eq(
			symlink(in_root("bin/%s", process->exe), in_root("%d/exe", process->pid)),
			0);
	if (process->on_fuse)
		put_fuse_mount(process);
	if (process->libraries[0])
		put_libraries(process);
	if (process->cgroup)
		put(in_root("%d/cgroup", process->pid), process->cgroup, strlen(process->cgroup));
}

void fake_process__remove(int pid)
{
	remove_below(in_root("%d", pid));
}
