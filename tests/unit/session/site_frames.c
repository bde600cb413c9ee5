// SPDX-License-Identifier: Apache-2.0
#include "session/site_frames.h"

#include <criterion/criterion.h>
#include <string.h>

/*
 * A symbolizer made of a table: the real one needs a Go binary, and what is tested here is what is
 * shown of the frames, not how they are found.
 */
struct fake_pc {
	uint64_t pc;
	struct frame frame;
};

static const struct fake_pc fake_pcs[] = {
	{0x10, {"runtime.gopark", "proc.go", 460, FRAME_RUNTIME, false, false}},
	{0x20, {"runtime.chansend1", "chan.go", 160, FRAME_RUNTIME, false, false}},
	{0x30, {"example.com/lib.(*Pool).put", "pool.go", 33, FRAME_DEPENDENCY, false, false}},
	{0x40, {"example.com/svc/api.fetch", "fetch.go", 17, FRAME_MAIN, true, false}},
	{0x50, {"example.com/svc/api.(*T).run", "t.go", 5, FRAME_MAIN, false, true}},
	{0x60, {"internal/poll.runtime_pollWait", "netpoll.go", 351, FRAME_RUNTIME, false, false}},
	{0x70, {"net/http.(*conn).serve", "server.go", 1991, FRAME_STDLIB, false, false}},
	{0x78, {"internal/poll.(*FD).Read", "fd_unix.go", 165, FRAME_STDLIB, false, false}},
	{0x80, {"main.main", "main.go", 9, FRAME_MAIN, false, false}},
	{0x90, {"runtime.Goexit", "panic.go", 600, FRAME_RUNTIME, false, false}},
	{0xa0, {"runtime.gopanic", "panic.go", 860, FRAME_RUNTIME, false, false}},
	{0xb0, {"runtime.sigpanic", "signal_unix.go", 900, FRAME_RUNTIME, false, false}},
	{0xc0, {"main.faults", "main.go", 33, FRAME_MAIN, false, false}},
	{0xd0, {"_cgoexp_8a2c_callback", "_cgo_gotypes.go", 71, FRAME_RUNTIME, false, false}},
	{0xe0, {"runtime.corostart", "coro.go", 69, FRAME_RUNTIME, false, false}},
};

size_t symbolizer__frames(struct symbolizer *symbolizer, uint64_t pc, bool return_address,
			  struct frame *frames, size_t max)
{
	(void)symbolizer;
	cr_assert_eq(return_address, pc != 0xc0 && pc != 0xe0, "%#lx", pc);
	cr_assert(max > 0);
	for (size_t i = 0; i < ARRAY_SIZE(fake_pcs); i++) {
		if (fake_pcs[i].pc == pc) {
			frames[0] = fake_pcs[i].frame;
			return 1;
		}
	}
	frames[0] = (struct frame){.function = "0xbad", .file = ""};
	return 1;
}

bool symbolizer__is_entry(struct symbolizer *symbolizer, uint64_t pc)
{
	(void)symbolizer;
	return pc == 0xe0;
}

const char *symbolizer__function(struct symbolizer *symbolizer, uint64_t pc)
{
	(void)symbolizer;
	(void)pc;
	return "main.worker";
}

static struct stack_table *stacks;
static struct site_frames frames;

static void set_up(void)
{
	cr_assert_eq(stack_table__new(64, &stacks), 0);
}

static void tear_down(void)
{
	stack_table__free(stacks);
}

TestSuite(site_frames, .init = set_up, .fini = tear_down);

static void resolve(const uint64_t *pcs, size_t n)
{
	site_frames__resolve(NULL, stacks, 0x80, 0x1000, stack_table__intern(stacks, pcs, n),
			     &frames);
}

Test(site_frames, hides_what_the_runtime_hides)
{
	const uint64_t pcs[] = {0x10, 0x20, 0x50, 0x40, 0x90};

	resolve(pcs, ARRAY_SIZE(pcs));
	cr_assert_eq(frames.n_stack, 2);
	cr_assert_str_eq(frames.stack[0].function, "example.com/svc/api.fetch");
	cr_assert(frames.stack[0].inlined);
	cr_assert_str_eq(frames.stack[1].function, "runtime.Goexit", "exported ones are shown");
}

