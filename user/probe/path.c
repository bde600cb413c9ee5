// SPDX-License-Identifier: Apache-2.0
#include "probe/path.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* The runtime's functions that are probed have 20 to 800 instructions. */
#define MAX_INSTRUCTIONS 8192

struct listing {
	struct insn *insns;
	size_t n;
};

static void listing__done(struct listing *listing)
{
	free(listing->insns);
}

/*
 * Decodes every instruction from the entry on: only so is an offset known to be an instruction
 * boundary.
 */
static int listing__make(const struct code *code, struct listing *listing)
{
	size_t offset = 0;

	listing->insns = calloc(MAX_INSTRUCTIONS, sizeof(*listing->insns));
	if (!listing->insns)
		return -ENOMEM;
	while (offset < code->size) {
		struct insn *insn = &listing->insns[listing->n];
		int err;

		if (listing->n == MAX_INSTRUCTIONS)
			return -E2BIG;
		err = code->decode(code->bytes + offset, code->size - offset,
				   code->address + offset, insn);
		if (err)
			return err;
		insn->offset = (uint32_t)offset;
		listing->n++;
		offset += insn->length;
	}
	return 0;
}

/*
 * Offset of the first place behind the entry that some branch leads to: from there on instructions
 * may run more than once per call, or not at all.
 */
static uint64_t first_join(const struct code *code, const struct listing *listing)
{
	uint64_t first = code->size;

	for (size_t i = 0; i < listing->n; i++) {
		const struct insn *insn = &listing->insns[i];
		uint64_t offset = insn->target - code->address;

		if ((insn->kind == INSN_BRANCH || insn->kind == INSN_JUMP) && offset > 0 &&
		    offset < first)
			first = offset;
	}
	return first;
}

static bool is_stack_check(const struct listing *listing, size_t i)
{
	return i > 0 && listing->insns[i].kind == INSN_BRANCH &&
	       listing->insns[i].branches_if_below_or_equal &&
	       listing->insns[i - 1].compares_stack_limit;
}

/*
 * Number of the branch of the stack check, 0 in a function without one. -ENOENT when the function
 * reads the stack limit, but not in a way that is known: instructions before the check run again
 * whenever the stack grows, so a function whose check is not found must not be probed.
 */
static int find_stack_check(const struct listing *listing, size_t *ret_check)
{
	size_t straight = 0, check = 0;
	bool looks = false;

	while (straight < listing->n && listing->insns[straight].kind == INSN_PLAIN)
		straight++;
	if (straight < listing->n && is_stack_check(listing, straight))
		check = straight;
	for (size_t i = 0; i < listing->n; i++)
		looks |= listing->insns[i].compares_stack_limit;
	if (looks && !check)
		return -ENOENT;
	*ret_check = check;
	return 0;
}

/* Where the g is before an instruction. */
struct holding {
	uint8_t locations; /* INSN_REG0, INSN_REG1 */
	int32_t slot;	   /* INSN_NO_SLOT: in none */
};

static void holding__step(struct holding *holding, const struct insn *insn,
			  const struct path_query *query)
{
	bool copies = holding->locations & insn->copies_from;
	bool stores = holding->locations & insn->stores;

	if (insn->kind == INSN_CALL || insn->kind == INSN_CALL_INDIRECT) {
		/* Go saves no registers for its callers; stack slots survive. */
		holding->locations = 0;
		if (query->after_call && insn->target == query->after_call)
			*holding = (struct holding){.locations = INSN_REG0, .slot = INSN_NO_SLOT};
		return;
	}
	holding->locations &= (uint8_t)~insn->writes;
	if (copies)
		holding->locations |= insn->copies_to;
	if (insn->writes & (INSN_SP | INSN_STACK))
		holding->slot = INSN_NO_SLOT;
	if (stores)
		holding->slot = insn->slot;
}

static bool holding__at_hand(const struct holding *holding, struct path_point *point)
{
	if (holding->locations & INSN_REG0)
		point->location = GL_G_IN_REG0;
	else if (holding->locations & INSN_REG1)
		point->location = GL_G_IN_REG1;
	else if (holding->slot != INSN_NO_SLOT)
		point->location = GL_G_ON_STACK;
	else
		return false;
	point->stack_offset = point->location == GL_G_ON_STACK ? (uint16_t)holding->slot : 0;
	return true;
}

