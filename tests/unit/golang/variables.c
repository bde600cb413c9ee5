// SPDX-License-Identifier: Apache-2.0
/* Variables of programs built by real toolchains (tests/programs/frames). */
#include "golang/variables.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../support/real_binaries.h"

#define MAX_BYTES    ((size_t)256 << 20)
#define MAX_FRAME    4096
#define MAX_ELEMENTS 64u
#define MAX_NAME     256

struct subject {
	struct elf_image *image;
	struct go_module module;
	struct go_variables *variables;
	int minor;
	const char *name;
};

/* False: it has no symbols to say where things are. */
static bool open_subject(const struct real_binary *binary, struct subject *s)
{
	static const char *const names[] = {"runtime.data", "runtime.ebss", "runtime.types",
					    "runtime.etypes"};
	struct elf_symbol symbols[ARRAY_SIZE(names)] = {0};

	*s = (struct subject){.name = binary->name, .minor = real_binary__minor(binary)};
	s->image = real_binary__open(binary);
	if (elf_image__symbols(s->image, names, symbols, ARRAY_SIZE(names)) <
	    (int)ARRAY_SIZE(names)) {
		elf_image__free(s->image);
		return false;
	}
	s->module = (struct go_module){
		.data = symbols[0].address,
		.ebss = symbols[1].address,
		.types = symbols[2].address,
		.etypes = symbols[3].address,
	};
	cr_assert_eq(go_variables__of(s->image, &s->module, MAX_BYTES, &s->variables), 0);
	return true;
}

static void close_subject(struct subject *s)
{
	go_variables__free(s->variables);
	elf_image__free(s->image);
}

static struct elf_symbol symbol_of(const struct subject *s, const char *name)
{
	const char *const names[] = {name};
	struct elf_symbol symbol = {0};

	cr_assert_eq(elf_image__symbols(s->image, names, &symbol, 1), 1, "%s: %s", s->name, name);
	return symbol;
}

static void each_subject(void (*check)(struct subject *s))
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, MAX_REAL_BINARIES), checked = 0;

	for (size_t i = 0; i < n; i++) {
		struct subject s;

		if (!open_subject(&binaries[i], &s))
			continue;
		check(&s);
		close_subject(&s);
		checked++;
	}
	cr_assert_gt(checked, 0, "all are stripped");
}

/* --- of packages -------------------------------------------------------------------------------- */

static void check_packages(struct subject *s)
{
	struct elf_symbol out = symbol_of(s, "main.out");
	const struct go_variable *variable = go_variables__at(s->variables, out.address);
	size_t n = go_variables__count(s->variables);

	cr_assert(go_variables__have_types(s->variables), "%s", s->name);
	cr_assert_not_null(variable, "%s", s->name);
	cr_expect_str_eq(variable->name, "main.out");
	cr_expect_eq(variable->size, 8, "a pointer");
	cr_expect_neq(variable->type, 0);
	cr_expect_eq(go_variables__at(s->variables, out.address + 7), variable);
	cr_expect_neq(go_variables__at(s->variables, out.address + 8), variable);
	cr_assert_gt(n, 200, "%s", s->name);
	for (size_t i = 1; i < n; i++)
		cr_assert_lt(go_variables__get(s->variables, i - 1)->address,
			     go_variables__get(s->variables, i)->address);
}

Test(variables, of_packages)
{
	each_subject(check_packages);
}

/* --- types without a descriptor ----------------------------------------------------------------- */

static void check_type(const struct subject *s, uint64_t type, size_t *described)
{
	const struct go_described *d;

	if (!(type & GO_TYPE_DESCRIBED)) {
		cr_assert(!type || (type >= s->module.types && type < s->module.etypes), "%s: %#lx",
			  s->name, type);
		return;
	}
	d = go_variables__described(s->variables, type);
	cr_assert_not_null(d, "%s", s->name);
	cr_assert_neq(*d->name, '\0', "%s", s->name);
	for (size_t i = 0; i < d->n_fields; i++) {
		cr_assert_leq(d->fields[i].offset, d->size, "%s: %s.%s", s->name, d->name,
			      d->fields[i].name);
		if (i)
			cr_assert_geq(d->fields[i].offset, d->fields[i - 1].offset);
	}
	++*described;
}

static void check_described(struct subject *s)
{
	size_t described = 0;

	for (size_t i = 0; i < go_variables__count(s->variables); i++)
		check_type(s, go_variables__get(s->variables, i)->type, &described);
	cr_expect_gt(described, 20, "%s", s->name);
	cr_expect_null(go_variables__described(s->variables, GO_TYPE_DESCRIBED | UINT32_MAX));
	cr_expect_null(go_variables__described(s->variables, 0));
}

Test(variables, types_that_only_dwarf_describes)
{
	each_subject(check_described);
}

static void check_fields(struct subject *s)
{
	struct elf_symbol sched = symbol_of(s, "runtime.sched");
	const struct go_variable *variable = go_variables__at(s->variables, sched.address);
	const struct go_described *d;
	bool found = false;

	cr_assert_not_null(variable);
	d = go_variables__described(s->variables, variable->type);
	/* The program never asks for the type of runtime.sched. */
	cr_assert_not_null(d, "%s", s->name);
	cr_expect_str_eq(d->name, "runtime.schedt");
	cr_expect_eq(d->size, variable->size);
	for (size_t i = 0; i < d->n_fields; i++)
		found = found || !strcmp(d->fields[i].name, "goidgen");
	cr_expect(found, "%s", s->name);
}

