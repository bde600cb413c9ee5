// SPDX-License-Identifier: Apache-2.0
/*
 * Functions by name. The table is sorted by address, so names are first turned into their offsets
 * in the name table, and the functions are then compared by number: two sequential passes through
 * the block cache, each of which ends as soon as there is nothing left to find.
 */
#include "golang/pclntab_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NO_NAME UINT32_MAX

struct name_search {
	const char *const *names;
	struct pclntab_func *funcs;
	uint32_t *offsets;   /* in the name table; NO_NAME until found */
	uint64_t lengths;    /* bit n: one of the names has n % 64 characters */
	size_t n, n_offsets; /* wanted, offsets found */
	size_t n_funcs;	     /* functions found */
	size_t n_settled;    /* functions that no later one can replace */
};

static void match_name(struct name_search *search, const char *name, size_t length, uint32_t offset)
{
	if (!(search->lengths >> (length % 64) & 1))
		return;
	for (size_t i = 0; i < search->n; i++) {
		if (search->offsets[i] != NO_NAME || strlen(search->names[i]) != length ||
		    memcmp(search->names[i], name, length) != 0)
			continue;
		search->offsets[i] = offset;
		search->n_offsets++;
	}
}

/* Passes the complete names of @chunk to match_name(); returns how many bytes they take. */
static size_t match_chunk(struct name_search *search, const char *chunk, size_t size,
			  uint32_t offset)
{
	size_t start = 0;

	while (start < size && search->n_offsets < search->n) {
		const char *end = memchr(chunk + start, '\0', size - start);
		size_t length;

		if (!end)
			break;
		length = (size_t)(end - (chunk + start));
		match_name(search, chunk + start, length, offset + (uint32_t)start);
		start += length + 1;
	}
	return start;
}

/*
 * The name table is read from its start; the linker writes it in the order of the functions, so
 * the runtime's are early in it and the search usually ends long before the table does.
 */
static int search_names(struct pclntab *tab, struct name_search *search)
{
	uint64_t size = min_of(tab->units - tab->names, (uint64_t)UINT32_MAX);
	uint64_t offset = 0;
	char chunk[16384];

	while (offset < size && search->n_offsets < search->n) {
		size_t n = (size_t)min_of(size - offset, (uint64_t)sizeof(chunk));
		size_t used;
		int err;

		err = pclntab__read(tab, tab->names + offset, chunk, n, tab->names, tab->units);
		if (err)
			return err;
		used = match_chunk(search, chunk, n, (uint32_t)offset);
		/* A name longer than the chunk is none that is wanted; what is left of it neither. */
		offset += used ? used : n;
	}
	return 0;
}

/*
 * A function that is called with another ABI as well has a wrapper of the same name
 * (cmd/compile/internal/ssagen/abi.go), which is not where its work is done. As the wrapper's
 * FuncID is the last of all, the smaller one wins; a function that is known to be no wrapper is
 * settled.
 */
static bool is_settled(const struct pclntab *tab, const struct pclntab_func *func)
{
	return tab->wrapper_id != WRAPPER_UNKNOWN && func->func_id != tab->wrapper_id;
}

static int match_func(struct pclntab *tab, struct name_search *search, uint32_t name_offset,
		      const struct pclntab_ftab pair[2])
{
	for (size_t i = 0; i < search->n; i++) {
		struct pclntab_func *known = &search->funcs[i];
		struct pclntab_func func;
		int err;

		if (search->offsets[i] != name_offset || (known->record && is_settled(tab, known)))
			continue;
		err = pclntab__load_func(tab, pair, &func);
		if (err)
			return err;
		if (known->record && known->func_id <= func.func_id)
			continue;
		search->n_funcs += !known->record;
		search->n_settled += is_settled(tab, &func);
		*known = func;
	}
	return 0;
}

static int match_entries(struct pclntab *tab, struct name_search *search,
			 const struct pclntab_ftab *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t name_offset;
		int err;

		err = pclntab__read(tab, tab->funcs + entries[i].record + 4, &name_offset,
				    sizeof(name_offset), tab->funcs, tab->end);
		if (!err && name_offset != NO_NAME)
			err = match_func(tab, search, name_offset, &entries[i]);
		if (err)
			return err;
		if (search->n_settled == search->n_offsets)
			return 0;
	}
	return 0;
}

static int search_funcs(struct pclntab *tab, struct name_search *search)
{
	struct pclntab_ftab entries[INDEX_STEP + 1];
	uint32_t done = 0;

	while (done < tab->n_funcs && search->n_settled < search->n_offsets) {
		size_t n = min_of((size_t)INDEX_STEP, (size_t)(tab->n_funcs - done));
		int err;

		err = pclntab__read_ftab(tab, done, entries, n + 1);
		if (!err)
			err = match_entries(tab, search, entries, n);
		if (err)
			return err;
		done += (uint32_t)n;
	}
	return 0;
}

static int find_names(struct pclntab *tab, const char *const *names, struct pclntab_func *funcs,
		      size_t n)
{
	struct name_search search = {.names = names, .funcs = funcs, .n = n};
	int err;

	search.offsets = malloc(n * sizeof(*search.offsets) + 1);
	if (!search.offsets)
		return -ENOMEM;
	memset(funcs, 0, n * sizeof(*funcs));
	for (size_t i = 0; i < n; i++) {
		search.offsets[i] = NO_NAME;
		search.lengths |= (uint64_t)1 << (strlen(names[i]) % 64);
	}
	err = search_names(tab, &search);
	if (!err)
		err = search_funcs(tab, &search);
	free(search.offsets);
	return err ? err : (int)search.n_funcs;
}

/*
 * The numbers of abi.FuncID move between versions, but their end is the same from 1.18 to 1.27
 * (src/runtime/symtab.go, later src/internal/abi/symtab.go): systemstack, systemstack_switch,
 * FuncIDWrapper. The second is not used by 1.18, the first always is.
 */
int pclntab__wrapper_id(struct pclntab *tab)
{
	static const char *const anchor[] = {"runtime.systemstack"};
	struct pclntab_func func;

	if (tab->wrapper_id != WRAPPER_UNKNOWN)
		return tab->wrapper_id;
	if (find_names(tab, anchor, &func, 1) == 1 && func.func_id)
		tab->wrapper_id = func.func_id + 2;
	else
		tab->wrapper_id = WRAPPER_ABSENT;
	return tab->wrapper_id;
}

int pclntab__find(struct pclntab *tab, const char *const *names, struct pclntab_func *funcs,
		  size_t n)
{
	pclntab__wrapper_id(tab);
	return find_names(tab, names, funcs, n);
}
