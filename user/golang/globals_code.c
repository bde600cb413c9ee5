// SPDX-License-Identifier: Apache-2.0
/*
 * runtime.allgadd (src/runtime/proc.go) refers to allglock, allgs, allgptr and allglen:
 *   allgs    three adjacent words, of which the first points at an array whose first element is
 *            the first goroutine;
 *   allgptr  another word that points at an array with that first element: the same array, or for
 *            a moment the one before it grew;
 *   allglen  a word without pointers (noptrbss) that equals the length of allgs. A lock or a
 *            flag may do so by accident, but not again and again.
 */
#include "golang/globals_code.h"

#include "golang/self_check.h"

#define WORD		 sizeof(uint64_t)
#define ALLGLEN_ATTEMPTS 16

static bool in_bss(const struct live *live, uint64_t address)
{
	return address >= live->module.bss && address < live->module.ebss;
}

static bool in_noptrbss(const struct live *live, uint64_t address)
{
	return address >= live->module.noptrbss && address < live->module.enoptrbss;
}

/* A candidate that cannot be read is none. */
static bool read_word(struct live *live, uint64_t address, uint64_t *ret_word)
{
	return !remote__read_u64(live->remote, address + live->bias, ret_word);
}

bool globals_code__is_slice(const struct live *live, const struct code_refs *refs, uint64_t at)
{
	return at % WORD == 0 && in_bss(live, at) && code_refs__has(refs, at + WORD) &&
	       code_refs__has(refs, at + 2 * WORD);
}

bool globals_code__read_slice(struct live *live, uint64_t address, struct slice *ret_slice)
{
	uint64_t words[3];

	if (remote__read(live->remote, address + live->bias, words, sizeof(words)))
		return false;
	*ret_slice = (struct slice){words[0], words[1], words[2]};
	return true;
}

/* The slice allgs. It is the only one in allgadd; were there two, the contents decide. */
static int find_allgs(struct live *live, const struct code_refs *refs, uint64_t *ret_address)
{
	bool too_early = false;

	for (size_t i = 0; i < refs->n; i++) {
		uint64_t at = refs->addresses[i];
		enum first_goroutine first;
		struct slice slice;

		if (!globals_code__is_slice(live, refs, at) ||
		    !globals_code__read_slice(live, at, &slice) || slice.len > slice.cap ||
		    slice.cap > SELF_CHECK_MAX_GOROUTINES)
			continue;
		first = slice.len ? self_check__first(live, slice.array) : FIRST_NOT_YET;
		if (first == FIRST_FITS) {
			*ret_address = at;
			return 0;
		}
		too_early |= first == FIRST_NOT_YET;
	}
	if (too_early)
		return live__not_yet(live, "there is no goroutine");
	return live__refuse(live,
			    "none of the %zu addresses in runtime.allgadd is allgs, a slice "
			    "that begins with goroutine 1",
			    refs->n);
}

static int find_allgptr(struct live *live, const struct code_refs *refs, uint64_t allgs,
			uint64_t *ret_address)
{
	uint64_t array, first, other;

	if (!read_word(live, allgs, &array) || remote__read_u64(live->remote, array, &first))
		return live__refuse(live, "allgs is not readable");
	for (size_t i = 0; i < refs->n; i++) {
		uint64_t at = refs->addresses[i];

		if (at % WORD || !in_bss(live, at) || (at >= allgs && at < allgs + 3 * WORD))
			continue;
		if (read_word(live, at, &array) && array && array % WORD == 0 &&
		    !remote__read_u64(live->remote, array, &other) && other == first) {
			*ret_address = at;
			return 0;
		}
	}
	return live__refuse(live, "none of the %zu addresses in runtime.allgadd is allgptr",
			    refs->n);
}

/*
 * Keeps those of @candidates that equal the length of allgs, which must not change meanwhile.
 * Returns how many are left, or 0 when this attempt says nothing and left them alone.
 */
static size_t keep_lengths(struct live *live, uint64_t allgs, uint64_t *candidates, size_t n)
{
	uint64_t before, after, word;
	bool equal[CODE_REFS_MAX] = {0};
	size_t kept = 0;

	if (!read_word(live, allgs + WORD, &before))
		return 0;
	for (size_t i = 0; i < n; i++) {
		equal[i] = read_word(live, candidates[i], &word) && word == before;
		kept += equal[i];
	}
	/* allglen is stored last: while a goroutine is being added, no candidate may equal. */
	if (!kept || !read_word(live, allgs + WORD, &after) || after != before)
		return 0;
	kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (equal[i])
			candidates[kept++] = candidates[i];
	}
	return kept;
}

static int find_allglen(struct live *live, const struct code_refs *refs, uint64_t allgs,
			uint64_t *ret_address)
{
	uint64_t candidates[CODE_REFS_MAX];
	bool seen = false;
	size_t n = 0;

	for (size_t i = 0; i < refs->n; i++) {
		if (refs->addresses[i] % WORD == 0 && in_noptrbss(live, refs->addresses[i]))
			candidates[n++] = refs->addresses[i];
	}
	for (int attempt = 0; attempt < ALLGLEN_ATTEMPTS; attempt++) {
		size_t kept = keep_lengths(live, allgs, candidates, n);

		if (kept) {
			n = kept;
			seen = true;
		}
	}
	if (!seen)
		return live__refuse(live,
				    "none of the %zu addresses in runtime.allgadd is allglen, "
				    "the length of allgs",
				    refs->n);
	if (n > 1)
		return live__not_yet(live, "too few goroutines to recognise allglen");
	*ret_address = candidates[0];
	return 0;
}

int globals_code__allgs(struct live *live, const struct code_refs *refs, struct go_globals *globals)
{
	int err = find_allgs(live, refs, &globals->allgs);

	if (err)
		return err;
	err = find_allgptr(live, refs, globals->allgs, &globals->allgptr);
	if (err)
		return err;
	return find_allglen(live, refs, globals->allgs, &globals->allglen);
}
