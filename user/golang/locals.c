// SPDX-License-Identifier: Apache-2.0
/*
 * Where the compiler says that variables are (src/cmd/compile/internal/ssa/debug.go): in an expression
 * that holds all the time, or in a list of them with the code for which each holds. In memory a variable
 * lies at a distance from the frame's end, which is DWARF's canonical frame address, whole or in parts of
 * which some may be in registers or nowhere.
 */
#include "golang/variables.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/hash.h"
#include "golang/variables_private.h"

#define MAX_FUNCTIONS 1000000u
#define MAX_FRAMES    65536u
#define MAX_CLOSURES  65536u
#define MAX_KEPT      1000000u	/* places of variables, and captured ones, of all */
#define MAX_DIES      20000000u /* that are looked at for them in all */
#define MAX_PLACES    4096u	/* of one frame */
#define MAX_CAPTURED  256u	/* by one closure */
#define MAX_NESTING   32u	/* of blocks and inlined calls */
#define MAX_NAMES     ((size_t)32 << 20)
#define NAME_SIZE     512
#define WORD	      8u

/* src/cmd/internal/dwarf/dwarf.go, from Go 1.23 on; not in the first 8 bytes, which are its code's address. */
#define DW_AT_GO_CLOSURE_OFFSET 0x2907

struct function {
	uint64_t entry;
	Dwarf_Off die;
};

/* What is known while a function stands at @pc. */
struct frame {
	uint64_t pc;
	struct go_local *all;
	size_t n, capacity;
};

struct closure {
	uint64_t entry;
	struct go_captured *all;
	size_t n, capacity;
};

struct go_locals {
	struct elf_image *image;
	size_t max_bytes;
	struct function *functions; /* by rising entry */
	size_t n_functions, functions_capacity;
	struct string_pool *names;
	struct frame *frames;
	size_t n_frames, frames_capacity;
	struct index *by_pc;
	struct closure *closures;
	size_t n_closures, closures_capacity;
	struct index *by_entry;
	size_t last; /* frame that was asked for */
	size_t kept;
	size_t dies_left;
	/* While the debug information is in memory. */
	struct dwarf_file file;
	bool open, failed; /* failed: it could not be read again */
};

int go_locals__new(struct elf_image *image, size_t max_bytes, struct go_locals **ret_locals)
{
	struct go_locals *locals = calloc(1, sizeof(*locals));

	if (!locals)
		return -ENOMEM;
	locals->image = image;
	locals->max_bytes = max_bytes;
	locals->dies_left = MAX_DIES;
	if (index__new(MAX_FRAMES, &locals->by_pc) || index__new(MAX_CLOSURES, &locals->by_entry) ||
	    string_pool__new(MAX_NAMES, &locals->names)) {
		go_locals__free(locals);
		return -ENOMEM;
	}
	*ret_locals = locals;
	return 0;
}

void go_locals__rest(struct go_locals *locals)
{
	dwarf_file__close(&locals->file);
	locals->file = (struct dwarf_file){0};
	locals->open = false;
}

void go_locals__free(struct go_locals *locals)
{
	if (!locals)
		return;
	go_locals__rest(locals);
	for (size_t i = 0; i < locals->n_frames; i++)
		free(locals->frames[i].all);
	for (size_t i = 0; i < locals->n_closures; i++)
		free(locals->closures[i].all);
	free(locals->frames);
	free(locals->closures);
	free(locals->functions);
	index__free(locals->by_pc);
	index__free(locals->by_entry);
	string_pool__free(locals->names);
	free(locals);
}

Dwarf *go_locals__dwarf(struct go_locals *locals)
{
	if (!locals->open && !locals->failed) {
		locals->open = true;
		locals->failed = dwarf_file__open_with_places(locals->image, locals->max_bytes,
							      &locals->file) != 0;
		if (locals->failed)
			go_locals__rest(locals);
	}
	return locals->file.dwarf;
}

/* --- functions ---------------------------------------------------------------------------------- */

int go_locals__add_function(struct go_locals *locals, Dwarf_Die *die)
{
	Dwarf_Addr entry;

	/* One that was inlined everywhere has no code of its own. */
	if (locals->n_functions == MAX_FUNCTIONS || dwarf_lowpc(die, &entry))
		return 0;
	if (!array__reserve(locals->functions, locals->functions_capacity, locals->n_functions + 1))
		return -ENOMEM;
	locals->functions[locals->n_functions++] =
		(struct function){.entry = entry, .die = dwarf_dieoffset(die)};
	return 0;
}

static int by_entry(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return (x->entry > y->entry) - (x->entry < y->entry);
}

void go_locals__sort(struct go_locals *locals)
{
	if (locals->n_functions)
		qsort(locals->functions, locals->n_functions, sizeof(locals->functions[0]),
		      by_entry);
}

/* The last one that begins at or before @pc; NULL. */
static const struct function *function_at(const struct go_locals *locals, uint64_t pc)
{
	size_t low = bisect(locals->n_functions, i, locals->functions[i].entry <= pc);

	return low ? &locals->functions[low - 1] : NULL;
}

