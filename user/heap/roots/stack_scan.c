// SPDX-License-Identifier: Apache-2.0
/*
 * A frame, as the runtime sees it (src/runtime/traceback.go resolveInternal, stkframe.go):
 *
 *	amd64	sp ... locals ... varp [saved bp] [return address] fp = argp: arguments
 *	arm64	sp: [return address] ... locals ... varp [saved fp of the callee] fp + 8 = argp
 *
 * fp is sp plus what pcsp says, and on amd64 the return address. A word that points into the stack
 * itself leads to a variable on it, which is looked at when it is known to be alive.
 */
#include "heap/roots/stack_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/bytes.h"

#define WORD	    8u
#define MAX_DEFERS  65536u
#define DEFER_MAX   128	       /* bytes; 72 in the largest version */
#define MAX_OBJECTS (1u << 20) /* on one stack */
#define LR_SLOT	    16u /* src/runtime/signal_arm64.go pushCall: alignUp(MinFrameSize, StackAlign) */

struct stack_object {
	uint64_t start, end;
	const struct frame_object *record; /* NULL: it has been scanned */
	uint64_t function, pc, frame;	   /* of the frame it is in */
};

struct words {
	uint64_t *all;
	size_t n, capacity;
};

struct heap_stack_scanner {
	const struct heap_runtime *runtime;
	struct heap_frames *frames;
	struct heap_mark *mark;
	struct heap_stack_totals totals;
	bool uses_lr, failed;

	/* Of the stack that is being scanned. */
	const struct heap_stack *stack;
	struct heap_stack_contents inside;
	struct stack_object *objects; /* by rising address */
	size_t n_objects, objects_capacity;
	struct words precise, guessed; /* addresses on the stack that something points to */
};

struct frame {
	uint64_t pc, sp, lr;
	uint64_t fp, varp, argp;
	bool innermost, panicked, guess;
	const struct frame_map *map;
};

int heap_stack_scanner__new(const struct heap_runtime *runtime, struct heap_frames *frames,
			    struct heap_mark *mark, struct heap_stack_scanner **ret_scanner)
{
	struct heap_stack_scanner *scanner = calloc(1, sizeof(*scanner));

	if (!scanner)
		return -ENOMEM;
	scanner->runtime = runtime;
	scanner->frames = frames;
	scanner->mark = mark;
	scanner->uses_lr = runtime->arch->uses_lr;
	*ret_scanner = scanner;
	return 0;
}

void heap_stack_scanner__free(struct heap_stack_scanner *scanner)
{
	if (!scanner)
		return;
	free(scanner->objects);
	free(scanner->precise.all);
	free(scanner->guessed.all);
	free(scanner);
}

const struct heap_stack_totals *heap_stack_scanner__totals(const struct heap_stack_scanner *scanner)
{
	return &scanner->totals;
}

/* --- words -------------------------------------------------------------------------------------- */

static void push_word(struct heap_stack_scanner *s, struct words *words, uint64_t word)
{
	if (!array__reserve(words->all, words->capacity, words->n + 1)) {
		s->failed = true;
		return;
	}
	words->all[words->n++] = word;
}

/* Whether [@address, @address + @size) was copied. */
static bool in_copy(const struct heap_stack *stack, uint64_t address, uint64_t size)
{
	return address >= stack->from && address <= stack->hi && size <= stack->hi - address;
}

static uint64_t load(const struct heap_stack *stack, uint64_t address)
{
	return bytes__u64(stack->copy, (size_t)(address - stack->from));
}

static void pointer(struct heap_stack_scanner *s, uint64_t from, uint64_t value, bool guess)
{
	if (value >= s->stack->lo && value < s->stack->hi)
		push_word(s, guess ? &s->guessed : &s->precise, value);
	else if (guess)
		heap_mark__guess(s->mark, from, value);
	else
		heap_mark__pointer(s->mark, from, value);
}