/* Only so can deferred calls be told from those of the code that panicked. */
Test(site_frames, shows_a_panic_between_calls)
{
	const uint64_t pcs[] = {0x10, 0x40, 0xa0, 0x80};
	const uint64_t innermost[] = {0xa0, 0x80};

	resolve(pcs, ARRAY_SIZE(pcs));
	cr_assert_eq(frames.n_stack, 3);
	cr_assert_str_eq(frames.stack[1].function, "runtime.gopanic");
	cr_assert_str_eq(frames.blocked_at.function, "example.com/svc/api.fetch");
	resolve(innermost, ARRAY_SIZE(innermost));
	cr_assert_eq(frames.n_stack, 1);
}

/* The fake symbolizer asserts that main.faults is not looked up as if behind a call. */
Test(site_frames, a_fault_is_at_the_instruction_itself)
{
	const uint64_t pcs[] = {0x10, 0x40, 0xa0, 0xb0, 0xc0};

	resolve(pcs, ARRAY_SIZE(pcs));
	cr_assert_eq(frames.n_stack, 3);
	cr_assert_str_eq(frames.stack[2].function, "main.faults");
}

Test(site_frames, a_goroutine_that_has_not_begun_is_at_its_entry)
{
	const uint64_t pcs[] = {0xe0};

	resolve(pcs, ARRAY_SIZE(pcs));
	cr_assert_str_eq(frames.stack[0].function, "runtime.corostart");
}

Test(site_frames, hides_what_has_no_package)
{
	const uint64_t pcs[] = {0x10, 0x40, 0xd0, 0x80};

	resolve(pcs, ARRAY_SIZE(pcs));
	cr_assert_eq(frames.n_stack, 2);
	cr_assert_str_eq(frames.stack[1].function, "main.main");
}

Test(site_frames, shows_everything_when_all_would_be_hidden)
{
	const uint64_t pcs[] = {0x10, 0x20};

	resolve(pcs, ARRAY_SIZE(pcs));
	cr_assert_eq(frames.n_stack, 2);
}

Test(site_frames, blocked_at_prefers_the_services_own_code)
{
	const uint64_t pcs[] = {0x10, 0x30, 0x40, 0x80};

	resolve(pcs, ARRAY_SIZE(pcs));
	cr_assert_str_eq(frames.blocked_at.function, "example.com/svc/api.fetch");
	cr_assert(frames.blocked_at.own);
	cr_assert_str_eq(frames.created_by.function, "main.main");
}

Test(site_frames, blocked_at_falls_back_to_a_library)
{
	const uint64_t library[] = {0x10, 0x30};
	const uint64_t standard[] = {0x60, 0x78, 0x70};

	resolve(library, ARRAY_SIZE(library));
	cr_assert_str_eq(frames.blocked_at.function, "example.com/lib.(*Pool).put");
	resolve(standard, ARRAY_SIZE(standard));
	cr_assert_str_eq(frames.blocked_at.function, "net/http.(*conn).serve",
			 "internal packages name no place a user knows");
}

Test(site_frames, without_a_stack_nothing_is_claimed)
{
	site_frames__resolve(NULL, stacks, 0, 0, STACK_ID_NONE, &frames);
	cr_assert_eq(frames.n_stack, 0);
	cr_assert_str_eq(frames.blocked_at.function, "");
	cr_assert_str_eq(frames.created_by.function, "");
	cr_assert_str_eq(frames.start_function, "");
}

Test(site_frames, id_depends_on_place_and_reason_only)
{
	const uint64_t one[] = {0x10, 0x40};
	const uint64_t other[] = {0x10, 0x80};
	char a[9], b[9];

	resolve(one, ARRAY_SIZE(one));
	site_frames__id(&frames, "chan send", a);
	cr_assert_eq(strspn(a, "0123456789abcdef"), 8);
	resolve(one, ARRAY_SIZE(one));
	site_frames__id(&frames, "chan send", b);
	cr_assert_str_eq(a, b);
	site_frames__id(&frames, "chan receive", b);
	cr_assert_str_neq(a, b);
	resolve(other, ARRAY_SIZE(other));
	site_frames__id(&frames, "chan send", b);
	cr_assert_str_neq(a, b);
}