/* The subprogram that @pc is in. */
static bool open_function(struct go_locals *locals, uint64_t pc, Dwarf_Die *ret_die)
{
	const struct function *function = function_at(locals, pc);
	Dwarf *dwarf = function ? go_locals__dwarf(locals) : NULL;

	return dwarf && dwarf_offdie(dwarf, function->die, ret_die) &&
	       dwarf_tag(ret_die) == DW_TAG_subprogram && dwarf_haspc(ret_die, pc) == 1;
}

/* Go's functions tell places from there; those of C may do otherwise. */
static bool has_cfa(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;

	return dwarf_attr(die, DW_AT_frame_base, &attribute) &&
	       !dwarf_formblock(&attribute, &block) && block.length == 1 &&
	       block.data[0] == DW_OP_call_frame_cfa;
}

/* --- where a variable is ------------------------------------------------------------------------ */

struct reading {
	struct go_variables *variables;
	struct go_locals *locals;
	struct frame *frame;
	const char *function; /* whose variables these are */
	unsigned int inlined, nesting;
};

/*
 * Of what covers the same words a variable of the function itself comes before one of what was inlined
 * into it, which is a copy; and that of an inner block before that of an outer one.
 */
static unsigned int rank_of(const struct reading *r, bool part)
{
	return (unsigned int)part << 16 | r->inlined << 8 | (MAX_NESTING - r->nesting);
}

/*
 * "&x" holds the address of x, which has been moved to the heap (src/cmd/compile/internal/ir/name.go).
 * "buf.ptr" is a word of buf that has a place of its own, "p.name.ptr" one of p's field.
 */
static const char *make_name(struct reading *r, const char *name, struct go_local *local)
{
	static const char pointer[] = ".ptr";
	size_t length = strlen(name), tail = sizeof(pointer) - 1;
	char text[NAME_SIZE];

	local->by_address = name[0] == '&' && name[1];
	if (local->by_address) {
		name++;
		length--;
	}
	if (length > tail && !strcmp(name + length - tail, pointer))
		length -= tail;
	local->function_length = (unsigned int)min_of(strlen(r->function), sizeof(text) / 2);
	snprintf(text, sizeof(text), "%.*s.%.*s", (int)local->function_length, r->function,
		 (int)min_of(length, sizeof(text) / 2), name);
	return string_pool__intern(r->locals->names, text);
}

static void keep_place(struct reading *r, const struct go_local *local)
{
	struct frame *frame = r->frame;

	if (frame->n == MAX_PLACES || r->locals->kept == MAX_KEPT ||
	    !array__reserve(frame->all, frame->capacity, frame->n + 1))
		return;
	frame->all[frame->n++] = *local;
	r->locals->kept++;
}

/* The place that one operation says; false: that is not in the frame. */
static bool place_of(const Dwarf_Op *op, int64_t *ret_place)
{
	*ret_place = op->atom == DW_OP_fbreg ? (int64_t)op->number : 0;
	return (op->atom == DW_OP_fbreg || op->atom == DW_OP_call_frame_cfa) &&
	       *ret_place > INT32_MIN && *ret_place < INT32_MAX;
}

/* The parts of @local that lie in the frame. */
static void read_expression(struct reading *r, const Dwarf_Op *ops, size_t n,
			    struct go_local *local)
{
	uint64_t at = 0, size = local->size ? local->size : WORD;
	int64_t place;

	for (size_t i = 0; i < n && at < size; i++) {
		bool there = place_of(&ops[i], &place);

		if (i + 1 < n && ops[i].atom != DW_OP_piece && ops[i + 1].atom == DW_OP_piece)
			i++;
		else if (n != 1 && ops[i].atom != DW_OP_piece)
			return; /* it is calculated */
		local->offset = (int32_t)at;
		local->length =
			ops[i].atom == DW_OP_piece ? min_of(ops[i].number, size - at) : size;
		local->place = (int32_t)place;
		local->whole = local->length == size;
		at += local->length;
		if (there && local->length)
			keep_place(r, local);
	}
}

static void read_variable(struct reading *r, Dwarf_Die *die)
{
	struct go_local local = {0};
	struct described_type type;
	const char *name = dwarf_diename(die);
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t n;

	if (!name || !*name || !strcmp(name, "_") || !dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation_addr(&attribute, r->frame->pc, &ops, &n, 1) != 1 || !n)
		return;
	type = go_described__of(r->variables, die);
	local.type = type.type;
	local.size = min_of(type.size, (uint64_t)INT32_MAX);
	local.rank = rank_of(r, strchr(name, '.') != NULL);
	local.name = make_name(r, name, &local);
	if (local.name)
		read_expression(r, ops, n, &local);
}

static void read_block(struct reading *r, Dwarf_Die *die);

/* A block, or an inlined call, of which the function's code at pc may be a part. */
static void read_inner(struct reading *r, Dwarf_Die *die, bool inlined)
{
	const char *outer = r->function;

	if (r->nesting == MAX_NESTING || !dwarf_haspc(die, r->frame->pc))
		return;
	if (inlined)
		r->function = dwarf_diename(die);
	r->inlined += inlined;
	r->nesting++;
	if (r->function)
		read_block(r, die);
	r->nesting--;
	r->inlined -= inlined;
	r->function = outer;
}