Test(variables, a_struct_with_its_fields)
{
	each_subject(check_fields);
}

/* --- on stacks ---------------------------------------------------------------------------------- */

/* In how many places between here and there @name is while the function of @symbol stands somewhere. */
static size_t places_of(const struct subject *s, const struct elf_symbol *symbol, const char *name,
			uint64_t size)
{
	size_t found = 0;

	for (uint64_t pc = symbol->address; pc < symbol->address + symbol->size; pc++) {
		for (int64_t place = -MAX_FRAME; place < 64; place += 8) {
			const struct go_local *local = go_variables__local(s->variables, pc, place);

			if (!local || strcmp(local->name, name) != 0)
				continue;
			cr_assert_eq(local->size, size, "%s: %s", s->name, name);
			cr_assert_leq((uint64_t)local->offset + local->length, local->size);
			cr_assert_geq(place, local->place);
			cr_assert_lt(place, local->place + (int64_t)local->length);
			cr_assert_eq(local->whole, local->length == local->size);
			cr_assert_neq(local->type, 0, "%s: %s", s->name, name);
			cr_assert_eq(name[local->function_length], '.');
			found++;
		}
	}
	return found;
}

static void check_locals(struct subject *s)
{
	struct elf_symbol capture = symbol_of(s, "main.capture");
	struct elf_symbol goroutines = symbol_of(s, "main.goroutines");
	struct elf_symbol closures = symbol_of(s, "main.closures");

	cr_expect_gt(places_of(s, &capture, "main.capture.frames", 8), 0, "%s", s->name);
	cr_expect_gt(places_of(s, &goroutines, "main.goroutines.done", 8), 0, "%s", s->name);
	/* It was moved to the heap: "&n" is the variable there is. */
	cr_expect_eq(places_of(s, &closures, "main.closures.&n", 8), 0, "%s", s->name);
	cr_expect_eq(places_of(s, &capture, "main.goroutines.done", 8), 0, "of another function");
}

Test(variables, on_stacks)
{
	each_subject(check_locals);
}

static void check_rest(struct subject *s)
{
	struct elf_symbol capture = symbol_of(s, "main.capture");
	struct elf_symbol goroutines = symbol_of(s, "main.goroutines");
	size_t before = places_of(s, &capture, "main.capture.frames", 8);

	go_variables__rest(s->variables);
	cr_expect_eq(places_of(s, &capture, "main.capture.frames", 8), before, "%s", s->name);
	cr_expect_gt(places_of(s, &goroutines, "main.goroutines.done", 8), 0, "it is read again");
	go_variables__rest(s->variables);
	go_variables__rest(s->variables);
}

Test(variables, what_was_given_back_is_read_again)
{
	each_subject(check_rest);
}

static void check_nowhere(struct subject *s)
{
	static const uint64_t nowhere[] = {0, 1, UINT64_MAX, UINT64_MAX / 2};

	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		size_t n;

		cr_expect_null(go_variables__local(s->variables, nowhere[i], -8));
		(void)go_variables__captured(s->variables, nowhere[i], &n);
		cr_expect_eq(n, 0);
	}
	cr_expect_null(
		go_variables__local(s->variables, symbol_of(s, "main.capture").address, INT64_MIN));
}

Test(variables, nothing_is_nowhere)
{
	each_subject(check_nowhere);
}

/* --- captured by closures ----------------------------------------------------------------------- */

static void check_captured(struct subject *s)
{
	struct elf_symbol closure = symbol_of(s, "main.closures.func1");
	size_t n, found = 0;
	const struct go_captured *all = go_variables__captured(s->variables, closure.address, &n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].name, "n") != 0)
			continue;
		found++;
		cr_expect_eq(all[i].size, 8, "its address");
		cr_expect_eq(all[i].offset, s->minor >= 23 ? 8 : 0, "%s", s->name);
		check_type(s, all[i].type, &(size_t){0});
	}
	cr_expect_eq(found, 1, "%s", s->name);
	cr_expect_eq(go_variables__captured(s->variables, closure.address, &n), all, "it is kept");
}

Test(variables, captured_by_closures)
{
	each_subject(check_captured);
}

/* --- stripped ----------------------------------------------------------------------------------- */

Test(variables, stripped_programs_have_none)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, MAX_REAL_BINARIES);
	const struct go_module module = {.data = 0, .ebss = UINT64_MAX, .etypes = 1 << 20};

	for (size_t i = 0; i < n; i++) {
		struct go_variables *variables;
		struct elf_image *image;

		if (!real_binary__is(&binaries[i], "stripped"))
			continue;
		image = real_binary__open(&binaries[i]);
		cr_assert_eq(go_variables__of(image, &module, MAX_BYTES, &variables), 0);
		cr_expect_not(go_variables__have_types(variables), "%s", binaries[i].name);
		cr_expect_eq(go_variables__count(variables), 0, "%s", binaries[i].name);
		cr_expect_null(go_variables__local(variables, 0x401000, 0));
		go_variables__free(variables);
		elf_image__free(image);
	}
}
