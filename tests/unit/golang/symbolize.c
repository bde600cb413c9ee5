// SPDX-License-Identifier: Apache-2.0
#include "golang/symbolize.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "elf/string_pool.h"
#include "real_binaries.h"

/* --- whose code -------------------------------------------------------------------------------- */

static const struct go_build_info shop = {
	.main_path = "example.com/shop/cmd/server",
	.module_path = "example.com/shop",
};

static const struct go_build_info gopath = {.main_path = "github.com/acme/tool/cmd/run"};
static const struct go_build_info workspace = {
	.main_path = "example.com/shop",
	.module_path = "example.com/shop",
	.local_modules = {"example.com/lib", "other.org/tools"},
	.n_local_modules = 2,
};
static const struct go_build_info go_run = {
	.main_path = "command-line-arguments",
	.local_modules = {"example.com/shop"},
	.n_local_modules = 1,
};
static const struct go_build_info dotless = {.main_path = "leaky/cmd", .module_path = "leaky"};
static const struct go_build_info nothing = {.main_path = ""};

struct owner_case {
	const struct go_build_info *info;
	const char *function;
	enum frame_owner owner;
};

static const struct owner_case owner_cases[] = {
	{&shop, "main.main", FRAME_MAIN},
	{&shop, "main.(*server).run.func1", FRAME_MAIN},
	{&shop, "example.com/shop/internal/orders.(*Store).Put", FRAME_MAIN},
	{&shop, "example.com/shop.New", FRAME_MAIN},
	/* Begins with the same letters, but is another module. */
	{&shop, "example.com/shopping.New", FRAME_DEPENDENCY},
	{&shop, "example.com/shop-extra/x.New", FRAME_DEPENDENCY},
	{&shop, "gopkg.in/yaml%2ev3.(*Decoder).Decode", FRAME_DEPENDENCY},
	{&shop, "go.uber.org/zap.(*Logger).Info", FRAME_DEPENDENCY},
	{&shop, "net/http.(*conn).serve", FRAME_STDLIB},
	{&shop, "sync.(*Mutex).Lock", FRAME_STDLIB},
	{&shop, "internal/poll.runtime_pollWait", FRAME_STDLIB},
	{&shop, "vendor/golang.org/x/net/http2/hpack.NewEncoder", FRAME_STDLIB},
	{&shop, "runtime.gopark", FRAME_RUNTIME},
	{&shop, "runtime/pprof.profileWriter", FRAME_RUNTIME},
	{&shop, "internal/runtime/atomic.Load", FRAME_RUNTIME},
	{&shop, "internal/bytealg.IndexByte", FRAME_RUNTIME},
	{&shop, "internal/runtimes.F", FRAME_STDLIB},
	{&shop, "runtimes.F", FRAME_STDLIB},
	/* No package: assembly, generated code, an address. */
	{&shop, "gogo", FRAME_RUNTIME},
	{&shop, "_rt0_amd64_linux", FRAME_RUNTIME},
	{&shop, "type:.eq.example.com/shop.Order", FRAME_RUNTIME},
	{&shop, "type..hash.main.key", FRAME_RUNTIME},
	{&shop, "0x4a1b2c", FRAME_RUNTIME},
	{&shop, "", FRAME_RUNTIME},
	/* The dots of a module path at the end of an import path are escaped. */
	{&(struct go_build_info){.module_path = "gopkg.in/app.v2"}, "gopkg.in/app%2ev2.Run",
	 FRAME_MAIN},
	{&shop, "a/b%2.c", FRAME_STDLIB},
	{&shop, "a/b%", FRAME_RUNTIME},
	/* A module without a dot looks like the standard library to anyone else. */
	{&dotless, "leaky/internal/pool.Get", FRAME_MAIN},
	{&dotless, "net.(*conn).Read", FRAME_STDLIB},
	/* Other modules of the workspace, and of a program that was built from files. */
	{&workspace, "example.com/lib/pool.Get", FRAME_MAIN},
	{&workspace, "other.org/tools.Run", FRAME_MAIN},
	{&workspace, "other.org/toolset.Run", FRAME_DEPENDENCY},
	{&go_run, "example.com/shop/internal/orders.Put", FRAME_MAIN},
	{&go_run, "example.com/lib.F", FRAME_DEPENDENCY},
	/* Without module: packages beside the main package. */
	{&gopath, "github.com/acme/tool/cmd/shared.F", FRAME_MAIN},
	{&gopath, "github.com/acme/tool2/cmd.F", FRAME_DEPENDENCY},
	{&gopath, "github.com/acme/tool/cmd/vendor/golang.org/x/sync/errgroup.(*Group).Go",
	 FRAME_DEPENDENCY},
	/* Tests: of package shop from outside of it, and of another module's package so named. */
	{&shop, "example.com/shop_test.TestNew.func1", FRAME_MAIN},
	{&shop, "example.com/shop/internal/orders_test.TestPut", FRAME_MAIN},
	{&shop, "example.com/workshop_test.TestNew", FRAME_DEPENDENCY},
	{&shop, "main.main", FRAME_MAIN},
	{&nothing, "main.main", FRAME_MAIN},
	{&nothing, "fmt.Println", FRAME_STDLIB},
};

