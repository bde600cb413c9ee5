// SPDX-License-Identifier: Apache-2.0
#include "naming/site_frames.h"

#include <criterion/criterion.h>
#include <string.h>

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

/* As profiles have them: each call has a pc of its own, inlined ones too. */
Test(site_frames, of_calls)
{
	const uint64_t pcs[] = {0x10, 0x70, 0x40, 0x50, 0x80}, of_runtime[] = {0x10, 0x20};
	const uint64_t other_caller[] = {0x10, 0x70, 0x40, 0x30};
	uint64_t place;

	site_frames__of_calls(NULL, pcs, ARRAY_SIZE(pcs), &frames);
	cr_assert_eq(frames.n_stack, 3);
	cr_assert_str_eq(frames.stack[0].function, "net/http.(*conn).serve");
	cr_assert_str_eq(frames.stack[1].function, "example.com/svc/api.fetch");
	cr_assert_str_eq(frames.stack[2].function, "main.main");
	cr_assert_str_eq(frames.blocked_at.function, "example.com/svc/api.fetch");
	place = frames.place;
	site_frames__of_calls(NULL, other_caller, ARRAY_SIZE(other_caller), &frames);
	cr_assert_eq(frames.place, place, "whoever calls these");
	site_frames__of_calls(NULL, of_runtime, ARRAY_SIZE(of_runtime), &frames);
	cr_assert_eq(frames.n_stack, 2, "better than nothing");
	cr_assert_neq(frames.place, place);
	site_frames__of_calls(NULL, NULL, 0, &frames);
	cr_assert_eq(frames.n_stack, 0);
	cr_assert_str_eq(frames.blocked_at.function, "");
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

static void id_of(uint64_t creation_pc, uint64_t start_pc, const uint64_t *pcs, size_t n,
		  const char *reason, char id[9])
{
	site_frames__resolve(NULL, stacks, creation_pc, start_pc,
			     stack_table__intern(stacks, pcs, n), &frames);
	site_frames__id(&frames, reason, id);
}

Test(site_frames, id_depends_on_creation_start_place_and_reason)
{
	const uint64_t one[] = {0x10, 0x40};
	const uint64_t other[] = {0x10, 0x80};
	char a[9], b[9];

	id_of(0x80, 0x1000, one, 2, "chan send", a);
	cr_assert_eq(strspn(a, "0123456789abcdef"), 8);
	id_of(0x80, 0x1000, one, 2, "chan send", b);
	cr_assert_str_eq(a, b);
	id_of(0x80, 0x1000, one, 2, "chan receive", b);
	cr_assert_str_neq(a, b);
	id_of(0x80, 0x1000, other, 2, "chan send", b);
	cr_assert_str_neq(a, b);
	id_of(0x40, 0x1000, one, 2, "chan send", b);
	cr_assert_str_neq(a, b);
	id_of(0x80, 0x1100, one, 2, "chan send", b);
	cr_assert_str_neq(a, b);
	id_of(0x80, 0x1000, NULL, 0, "chan send", b);
	cr_assert_str_neq(a, b);
}

/* What is around the lines that name a place does not count: callers, recursion, the runtime. */
Test(site_frames, id_does_not_depend_on_the_way_to_the_place)
{
	const uint64_t shallow[] = {0x10, 0x30, 0x40, 0x80};
	const uint64_t deep[] = {0x10, 0x20, 0x30, 0x30, 0x40, 0x40, 0x40, 0x80, 0x90};
	char a[9], b[9];

	id_of(0x80, 0x1000, shallow, ARRAY_SIZE(shallow), "chan send", a);
	id_of(0x80, 0x1000, deep, ARRAY_SIZE(deep), "chan send", b);
	cr_assert_str_eq(a, b);
}

/* A change to how ids are made loses every allow-list and every state file that has ids. */
Test(site_frames, ids_do_not_change)
{
	const uint64_t pcs[] = {0x10, 0x40};
	char id[9];

	id_of(0x80, 0x1000, pcs, 2, "chan send", id);
	cr_assert_str_eq(id, "048cbcb6");
}

Test(site_frames, sites_without_a_place_differ_by_their_words)
{
	struct site_frames words = {.start_function = ""};
	char a[9], b[9];

	site_frames__id(&words, "", a);
	words.start_function = "(beyond the limit of sites)";
	site_frames__id(&words, "", b);
	cr_assert_str_neq(a, b);
}

/* --- semaphores ---------------------------------------------------------------------------------- */

struct semaphore_case {
	const char *functions[3];
	enum wait_class by_reason, class;
};

static const struct semaphore_case semaphore_cases[] = {
	{{"sync.runtime_SemacquireMutex", "sync.(*Mutex).lockSlow", "sync.(*Mutex).Lock"},
	 WAIT_SEMAPHORE,
	 WAIT_LOCK},
	{{"sync.runtime_SemacquireMutex", "sync.(*RWMutex).RLock", "main.f"},
	 WAIT_SEMAPHORE,
	 WAIT_LOCK},
	{{"sync.runtime_SemacquireRWMutex", "sync.(*RWMutex).Lock", "main.f"},
	 WAIT_SEMAPHORE,
	 WAIT_LOCK},
	{{"internal/sync.runtime_SemacquireMutex", "internal/sync.(*Mutex).lockSlow", "sync.x"},
	 WAIT_SEMAPHORE,
	 WAIT_LOCK},
	{{"sync.runtime_Semacquire", "sync.(*WaitGroup).Wait", "main.f"},
	 WAIT_SEMAPHORE,
	 WAIT_WAIT_GROUP},
	{{"internal/poll.runtime_Semacquire", "internal/poll.(*fdMutex).rwlock", "os.x"},
	 WAIT_SEMAPHORE,
	 WAIT_IO},
	{{"runtime.ReadMemStats", "main.f"}, WAIT_SEMAPHORE, WAIT_RUNTIME},
	{{"runtime/pprof.writeRuntimeProfile", "main.f"}, WAIT_SEMAPHORE, WAIT_RUNTIME},
	/* A lock further out is not what is waited for. */
	{{"example.com/own.acquire", "sync.(*Mutex).Lock"}, WAIT_SEMAPHORE, WAIT_SEMAPHORE},
	{{"sync.runtime_Semacquire"}, WAIT_SEMAPHORE, WAIT_SEMAPHORE},
	{{NULL}, WAIT_SEMAPHORE, WAIT_SEMAPHORE},
	/* What the reason says stands. */
	{{"sync.(*Mutex).Lock"}, WAIT_COND, WAIT_COND},
};

Test(site_frames, semaphores_are_told_by_their_users)
{
	for (size_t i = 0; i < ARRAY_SIZE(semaphore_cases); i++) {
		const struct semaphore_case *c = &semaphore_cases[i];

		frames.n_stack = 0;
		for (size_t f = 0; f < ARRAY_SIZE(c->functions) && c->functions[f]; f++)
			frames.stack[frames.n_stack++].function = c->functions[f];
		cr_expect_eq(site_frames__wait_class(&frames, c->by_reason), c->class, "%zu: %d", i,
			     site_frames__wait_class(&frames, c->by_reason));
	}
}