/* @n words from @address on; @bits says which are pointers, NULL: all of them. */
static void scan_words(struct heap_stack_scanner *s, uint64_t address, uint64_t n,
		       const uint8_t *bits, bool guess)
{
	/* What lies outside was not copied: frames are never larger than their stack. */
	if (address % WORD || !in_copy(s->stack, address, 0))
		return;
	n = min_of(n, (s->stack->hi - address) / WORD);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = address + i * WORD;

		if (!bits || bits[i / 8] >> i % 8 & 1)
			pointer(s, at, load(s->stack, at), guess);
	}
}

static void guess_from(struct heap_stack_scanner *s, uint64_t start, uint64_t end)
{
	start = (max_of(start, s->stack->from) + WORD - 1) & ~(uint64_t)(WORD - 1);
	if (end > start)
		scan_words(s, start, (end - start) / WORD, NULL, true);
}

/* --- variables on the stack --------------------------------------------------------------------- */

static void scan_object(struct heap_stack_scanner *s, uint64_t start,
			const struct frame_object *record, bool guess)
{
	scan_words(s, start, record->pointer_size / WORD, record->bits, guess || !record->bits);
}

static bool object_room(struct heap_stack_scanner *s)
{
	if (s->n_objects >= MAX_OBJECTS)
		return false;
	if (!array__reserve(s->objects, s->objects_capacity, s->n_objects + 1)) {
		s->failed = true;
		return false;
	}
	return true;
}

/* Frames go up the stack and records within a frame too; what does not is scanned at once. */
static void add_object(struct heap_stack_scanner *s, uint64_t start,
		       const struct frame_object *record)
{
	if (!in_copy(s->stack, start, record->size))
		return;
	if ((s->n_objects && start < s->objects[s->n_objects - 1].end) || !object_room(s)) {
		scan_object(s, start, record, true);
		return;
	}
	s->objects[s->n_objects++] = (struct stack_object){
		.start = start,
		.end = start + record->size,
		.record = record,
		.function = s->inside.contents.function,
		.pc = s->inside.pc,
		.frame = s->inside.frame,
	};
}

static struct stack_object *find_object(struct heap_stack_scanner *s, uint64_t address)
{
	size_t low = bisect(s->n_objects, i, address >= s->objects[i].end);

	return low < s->n_objects && address >= s->objects[low].start ? &s->objects[low] : NULL;
}

/* Those that something points to, and what they point to; the certain ones first. */
static void scan_objects(struct heap_stack_scanner *s)
{
	while (s->precise.n || s->guessed.n) {
		bool guess = !s->precise.n;
		struct words *words = guess ? &s->guessed : &s->precise;
		struct stack_object *object = find_object(s, words->all[--words->n]);
		const struct frame_object *record = object ? object->record : NULL;

		if (!record)
			continue;
		object->record = NULL;
		s->inside.contents.function = object->function;
		s->inside.pc = object->pc;
		s->inside.frame = object->frame;
		scan_object(s, object->start, record, guess);
	}
}

/* --- frames ------------------------------------------------------------------------------------- */

static bool is_function(const struct frame_map *map, uint64_t entry)
{
	return entry && map->func.entry == entry;
}

/* A frame that was interrupted between two instructions: its registers are in the callee's. */
static bool is_interruption(const struct heap_stack_scanner *s, const struct frame_map *map)
{
	return is_function(map, s->runtime->async_preempt) ||
	       is_function(map, s->runtime->debug_call);
}

/*
 * Word by word: outgoing arguments too, since a call may be under way. Arguments of unknown size are
 * in the caller's frame, so that is taken the same way.
 */
static void guess_frame(struct heap_stack_scanner *s, struct frame *frame)
{
	const struct frame_map *map = frame->map;
	uint64_t end = frame->varp;

	s->totals.guessed_frames++;
	if (s->uses_lr && (is_interruption(s, map) || is_function(map, s->runtime->sigpanic)))
		end += LR_SLOT;
	guess_from(s, frame->sp, max_of(end, frame->fp));
	guess_from(s, frame->argp, frame->argp + (uint64_t)map->args.n * WORD);
	frame->guess = is_interruption(s, map) || map->args_dynamic || !map->maps_known;
}

