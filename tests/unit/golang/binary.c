// SPDX-License-Identifier: Apache-2.0
#include "golang/binary.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_go.h"

#define PIE_BIAS 0x555555000000ULL

/* Too large for the stack; every test runs in a process of its own. */
static struct fake_go fake;

static void make(const char *version)
{
	fake_go__make(&fake, &(struct fake_options){.version = version});
}

static void expect(int err, const char *words)
{
	int got = fake_go__bind(&fake);

	cr_assert_eq(got, err, "%d instead of %d: %s", got, err, fake.failure.text);
	cr_assert_not_null(strstr(fake.failure.text, words), "\"%s\" is not in \"%s\"", words,
			   fake.failure.text);
	cr_assert_str_empty(go_binary__how(fake.binary), "a failed bind left something behind");
}

static void expect_all_globals(void)
{
	const struct go_globals *globals = go_binary__globals(fake.binary);

	cr_assert_eq(globals->moduledata, FAKE_MODULEDATA);
	cr_assert_eq(globals->allgs, FAKE_ALLGS);
	cr_assert_eq(globals->allgptr, FAKE_ALLGPTR);
	cr_assert_eq(globals->allglen, FAKE_ALLGLEN);
	cr_assert_eq(globals->allp, FAKE_ALLP);
	cr_assert_eq(globals->sched, FAKE_SCHED);
	cr_assert_eq(go_binary__module(fake.binary)->text, FAKE_TEXT);
	cr_assert_eq(go_binary__module(fake.binary)->enoptrbss, FAKE_END);
	cr_assert_eq(pclntab__text(go_binary__pclntab(fake.binary)), FAKE_TEXT);
}

static void bind_ok(const struct fake_options *options, const char *how)
{
	fake_go__make(&fake, options);
	cr_assert_eq(fake_go__bind(&fake), 0, "%s: %s", options->version, fake.failure.text);
	expect_all_globals();
	cr_assert_str_eq(go_binary__how(fake.binary), how);
	fake_go__release(&fake);
}

static void each_version(void (*check)(const char *version))
{
	char version[16];

	for (int minor = go_layout__oldest()->minor; minor <= go_layout__newest()->minor; minor++) {
		snprintf(version, sizeof(version), "go1.%d.3", minor);
		check(version);
	}
}

/* --- finding everything ------------------------------------------------------------------------- */

static void check_stripped(const char *version)
{
	static const char how[] = "stripped: moduledata by scan, globals from runtime.allgadd";

	for (int arm64 = 0; arm64 < 2; arm64++) {
		bind_ok(&(struct fake_options){.version = version, .arm64 = arm64}, how);
		bind_ok(&(struct fake_options){.version = version,
					       .arm64 = arm64,
					       .bias = PIE_BIAS},
			how);
	}
}

Test(binary, stripped_of_every_version)
{
	each_version(check_stripped);
}

static void check_symbols(const char *version)
{
	bind_ok(&(struct fake_options){.version = version, .symbols = true}, "symbols");
	bind_ok(&(struct fake_options){.version = version, .symbols = true, .bias = PIE_BIAS},
		"symbols");
}

Test(binary, symbols_of_every_version)
{
	each_version(check_symbols);
}

Test(binary, module_section)
{
	bind_ok(&(struct fake_options){.version = "go1.26.8", .module_section = true},
		"stripped: moduledata by section .go.module, globals from runtime.allgadd");
}

Test(binary, one_file_many_processes)
{
	fake_go__make(&fake, &(struct fake_options){.version = "go1.26.8", .bias = PIE_BIAS});
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	/* The second process has not started; the third is not what the file says. */
	fake_go__set(&fake, FAKE_ALLGLEN, 0);
	cr_assert_eq(fake_go__bind(&fake), -EAGAIN);
	fake_go__set(&fake, FAKE_ALLGLEN, FAKE_N_G);
	fake_go__set(&fake, FAKE_MODULEDATA + fake.layout->moduledata_text,
		     FAKE_TEXT - 0x100 + PIE_BIAS);
	cr_assert_eq(fake_go__bind(&fake), -EOPNOTSUPP);
	cr_assert_not_null(strstr(fake.failure.text, "another process of the same file"));
	expect_all_globals();
}