Test(symbolize, owner_is_told_by_package_path)
{
	for (size_t i = 0; i < ARRAY_SIZE(owner_cases); i++) {
		const struct owner_case *c = &owner_cases[i];

		cr_expect_eq(frame_owner__of(c->function, "", c->info), c->owner, "%s: %d, not %d",
			     c->function, frame_owner__of(c->function, "", c->info), c->owner);
	}
}

/* What is inlined into the program's functions keeps its file, and closures in it get their names. */
Test(symbolize, owner_is_told_by_the_module_of_the_file)
{
	struct go_build_info info = {.module_path = "example.com/shop"};
	const char *library = "/go/pkg/mod/github.com/acme/rpc@v0.20.0/interceptor.go";

	cr_expect_eq(frame_owner__of("main.main.Stream.func3.1", library, &info), FRAME_DEPENDENCY);
	cr_expect_eq(frame_owner__of("main.main.func1", "/src/shop/main.go", &info), FRAME_MAIN);
	cr_expect_eq(frame_owner__of("main.main.func1", "main.go", &info), FRAME_MAIN);
	cr_expect_eq(frame_owner__of("main.main",
				     "/go/pkg/mod/example.com/shop@v1.2.3/cmd/shop/main.go", &info),
		     FRAME_MAIN, "go install puts it into the cache");
}

/* --- strings ----------------------------------------------------------------------------------- */

Test(symbolize, equal_strings_are_one_and_stay)
{
	struct string_pool *pool;
	const char *first;
	char text[32];

	cr_assert_eq(string_pool__new(1 << 20, &pool), 0);
	first = string_pool__intern(pool, "main.main");
	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "function %d", i);
		cr_assert_str_eq(string_pool__intern(pool, text), text);
	}
	cr_assert_eq(string_pool__intern(pool, "main.main"), first);
	cr_assert_str_eq(first, "main.main");
	cr_assert_str_eq(string_pool__intern(pool, "a\033[2Jb\n"), "a?[2Jb?");
	string_pool__free(pool);
}

Test(symbolize, full_pool_refuses_but_still_knows_what_it_has)
{
	struct string_pool *pool;
	const char *kept;

	cr_assert_eq(string_pool__new(16, &pool), 0);
	kept = string_pool__intern(pool, "0123456789");
	cr_assert_not_null(kept);
	cr_assert_null(string_pool__intern(pool, "another one"));
	cr_assert_eq(string_pool__intern(pool, "0123456789"), kept);
	cr_assert_leq(string_pool__used(pool), 16);
	string_pool__free(pool);
}

/* --- real programs ----------------------------------------------------------------------------- */