/* For whoever watches. A return address is behind the call. */
static void enter_frame(struct heap_stack_scanner *s, const struct frame *frame)
{
	const struct frame_map *map = frame->map;
	uint64_t pc = frame->pc - s->runtime->bias;

	s->inside.contents.function = map->func.entry;
	s->inside.contents.arguments = frame->argp;
	s->inside.pc = pc > map->func.entry ? pc - 1 : pc;
	s->inside.frame = frame->fp;
}

static void leave_frames(struct heap_stack_scanner *s)
{
	s->inside.contents.function = s->inside.contents.arguments = 0;
	s->inside.pc = s->inside.frame = 0;
}

static void scan_frame(struct heap_stack_scanner *s, struct frame *frame)
{
	const struct frame_map *map = frame->map;
	uint64_t locals = (uint64_t)map->locals.n * WORD;

	s->totals.frames++;
	enter_frame(s, frame);
	if (frame->guess || is_interruption(s, map) || map->args_dynamic || !map->maps_known) {
		guess_frame(s, frame);
		return;
	}
	/* It panicked and has no deferred call to go on with: nothing in it is used again. */
	if (frame->panicked && !map->deferreturn)
		return;
	if (locals && frame->varp > frame->sp && locals <= frame->varp - s->stack->lo)
		scan_words(s, frame->varp - locals, map->locals.n, map->locals.bits, false);
	if (map->args.n)
		scan_words(s, frame->argp, map->args.n, map->args.bits, false);
	for (size_t i = 0; i < map->n_objects; i++) {
		const struct frame_object *object = &map->objects[i];
		uint64_t base = object->offset < 0 ? frame->varp : frame->argp;
		uint64_t start = base + (uint64_t)(int64_t)object->offset;

		/* Below sp: the frame has not been set up yet. */
		if (start >= frame->sp)
			add_object(s, start, object);
	}
}

/* Bounds of the frame and its return address. False: this is no frame. */
static bool resolve(struct heap_stack_scanner *s, struct frame *frame)
{
	const struct heap_stack *stack = s->stack;
	const struct frame_map *map = frame->map;

	if (map->sp_delta < 0 || frame->sp % WORD || map->sp_delta % WORD)
		return false;
	frame->fp = frame->sp + (uint32_t)map->sp_delta + (s->uses_lr ? 0 : WORD);
	if (frame->fp < frame->sp || frame->fp > stack->hi || !in_copy(stack, frame->sp, 0))
		return false;
	if (map->func.flag & FUNC_FLAG_TOP_FRAME) {
		frame->lr = 0;
	} else if (map->func.flag & FUNC_FLAG_SP_WRITE && !frame->innermost &&
		   !is_function(map, s->runtime->cgocallback)) {
		return false;
	} else if (s->uses_lr) {
		if ((frame->innermost && frame->sp < frame->fp) || !frame->lr) {
			if (!in_copy(stack, frame->sp, WORD))
				return false;
			frame->lr = load(stack, frame->sp);
		}
	} else {
		frame->lr = load(stack, frame->fp - WORD);
	}
	frame->varp = frame->fp - (s->uses_lr ? 0 : WORD);
	if (frame->varp > frame->sp)
		frame->varp -= WORD;
	frame->argp = frame->fp + (s->uses_lr ? WORD : 0);
	return true;
}

/* The caller's frame. A signal handler that faked a call has saved the link register below it. */
static void step(struct heap_stack_scanner *s, struct frame *frame)
{
	const struct frame_map *map = frame->map;
	bool panicked = is_function(map, s->runtime->sigpanic);
	bool injected = panicked || is_interruption(s, map);
	uint64_t saved;

	frame->pc = frame->lr;
	frame->lr = 0;
	frame->sp = frame->fp;
	frame->innermost = false;
	frame->panicked = panicked;
	frame->map = heap_frames__get(s->frames, frame->pc, panicked);
	if (!s->uses_lr || !injected || !in_copy(s->stack, frame->sp, WORD))
		return;
	saved = load(s->stack, frame->sp);
	frame->sp += LR_SLOT;
	if (!frame->map) {
		frame->pc = saved;
		frame->map = heap_frames__get(s->frames, frame->pc, panicked);
	} else if (!frame->map->sp_delta) {
		frame->lr = saved;
	}
}