Test(binary, versions_that_are_too_old)
{
	make("go1.17.13");
	cr_assert_eq(fake_go__open(&fake), -EOPNOTSUPP);
	cr_assert_null(fake.binary);
	cr_assert_not_null(strstr(fake.failure.text, "go1.17.13"));
}

/* Without DWARF and without the code of a runtime: everything else is as in Go 1.27. */
static void refuse_guess(const char *version, const char *layout)
{
	make(version);
	expect(-EOPNOTSUPP, "it has no function runtime.goroutineheader");
	cr_assert_not_null(strstr(fake.failure.text, version));
	cr_assert_not_null(strstr(fake.failure.text, "Go 1.18 to 1.27"));
	cr_assert_not_null(strstr(fake.failure.text, layout));
	fake_go__release(&fake);
}

Test(binary, versions_that_are_not_known)
{
	refuse_guess("go1.28.0", "Go 1.27 does not fit");
	refuse_guess("go1.99", "Go 1.27 does not fit");
	refuse_guess("go1.28-devel_0123456789", "Go 1.27 does not fit");
	refuse_guess("go1.26.8-X:nogreenteagc", "Go 1.26 does not fit");
	refuse_guess("go1.26rc1", "Go 1.26 does not fit");
	refuse_guess("1.26.8", "Go 1.26 does not fit");
	refuse_guess("go2.0", "Go 1.27 does not fit");
	refuse_guess("weird", "obfuscators (garble)");
}

Test(binary, load_bias)
{
	uint64_t bias = 1;

	make("go1.26.8");
	cr_assert_eq(fake_go__open(&fake), 0);
	cr_assert_eq(go_binary__load_bias(fake.binary, FAKE_BASE, 0, &bias), 0);
	cr_assert_eq(bias, 0);
	cr_assert_eq(go_binary__load_bias(fake.binary, FAKE_BASE + PIE_BIAS, 0, &bias), 0);
	cr_assert_eq(bias, PIE_BIAS);
	cr_assert_eq(go_binary__load_bias(fake.binary, FAKE_DATA + PIE_BIAS, 0x4000, &bias), 0);
	cr_assert_eq(bias, PIE_BIAS);
	bias = 1;
	cr_assert_eq(go_binary__load_bias(fake.binary, FAKE_BASE, 0x1000, &bias), -ENOEXEC);
	cr_assert_eq(bias, 1);
}

Test(binary, bias_of_code_anywhere_in_its_segment)
{
	uint64_t bias = 1;

	make("go1.26.8");
	cr_assert_eq(fake_go__open(&fake), 0);
	cr_assert_eq(go_binary__bias_of_code(fake.binary, FAKE_BASE + PIE_BIAS, 0, &bias), 0);
	cr_assert_eq(bias, PIE_BIAS);
	cr_assert_eq(go_binary__bias_of_code(fake.binary, FAKE_TEXT + PIE_BIAS, 0x1000, &bias), 0,
		     "its first page has been mapped apart");
	cr_assert_eq(bias, PIE_BIAS);
	bias = 1;
	cr_assert_eq(go_binary__bias_of_code(fake.binary, FAKE_DATA + PIE_BIAS, 0x4000, &bias),
		     -ENOEXEC, "no code there");
	cr_assert_eq(go_binary__bias_of_code(fake.binary, FAKE_BASE, 1ULL << 40, &bias), -ENOEXEC);
	cr_assert_eq(bias, 1);
}

Test(binary, build_id_of_a_file_without_one)
{
	make("go1.26.8");
	cr_assert_eq(fake_go__open(&fake), 0);
	cr_expect_str_eq(go_binary__build_id(fake.binary), "");
}

/* --- too early ---------------------------------------------------------------------------------- */

Test(binary, before_the_first_goroutine)
{
	for (int symbols = 0; symbols < 2; symbols++) {
		fake_go__make(&fake,
			      &(struct fake_options){.version = "go1.26.8", .symbols = symbols});
		memset(fake.memory + (FAKE_BSS - FAKE_DATA), 0, FAKE_END - FAKE_BSS);
		expect(-EAGAIN, "no goroutine");
		fake_go__release(&fake);
	}
}

