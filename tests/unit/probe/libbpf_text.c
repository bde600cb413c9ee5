// SPDX-License-Identifier: Apache-2.0
#include "probe/libbpf_text.h"

#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A file name is something that libbpf repeats in its warnings, at whatever length. */
static void make_libbpf_complain(const char *name)
{
	struct bpf_object *object = bpf_object__open_file(name, NULL);

	cr_assert(!object);
}

Test(libbpf_text, quotes_the_last_warning_in_one_line)
{
	libbpf_text__capture();
	cr_assert_str_eq(libbpf_text__get(), "no details");
	make_libbpf_complain("/nonexistent/first");
	make_libbpf_complain("/nonexistent/second");
	cr_assert_not_null(strstr(libbpf_text__get(), "/nonexistent/second"));
	cr_assert_null(strchr(libbpf_text__get(), '\n'));
	libbpf_text__capture();
	cr_assert_str_eq(libbpf_text__get(), "no details");
}

Test(libbpf_text, keeps_the_end_of_what_is_too_long)
{
	char name[3000];

	memset(name, 'x', sizeof(name));
	memcpy(name, "/tmp/", 5);
	memcpy(name + sizeof(name) - 12, "end-of-name", 12);
	libbpf_text__capture();
	for (int i = 0; i < 5; i++)
		make_libbpf_complain(name);
	cr_assert_not_null(strstr(libbpf_text__get(), "end-of-name"));
	cr_assert_lt(strlen(libbpf_text__get()), 500);
}
