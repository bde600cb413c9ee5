// SPDX-License-Identifier: Apache-2.0
#include "state/file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/file_internal.h"

static const struct runtime_id first = {.process = {.pid = 4242, .start_time = 777}};
static const struct runtime_id second = {.process = {.pid = 4242, .start_time = 778}};

Test(state_file, boot_ids)
{
	char path[] = "/tmp/gleakd-boot-XXXXXX";
	int fd = mkstemp(path);
	struct failure failure = {""};
	struct state_boot_id id;

	cr_assert_eq(state_boot_id__read(STATE_BOOT_ID_PATH, &id, &failure), 0);
	cr_assert_eq(dprintf(fd, "01234567-89ab-cdef-0123-456789abcdef\n"), 37);
	cr_assert_eq(state_boot_id__read(path, &id, &failure), 0);
	cr_expect_eq(id.bytes[0], 0x01);
	cr_expect_eq(id.bytes[15], 0xef);
	cr_assert_eq(ftruncate(fd, 35), 0);
	cr_expect_eq(state_boot_id__read(path, &id, &failure), -EPROTO);
	cr_assert_eq(pwrite(fd, "g", 1, 0), 1);
	cr_expect_eq(state_boot_id__read(path, &id, &failure), -EPROTO);
	cr_assert_eq(pwrite(fd, "00112233445566778899aabbccddeeff0", 33, 0), 33);
	cr_expect_eq(state_boot_id__read(path, &id, &failure), -EPROTO);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_expect_eq(state_boot_id__read(path, &id, &failure), -EPROTO);
	close(fd);
	unlink(path);
	cr_expect_eq(state_boot_id__read(path, &id, &failure), -ENOENT);
	cr_expect_not_null(strstr(failure.text, "run without --state"));
}

/* --- files on disk ------------------------------------------------------------------------------ */

static char folder[64], path[96];

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/gleakd-state-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/state", folder);
}

/* Names in the folder besides "." and ".."; removes them and it. */
static size_t remove_folder(void)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (entry->d_name[0] == '.')
			continue;
		cr_assert_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0, "%s", entry->d_name);
		n++;
	}
	closedir(dir);
	rmdir(folder);
	return n;
}

static int save(const char *to, uint64_t n_sites, struct failure *failure)
{
	struct saved_process process = {.created = n_sites};
	struct state_writer *writer;

	cr_assert_eq(state_writer__begin(to, &writer), 0);
	cr_assert_eq(state_writer__process(writer, &first, &process), 0);
	for (uint64_t i = 0; i < n_sites; i++) {
		struct saved_site site = {.key = {.place = i}};

		cr_assert_eq(state_writer__site(writer, &site), 0);
	}
	return state_writer__commit(writer, failure);
}

static bool count_visit(void *ctx, const struct saved_site *site)
{
	*(uint64_t *)ctx += 1;
	return site != NULL;
}

/* Sites of what @path holds. */
static uint64_t saved_sites(void)
{
	struct failure failure = {""};
	uint64_t visits = 0;
	struct state_file *file;
	const struct saved_process *process;

	cr_assert_eq(state_file__open(path, &file, &failure), 0, "%s", failure.text);
	process = state_file__find(file, &first, count_visit, &visits);
	cr_assert_not_null(process);
	cr_expect_eq(process->created, visits);
	state_file__close(file);
	return visits;
}

Test(state_file, saved_and_saved_again, .init = make_folder)
{
	struct failure failure = {""};
	struct state_file *file = NULL;
	struct stat st;

	cr_expect_eq(state_file__open(path, &file, &failure), -ENOENT);
	cr_expect_null(file);
	umask(0);
	cr_assert_eq(save(path, 3, &failure), 0, "%s", failure.text);
	cr_expect_eq(saved_sites(), 3);
	cr_assert_eq(save(path, 500, &failure), 0, "%s", failure.text);
	cr_expect_eq(saved_sites(), 500);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_expect_eq(remove_folder(), 1, "nothing but the file is left");
}