Test(binary, first_goroutine_without_number)
{
	for (int symbols = 0; symbols < 2; symbols++) {
		fake_go__make(&fake,
			      &(struct fake_options){.version = "go1.19.1", .symbols = symbols});
		fake_go__set(&fake, FAKE_ALLGLEN, 1);
		fake_go__set(&fake, FAKE_ALLGS + 8, 1);
		fake_go__set(&fake, FAKE_G(0) + fake.layout->g_goid, 0);
		fake_go__set(&fake, FAKE_G(0) + fake.layout->g_startpc, 0);
		expect(-EAGAIN, "not started");
		fake_go__release(&fake);
	}
}

Test(binary, before_relocation)
{
	for (int symbols = 0; symbols < 2; symbols++) {
		fake_go__make(&fake, &(struct fake_options){.version = "go1.24.1",
							    .bias = PIE_BIAS,
							    .symbols = symbols});
		/* ld.so has done some words and not this one. */
		fake_go__set(&fake, FAKE_MODULEDATA + fake.layout->moduledata_bss, 0);
		expect(-EAGAIN, "not started");
		fake_go__set(&fake, FAKE_MODULEDATA + fake.layout->moduledata_bss,
			     FAKE_BSS + PIE_BIAS);
		cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
		fake_go__release(&fake);
	}
}

/* With one goroutine a lock that is held looks just like allglen. */
Test(binary, ambiguous_length_is_asked_for_again)
{
	make("go1.26.8");
	fake_go__set(&fake, FAKE_ALLGLOCK, FAKE_N_G);
	expect(-EAGAIN, "allglen");
	fake_go__set(&fake, FAKE_ALLGLOCK, 0);
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	expect_all_globals();
}

Test(binary, process_that_has_ended)
{
	struct remote *remote;
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	make("go1.26.8");
	cr_assert_eq(fake_go__open(&fake), 0);
	cr_assert_eq(remote__open_process(child, &remote, &fake.failure), 0, "%s",
		     fake.failure.text);
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_eq(go_binary__bind(fake.binary, remote, 0, &fake.failure), -ESRCH);
	cr_assert_not_null(strstr(fake.failure.text, "ended"));
	remote__free(remote);
}

/* --- what must be refused ----------------------------------------------------------------------- */

/* Sets a word of the second worker, with symbols and without; a bind must then fail. */
static void refuse_g(uint32_t offset, uint64_t value, const char *words)
{
	for (int symbols = 0; symbols < 2; symbols++) {
		fake_go__make(&fake,
			      &(struct fake_options){.version = "go1.25.1", .symbols = symbols});
		fake_go__set(&fake, FAKE_G(2) + offset, value);
		expect(-EOPNOTSUPP, words);
		cr_assert_not_null(strstr(fake.failure.text, "allgs[2]"));
		cr_assert_not_null(strstr(fake.failure.text, "gleakd --version"));
		fake_go__release(&fake);
	}
}

Test(binary, goroutines_that_are_none)
{
	const struct go_layout *l = go_layout__find(25);

	refuse_g(l->g_atomicstatus, 5, "unknown status (0x5)");
	refuse_g(l->g_atomicstatus, GO_STATUS_IDLE, "unknown status (0x0)");
	refuse_g(l->g_atomicstatus, 10, "unknown status (0xa)"); /* leaked: 1.26 on */
	refuse_g(l->g_atomicstatus, 0xdeadbeef, "unknown status");
	refuse_g(l->g_goid, 0, "goid");
	refuse_g(l->g_goid, UINT64_MAX, "goid");
	refuse_g(l->g_stack_lo, FAKE_STACK(3), "stack");
	refuse_g(l->g_stack_lo, 0, "stack");
	refuse_g(l->g_stack_hi, UINT64_MAX, "stack");
	refuse_g(l->g_startpc, FAKE_ENTRY(FAKE_WORKER) + 1, "startpc");
	refuse_g(l->g_startpc, FAKE_ENTRY(FAKE_N_FUNCS), "startpc");
	refuse_g(l->g_sched_pc, FAKE_ENTRY(FAKE_N_FUNCS), "saved pc");
	refuse_g(l->g_sched_pc, 0, "saved pc");
	refuse_g(l->g_sched_sp, FAKE_STACK(3) + 8, "saved sp");
}