static bool ends_query(const struct insn *insn, const struct path_query *query)
{
	if (insn->kind != INSN_CALL && insn->kind != INSN_CALL_INDIRECT)
		return false;
	return query->up_to_any_call || (query->up_to_call && insn->target == query->up_to_call);
}

static bool falls_through(const struct insn *insn)
{
	return insn->kind == INSN_PLAIN || insn->kind == INSN_CALL ||
	       insn->kind == INSN_CALL_INDIRECT;
}

/* Cheaper; or as cheap, and the `push %rbp` right behind the stack check, which needs no guard. */
static bool is_better(const struct path_point *point, const struct path_point *best,
		      bool behind_check)
{
	if (point->class != best->class)
		return point->class < best->class;
	return behind_check && best->guard != GL_GUARD_NONE;
}

static int walk(const struct code *code, const struct listing *listing,
		const struct path_query *query, struct path_point *ret_point)
{
	struct holding holding = {.locations = query->after_call ? 0 : INSN_REG0,
				  .slot = INSN_NO_SLOT};
	uint64_t join = first_join(code, listing);
	struct path_point best = {0};
	bool found = false;
	size_t check;

	if (find_stack_check(listing, &check) || (query->at_check && !check))
		return -ENOENT;
	for (size_t i = 0; i < listing->n && listing->insns[i].offset < join; i++) {
		const struct insn *insn = &listing->insns[i];
		bool guarded = check && i == check;
		struct path_point point = {
			.offset = listing->insns[i].offset,
			.length = listing->insns[i].length,
			.class = insn->class,
			.guard = guarded ? GL_GUARD_BRANCH_NOT_TAKEN : GL_GUARD_NONE,
		};

		if (i > 0 && i >= check && insn->probeable && holding__at_hand(&holding, &point) &&
		    (!found || is_better(&point, &best, i == check + 1))) {
			best = point;
			found = true;
		}
		if (query->at_check && i > check)
			break;
		if (ends_query(insn, query) || (!falls_through(insn) && !guarded))
			break;
		holding__step(&holding, insn, query);
	}
	if (!found)
		return -ENOENT;
	*ret_point = best;
	return 0;
}

int path__cheapest(const struct code *code, const struct path_query *query,
		   struct path_point *ret_point)
{
	__cleanup(listing__done) struct listing listing = {0};
	int err = listing__make(code, &listing);

	return err ? err : walk(code, &listing, query, ret_point);
}

/* The one instruction that is such; `offset` is never 0: see path.h. */
static int only_one(const struct code *code,
		    bool (*is_it)(const struct insn *insn, uint64_t target), uint64_t target,
		    struct path_point *ret_point)
{
	__cleanup(listing__done) struct listing listing = {0};
	struct path_point point = {.location = GL_G_IN_REG0, .guard = GL_GUARD_NONE};
	int err = listing__make(code, &listing);

	if (err)
		return err;
	for (size_t i = 1; i < listing.n; i++) {
		if (!is_it(&listing.insns[i], target))
			continue;
		if (point.offset)
			return -ENOENT;
		point.offset = listing.insns[i].offset;
		point.length = listing.insns[i].length;
		point.class = listing.insns[i].class;
	}
	if (!point.offset)
		return -ENOENT;
	*ret_point = point;
	return 0;
}

static bool is_return(const struct insn *insn, uint64_t target)
{
	(void)target;
	return insn->returns;
}

static bool is_call_of(const struct insn *insn, uint64_t target)
{
	return insn->kind == INSN_CALL && insn->target == target && insn->probeable;
}

int path__only_return(const struct code *code, struct path_point *ret_point)
{
	return only_one(code, is_return, 0, ret_point);
}

int path__only_call(const struct code *code, uint64_t target, struct path_point *ret_point)
{
	return only_one(code, is_call_of, target, ret_point);
}

int path__calls(const struct code *code, uint64_t target)
{
	__cleanup(listing__done) struct listing listing = {0};
	int err = listing__make(code, &listing);

	if (err)
		return err;
	for (size_t i = 0; i < listing.n; i++) {
		if (listing.insns[i].kind == INSN_CALL && listing.insns[i].target == target)
			return 1;
	}
	return 0;
}