static struct frame innermost(struct heap_stack_scanner *s)
{
	const struct heap_stack *stack = s->stack;
	struct frame frame = {
		.pc = stack->pc,
		.sp = stack->sp,
		.lr = s->uses_lr ? stack->lr : 0,
		.innermost = true,
	};

	/* A call of a nil function: its caller is where to begin. */
	if (!frame.pc && in_copy(stack, frame.sp, WORD)) {
		frame.pc = load(stack, frame.sp);
		frame.lr = 0;
		frame.sp += s->uses_lr ? 0 : WORD;
	}
	frame.map = heap_frames__get(s->frames, frame.pc, false);
	return frame;
}

/* From where on the walk did not get any further; hi: it ended with the outermost frame. */
static uint64_t walk(struct heap_stack_scanner *s)
{
	const struct heap_stack *stack = s->stack;
	struct frame frame = innermost(s);
	uint64_t steps = (stack->hi - stack->from) / WORD + 16;

	/* On arm64 frames of no size exist, of functions that keep their return address. */
	for (; steps && frame.map && resolve(s, &frame); steps--) {
		scan_frame(s, &frame);
		if (frame.map->func.flag & FUNC_FLAG_TOP_FRAME)
			return stack->hi;
		if (!frame.lr)
			return frame.fp;
		step(s, &frame);
	}
	return frame.sp;
}

/* --- deferred calls ----------------------------------------------------------------------------- */

static bool read_defer(struct heap_stack_scanner *s, uint64_t address, uint8_t *data)
{
	uint32_t size = s->runtime->layout->defer_sizeof;

	if (size > DEFER_MAX || address % WORD)
		return false;
	if (in_copy(s->stack, address, size)) {
		memcpy(data, s->stack->copy + (address - s->stack->from), size);
		return true;
	}
	return !remote__read(s->runtime->remote, address, data, size);
}

static void scan_defers(struct heap_stack_scanner *s)
{
	const struct go_layout *l = s->runtime->layout;
	uint64_t address = s->stack->defer;
	uint8_t data[DEFER_MAX];

	for (size_t i = 0; address; i++) {
		if (i == MAX_DEFERS || !read_defer(s, address, data)) {
			s->totals.defers_refused++;
			return;
		}
		pointer(s, address + l->defer_fn, bytes__u64(data, l->defer_fn), false);
		pointer(s, address + l->defer_link, bytes__u64(data, l->defer_link), false);
		/* One in the heap may hang between two on the stack only. */
		if (address < s->stack->lo || address >= s->stack->hi)
			heap_mark__pointer(s->mark, 0, address);
		address = bytes__u64(data, l->defer_link);
	}
}

struct heap_stack_contents heap_stack__contents(const struct heap_stack *stack, uint64_t bias)
{
	return (struct heap_stack_contents){
		.contents =
			{
				.place = HEAP_IN_STACK,
				.start = stack->from,
				.data = stack->copy,
				.size = stack->copy ? (size_t)(stack->hi - stack->from) : 0,
				.goid = stack->goid,
				.first_function = stack->startpc ? stack->startpc - bias : 0,
				.again = stack->again,
			},
	};
}

int heap_stack_scanner__scan(struct heap_stack_scanner *scanner, const struct heap_stack *stack)
{
	uint64_t rest;

	scanner->stack = stack;
	scanner->n_objects = scanner->precise.n = scanner->guessed.n = 0;
	scanner->totals.stacks++;
	scanner->inside = heap_stack__contents(stack, scanner->runtime->bias);
	heap_mark__inside(scanner->mark, &scanner->inside.contents);
	pointer(scanner, 0, stack->ctxt, false);
	rest = walk(scanner);
	leave_frames(scanner);
	if (rest < stack->hi) {
		scanner->totals.guessed_stacks++;
		guess_from(scanner, rest, stack->hi);
	}
	scan_defers(scanner);
	/* Panics are always on the stack. */
	pointer(scanner, 0, stack->panic, false);
	scan_objects(scanner);
	heap_mark__inside(scanner->mark, NULL);
	return scanner->failed ? -ENOMEM : 0;
}