static void accept_g(const char *version, uint64_t status, uint64_t pc, uint64_t m)
{
	make(version);
	fake_go__set(&fake, FAKE_G(2) + fake.layout->g_atomicstatus, status);
	fake_go__set(&fake, FAKE_G(2) + fake.layout->g_sched_pc, pc);
	fake_go__set(&fake, FAKE_G(2) + fake.layout->g_m, m);
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	fake_go__release(&fake);
}

Test(binary, goroutines_in_every_state)
{
	uint64_t pc = FAKE_ENTRY(FAKE_WORKER) + 8;

	accept_g("go1.26.8", GO_STATUS_RUNNABLE, pc, 0);
	accept_g("go1.26.8", GO_STATUS_WAITING | GO_STATUS_SCAN_BIT, pc, 0);
	accept_g("go1.26.8", GO_STATUS_LEAKED, pc, 0);
	accept_g("go1.18.1", GO_STATUS_DEAD, 0, 0);
	accept_g("go1.26.8", GO_STATUS_DEAD_EXTRA, 0, 0);
	/* On a thread the saved registers are old: while running, in a syscall, held by the GC. */
	accept_g("go1.18.1", GO_STATUS_RUNNING, 0, FAKE_HEAP);
	accept_g("go1.18.1", GO_STATUS_SYSCALL, 0, FAKE_HEAP);
	accept_g("go1.18.1", GO_STATUS_WAITING, 0, FAKE_HEAP);
}

/* C threads that call Go have goroutines which started at no function. */
Test(binary, goroutine_of_a_c_thread)
{
	make("go1.26.8");
	fake_go__set(&fake, FAKE_G(3) + fake.layout->g_startpc, 0);
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
}

/* Code of plugins is outside of the first module. */
Test(binary, goroutine_of_a_plugin)
{
	make("go1.26.8");
	fake_go__set(&fake, FAKE_G(3) + fake.layout->g_startpc, 0x7f0000001000);
	fake_go__set(&fake, FAKE_G(3) + fake.layout->g_sched_pc, 0x7f0000001010);
	expect(-EOPNOTSUPP, "startpc");
	fake_go__set(&fake, FAKE_MODULEDATA + fake.layout->moduledata_next, 0x7f0000009000);
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
}

/* main() ended with runtime.Goexit and its g was given to another goroutine. */
Test(binary, first_goroutine_that_was_used_again)
{
	make("go1.26.8");
	fake_go__set(&fake, FAKE_G(0) + fake.layout->g_goid, 33);
	fake_go__set(&fake, FAKE_G(0) + fake.layout->g_startpc, FAKE_ENTRY(FAKE_WORKER));
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	expect_all_globals();
	fake_go__set(&fake, FAKE_G(0) + fake.layout->g_startpc, FAKE_ENTRY(FAKE_WORKER) + 4);
	cr_assert_eq(fake_go__bind(&fake), -EOPNOTSUPP);
}

Test(binary, first_goroutine_that_is_another)
{
	for (int symbols = 0; symbols < 2; symbols++) {
		fake_go__make(&fake,
			      &(struct fake_options){.version = "go1.26.8", .symbols = symbols});
		fake_go__set(&fake, FAKE_G(0) + fake.layout->g_startpc, FAKE_ENTRY(FAKE_WORKER));
		expect(-EOPNOTSUPP, "goroutine 1");
		fake_go__release(&fake);
	}
}

static void refuse_list(uint64_t variable, uint64_t value)
{
	fake_go__make(&fake, &(struct fake_options){.version = "go1.26.8", .symbols = true});
	fake_go__set(&fake, variable, value);
	expect(-EOPNOTSUPP, "gleakd --version");
	fake_go__release(&fake);
}

