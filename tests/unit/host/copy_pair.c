// SPDX-License-Identifier: Apache-2.0
/* Memory of this process, copied by two of its threads. */
#include "host/copy_pair.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE  (5u << 20)
#define TRIES 200

struct copied {
	uint8_t *from, *to;
	size_t page;
};

static void setup(struct copied *copied)
{
	copied->page = (size_t)sysconf(_SC_PAGESIZE);
	copied->from = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	copied->to = calloc(1, SIZE);
	cr_assert_neq(copied->from, MAP_FAILED);
	cr_assert(copied->to);
	for (size_t i = 0; i < SIZE; i++)
		copied->from[i] = (uint8_t)(i * 2654435761u >> 16);
	copy_pair__start();
}

static void release(struct copied *copied)
{
	munmap(copied->from, SIZE);
	free(copied->to);
}

/* Ranges of many sizes, larger than what one thread takes at a time and smaller, all of SIZE. */
static size_t ranges(const struct copied *copied, struct iovec *local, struct iovec *foreign)
{
	static const size_t sizes[] = {1, 4096, 1u << 20, 4093, 300007, 8, 65536, 1u << 21, 17};
	size_t n = 0, at = 0;

	for (; n < 8 * 7 && at < SIZE; n++) {
		size_t size = min_of(sizes[n % ARRAY_SIZE(sizes)], SIZE - at);

		local[n] = (struct iovec){copied->to + at, size};
		foreign[n] = (struct iovec){copied->from + at, size};
		at += size;
	}
	cr_assert_eq(at, SIZE);
	return n;
}

Test(copy_pair, all_of_it_each_time)
{
	struct copied copied;
	struct iovec local[64], foreign[64];
	size_t n;

	setup(&copied);
	n = ranges(&copied, local, foreign);
	for (int i = 0; i < TRIES; i++) {
		memset(copied.to, 0, SIZE);
		cr_assert_eq(copy_pair__read(getpid(), local, foreign, n), (ssize_t)SIZE);
		cr_assert(memcmp(copied.from, copied.to, SIZE) == 0, "try %d", i);
	}
	release(&copied);
}

Test(copy_pair, what_comes_before_the_first_that_cannot_be_read)
{
	struct copied copied;
	struct iovec local[64], foreign[64];
	size_t n, hole = 3u << 20;

	setup(&copied);
	n = ranges(&copied, local, foreign);
	mprotect(copied.from + hole, copied.page, PROT_NONE);
	cr_expect_eq(copy_pair__read(getpid(), local, foreign, n), (ssize_t)hole);
	cr_expect(memcmp(copied.from, copied.to, hole) == 0);
	mprotect(copied.from, SIZE, PROT_NONE);
	cr_expect_eq(copy_pair__read(getpid(), local, foreign, n), -EFAULT);
	release(&copied);
}

Test(copy_pair, nobody_is_there)
{
	struct copied copied;
	struct iovec local[64], foreign[64];
	size_t n;

	setup(&copied);
	n = ranges(&copied, local, foreign);
	cr_expect_eq(copy_pair__read(1 << 30, local, foreign, n), -ESRCH);
	release(&copied);
}
