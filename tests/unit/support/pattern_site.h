/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_SUPPORT_PATTERN_SITE_H
#define TESTS_UNIT_SUPPORT_PATTERN_SITE_H

/* A site of a program's own, of which patterns may mean the id, the functions and the files. */
#include "output/report.h"

static const struct report_frame pattern_site_stack[] = {
	{.function = "runtime.gopark", .file = "/usr/local/go/src/runtime/proc.go", .line = 435},
	{.function = "github.com/acme/shop/jobs.(*Pump).run",
	 .file = "/home/build/shop/jobs/pump.go",
	 .line = 42},
	{.function = "github.com/acme/shop/cart.Load[...]", .file = "cart/load.go", .line = 7},
};

static const struct report_site pattern_site = {
	.id = "3fa94c01",
	.created_by = {.function = "main.main", .file = "/home/build/shop/main.go", .line = 9},
	.start_function = "main.serve.func1",
	.stack = pattern_site_stack,
	.n_stack = ARRAY_SIZE(pattern_site_stack),
};

#endif /* TESTS_UNIT_SUPPORT_PATTERN_SITE_H */