Test(binary, lists_that_are_none)
{
	refuse_list(FAKE_ALLGLEN, UINT64_MAX);
	refuse_list(FAKE_ALLGLEN, 1ULL << 40);
	refuse_list(FAKE_ALLGLEN, 4096 * 8); /* beyond the array: g pointers of zero */
	refuse_list(FAKE_ALLGPTR, FAKE_ALLGS_ARRAY + 4);
	refuse_list(FAKE_ALLGPTR, 0xdead000000);
	refuse_list(FAKE_ALLGPTR, UINT64_MAX - 7);
	refuse_list(FAKE_ALLGS_ARRAY + 24, 0);
	refuse_list(FAKE_ALLGS_ARRAY + 24, FAKE_G(3) + 1);
	refuse_list(FAKE_ALLGS_ARRAY + 24, UINT64_MAX - 7);
	refuse_list(FAKE_ALLGS_ARRAY + 24, FAKE_ALLGS_ARRAY);
}

Test(binary, text_in_two_places)
{
	make("go1.22.1");
	fake_go__set_file(&fake, FAKE_PCLNTAB + 24, FAKE_TEXT + 0x40);
	expect(-EOPNOTSUPP, "text begins at 0x401040");
}

static void refuse_moduledata(uint32_t offset, uint64_t value, const char *words)
{
	fake_go__make(&fake, &(struct fake_options){.version = "go1.24.1", .symbols = true});
	fake_go__set(&fake, FAKE_MODULEDATA + offset, value);
	expect(-EOPNOTSUPP, words);
	fake_go__release(&fake);
	/* By scan it is not taken for one at all. */
	fake_go__make(&fake, &(struct fake_options){.version = "go1.24.1"});
	fake_go__set(&fake, FAKE_MODULEDATA + offset, value);
	expect(-EOPNOTSUPP, "no moduledata");
	fake_go__release(&fake);
}

Test(binary, moduledata_that_is_none)
{
	const struct go_layout *l = go_layout__find(24);

	refuse_moduledata(l->moduledata_pcHeader, FAKE_PCLNTAB + 8, "pcHeader");
	refuse_moduledata(l->moduledata_funcnametab, FAKE_PCLNTAB, "funcnametab");
	refuse_moduledata(l->moduledata_text, FAKE_TEXT + 8, "order");
	refuse_moduledata(l->moduledata_minpc, UINT64_MAX, "order");
	refuse_moduledata(l->moduledata_etext, 0, "order");
	refuse_moduledata(l->moduledata_text, 0, "executable");
	refuse_moduledata(l->moduledata_ebss, UINT64_MAX, "writable");
	refuse_moduledata(l->moduledata_bss, FAKE_TEXT, "writable");
	refuse_moduledata(l->moduledata_edata, 0, "writable");
	refuse_moduledata(l->moduledata_etypes, 0, "types");
	refuse_moduledata(l->moduledata_gofunc, 1, "gofunc");
	refuse_moduledata(l->moduledata_gofunc, FAKE_END, "gofunc");
}

/* --- the scheduler is not needed, but must not be wrong ----------------------------------------- */

static void expect_scheduler(uint64_t variable, uint64_t value, uint64_t allp, uint64_t sched)
{
	for (int symbols = 0; symbols < 2; symbols++) {
		fake_go__make(&fake,
			      &(struct fake_options){.version = "go1.26.8", .symbols = symbols});
		fake_go__set(&fake, variable, value);
		cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
		cr_assert_eq(go_binary__globals(fake.binary)->allp, allp);
		cr_assert_eq(go_binary__globals(fake.binary)->sched, sched);
		fake_go__release(&fake);
	}
}

