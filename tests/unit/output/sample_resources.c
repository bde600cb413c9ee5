// SPDX-License-Identifier: Apache-2.0
#include "sample_resources.h"

#include "output/report.h"

#define MINUTES(n) ((n)*60 * NSEC_PER_SEC)

static char nothing[] = "", files[] = "main.logs[...]", conns[] = "main.pool.conns[...].fd",
	    fd[] = "fd 7 /var/log/shop", other[] = "fd 9 /var/log/shop.1",
	    peer[] = "fd 3 tcp 10.0.0.1:5432", due[] = "due in 59m, calls main.expire",
	    function[] = "main.expire",
	    grew[] = "more at each of 9 looks in 2m, 13 to 61; of 48 opened meanwhile 0 closed",
	    buffers[] = "main.buffers", loop[] = "main.rotate log.go:44", by[] = "by goroutine 17",
	    reuse[] = "of 1103 that were seen to be taken 107 were put back: reuse lost, no leak",
	    lost[] = "nothing was found to lead to them: if so, they are open until a collection";

static const struct report_frame stack[] = {
	{.function = "os.Create", .file = "/go/src/os/file.go", .line = 360, .inlined = true},
	{.function = "main.rotate", .file = "/src/shop/log.go", .line = 44, .own = true},
	{.function = "net/http.(*ServeMux).ServeHTTP",
	 .file = "/go/src/net/http/server.go",
	 .line = 2800},
	{.function = "main.serve", .file = "/src/shop/main.go", .line = 17, .own = true},
};

/* What grows is first, then what is lost. */
static struct resource_line all[] = {
	{
		.place = {.kind = RESOURCE_FILE,
			  .held = true,
			  .outstanding = 61,
			  .opened = 48,
			  .per_minute = 24,
			  .oldest_ns = MINUTES(2),
			  .verdict = RESOURCE_GROWING,
			  .n_openers = 2,
			  .openers = {{.number = 5,
				       .outstanding = 17,
				       .opened = 19,
				       .closed = 2,
				       .per_minute = 20,
				       .oldest_ns = MINUTES(1),
				       .verdict = RESOURCE_GROWING},
				      {.outstanding = 3, .opened = 3}},
			  .n_examples = 2},
		.opened_at = {{.at = &stack[1], .stack = stack, .n_stack = ARRAY_SIZE(stack)}},
		.held_by = {files, conns},
		.n_held_by = 2,
		.calls = nothing,
		.examples = {fd, other},
		.why = {grew},
		.n_why = 1,
	},
	{
		.place = {.kind = RESOURCE_POOL,
			  .held = true,
			  .outstanding = 5,
			  .opened = 1103,
			  .closed = 107,
			  .oldest_ns = MINUTES(2),
			  .verdict = RESOURCE_REUSE_LOST,
			  .n_openers = 2,
			  .openers = {{.number = 5,
				       .opened = 1001,
				       .closed = 5,
				       .verdict = RESOURCE_REUSE_LOST},
				      {.opened = 102, .closed = 102, .verdict = RESOURCE_STEADY}}},
		.opened_at = {{.at = &stack[1], .stack = stack, .n_stack = ARRAY_SIZE(stack)}},
		.held_by = {buffers},
		.n_held_by = 1,
		.calls = nothing,
		.why = {reuse},
		.n_why = 1,
	},
	{
		.place = {.kind = RESOURCE_DEFER,
			  .held = true,
			  .outstanding = 11,
			  .verdict = RESOURCE_STEADY,
			  .n_openers = 1,
			  .openers = {{.outstanding = 11}},
			  .n_examples = 1},
		.opened_at = {{.at = &stack[1], .stack = &stack[1], .n_stack = 1}},
		.held_by = {loop},
		.n_held_by = 1,
		.calls = nothing,
		.examples = {by},
	},
	{
		.place = {.kind = RESOURCE_NET_CONN,
			  .held = true,
			  .outstanding = 17,
			  .opened = 5,
			  .closed = 7,
			  .per_minute = -1,
			  .oldest_ns = MINUTES(1),
			  .verdict = RESOURCE_STEADY,
			  .n_examples = 1},
		.held_by = {conns},
		.n_held_by = 1,
		.calls = nothing,
		.examples = {peer},
	},
	{
		.place = {.kind = RESOURCE_TIMER,
			  .outstanding = 3,
			  .verdict = RESOURCE_STEADY,
			  .n_examples = 1},
		.calls = function,
		.examples = {due},
	},
	{
		.place = {.kind = RESOURCE_FILE, .outstanding = 2, .verdict = RESOURCE_STEADY},
		.calls = nothing,
		.why = {lost},
		.n_why = 1,
	},
};

const struct resource_lines *sample_resources(void)
{
	static const struct resource_lines lines = {
		.all = all,
		.n = ARRAY_SIZE(all),
		.left_out = 4,
		.looks = 9,
		.elapsed_ns = MINUTES(2),
		.refused = 6,
		.watched = true,
		.openings = {.windows = 2,
			     .seen = 23,
			     .lost = 1,
			     .cost_ns = 5 * NSEC_PER_MSEC,
			     .pool_windows = 3,
			     .pool_seen = 1213,
			     .pool_lost = 2,
			     .pool_cost_ns = 7 * NSEC_PER_MSEC,
			     .missing = nothing},
	};

	return &lines;
}
