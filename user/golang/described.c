// SPDX-License-Identifier: Apache-2.0
/*
 * Types as Go's linker writes them to DWARF (src/cmd/link/internal/ld/dwarf.go): every type has its
 * kind, and the address of its descriptor if there is one. Interfaces, maps, channels and named types
 * are typedefs; slices and strings are structs.
 */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "golang/variables_private.h"

#define MAX_DESCRIBED 200000u
#define MAX_ENTRIES   1000000u
#define MAX_DEPTH     64u /* of types in each other; deeper ones are not known */
#define MAX_FIELDS    4096u
#define WORD	      8u

/* src/cmd/internal/dwarf/dwarf.go */
#define DW_AT_GO_KIND	      0x2900
#define DW_AT_GO_KEY	      0x2901
#define DW_AT_GO_ELEM	      0x2902
#define DW_AT_GO_RUNTIME_TYPE 0x2904

/* src/internal/abi/type.go Kind */
enum {
	KIND_ARRAY = 17,
	KIND_CHAN,
	KIND_FUNC,
	KIND_INTERFACE,
	KIND_MAP,
	KIND_POINTER,
	KIND_SLICE,
	KIND_STRING,
	KIND_STRUCT,
	KIND_UNSAFE_POINTER,
};

int go_described__init(struct go_variables *variables)
{
	return index__new(MAX_ENTRIES, &variables->by_offset);
}

static void free_described(struct go_described *described)
{
	for (size_t i = 0; i < described->n_fields; i++)
		free((void *)described->fields[i].name);
	free((void *)described->fields);
	free((void *)described->name);
	free(described);
}

void go_described__release(struct go_variables *variables)
{
	index__free(variables->by_offset);
	free(variables->entries);
	for (size_t i = 0; i < variables->n_described; i++)
		free_described(variables->described[i]);
	free(variables->described);
}

const struct go_described *go_variables__described(const struct go_variables *variables,
						   uint64_t type)
{
	uint64_t number = type & ~GO_TYPE_DESCRIBED;

	return type & GO_TYPE_DESCRIBED && number < variables->n_described ?
		       variables->described[number] :
		       NULL;
}

/* --- attributes --------------------------------------------------------------------------------- */

static uint64_t constant(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value))
		return 0;
	return value;
}

/* It is written as an offset from the start of the types (linker's dwarf.go, DW_CLS_GO_TYPEREF). */
static uint64_t runtime_type(const struct go_variables *variables, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Addr offset;

	if (!dwarf_attr(die, DW_AT_GO_RUNTIME_TYPE, &attribute) ||
	    dwarf_formaddr(&attribute, &offset) || !offset ||
	    offset >= variables->etypes - variables->types)
		return 0;
	return variables->types + offset;
}

static bool die_at(Dwarf_Die *die, unsigned int name, Dwarf_Die *ret_die)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, name, &attribute) && dwarf_formref_die(&attribute, ret_die);
}

/* A type with a name of its own is a typedef of what it is, which has the kind. */
static bool find_kind(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	for (unsigned int i = 0; i < MAX_DEPTH; i++) {
		if (dwarf_attr(die, DW_AT_GO_KIND, &attribute))
			return true;
		if (dwarf_tag(die) != DW_TAG_typedef || !die_at(die, DW_AT_type, die))
			return false;
	}
	return false;
}

static uint64_t size_of(Dwarf_Die *die, uint64_t kind)
{
	switch (kind) {
	case KIND_CHAN:
	case KIND_FUNC:
	case KIND_MAP:
	case KIND_POINTER:
	case KIND_UNSAFE_POINTER:
		return WORD;
	case KIND_INTERFACE:
	case KIND_STRING:
		return 2 * (uint64_t)WORD;
	case KIND_SLICE:
		return 3 * (uint64_t)WORD;
	default:
		return constant(die, DW_AT_byte_size);
	}
}

/* --- types -------------------------------------------------------------------------------------- */

static struct described_type read_die(struct go_variables *variables, Dwarf_Die *die);

/* The type that attribute @name of @die refers to. */
static struct described_type refer(struct go_variables *variables, Dwarf_Die *die,
				   unsigned int name)
{
	struct described_type type = {0};
	Dwarf_Die target;

	if (variables->depth >= MAX_DEPTH || !die_at(die, name, &target))
		return type;
	variables->depth++;
	type = read_die(variables, &target);
	variables->depth--;
	return type;
}

static void add_fields(struct go_variables *variables, Dwarf_Die *die,
		       struct go_described *described)
{
	struct go_described_field *fields = NULL;
	size_t n = 0, capacity = 0;
	Dwarf_Die member;
	int more = dwarf_child(die, &member);

	for (; !more && n < MAX_FIELDS; more = dwarf_siblingof(&member, &member)) {
		const char *name = dwarf_diename(&member);

		if (dwarf_tag(&member) != DW_TAG_member || !name)
			continue;
		if (!array__reserve(fields, capacity, n + 1))
			break;
		fields[n] = (struct go_described_field){
			.name = strdup(name),
			.offset = constant(&member, DW_AT_data_member_location),
			.type = refer(variables, &member, DW_AT_type).type,
		};
		if (!fields[n].name)
			break;
		n++;
	}
	described->fields = fields;
	described->n_fields = n;
}