Test(binary, scheduler_that_does_not_add_up_is_left_out)
{
	const struct go_layout *l = go_layout__find(26);

	expect_scheduler(FAKE_ALLP, 0, 0, 0);
	expect_scheduler(FAKE_ALLP, FAKE_ALLP_ARRAY + 1, 0, 0);
	expect_scheduler(FAKE_ALLP, UINT64_MAX - 7, 0, 0);
	expect_scheduler(FAKE_ALLP + 8, FAKE_N_P + 1, 0, 0);
	expect_scheduler(FAKE_ALLP + 16, UINT64_MAX, 0, 0);
	expect_scheduler(FAKE_ALLP_ARRAY, FAKE_P(1), 0, 0);
	expect_scheduler(FAKE_ALLP_ARRAY, 0, 0, 0);
	expect_scheduler(FAKE_P(1), 1 | 9ULL << 32, 0, 0);
	expect_scheduler(FAKE_P(1) + l->p_goidcache, 1ULL << 40, 0, 0);
	expect_scheduler(FAKE_P(1) + l->p_goidcacheend, UINT64_MAX, 0, 0);
	expect_scheduler(FAKE_SCHED + l->sched_goidgen, 16 * FAKE_N_P - 1, FAKE_ALLP, 0);
	expect_scheduler(FAKE_SCHED + l->sched_goidgen, UINT64_MAX, FAKE_ALLP, 0);
	/* An extra M's goroutine takes an id of its own. */
	expect_scheduler(FAKE_SCHED + l->sched_goidgen, 16 * FAKE_N_P + 1, FAKE_ALLP, FAKE_SCHED);
}

/* --- anything at all ---------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A value that means something in the wrong place is worse than noise. */
static uint64_t hostile_value(uint64_t *state)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		UINT64_MAX,
		UINT64_MAX - 7,
		1ULL << 63,
		FAKE_G(0),
		FAKE_G(1),
		FAKE_ALLGS,
		FAKE_ALLGS_ARRAY,
		FAKE_P(0),
		FAKE_SCHED,
		FAKE_TEXT,
		FAKE_PCLNTAB,
		FAKE_MODULEDATA,
		FAKE_END - 1,
		FAKE_HEAP,
		FAKE_DATA,
	};
	uint64_t r = next_random(state);

	return r % 4 ? values[r / 4 % ARRAY_SIZE(values)] + (r >> 32) % 3 : r;
}

static void damage(uint64_t *state)
{
	static const uint64_t areas[][2] = {
		{FAKE_MODULEDATA, 0x280},
		{FAKE_ALLGS, 0x180},
		{FAKE_SCHED, 0x80},
		{FAKE_ALLGLEN, 0x110},
		{FAKE_ALLGS_ARRAY, 8 * FAKE_N_G},
		{FAKE_G(0), 0x200 * FAKE_N_G},
		{FAKE_ALLP_ARRAY, 8 * FAKE_N_P},
		{FAKE_P(0), 0x200 * FAKE_N_P},
	};
	size_t area = next_random(state) % ARRAY_SIZE(areas);

	fake_go__set(&fake, areas[area][0] + next_random(state) % (areas[area][1] / 8) * 8,
		     hostile_value(state));
}

/* Whatever the memory holds: an answer, and no result that breaks its own rules. */
Test(binary, hostile_memory_does_no_harm, .timeout = 120)
{
	uint64_t state = 88172645463325252ULL;
	size_t counts[3] = {0};

	for (size_t round = 0; round < 4000; round++) {
		const struct go_globals *globals;
		int err;

		fake_go__make(&fake, &(struct fake_options){
					     .version = round % 3 ? "go1.26.8" : "go1.19.1",
					     .symbols = round % 2,
					     .bias = round % 5 ? 0 : PIE_BIAS,
				     });
		for (size_t i = 0; i <= round % 8; i++)
			damage(&state);
		err = fake_go__bind(&fake);
		cr_assert(err == 0 || err == -EAGAIN || err == -EOPNOTSUPP, "%d", err);
		counts[err == 0 ? 0 : err == -EAGAIN ? 1 : 2]++;
		globals = go_binary__globals(fake.binary);
		if (!err) {
			cr_assert_eq(globals->moduledata, FAKE_MODULEDATA);
			cr_assert(globals->allp == 0 || globals->allp == FAKE_ALLP);
			cr_assert(globals->sched == 0 || globals->sched == FAKE_SCHED);
		}
		fake_go__release(&fake);
	}
	/* All three ways must have been gone, or this tested little. */
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		cr_assert_gt(counts[i], 20, "outcome %zu: %zu times", i, counts[i]);
}