struct subject {
	struct go_binary *binary;
	struct symbolizer *symbolizer;
	uint64_t entry; /* of main.main */
};

static uint64_t function_entry(const struct subject *subject, const char *name)
{
	struct pclntab_func func;
	const char *const names[] = {name};

	cr_assert_eq(pclntab__find(go_binary__pclntab(subject->binary), names, &func, 1), 1, "%s",
		     name);
	return func.entry;
}

/* Opens a binary as far as the file goes; text is where its symbols say. */
static struct subject open_subject(const struct real_binary *real)
{
	static const char *const names[] = {"runtime.text", "go:func.*", "go.func.*"};
	__cleanup_close int fd = open(real->program, O_RDONLY | O_CLOEXEC);
	struct subject subject = {0};
	struct failure failure = {0};
	struct elf_symbol symbols[3];

	cr_assert_eq(go_binary__open(fd, &subject.binary, &failure), 0, "%s", failure.text);
	cr_assert_geq(elf_image__symbols(go_binary__image(subject.binary), names, symbols, 3), 2);
	pclntab__set_text(go_binary__pclntab(subject.binary), symbols[0].address);
	pclntab__set_gofunc(go_binary__pclntab(subject.binary),
			    max_of(symbols[1].address, symbols[2].address));
	cr_assert_eq(symbolizer__new(subject.binary, &subject.symbolizer), 0);
	subject.entry = function_entry(&subject, "main.main");
	return subject;
}

static void close_subject(struct subject *subject)
{
	symbolizer__free(subject->symbolizer);
	go_binary__free(subject->binary);
}

/* The addresses that expected.txt uses differ from those of the file by the same amount always. */
static void compare_stacks(struct subject *subject, const struct real_binary *real)
{
	__cleanup_fclose FILE *file = fopen(real->expected, "re");
	struct expected_line line;
	uint64_t bias = 0, physical = 0;
	struct frame frames[16];
	size_t n = 0, next = 0, compared = 0;

	while (file && expected_line__next(file, &line)) {
		if (!strcmp(line.field[0], "entry") && line.n == 3)
			bias = strtoull(line.field[2], NULL, 16) - subject->entry;
		if (strcmp(line.field[0], "call") != 0 || line.n != 6)
			continue;
		if (strtoull(line.field[2], NULL, 16) != physical || next == n) {
			physical = strtoull(line.field[2], NULL, 16);
			n = symbolizer__frames(subject->symbolizer,
					       strtoull(line.field[1], NULL, 16) - bias, true,
					       frames, ARRAY_SIZE(frames));
			next = 0;
		}
		while (next < n && frames[next].wrapper)
			next++;
		cr_assert_lt(next, n);
		cr_assert_str_eq(frames[next].function, line.field[3], "%s", real->name);
		cr_assert_str_eq(frames[next].file, line.field[4], "%s", real->name);
		cr_assert_eq(frames[next].line, strtoul(line.field[5], NULL, 10), "%s", real->name);
		cr_assert_eq(frames[next].owner,
			     strncmp(line.field[3], "main.", 5) ? FRAME_RUNTIME : FRAME_MAIN);
		next++;
		compared++;
	}
	cr_assert_gt(compared, 50, "%s: %zu calls", real->name, compared);
}

Test(symbolize, stacks_read_as_the_runtime_prints_them, .timeout = 120)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		struct subject subject;

		if (real_binary__is(&binaries[i], "stripped"))
			continue;
		subject = open_subject(&binaries[i]);
		compare_stacks(&subject, &binaries[i]);
		compare_stacks(&subject, &binaries[i]); /* the second time from the cache */
		cr_assert_eq(symbolizer__unnamed(subject.symbolizer), 0);
		close_subject(&subject);
	}
}

static struct real_binary first_with_symbols(void)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		if (!real_binary__is(&binaries[i], "stripped"))
			return binaries[i];
	}
	cr_skip_test("needs a Go program with symbols");
	return binaries[0];
}

