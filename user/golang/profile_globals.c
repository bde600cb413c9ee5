// SPDX-License-Identifier: Apache-2.0
#include "golang/profile_globals.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"

#define WORD	   8u
#define BUCKET_MAX 64u		/* bytes of a bucket without its stack; all versions have 48 */
#define RATE_MAX   (1ULL << 40) /* a sample per terabyte is none */

struct search {
	struct elf_image *image;
	struct pclntab *tab;
	struct remote *remote;
	const struct go_layout *layout;
	const struct go_module *module;
	uint64_t bias;
};

/* All variables of the runtime lie side by side with the program's (src/cmd/link/internal/ld/data.go). */
static bool is_variable(const struct search *s, uint64_t address)
{
	return address % WORD == 0 && address >= s->module->noptrdata &&
	       address < s->module->enoptrbss;
}

static bool is_memory_bucket(const struct search *s, uint64_t bucket)
{
	const struct go_layout *l = s->layout;
	uint8_t data[BUCKET_MAX];

	if (!bucket || bucket % WORD || remote__read(s->remote, bucket, data, l->bucket_sizeof))
		return false;
	return bytes__u64(data, l->bucket_typ) == PROFILE_TYPE_MEMORY &&
	       bytes__u64(data, l->bucket_size) &&
	       bytes__u64(data, l->bucket_nstk) <= PROFILE_MAX_STACK;
}

/* --- without symbols ---------------------------------------------------------------------------- */

enum { FLUSH, STKBUCKET, ALLOCMCACHE, PROFILEALLOC, N_FUNCTIONS };

static int find_functions(struct pclntab *tab, struct pclntab_func funcs[N_FUNCTIONS])
{
	static const char *const names[N_FUNCTIONS] = {
		[FLUSH] = "runtime.mProf_FlushLocked",
		[STKBUCKET] = "runtime.stkbucket",
		[ALLOCMCACHE] = "runtime.allocmcache",
		[PROFILEALLOC] = "runtime.profilealloc",
	};

	return pclntab__find(tab, names, funcs, N_FUNCTIONS);
}

static uint64_t buckets_from_refs(const struct search *s, const struct code_refs *refs)
{
	uint64_t first;

	for (size_t i = 0; i < refs->n; i++) {
		if (is_variable(s, refs->addresses[i]) &&
		    !remote__read_u64(s->remote, refs->addresses[i] + s->bias, &first) &&
		    is_memory_bucket(s, first))
			return refs->addresses[i];
	}
	return 0;
}

int profile_globals__rate_refs(struct elf_image *image, struct pclntab *tab,
			       struct code_refs *ret_refs)
{
	struct pclntab_func funcs[N_FUNCTIONS] = {0};
	struct code_refs *refs __cleanup_free = malloc(sizeof(*refs));
	size_t n = 0;
	int err;

	if (!refs)
		return -ENOMEM;
	err = find_functions(tab, funcs);
	if (err < 0)
		return err;
	if (!funcs[ALLOCMCACHE].entry || !funcs[PROFILEALLOC].entry)
		return -ENOENT;
	err = code_refs__read(image, &funcs[ALLOCMCACHE], ret_refs);
	if (!err)
		err = code_refs__read(image, &funcs[PROFILEALLOC], refs);
	if (err)
		return err;
	for (size_t i = 0; i < ret_refs->n; i++) {
		if (code_refs__has(refs, ret_refs->addresses[i]))
			ret_refs->addresses[n++] = ret_refs->addresses[i];
	}
	ret_refs->n = n;
	return 0;
}

/* The one that holds what can be a rate; 0 when there are two: no guesses. */
static uint64_t rate_from_refs(const struct search *s, const struct code_refs *refs)
{
	uint64_t found = 0, rate;

	for (size_t i = 0; i < refs->n; i++) {
		if (!is_variable(s, refs->addresses[i]) ||
		    remote__read_u64(s->remote, refs->addresses[i] + s->bias, &rate) ||
		    rate > RATE_MAX)
			continue;
		if (found)
			return 0;
		found = refs->addresses[i];
	}
	return found;
}

static int from_code(const struct search *s, struct profile_globals *globals)
{
	struct pclntab_func funcs[N_FUNCTIONS] = {0};
	struct code_refs *refs __cleanup_free = malloc(sizeof(*refs));
	int err;

	if (!refs)
		return -ENOMEM;
	err = find_functions(s->tab, funcs);
	if (err < 0)
		return err;
	for (size_t i = FLUSH; i <= STKBUCKET && !globals->buckets; i++) {
		if (funcs[i].entry && !code_refs__read(s->image, &funcs[i], refs))
			globals->buckets = buckets_from_refs(s, refs);
	}
	if (!globals->rate && !profile_globals__rate_refs(s->image, s->tab, refs))
		globals->rate = rate_from_refs(s, refs);
	return 0;
}

/* --- both ways ---------------------------------------------------------------------------------- */

static void from_symbols(struct elf_image *image, struct profile_globals *globals)
{
	static const char *const names[] = {"runtime.mbuckets", "runtime.MemProfileRate"};
	struct elf_symbol symbols[ARRAY_SIZE(names)] = {0};

	if (elf_image__symbols(image, names, symbols, ARRAY_SIZE(names)) <= 0)
		return;
	globals->buckets = symbols[0].address;
	globals->rate = symbols[1].address;
}

/*
 * src/cmd/link/internal/ld/lib.go linksetup: what is unreachable where profiling is turned off; the
 * second name from Go 1.23 on.
 */
static int find_readers(struct pclntab *tab, bool *ret_wanted)
{
	static const char *const names[] = {"runtime.MemProfile", "runtime.memProfileInternal"};
	struct pclntab_func funcs[ARRAY_SIZE(names)] = {0};
	int n = pclntab__find(tab, names, funcs, ARRAY_SIZE(names));

	if (n < 0)
		return n;
	*ret_wanted = n > 0;
	return 0;
}

int profile_globals__find(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
			  struct profile_globals *ret_globals)
{
	const struct search s = {
		.image = go_binary__image(binary),
		.tab = go_binary__pclntab(binary),
		.remote = remote,
		.layout = go_binary__layout(binary),
		.module = go_binary__module(binary),
		.bias = load_bias,
	};
	struct profile_globals globals = {0};
	int err = find_readers(s.tab, &globals.wanted);

	if (err)
		return err;
	if (s.layout->bucket_sizeof > BUCKET_MAX) { /* GO_LAYOUT_ABSENT, too */
		*ret_globals = globals;
		return 0;
	}
	from_symbols(s.image, &globals);
	if (!globals.buckets || !globals.rate)
		err = from_code(&s, &globals);
	if (!err)
		*ret_globals = globals;
	return err;
}