Test(state_file, who_is_in_quarantine, .init = make_folder)
{
	const struct quarantine_entry held = {
		.id = {4243, 999}, .owner = 65534, .until_ns = 77 * NSEC_PER_SEC};
	const struct saved_process process = {.created = 0};
	const struct quarantine_entry *entries;
	struct failure failure = {""};
	struct state_writer *writer;
	struct state_file *file;
	size_t n;

	cr_assert_eq(state_writer__begin(path, &writer), 0);
	cr_expect_eq(state_writer__quarantined(writer, &held), 0);
	cr_assert_eq(state_writer__process(writer, &first, &process), 0);
	cr_expect_eq(state_writer__quarantined(writer, &held), -EINVAL, "processes follow");
	cr_assert_eq(state_writer__commit(writer, &failure), 0, "%s", failure.text);
	cr_assert_eq(state_file__open(path, &file, &failure), 0, "%s", failure.text);
	entries = state_file__quarantined(file, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(entries[0].id.pid, held.id.pid);
	cr_expect_eq(entries[0].id.start_time, held.id.start_time);
	cr_expect_eq(entries[0].owner, held.owner);
	cr_expect_eq(entries[0].until_ns, held.until_ns);
	cr_expect_not_null(state_file__find(file, &first, NULL, NULL));
	state_file__close(file);
	remove_folder();
}

Test(state_file, what_a_killed_one_left_goes, .init = make_folder)
{
	struct failure failure = {""};
	char leftover[112];
	FILE *file;

	snprintf(leftover, sizeof(leftover), "%s.tmp", path);
	file = fopen(leftover, "w");
	cr_assert_not_null(file);
	fputs("half a sta", file);
	fclose(file);
	cr_assert_eq(save(path, 3, &failure), 0, "%s", failure.text);
	cr_expect_eq(saved_sites(), 3);
	cr_expect_eq(remove_folder(), 1, "nothing but the file is left");
}

Test(state_file, without_a_directory_in_its_name, .init = make_folder)
{
	struct failure failure = {""};

	cr_assert_eq(chdir(folder), 0);
	cr_assert_eq(save("state", 1, &failure), 0, "%s", failure.text);
	cr_expect_eq(saved_sites(), 1);
	cr_assert_eq(chdir("/"), 0);
	cr_expect_eq(remove_folder(), 1);
}

Test(state_file, an_empty_state_is_a_state, .init = make_folder)
{
	struct failure failure = {""};
	struct state_writer *writer;
	struct state_file *file;
	uint64_t visits = 0;

	cr_assert_eq(state_writer__begin(path, &writer), 0);
	cr_assert_eq(state_writer__commit(writer, &failure), 0);
	cr_assert_eq(state_file__open(path, &file, &failure), 0, "%s", failure.text);
	cr_expect_null(state_file__find(file, &first, count_visit, &visits));
	state_file__close(file);
	cr_expect_eq(remove_folder(), 1);
}

Test(state_file, without_room_the_old_one_stays, .init = make_folder)
{
	const struct rlimit limit = {512, 512};
	struct failure failure = {""};

	cr_assert_eq(save(path, 2, &failure), 0);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(save(path, 500, &failure), -EFBIG);
	cr_expect_not_null(strstr(failure.text, "cannot save the state to /tmp/gleakd-state-"));
	cr_expect_not_null(strstr(failure.text, "make room there"));
	cr_expect_eq(saved_sites(), 2);
	cr_expect_eq(remove_folder(), 1, "the half-written one is gone");
}

Test(state_file, nowhere_to_put_it, .init = make_folder)
{
	struct failure failure = {""};
	char other[128];

	snprintf(other, sizeof(other), "%s/missing/state", folder);
	cr_expect_eq(save(other, 1, &failure), -ENOENT);
	cr_expect_not_null(strstr(failure.text, "create its directory"));
	cr_expect_eq(save(folder, 1, &failure), -EISDIR);
	cr_assert_eq(save(path, 1, &failure), 0);
	snprintf(other, sizeof(other), "%s/state/state", folder);
	cr_expect_eq(save(other, 1, &failure), -ENOTDIR);
	cr_expect_eq(save("/proc/gleakd-state", 1, &failure), -ENOENT);
	cr_expect_eq(remove_folder(), 1);
}

Test(state_file, only_regular_files_are_replaced, .init = make_folder)
{
	struct failure failure = {""};
	struct state_file *file = NULL;
	char fifo[128];

	cr_expect_eq(save("/dev/null", 1, &failure), -EINVAL);
	cr_expect_eq(state_file__open("/dev/null", &file, &failure), -EINVAL);
	cr_expect_eq(state_file__open(folder, &file, &failure), -EISDIR);
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	cr_expect_eq(state_file__open(fifo, &file, &failure), -EINVAL, "without waiting");
	cr_expect_eq(save(fifo, 1, &failure), -EINVAL);
	cr_assert_eq(symlink("/dev/null", path), 0);
	cr_expect_eq(save(path, 1, &failure), -ELOOP);
	cr_expect_eq(state_file__open(path, &file, &failure), -ELOOP);
	cr_expect_not_null(strstr(failure.text, "give the path it leads to"));
	cr_expect_null(file);
	cr_expect_eq(remove_folder(), 2);
}

Test(state_file, files_that_are_none, .init = make_folder)
{
	struct failure failure = {""};
	struct state_file *file = NULL;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	cr_assert_geq(fd, 0);
	cr_expect_eq(state_file__open(path, &file, &failure), -EBADMSG, "empty");
	cr_assert_eq(write(fd, "something else", 14), 14);
	cr_expect_eq(state_file__open(path, &file, &failure), -EBADMSG);
	cr_expect_not_null(strstr(failure.text, "it is no state file of gleakd"));
	cr_assert_eq(ftruncate(fd, (off_t)STATE_MAX_BYTES + 1), 0);
	cr_expect_eq(state_file__open(path, &file, &failure), -EFBIG);
	cr_expect_not_null(strstr(failure.text, "larger than 256 MiB"));
	close(fd);
	cr_expect_eq(remove_folder(), 1);
}

Test(state_writer, limits)
{
	struct saved_site site = {.created = 1};
	struct saved_process process = {.created = 1};
	struct state_writer *writer;

	cr_assert_eq(state_writer__begin("/nonexistent/state", &writer), 0);
	cr_expect_eq(state_writer__site(writer, &site), -EINVAL, "of which process?");
	cr_assert_eq(state_writer__process(writer, &first, &process), 0);
	for (size_t i = 0; i < STATE_MAX_SITES; i++)
		cr_assert_eq(state_writer__site(writer, &site), 0);
	cr_expect_eq(state_writer__site(writer, &site), -E2BIG);
	for (size_t i = 1; i < STATE_MAX_PROCESSES; i++)
		cr_assert_eq(state_writer__process(writer, &second, &process), 0);
	cr_expect_eq(state_writer__process(writer, &second, &process), -E2BIG);
	cr_assert_eq(state_writer__site(writer, &site), 0);
	state_writer__abort(writer);
	state_writer__abort(NULL);
}

Test(state_writer, what_makes_no_sense_is_left_out, .init = make_folder)
{
	struct history history = {.count = 2, .samples = {{.ticks = 3}, {.ticks = 2}}};
	struct saved_site bad = {.history = &history}, good = {.created = 1};
	struct saved_process process = {.created = 1};
	struct failure failure = {""};
	struct state_writer *writer;

	cr_assert_eq(state_writer__begin(path, &writer), 0);
	cr_assert_eq(state_writer__process(writer, &first, &process), 0);
	cr_expect_eq(state_writer__site(writer, &bad), -EINVAL);
	cr_expect_eq(state_writer__site(writer, &good), 0);
	process.files = &history;
	cr_expect_eq(state_writer__process(writer, &second, &process), -EINVAL);
	cr_assert_eq(state_writer__commit(writer, &failure), 0, "%s", failure.text);
	cr_expect_eq(saved_sites(), 1);
	cr_expect_eq(remove_folder(), 1);
}

Test(state_writer, files_do_not_grow_without_end)
{
	struct state_bytes bytes = {.length = STATE_MAX_BYTES - 30};
	struct saved_site site = {.created = 1};

	state_bytes__put_site(&bytes, &site);
	cr_expect_eq(bytes.err, -EFBIG);
	cr_expect_leq(bytes.length, STATE_MAX_BYTES);
	free(bytes.data);
}
