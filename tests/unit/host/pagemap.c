// SPDX-License-Identifier: Apache-2.0
/* Pages of this process, by ranges where the kernel tells them, and by word. */
#include "host/pagemap.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 1009
#define THERE (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)

struct own {
	struct pagemap map;
	uint8_t *memory;
	uint64_t first;
	uint64_t entries[PAGES];
};

static void setup(struct own *own, bool by_word)
{
	*own = (struct own){.map = {.fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
				    .page = (uint64_t)sysconf(_SC_PAGESIZE),
				    .by_word = by_word}};
	cr_assert_geq(own->map.fd, 0);
	own->memory = mmap(NULL, PAGES * own->map.page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(own->memory, MAP_FAILED);
	/* Page by page, so that no kernel makes one large page of them. */
	madvise(own->memory, PAGES * own->map.page, MADV_NOHUGEPAGE);
	own->first = (uintptr_t)own->memory / own->map.page;
}

static void release(struct own *own)
{
	munmap(own->memory, PAGES * own->map.page);
	close(own->map.fd);
}

/* More ranges than are told at once, and one of many pages. */
static void pages_that_are_there(bool by_word)
{
	struct own own;

	setup(&own, by_word);
	for (size_t i = 0; i < PAGES; i++) {
		if (i % 2 || (i > 700 && i < 800))
			own.memory[i * own.map.page] = 1;
	}
	cr_assert_eq(pagemap__look(&own.map, own.first, own.entries, PAGES), PAGES);
	for (size_t i = 0; i < PAGES; i++)
		cr_expect_eq((own.entries[i] & THERE) != 0, i % 2 || (i > 700 && i < 800),
			     "page %zu: %llx", i, (unsigned long long)own.entries[i]);
	release(&own);
}

Test(pagemap, pages_that_are_there)
{
	pages_that_are_there(false);
}

Test(pagemap, pages_that_are_there_by_word)
{
	pages_that_are_there(true);
}

Test(pagemap, zeros_that_were_only_read_have_no_contents)
{
	struct own own;
	volatile uint8_t byte;

	setup(&own, false);
	byte = own.memory[17 * own.map.page];
	own.memory[18 * own.map.page] = byte;
	cr_assert_eq(pagemap__look(&own.map, own.first, own.entries, PAGES), PAGES);
	/* By word it is a page like any other. */
	if (!own.map.by_word)
		cr_expect_eq(own.entries[17], 0);
	cr_expect_neq(own.entries[18] & THERE, 0);
	release(&own);
}

Test(pagemap, a_process_that_has_ended_has_none)
{
	struct own own;
	char path[64];
	pid_t pid;

	setup(&own, false);
	own.memory[0] = 1;
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(own.map.fd);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	own.map.fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(own.map.fd, 0);
	cr_expect_eq(pagemap__look(&own.map, own.first, own.entries, PAGES), PAGES);
	cr_expect_neq(own.entries[0] & THERE, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_expect_eq(pagemap__look(&own.map, own.first, own.entries, PAGES), 0);
	release(&own);
}