static void read_block(struct reading *r, Dwarf_Die *die)
{
	Dwarf_Die child;
	int more = dwarf_child(die, &child);

	for (; !more && r->locals->dies_left; more = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);

		r->locals->dies_left--;
		if (tag == DW_TAG_variable || tag == DW_TAG_formal_parameter)
			read_variable(r, &child);
		else if (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine)
			read_inner(r, &child, tag == DW_TAG_inlined_subroutine);
	}
}

static struct frame *find_frame(struct go_locals *locals, uint64_t pc)
{
	struct index_search search;

	if (locals->last < locals->n_frames && locals->frames[locals->last].pc == pc)
		return &locals->frames[locals->last];
	search = index__search(locals->by_pc, hash__keyed_word(pc));
	while (index__next(&search)) {
		if (locals->frames[search.number].pc != pc)
			continue;
		locals->last = search.number;
		return &locals->frames[search.number];
	}
	return NULL;
}

/* NULL: there is no room for more. */
static struct frame *read_frame(struct go_variables *variables, uint64_t pc)
{
	struct go_locals *locals = variables->locals;
	struct reading r = {.variables = variables, .locals = locals};
	Dwarf_Die die;

	if (!array__reserve(locals->frames, locals->frames_capacity, locals->n_frames + 1) ||
	    index__add(locals->by_pc, hash__keyed_word(pc), (uint32_t)locals->n_frames))
		return NULL;
	locals->last = locals->n_frames++;
	r.frame = &locals->frames[locals->last];
	*r.frame = (struct frame){.pc = pc};
	if (!open_function(locals, pc, &die) || !has_cfa(&die))
		return r.frame;
	r.function = dwarf_diename(&die);
	if (r.function)
		read_block(&r, &die);
	return r.frame;
}

const struct go_local *go_variables__local(struct go_variables *variables, uint64_t pc,
					   int64_t place)
{
	struct go_locals *locals = variables->locals;
	const struct go_local *best = NULL;
	const struct frame *frame;

	if (!locals->n_functions)
		return NULL;
	frame = find_frame(locals, pc);
	if (!frame)
		frame = read_frame(variables, pc);
	for (size_t i = 0; frame && i < frame->n; i++) {
		const struct go_local *local = &frame->all[i];

		if (place >= local->place && place - local->place < (int64_t)local->length &&
		    (!best || local->rank < best->rank))
			best = local;
	}
	return best;
}

/* --- what closures have captured ---------------------------------------------------------------- */

static uint64_t constant_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	return dwarf_attr(die, name, &attribute) && !dwarf_formudata(&attribute, &value) ? value :
											   0;
}

static void read_captured(struct go_variables *variables, Dwarf_Die *function,
			  struct closure *closure)
{
	struct go_locals *locals = variables->locals;
	Dwarf_Die die;
	int more = dwarf_child(function, &die);

	for (; !more && locals->dies_left && closure->n < MAX_CAPTURED && locals->kept < MAX_KEPT;
	     more = dwarf_siblingof(&die, &die)) {
		const char *name = dwarf_diename(&die);
		struct described_type type;

		locals->dies_left--;
		if (dwarf_tag(&die) != DW_TAG_variable || !name || strchr(name, '.'))
			continue;
		name = string_pool__intern(locals->names, name + (*name == '&'));
		type = go_described__of(variables, &die);
		if (!name || !array__reserve(closure->all, closure->capacity, closure->n + 1))
			break;
		closure->all[closure->n++] = (struct go_captured){
			.name = name,
			.offset = constant_of(&die, DW_AT_GO_CLOSURE_OFFSET),
			.type = type.type,
			.size = type.size,
		};
		locals->kept++;
	}
}

static const struct closure *find_closure(const struct go_locals *locals, uint64_t entry)
{
	struct index_search search = index__search(locals->by_entry, hash__keyed_word(entry));

	while (index__next(&search)) {
		if (locals->closures[search.number].entry == entry)
			return &locals->closures[search.number];
	}
	return NULL;
}

const struct go_captured *go_variables__captured(struct go_variables *variables, uint64_t entry,
						 size_t *ret_n)
{
	struct go_locals *locals = variables->locals;
	const struct closure *known = find_closure(locals, entry);
	struct closure *closure;
	Dwarf_Die die;

	*ret_n = known ? known->n : 0;
	if (known)
		return known->all;
	if (!locals->n_functions ||
	    !array__reserve(locals->closures, locals->closures_capacity, locals->n_closures + 1) ||
	    index__add(locals->by_entry, hash__keyed_word(entry), (uint32_t)locals->n_closures))
		return NULL;
	closure = &locals->closures[locals->n_closures++];
	*closure = (struct closure){.entry = entry};
	if (open_function(locals, entry, &die))
		read_captured(variables, &die, closure);
	*ret_n = closure->n;
	return closure->all;
}

void go_variables__rest(struct go_variables *variables)
{
	go_locals__rest(variables->locals);
}
