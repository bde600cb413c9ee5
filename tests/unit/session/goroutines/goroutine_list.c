// SPDX-License-Identifier: Apache-2.0
/* With the fake symbolizer of site_frames.c; g structs and labels are in fabricated memory. */
#include "session/goroutines/goroutine_list.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "naming/label_sets.h"

#define BASE	  0xc000000000ULL
#define SYSTEM_PC 0x5000
#define G_GOID	  8
#define G_LABELS  16
#define G_SIZE	  32
#define N_G	  600 /* more than one scattered read takes */
#define SETS	  (N_G * G_SIZE)
#define SET_SIZE  128
#define N_SETS	  8

enum reason {
	REASON_RECEIVE = 1,
	REASON_SLEEP = 2,
	REASON_DURABLE_SELECT = 3,
};

static const char *const reasons[] = {"", "chan receive", "sleep", "select (durable)"};
static const struct go_layout layout = {
	.minor = 26,
	.g_goid = G_GOID,
	.g_labels = G_LABELS,
	.wait_reasons = reasons,
	.n_wait_reasons = ARRAY_SIZE(reasons),
};

static uint8_t memory[SETS + N_SETS * SET_SIZE];
static struct remote *remote;
static struct stack_table *stacks;
static struct goroutine_list *listed;

bool symbolizer__is_system_goroutine(struct symbolizer *symbolizer, uint64_t start_pc)
{
	(void)symbolizer;
	return start_pc == SYSTEM_PC;
}

static void open_roster(bool system)
{
	struct goroutine_list_source source = {
		.layout = &layout,
		.stacks = stacks,
		.system = system,
	};

	goroutine_list__free(listed);
	cr_assert_eq(goroutine_list__new(&source, &listed), 0);
}

static void set_up(void)
{
	const struct remote_range range = {BASE, memory, sizeof(memory)};

	memset(memory, 0, sizeof(memory));
	cr_assert_eq(remote__open_image(&range, 1, &remote), 0);
	cr_assert_eq(stack_table__new(64, &stacks), 0);
	open_roster(false);
}

static void tear_down(void)
{
	goroutine_list__free(listed);
	stack_table__free(stacks);
	remote__free(remote);
}

TestSuite(listed, .init = set_up, .fini = tear_down);

static void poke(uint64_t offset, uint64_t value)
{
	memcpy(memory + offset, &value, sizeof(value));
}

static uint64_t set_address(size_t set)
{
	return BASE + SETS + set * SET_SIZE;
}

/* A set of one label, "tenant" and @value of at most 15 characters. */
static void make_set(size_t set, const char *value)
{
	uint64_t at = set_address(set) - BASE;

	poke(at, BASE + at + 24);
	poke(at + 8, 1);
	poke(at + 16, 1);
	memcpy(memory + at + 64, "tenant", 6);
	memcpy(memory + at + 80, value, strlen(value));
	poke(at + 24, BASE + at + 64);
	poke(at + 32, 6);
	poke(at + 40, BASE + at + 80);
	poke(at + 48, strlen(value));
}

/* What the census saw of the goroutine in slot @index, and what its g says now. */
static struct census_goroutine seen(size_t index, uint64_t goid, uint64_t labels)
{
	poke(index * G_SIZE + G_GOID, goid);
	poke(index * G_SIZE + G_LABELS, labels);
	return (struct census_goroutine){
		.goid = goid,
		.parent_goid = 1,
		.creation_pc = 0x80,
		.start_pc = 0x1000,
		.read_at_ns = 100 * NSEC_PER_SEC,
		.address = BASE + index * G_SIZE,
		.labels = labels,
		.status = GO_STATUS_WAITING,
		.wait_reason = REASON_RECEIVE,
	};
}

static const struct report_goroutine *complete(size_t expected)
{
	const struct report_goroutine *list;
	size_t n;

	cr_assert_eq(goroutine_list__complete(listed, remote), 0);
	list = goroutine_list__list(listed, &n);
	cr_assert_eq(n, expected, "%zu instead of %zu", n, expected);
	return list;
}

static const char *label(const struct report_goroutine *goroutine)
{
	if (!goroutine->labels)
		return "";
	cr_assert_eq(goroutine->labels->n, 1);
	cr_assert_str_eq(goroutine->labels->items[0].key, "tenant");
	return goroutine->labels->items[0].value;
}