Test(symbolize, system_goroutines_are_told_by_start_function)
{
	struct real_binary real = first_with_symbols();
	struct subject subject = open_subject(&real);
	struct symbolizer *s = subject.symbolizer;

	cr_assert(symbolizer__is_system_goroutine(s, function_entry(&subject, "runtime.bgsweep")));
	cr_assert(symbolizer__is_system_goroutine(
		s, function_entry(&subject, "runtime.gcBgMarkWorker")));
	cr_assert_not(symbolizer__is_system_goroutine(s, function_entry(&subject, "runtime.main")));
	cr_assert_not(
		symbolizer__is_system_goroutine(s, function_entry(&subject, "main.closures")));
	cr_assert_not(symbolizer__is_system_goroutine(s, 0));
	cr_assert_not(symbolizer__is_system_goroutine(s, UINT64_MAX));
	close_subject(&subject);
}

Test(symbolize, address_outside_of_text_is_given_as_number)
{
	struct real_binary real = first_with_symbols();
	struct subject subject = open_subject(&real);
	struct frame frames[4];

	cr_assert_eq(symbolizer__frames(subject.symbolizer, 0x10, false, frames, 4), 1);
	cr_assert_str_eq(frames[0].function, "0x10");
	cr_assert_str_eq(frames[0].file, "");
	cr_assert_eq(frames[0].line, 0);
	cr_assert_eq(symbolizer__frames(subject.symbolizer, 0, true, frames, 4), 1);
	cr_assert_str_eq(symbolizer__function(subject.symbolizer, subject.entry), "main.main");
	cr_assert_str_eq(symbolizer__function(subject.symbolizer, 0x20), "0x20");
	cr_assert(symbolizer__is_entry(subject.symbolizer, subject.entry));
	cr_assert_not(symbolizer__is_entry(subject.symbolizer, subject.entry + 1));
	cr_assert_not(symbolizer__is_entry(subject.symbolizer, 0x20));
	close_subject(&subject);
}

/* More pcs than are remembered: all answers stay right, and so do those given before. */
Test(symbolize, cache_limit_degrades_to_no_cache, .timeout = 60)
{
	struct real_binary real = first_with_symbols();
	struct subject subject = open_subject(&real);
	struct frame first, frame;

	cr_assert_eq(symbolizer__frames(subject.symbolizer, subject.entry, false, &first, 1), 1);
	for (uint64_t pc = 1; pc < 70000; pc++)
		cr_assert_eq(symbolizer__frames(subject.symbolizer, pc, false, &frame, 1), 1);
	cr_assert_str_eq(frame.function, "0x1116f");
	cr_assert_eq(symbolizer__unnamed(subject.symbolizer), 0);
	cr_assert_str_eq(first.function, "main.main");
	cr_assert_eq(symbolizer__frames(subject.symbolizer, subject.entry + 1, false, &frame, 1),
		     1);
	cr_assert_eq(frame.function, first.function);
	close_subject(&subject);
}

/* Addresses that a target made up fill half of the room for names; real ones keep theirs. */
Test(symbolize, made_up_addresses_do_not_push_names_out, .timeout = 120)
{
	struct real_binary real = first_with_symbols();
	struct subject subject = open_subject(&real);
	uint64_t pc = 1ULL << 40;
	struct frame frame;

	do
		cr_assert_eq(symbolizer__frames(subject.symbolizer, pc++, false, &frame, 1), 1);
	while (!symbolizer__unnamed(subject.symbolizer));
	cr_assert_str_eq(frame.function, "?");
	cr_assert_gt(pc - (1ULL << 40), 400000);
	cr_assert_eq(symbolizer__frames(subject.symbolizer, subject.entry, false, &frame, 1), 1);
	cr_assert_str_eq(frame.function, "main.main");
	cr_assert_eq(symbolizer__unnamed(subject.symbolizer), 1);
	close_subject(&subject);
}
