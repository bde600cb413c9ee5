// SPDX-License-Identifier: Apache-2.0
#include "heap/types/closures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/index.h"
#include "golang/call_values.h"
#include "heap/types/allocated.h"

#define MAX_TEXT     ((uint64_t)512 << 20) /* of code; what is behind it is not looked at */
#define MAX_CLOSURES 262144u
#define CHUNK	     ((size_t)1 << 20)
#define BEHIND	     64u /* bytes behind a call that are looked at */
#define CALLEES	     64u
#define NAME_SIZE    256

struct closure {
	uint64_t code; /* the target's addresses */
	uint64_t made; /* what the allocation returns to */
	uint64_t type; /* 0: not known */
	bool read;
};

/* Functions that were called right before an address was loaded: which of them allocate. */
struct callee {
	uint64_t entry;
	bool allocates;
	uint8_t argument;
};

struct heap_closures {
	const struct heap_runtime *runtime;
	const struct heap_modules *modules;
	struct heap_types *types;
	struct index *by_code;
	struct closure *all;
	size_t n, capacity;
	struct callee callees[CALLEES];
};

void heap_closures__free(struct heap_closures *closures)
{
	if (!closures)
		return;
	index__free(closures->by_code);
	free(closures->all);
	free(closures);
}

size_t heap_closures__count(const struct heap_closures *closures)
{
	return closures->n;
}

static struct closure *find(const struct heap_closures *closures, uint64_t code)
{
	struct index_search search = index__search(closures->by_code, hash__keyed_word(code));

	while (index__next(&search)) {
		if (closures->all[search.number].code == code)
			return &closures->all[search.number];
	}
	return NULL;
}

/* --- where they are made ------------------------------------------------------------------------ */

static struct callee look_up_callee(const struct heap_closures *closures, uint64_t entry)
{
	const struct heap_runtime *runtime = closures->runtime;
	struct callee callee = {.entry = entry};
	struct pclntab_func func;
	char name[NAME_SIZE];
	size_t argument;

	if (pclntab__lookup(runtime->tab, entry - runtime->bias, &func) ||
	    func.entry != entry - runtime->bias ||
	    pclntab__name(runtime->tab, &func, name, sizeof(name)) < 0)
		return callee;
	callee.allocates =
		heap_allocated__as(runtime->layout->minor, name, &argument) == HEAP_ALLOCATED_VALUE;
	callee.argument = callee.allocates ? (uint8_t)argument : 0;
	return callee;
}

static const struct callee *callee_at(struct heap_closures *closures, uint64_t entry)
{
	struct callee *callee = &closures->callees[hash__mix64(entry) % CALLEES];

	if (callee->entry != entry)
		*callee = look_up_callee(closures, entry);
	return callee;
}

static bool is_function(const struct heap_closures *closures, uint64_t code)
{
	struct pclntab_func func;
	uint64_t entry = code - closures->runtime->bias;

	return !pclntab__lookup(closures->runtime->tab, entry, &func) && func.entry == entry;
}

/* Behind the call at @at something may be stored in what it has returned. */
static void look_behind(struct heap_closures *closures, uint64_t address, const uint8_t *data,
			size_t at, size_t size)
{
	const struct go_arch *arch = closures->runtime->arch;
	struct closure closure = {0};
	struct go_insn call;

	if (arch->read_insn(address + at, data + at, size - at, &call) ||
	    call.kind != GO_INSN_CALL || !call.value)
		return;
	at += call.length;
	closure.made = address + at;
	closure.code = call_values__stored(arch, closure.made, data + at,
					   min_of(size - at, (size_t)BEHIND));
	if (!closure.code || !callee_at(closures, call.value)->allocates ||
	    !is_function(closures, closure.code) || find(closures, closure.code))
		return;
	if (array__reserve(closures->all, closures->capacity, closures->n + 1) &&
	    !index__add(closures->by_code, hash__keyed_word(closure.code), (uint32_t)closures->n))
		closures->all[closures->n++] = closure;
}

/* @size bytes of code, of which calls in the first @begin are looked for. */
static void search_chunk(struct heap_closures *closures, uint64_t address, const uint8_t *data,
			 size_t begin, size_t size)
{
	const struct go_arch *arch = closures->runtime->arch;

	for (size_t i = 0; i < begin; i += arch->pc_quantum) {
		if (arch->may_store_behind(data + i, size - i))
			look_behind(closures, address, data, i, size);
	}
}

static void search(struct heap_closures *closures)
{
	const struct heap_module *module = &closures->modules->all[0];
	uint64_t address = module->text, end = module->etext;
	uint8_t *data __cleanup_free = malloc(CHUNK + BEHIND);

	if (!data || !closures->runtime->tab || end < address)
		return;
	end = min_of(end, address + MAX_TEXT);
	while (address < end) {
		size_t size = (size_t)min_of(end - address, (uint64_t)CHUNK + BEHIND);
		size_t begin = min_of(size, CHUNK);

		if (!remote__read(closures->runtime->remote, address, data, size))
			search_chunk(closures, address, data, begin, size);
		address += begin;
	}
}

int heap_closures__new(const struct heap_runtime *runtime, const struct heap_modules *modules,
		       struct heap_types *types, struct heap_closures **ret_closures)
{
	struct heap_closures *closures = calloc(1, sizeof(*closures));

	if (!closures)
		return -ENOMEM;
	closures->runtime = runtime;
	closures->modules = modules;
	closures->types = types;
	if (index__new(MAX_CLOSURES, &closures->by_code)) {
		free(closures);
		return -ENOMEM;
	}
	search(closures);
	*ret_closures = closures;
	return 0;
}

/* --- what they are ------------------------------------------------------------------------------ */

/* A struct that begins with the address of its code, and has captured something. */
static bool is_closure(struct heap_closures *closures, uint64_t address)
{
	const struct heap_type *type = heap_types__in_module(closures->types, address) ?
					       heap_types__any(closures->types, address) :
					       NULL;
	const struct heap_shape *shape = type && type->kind == GO_KIND_STRUCT ?
						 heap_types__shape(closures->types, type) :
						 NULL;
	const struct heap_type *first =
		shape && shape->n_fields > 1 && !shape->fields[0].offset ?
			heap_types__any(closures->types, shape->fields[0].type) :
			NULL;

	return first && first->kind == GO_KIND_UINTPTR;
}

static void read_type(struct heap_closures *closures, struct closure *closure)
{
	const struct heap_runtime *runtime = closures->runtime;
	uint8_t *code __cleanup_free = NULL;
	struct call_values values;
	struct pclntab_func func;
	uint64_t entry, type;
	size_t at;

	closure->read = true;
	if (pclntab__lookup(runtime->tab, closure->made - 1 - runtime->bias, &func))
		return;
	entry = func.entry + runtime->bias;
	at = (size_t)(closure->made - entry);
	code = at <= CALL_VALUES_MAX_BYTES ? malloc(at + 1) : NULL;
	if (!code || remote__read(runtime->remote, entry, code, at) ||
	    call_values__read(runtime->arch, entry, code, at, &values))
		return;
	type = values.arguments[callee_at(closures, values.callee)->argument];
	if (is_closure(closures, type))
		closure->type = type;
}

uint64_t heap_closures__type(struct heap_closures *closures, uint64_t code)
{
	struct closure *closure;

	closure = code ? find(closures, code) : NULL;
	if (closure && !closure->read)
		read_type(closures, closure);
	return closure ? closure->type : 0;
}