/* src/runtime/traceback.go goroutineheader of Go 1.26. */
Test(listed, states_are_the_runtimes_words)
{
	static const struct {
		uint8_t status, reason;
		bool bubble, system_stack;
		const char *state;
		bool parked;
	} cases[] = {
		{GO_STATUS_RUNNABLE, REASON_SLEEP, false, false, "runnable", false},
		{GO_STATUS_RUNNING, REASON_SLEEP, true, false, "running", false},
		{GO_STATUS_SYSCALL, REASON_SLEEP, false, false, "syscall", false},
		{GO_STATUS_COPYSTACK, 0, false, false, "copystack", false},
		{GO_STATUS_PREEMPTED, 0, false, false, "preempted", false},
		{GO_STATUS_WAITING, REASON_SLEEP, false, false, "sleep", true},
		{GO_STATUS_WAITING, REASON_SLEEP, false, true, "sleep", false},
		{GO_STATUS_WAITING, REASON_SLEEP, true, false, "sleep (durable)", true},
		{GO_STATUS_WAITING, REASON_RECEIVE, true, false, "chan receive", true},
		{GO_STATUS_WAITING, REASON_DURABLE_SELECT, true, false, "select (durable)", true},
		{GO_STATUS_LEAKED, REASON_RECEIVE, false, false, "chan receive (leaked)", true},
		{GO_STATUS_LEAKED, REASON_SLEEP, true, false, "sleep (leaked)", true},
		{GO_STATUS_WAITING, 0, false, false, "waiting", true},
		{GO_STATUS_WAITING, UINT8_MAX, false, false, "unknown", true},
	};
	const struct report_goroutine *list;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct census_goroutine g = seen(i, i + 1, 0);

		g.status = cases[i].status;
		g.wait_reason = cases[i].reason;
		g.in_bubble = cases[i].bubble;
		g.on_system_stack = cases[i].system_stack;
		g.in_syscall = g.status == GO_STATUS_SYSCALL;
		goroutine_list__add(listed, &g);
	}
	list = complete(ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_str_eq(list[i].state, cases[i].state);
		cr_assert_eq(list[i].parked, cases[i].parked, "%s", cases[i].state);
	}
}

Test(listed, waiting_is_what_the_runtime_remembers)
{
	struct census_goroutine long_ago = seen(0, 1, 0), unknown = seen(1, 2, 0);
	struct census_goroutine runs = seen(2, 3, 0), future = seen(3, 4, 0);
	const struct report_goroutine *list;

	long_ago.waitsince_ns = 10 * NSEC_PER_SEC;
	runs.waitsince_ns = 10 * NSEC_PER_SEC;
	runs.status = GO_STATUS_RUNNING;
	future.waitsince_ns = future.read_at_ns + 1;
	goroutine_list__add(listed, &long_ago);
	goroutine_list__add(listed, &unknown);
	goroutine_list__add(listed, &runs);
	goroutine_list__add(listed, &future);
	list = complete(4);
	cr_assert_eq(list[0].waiting_ns, 90 * NSEC_PER_SEC);
	for (int i = 1; i < 4; i++)
		cr_assert_eq(list[i].waiting_ns, 0);
}

Test(listed, by_goid_and_each_once)
{
	static const uint64_t order[] = {7, 3, 5, 3};
	const struct report_goroutine *list;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct census_goroutine g = seen(i, order[i], 0);

		goroutine_list__add(listed, &g);
	}
	list = complete(3);
	cr_assert_eq(list[0].goid, 3);
	cr_assert_eq(list[1].goid, 5);
	cr_assert_eq(list[2].goid, 7);
	cr_assert_eq(list[2].parent_goid, 1);
}

Test(listed, hides_the_runtimes_own)
{
	struct census_goroutine own = seen(0, 2, 0), other = seen(1, 9, 0);

	own.start_pc = SYSTEM_PC;
	goroutine_list__add(listed, &own);
	goroutine_list__add(listed, &other);
	cr_assert_eq(complete(1)->goid, 9);
	open_roster(true);
	goroutine_list__add(listed, &own);
	goroutine_list__add(listed, &other);
	cr_assert(complete(2)[0].place->system);
}

