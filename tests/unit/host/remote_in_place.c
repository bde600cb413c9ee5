// SPDX-License-Identifier: Apache-2.0
/* What another process reads for this one is looked at where that left it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/access.h"
#include "host/remote.h"

#define PAGE  4096u
#define PAGES 16u
#define MOST  2000u

static uint8_t place[PAGE * 64];

/* As the helper of a broker leaves it: one range behind the other. */
static ssize_t into_place(struct access_memory *memory, const struct iovec *foreign,
			  size_t n_foreign, const uint8_t **ret_data)
{
	const struct iovec local = {.iov_base = place, .iov_len = sizeof(place)};

	*ret_data = place;
	return access_direct.read_memory(memory, &local, 1, foreign, n_foreign);
}

static bool is_in_place(const struct remote_span *span)
{
	return (uint8_t *)span->buffer >= place && (uint8_t *)span->buffer < place + sizeof(place);
}

/* @n spans of 8 bytes, with gaps; those on the second page are not there where @hole. */
static void read_many(struct remote *remote, const uint8_t *base, size_t n, bool in_place,
		      bool hole)
{
	static struct remote_span spans[MOST];
	static uint64_t buffers[MOST];

	for (size_t i = 0; i < n; i++)
		spans[i] = (struct remote_span){(uintptr_t)base + 32 * i, &buffers[i], 8, 12345};
	cr_assert_eq(remote__read_spans_in_place(remote, spans, n), 0);
	for (size_t i = 0; i < n; i++) {
		bool gone = hole && i / (PAGE / 32) == 1;

		cr_assert_eq(spans[i].result, gone ? -EFAULT : 0, "%zu of %zu", i, n);
		cr_assert_eq(is_in_place(&spans[i]), in_place, "%zu of %zu", i, n);
		if (!gone)
			cr_assert_arr_eq(spans[i].buffer, base + 32 * i, 8, "%zu of %zu", i, n);
	}
}

/* What cannot be read at once and whole is copied, and the others with it. */
Test(remote_in_place, spans_are_left_where_they_were_read_to)
{
	uint8_t *base = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct access_ops ops = access_direct;
	struct failure failure = {""};
	struct remote *remote;

	cr_assert_neq((void *)base, MAP_FAILED);
	for (size_t i = 0; i < PAGES * PAGE; i++)
		base[i] = (uint8_t)(i / PAGE + i);
	ops.read_in_place = into_place;
	access__use(&ops);
	cr_assert_eq(remote__open_process(getpid(), &remote, &failure), 0, "%s", failure.text);
	read_many(remote, base, 3, true, false);
	read_many(remote, base, 500, true, false);
	read_many(remote, base, MOST, false, false);
	cr_assert_eq(munmap(base + PAGE, PAGE), 0);
	read_many(remote, base, 500, false, true);
	access__use(&access_direct);
	read_many(remote, base, 3, false, false);
	remote__free(remote);
}
