/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_MARK_MARK_H
#define GLEAKD_HEAP_MARK_MARK_H

/*
 * Marks every object that can be reached from the pointers it is given. Memory: bitmaps
 * of all objects (marked, and to be scanned) of which only the pages that are touched exist, a queue
 * of spans and a buffer; never the heap. Objects wait in their span's bits, and a span is read once for all of its
 * objects that wait by then, as Go's own newest collector does (src/runtime/mgcmark_greenteagc.go).
 *
 * What is read may be anything: a pointer is believed only when it points into a span, a span that
 * has changed since the table was read has all its words taken for pointers, and every object is
 * scanned a bounded number of times.
 */
#include "heap/mark/object_bits.h"
#include "heap/spans/spans.h"
#include "heap/types/types.h"

struct heap_mark;

/* What a reference was found in. */
enum heap_place {
	HEAP_IN_VARIABLES,
	HEAP_IN_STACK,
	HEAP_IN_OBJECT,
	HEAP_IN_RUNTIME, /* what the runtime keeps outside of the heap; nothing more is known of it */
	HEAP_IN_YOUNG, /* nowhere: all of a span that is younger than the scan is taken for reachable */
};

/* Contents that are being looked at: a whole small object, a part of a large one, variables, a stack. */
struct heap_contents {
	enum heap_place place;
	uint64_t start; /* address of the first byte of @data */
	const uint8_t *data;
	size_t size;
	/* HEAP_IN_OBJECT: its start, and its number among all slots (mark.h slots) */
	uint64_t object;
	uint64_t slot;
	uint64_t header; /* the type that its header or its span tells, or 0 */
	/* HEAP_IN_STACK: whose; entries of the first function and of the frame's, link-time, or 0. */
	uint64_t goid;
	uint64_t first_function, function;
	uint64_t arguments; /* address of the frame's */
	bool again;	    /* variables and stacks that a racing scan looks at once more */
};

struct heap_reference {
	struct heap_mark *mark;
	const struct heap_contents *in;
	uint64_t from;	 /* address of the word, 0: it was none in memory */
	uint64_t value;	 /* into or behind the start of */
	uint64_t object; /* the start of the object */
	uint64_t slot;	 /* the object's number */
	const struct heap_span *span;
	bool first; /* it was not known before that anything leads to it */
};

/*
 * Sees everything the mark sees: contents before the references that are in them, all references, and
 * not only those that lead to something new. Objects have numbers from 0 to 64 times the words of
 * struct heap_spans, which stay.
 */
struct heap_visitor {
	void (*contents)(void *ctx, const struct heap_contents *contents);
	void (*reference)(void *ctx, const struct heap_reference *reference);
	void *ctx;
	/*
	 * When all there is has been marked: whether it has asked for contents to be shown again, after
	 * which it is called once more. NULL: it never does.
	 */
	bool (*settle)(void *ctx, struct heap_mark *mark);
	/* A reference to the object with that number will be shown soon, or not: time to prefetch. Or NULL. */
	void (*coming)(void *ctx, uint64_t slot);
};

/* All counts are since heap_mark__new(). */
struct heap_mark_totals {
	uint64_t objects, bytes; /* marked: slots, with their size */
	uint64_t bytes_read;	 /* of heap */
	uint64_t pieces;	 /* reads of a part of a span */
	uint64_t spans_changed;	 /* noticed as changed since the table was read */
	/* what they point to is not marked: nothing is proven by then */
	uint64_t pieces_unreadable;
	uint64_t late_refused; /* addresses that might have been in younger spans */
	uint64_t guesses_free; /* conservative pointers to what is not allocated */
};

/*
 * One reference that led to an object not seen before. @from: address of the word that holds it, 0
 * when it was no word of memory; @object: its start. In the order of a breadth-first search.
 */
typedef void (*heap_edge_fn)(void *ctx, uint64_t from, uint64_t object);

/* heap_mark__new - @spans (all read) and @types must outlive it. -ENOMEM. */
int heap_mark__new(struct heap_spans *spans, struct heap_types *types,
		   struct heap_mark **ret_mark) __must_check;