static uint64_t array_length(Dwarf_Die *die)
{
	Dwarf_Die range;
	int more = dwarf_child(die, &range);

	for (; !more; more = dwarf_siblingof(&range, &range)) {
		if (dwarf_tag(&range) == DW_TAG_subrange_type)
			return constant(&range, DW_AT_count);
	}
	return 0;
}

/* A typedef of one of the runtime's two structs for interfaces: that with methods is an iface. */
static bool has_methods(Dwarf_Die *die)
{
	Dwarf_Die target;
	const char *name;

	for (unsigned int i = 0; i < MAX_DEPTH && die_at(die, DW_AT_type, &target); i++) {
		name = dwarf_diename(&target);
		if (name && !strcmp(name, "runtime.eface"))
			return false;
		*die = target;
	}
	return true;
}

/* Named pointers, funcs and structs are typedefs of what they are. */
static void fill(struct go_variables *variables, Dwarf_Die *die, struct go_described *described)
{
	Dwarf_Die target = *die;

	switch (described->kind) {
	case KIND_STRUCT:
		add_fields(variables, die, described);
		return;
	case KIND_ARRAY:
		described->elem = refer(variables, die, DW_AT_type).type;
		described->length = array_length(die);
		return;
	case KIND_POINTER:
		for (unsigned int i = 0; i < MAX_DEPTH && dwarf_tag(&target) == DW_TAG_typedef &&
					 die_at(&target, DW_AT_type, &target);
		     i++)
			;
		described->elem = refer(variables, &target, DW_AT_type).type;
		return;
	case KIND_MAP:
		described->key = refer(variables, die, DW_AT_GO_KEY).type;
		described->elem = refer(variables, die, DW_AT_GO_ELEM).type;
		return;
	case KIND_CHAN:
	case KIND_SLICE:
		described->elem = refer(variables, die, DW_AT_GO_ELEM).type;
		return;
	case KIND_INTERFACE:
		described->length = has_methods(&target);
		return;
	default:
		return;
	}
}

/* A number for a type without a descriptor, before what it is made of is read: it may be itself. */
static uint64_t describe(struct go_variables *variables, Dwarf_Die *die, uint64_t kind,
			 struct described_entry *entry)
{
	struct go_described *described;
	const char *name = dwarf_diename(die);

	if (variables->n_described == MAX_DESCRIBED ||
	    !array__reserve(variables->described, variables->described_capacity,
			    variables->n_described + 1))
		return 0;
	described = calloc(1, sizeof(*described));
	if (!described)
		return 0;
	described->kind = (uint8_t)kind;
	described->size = entry->type.size;
	described->name = strdup(name ? name : "?");
	if (!described->name) {
		free(described);
		return 0;
	}
	variables->described[variables->n_described] = described;
	entry->type.type = GO_TYPE_DESCRIBED | variables->n_described++;
	return entry->type.type;
}

static const struct described_entry *find(const struct go_variables *variables, Dwarf_Off offset)
{
	struct index_search search = index__search(variables->by_offset, hash__keyed_word(offset));

	while (index__next(&search)) {
		if (variables->entries[search.number].offset == offset)
			return &variables->entries[search.number];
	}
	return NULL;
}

static bool keep(struct go_variables *variables, const struct described_entry *entry)
{
	if (!array__reserve(variables->entries, variables->entries_capacity,
			    variables->n_entries + 1) ||
	    index__add(variables->by_offset, hash__keyed_word(entry->offset),
		       (uint32_t)variables->n_entries))
		return false;
	variables->entries[variables->n_entries++] = *entry;
	return true;
}

static struct described_type read_die(struct go_variables *variables, Dwarf_Die *die)
{
	struct described_entry entry = {.offset = dwarf_dieoffset(die)};
	const struct described_entry *known = find(variables, entry.offset);
	Dwarf_Die plain = *die;
	uint64_t kind, number;

	if (known)
		return known->type;
	if (!find_kind(&plain))
		return entry.type;
	kind = constant(&plain, DW_AT_GO_KIND);
	entry.type.size = size_of(&plain, kind);
	entry.type.type = runtime_type(variables, &plain);
	if (entry.type.type || kind < KIND_ARRAY || kind > KIND_UNSAFE_POINTER) {
		(void)keep(variables, &entry);
		return entry.type;
	}
	number = describe(variables, die, kind, &entry);
	if (number && keep(variables, &entry))
		fill(variables, &plain, variables->described[number & ~GO_TYPE_DESCRIBED]);
	return entry.type;
}

struct described_type go_described__of(struct go_variables *variables, Dwarf_Die *die)
{
	Dwarf_Die origin = *die;

	if (dwarf_hasattr(die, DW_AT_abstract_origin) &&
	    !die_at(die, DW_AT_abstract_origin, &origin))
		return (struct described_type){0};
	return refer(variables, &origin, DW_AT_type);
}
