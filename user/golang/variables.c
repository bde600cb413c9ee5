// SPDX-License-Identifier: Apache-2.0
#include "golang/variables.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/bytes.h"
#include "golang/variables_private.h"

#define MIN_INFO      ((size_t)1 << 20)
#define MAX_INFO      ((size_t)256 << 20)
#define MAX_VARIABLES 1000000u
#define MAX_DIES      40000000u

/* --- by DWARF ----------------------------------------------------------------------------------- */

/* Its address, if that is all its location says. */
static bool address_of(Dwarf_Die *die, uint64_t *ret_address)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;

	if (!dwarf_attr(die, DW_AT_location, &attribute) || dwarf_formblock(&attribute, &block) ||
	    block.length != 1 + sizeof(uint64_t) || block.data[0] != DW_OP_addr)
		return false;
	*ret_address = bytes__u64(block.data, 1);
	return true;
}

static int add(struct go_variables *variables, uint64_t address, const char *name, uint64_t type,
	       uint64_t size)
{
	struct go_variable *variable;

	if (variables->n == MAX_VARIABLES)
		return 0;
	if (!array__reserve(variables->all, variables->capacity, variables->n + 1))
		return -ENOMEM;
	variable = &variables->all[variables->n];
	*variable = (struct go_variable){.address = address, .size = size, .type = type};
	variable->name = strdup(name);
	if (!variable->name)
		return -ENOMEM;
	variables->n++;
	return 0;
}

static int visit_variable(struct go_variables *variables, Dwarf_Die *die)
{
	struct described_type type = {0};
	uint64_t address;
	const char *name;

	if (!address_of(die, &address) || address < variables->start || address >= variables->end)
		return 0;
	name = dwarf_diename(die);
	if (!name)
		return 0;
	type = go_described__of(variables, die);
	return add(variables, address, name, type.type, type.size);
}

static int visit_unit(struct go_variables *variables, Dwarf_Die *unit, size_t *dies_left)
{
	Dwarf_Die die;
	int more = dwarf_child(unit, &die), err = 0;

	for (; !more && *dies_left && !err; --*dies_left) {
		if (dwarf_tag(&die) == DW_TAG_variable)
			err = visit_variable(variables, &die);
		else if (dwarf_tag(&die) == DW_TAG_subprogram)
			err = go_locals__add_function(variables->locals, &die);
		more = dwarf_siblingof(&die, &die);
	}
	return err;
}

static int read_dwarf(struct go_variables *variables)
{
	Dwarf *dwarf = go_locals__dwarf(variables->locals);
	size_t header_size, dies_left = MAX_DIES;
	Dwarf_Off offset = 0, next;
	int err = 0;

	while (dwarf && !err && dies_left &&
	       !dwarf_nextcu(dwarf, offset, &next, &header_size, NULL, NULL, NULL) &&
	       next > offset) {
		Dwarf_Die unit;

		if (dwarf_offdie(dwarf, offset + header_size, &unit))
			err = visit_unit(variables, &unit, &dies_left);
		offset = next;
	}
	go_locals__sort(variables->locals);
	return err;
}

/* --- by symbols --------------------------------------------------------------------------------- */

static int visit_symbol(void *ctx, const char *name, const struct elf_symbol *symbol)
{
	struct go_variables *variables = ctx;

	if (!symbol->size || symbol->address < variables->start ||
	    symbol->address >= variables->end)
		return 0;
	return add(variables, symbol->address, name, 0, symbol->size);
}

static int read_symbols(struct go_variables *variables, struct elf_image *image)
{
	int err = elf_image__visit_symbols(image, visit_symbol, variables);

	return err == -ENOMEM ? err : 0;
}

/* --- all of them -------------------------------------------------------------------------------- */

/* What is of a known type comes first. */
static int by_address(const void *a, const void *b)
{
	const struct go_variable *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->type == 0) - (y->type == 0);
}

/* Both DWARF and the symbols have most of them. */
static void drop_twins(struct go_variables *variables)
{
	size_t kept = 0;

	for (size_t i = 0; i < variables->n; i++) {
		if (kept && variables->all[kept - 1].address == variables->all[i].address)
			free((void *)variables->all[i].name);
		else
			variables->all[kept++] = variables->all[i];
	}
	variables->n = kept;
}

int go_variables__read(const struct go_binary *binary, size_t max_bytes,
		       struct go_variables **ret_variables)
{
	return go_variables__of(go_binary__image(binary), go_binary__module(binary), max_bytes,
				ret_variables);
}

int go_variables__of(struct elf_image *image, const struct go_module *module, size_t max_bytes,
		     struct go_variables **ret_variables)
{
	struct go_variables *variables = calloc(1, sizeof(*variables));
	int err;

	if (!variables)
		return -ENOMEM;
	/* In this order in memory; the others hold no pointers. */
	variables->start = module->data;
	variables->end = module->ebss;
	variables->types = module->types;
	variables->etypes = max_of(module->etypes, module->types);
	err = go_described__init(variables);
	if (!err)
		err = go_locals__new(image, max_of(min_of(max_bytes, MAX_INFO), MIN_INFO),
				     &variables->locals);
	if (!err)
		err = read_dwarf(variables);
	variables->have_types = variables->n > 0;
	if (!err)
		err = read_symbols(variables, image);
	if (err) {
		go_variables__free(variables);
		return err;
	}
	if (variables->n)
		qsort(variables->all, variables->n, sizeof(variables->all[0]), by_address);
	drop_twins(variables);
	*ret_variables = variables;
	return 0;
}

void go_variables__free(struct go_variables *variables)
{
	if (!variables)
		return;
	for (size_t i = 0; i < variables->n; i++)
		free((void *)variables->all[i].name);
	free(variables->all);
	go_described__release(variables);
	go_locals__free(variables->locals);
	free(variables);
}

const struct go_variable *go_variables__at(const struct go_variables *variables, uint64_t address)
{
	size_t low = bisect(variables->n, i, variables->all[i].address <= address);
	const struct go_variable *variable;

	if (!low)
		return NULL;
	variable = &variables->all[low - 1];
	return address - variable->address < variable->size ? variable : NULL;
}

const struct go_variable *go_variables__get(const struct go_variables *variables, size_t i)
{
	return &variables->all[i];
}

size_t go_variables__count(const struct go_variables *variables)
{
	return variables->n;
}

bool go_variables__have_types(const struct go_variables *variables)
{
	return variables->have_types;
}