/* A site's id comes from where its goroutines block; a runnable one blocks nowhere. */
Test(listed, places_are_shared_and_name_their_site)
{
	const uint64_t pcs[] = {0x10, 0x40, 0x80};
	struct census_goroutine g[4];
	const struct report_goroutine *list;

	for (size_t i = 0; i < ARRAY_SIZE(g); i++) {
		g[i] = seen(i, i + 1, 0);
		g[i].stack_id = stack_table__intern(stacks, pcs, ARRAY_SIZE(pcs));
	}
	g[2].status = GO_STATUS_RUNNABLE;
	g[3].status = GO_STATUS_RUNNING;
	g[3].stack_id = STACK_ID_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(g); i++)
		goroutine_list__add(listed, &g[i]);
	list = complete(4);
	cr_assert_eq(list[0].place, list[1].place);
	cr_assert_neq(list[0].place, list[2].place);
	cr_assert_eq(list[2].place->n_stack, 2);
	cr_assert_eq(list[3].place->n_stack, 0);
	cr_assert_str_neq(list[0].place->site, list[2].place->site);
	cr_assert_str_eq(list[2].place->site, list[3].place->site);
	cr_assert_str_eq(list[0].place->created_by.function, "main.main");
}

Test(listed, many_places)
{
	const struct report_goroutine *list;

	for (uint64_t i = 0; i < N_G; i++) {
		struct census_goroutine g = seen(i, i + 1, 0);

		g.start_pc = 0x10000 + i;
		goroutine_list__add(listed, &g);
	}
	list = complete(N_G);
	for (size_t i = 1; i < N_G; i++)
		cr_assert_neq(list[i].place, list[i - 1].place);
}

Test(listed, a_new_census_starts_afresh)
{
	struct census_goroutine g = seen(0, 5, 0);
	size_t n;

	goroutine_list__add(listed, &g);
	complete(1);
	goroutine_list__clear(listed);
	goroutine_list__list(listed, &n);
	cr_assert_eq(n, 0);
	complete(0);
}

Test(listed, labels_belong_to_their_goroutines)
{
	static const char *const values[] = {"a", "b", "c"};
	const struct report_goroutine *list;

	for (size_t i = 0; i < 3; i++)
		make_set(i, values[i]);
	for (size_t i = 0; i < N_G; i++) {
		struct census_goroutine g = seen(i, i + 1, i % 4 < 3 ? set_address(i % 4) : 0);

		goroutine_list__add(listed, &g);
	}
	list = complete(N_G);
	for (size_t i = 0; i < N_G; i++)
		cr_assert_str_eq(label(&list[i]), i % 4 < 3 ? values[i % 4] : "");
	cr_assert_eq(list[0].labels, list[4].labels, "one set for all that share it");
	cr_assert_eq(goroutine_list__labels_unread(listed), 0);
}

/* Between the census and the reading of labels the target runs on. */
Test(listed, labels_of_a_goroutine_that_changed_them)
{
	struct census_goroutine changed = seen(0, 1, set_address(0));
	struct census_goroutine dropped = seen(1, 2, set_address(0));
	struct census_goroutine gone = seen(2, 3, set_address(0));
	const struct report_goroutine *list;

	make_set(0, "before");
	make_set(1, "after");
	poke(0 * G_SIZE + G_LABELS, set_address(1));
	poke(1 * G_SIZE + G_LABELS, 0);
	poke(2 * G_SIZE + G_GOID, 4); /* the same g, another goroutine */
	goroutine_list__add(listed, &changed);
	goroutine_list__add(listed, &dropped);
	goroutine_list__add(listed, &gone);
	list = complete(3);
	cr_assert_str_eq(label(&list[0]), "after");
	cr_assert_str_eq(label(&list[1]), "");
	cr_assert_str_eq(label(&list[2]), "", "they may be anybody's by now");
	cr_assert_eq(goroutine_list__labels_unread(listed), 1);
}

Test(listed, unreadable_labels_are_counted)
{
	struct census_goroutine wild = seen(0, 1, 0x10), unmapped = seen(1, 2, set_address(0));
	const struct report_goroutine *list;

	make_set(0, "x");
	unmapped.address = 0x10;
	goroutine_list__add(listed, &wild);
	goroutine_list__add(listed, &unmapped);
	list = complete(2);
	cr_assert_str_eq(label(&list[0]), "");
	cr_assert_str_eq(label(&list[1]), "");
	cr_assert_eq(goroutine_list__labels_unread(listed), 2);
}