void heap_mark__free(struct heap_mark *mark);

/* heap_mark__trace - call @fn for each object from now on; NULL: no more. */
void heap_mark__trace(struct heap_mark *mark, heap_edge_fn fn, void *ctx);

/* heap_mark__visit - @visitor, which must outlive the mark, sees what follows. */
void heap_mark__visit(struct heap_mark *mark, const struct heap_visitor *visitor);

/*
 * heap_mark__inside - what is marked by the functions below comes from there, until it is NULL, which
 * stands for what the runtime keeps. It must stay where it is for as long.
 */
void heap_mark__inside(struct heap_mark *mark, const struct heap_contents *contents);

/* heap_mark__again - what is looked at from now on has been looked at before. */
void heap_mark__again(struct heap_mark *mark);
bool heap_mark__is_again(const struct heap_mark *mark);

/*
 * heap_mark__by_level - from now on objects are scanned level by level: those that are n references away
 * before any that is n + 1 away, up to HEAP_MARK_LEVELS; what is further away comes in any order. A span is
 * then read once for each level that has objects in it.
 */
void heap_mark__by_level(struct heap_mark *mark);
#define HEAP_MARK_LEVELS 64

/* heap_mark__pointer - @value, read at @from (or 0), is a pointer, to wherever. */
void heap_mark__pointer(struct heap_mark *mark, uint64_t from, uint64_t value);

/* heap_mark__guess - @value may be one: it is not when it points to what is not allocated. */
void heap_mark__guess(struct heap_mark *mark, uint64_t from, uint64_t value);

/*
 * heap_mark__words - the words of @data, read at @address; @bits says which are pointers, @n of them
 * (NULL: each is a guess).
 */
void heap_mark__words(struct heap_mark *mark, uint64_t address, const uint8_t *data, size_t n,
		      const uint8_t *bits);

/*
 * heap_mark__contents - what the object at @address points to, but not the object itself. Of a marked
 * one, once more; of a hidden one, not before it is revealed.
 */
void heap_mark__contents(struct heap_mark *mark, uint64_t address);

/*
 * heap_mark__hide - what leads to the object at @address ends there: its contents are not looked at,
 * nor is it counted, until heap_mark__reveal(). No effect on marked objects. To reveal what was not
 * hidden is to look at its contents once more, if it is marked.
 */
void heap_mark__hide(struct heap_mark *mark, uint64_t address);
void heap_mark__reveal(struct heap_mark *mark, uint64_t address);

/* heap_mark__object - the object that @address points into: its start and size, or 0. */
uint64_t heap_mark__object(const struct heap_mark *mark, uint64_t address, uint64_t *ret_size);

/* heap_mark__is_marked - whether the object at @address is; true for what is no object of the heap. */
bool heap_mark__is_marked(const struct heap_mark *mark, uint64_t address);

/*
 * heap_mark__watch - when the object at @address is marked its start is put among the woken. Each
 * object once.
 */
int heap_mark__watch(struct heap_mark *mark, uint64_t address) __must_check;

/* heap_mark__woken - takes one of them; 0: none. */
uint64_t heap_mark__woken(struct heap_mark *mark);

/*
 * heap_mark__drain - scan what waits to be scanned, for about @budget_ns (0: to the end). 1: there
 * is more; 0: all that can be reached is marked; -ESRCH, -ENOMEM.
 */
int heap_mark__drain(struct heap_mark *mark, uint64_t budget_ns) __must_check;

/*
 * heap_mark__settle - at the end of a scan: show the visitor what it wants to see again, as
 * heap_mark__drain().
 */
int heap_mark__settle(struct heap_mark *mark, uint64_t budget_ns) __must_check;

const struct heap_mark_totals *heap_mark__totals(const struct heap_mark *mark);

/* heap_mark__spans - the table it works on. */
struct heap_spans *heap_mark__spans(struct heap_mark *mark);

/* heap_mark__failed - an earlier call ran out of memory (-ENOMEM) or the process ended (-ESRCH). */
int heap_mark__failed(const struct heap_mark *mark);

#endif /* GLEAKD_HEAP_MARK_MARK_H */
