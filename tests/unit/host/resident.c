// SPDX-License-Identifier: Apache-2.0
#include "host/resident.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fake_proc.h"

struct seen {
	size_t n;
	struct resident_mapping all[8];
};

static void see(void *ctx, const struct resident_mapping *mapping)
{
	struct seen *seen = ctx;

	cr_assert_lt(seen->n, ARRAY_SIZE(seen->all));
	seen->all[seen->n++] = *mapping;
}

TestSuite(resident, .init = fake_proc__make, .fini = fake_proc__remove);

static void make_process(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/7", fake_proc__root());
	cr_assert(!mkdir(path, 0700) || errno == EEXIST);
}

static int read_text(const char *text, struct seen *seen)
{
	char path[PATH_MAX + 64];
	FILE *out;

	snprintf(path, sizeof(path), "%s/7/smaps", fake_proc__root());
	out = fopen(path, "w");
	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
	*seen = (struct seen){0};
	return resident__each(fake_proc__root(), 7, see, seen);
}

Test(resident, every_mapping_with_what_is_in_memory)
{
	struct seen seen;

	make_process();
	cr_assert_eq(read_text("1000-3000 r-xp 00003000 08:01 17   /bin/Rss: 99 kB\n"
			       "Size:                  8 kB\n"
			       "Rss:                   4 kB\n"
			       "Pss:                   2 kB\n"
			       "VmFlags: rd ex mr mw me\n"
			       "c000000000-c004000000 rw-p 00000000 00:00 0    [anon: Go: heap]\n"
			       "Rss:               65536 kB\n"
			       "f000-10000 rw-p 00000000 00:00 0\n"
			       "Rss:                   0 kB\n",
			       &seen),
		     0);
	cr_assert_eq(seen.n, 3);
	cr_expect_eq(seen.all[0].start, 0x1000);
	cr_expect_eq(seen.all[0].end, 0x3000);
	cr_expect_eq(seen.all[0].bytes, 4096);
	cr_expect_not(seen.all[0].anonymous);
	cr_expect_eq(seen.all[1].bytes, 65536 * 1024);
	cr_expect(seen.all[1].anonymous);
	cr_expect_eq(seen.all[2].bytes, 0);
}

Test(resident, what_is_no_such_file)
{
	struct seen seen;

	make_process();
	cr_expect_eq(read_text("", &seen), -ESRCH, "every process has mappings");
	cr_expect_eq(read_text("nonsense\n", &seen), -EPROTO);
	cr_expect_eq(read_text("Rss: 4 kB\n", &seen), -ESRCH, "of no mapping");
	cr_expect_eq(seen.n, 0);
	cr_expect_eq(resident__each(fake_proc__root(), 8, see, &seen), -ESRCH);
}
