// SPDX-License-Identifier: Apache-2.0
/*
 * Up to the first 0xff the names of a site, one a line, and a pattern for --explain; the rest is an
 * allow-list, which is asked about that site.
 */
#include "naming/allow_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "output/site_pattern.h"

#define N_TEXTS 8

struct made {
	char *texts[N_TEXTS];
	struct report_frame stack[2];
	struct report_site site;
};

static void make_site(struct made *made, struct fuzz_input *input)
{
	for (size_t i = 0; i < N_TEXTS; i++)
		made->texts[i] = fuzz_input__text(input, '\n');
	made->stack[0] = (struct report_frame){made->texts[0], made->texts[1], 42, false, false};
	made->stack[1] =
		(struct report_frame){made->texts[2], made->texts[3], UINT32_MAX, true, true};
	made->site = (struct report_site){
		.id = "3fa94c01",
		.created_by = {made->texts[4], made->texts[5], 7, false, false},
		.start_function = made->texts[6],
		.stack = made->stack,
		.n_stack = ARRAY_SIZE(made->stack),
	};
}

static void check_pattern(const char *pattern, const struct report_site *site)
{
	struct failure failure = {""};
	int err = site_pattern__check(pattern, &failure);
	bool matched = site_pattern__match(pattern, site) != SITE_MATCH_NONE;

	fuzz__require(!err || (err == -EINVAL && failure.text[0]));
	fuzz__require(!err || !matched);
}

/* Of equal reasons and patterns only their number can be told. */
static size_t count_unused(const struct allow_list *list)
{
	unsigned int line = 0, before = 0;
	size_t n = 0;

	for (; allow_list__unused(list, n, &line); n++) {
		fuzz__require(line > before);
		fuzz__require(*allow_list__unused(list, n, &line));
		before = line;
	}
	return n;
}

static void check_list(struct allow_list *list, const struct report_site *site)
{
	size_t unused = count_unused(list);
	const char *reason = allow_list__match(list, site);

	fuzz__require(allow_list__match(list, site) == reason);
	fuzz__require(count_unused(list) == unused - (reason != NULL));
	fuzz__require(!reason || (*reason && utf8__valid(reason)));
}

static void read_list(const uint8_t *data, size_t size, const struct report_site *site)
{
	struct failure failure = {""};
	struct allow_list *list = NULL;
	char path[32];
	int fd = fuzz__memfd(data, size), err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = allow_list__read(path, &list, &failure);
	fuzz__require(!err || err == -EINVAL || err == -E2BIG);
	fuzz__require(!err || (failure.text[0] && !list));
	if (!err)
		check_list(list, site);
	allow_list__free(list);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
	size_t names = end ? (size_t)(end - data) : size;
	struct fuzz_input input = {data, names};
	struct made made = {0};
	int fd = fuzz__next_descriptor();

	make_site(&made, &input);
	check_pattern(made.texts[N_TEXTS - 1], &made.site);
	read_list(end ? end + 1 : NULL, end ? size - names - 1 : 0, &made.site);
	fuzz__require(fuzz__next_descriptor() == fd);
	for (size_t i = 0; i < N_TEXTS; i++)
		free(made.texts[i]);
	return 0;
}
