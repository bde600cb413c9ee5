/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_WEIGHTS_H
#define GLEAKD_TRACK_ALLOC_WEIGHTS_H

/*
 * How many allocations the hits of a period stand for, when probes were there for a part of it only.
 *
 * The runtime counts what it allocates of each size class, exactly, but not where. So the hits of a class
 * share what was counted of it. Within a class a goroutine that does little else than allocate is slowed
 * by its own hits and seen too seldom, one that waits in between is not: of a goroutine that spent the part u
 * of the window in hits, each stands for s / (1 - u), s being the period by the window. (One that always wants
 * to run and has to wait for processors had a part of the window only.)
 *
 * What the sum of these differs from the count is shared out by how far off each may be: what the windows have
 * by chance, the same for all, and what an error of u makes of 1 / (1 - u). That is little for who has waited
 * most of the time, and nearly all for who has done nothing but allocate; there only the count knows.
 *
 * Where nobody of a class does that, windows are samples of the time: all of them together share all that was counted.
 */
#include "track/alloc_flow.h"
#include "track/alloc_pace.h"

#define ALLOC_CLASSES 68 /* src/runtime/sizeclasses.go; 0: large objects */

/* What the runtime has counted. */
struct alloc_counts {
	uint64_t objects[ALLOC_CLASSES]; /* allocated since the program began; of class 0: */
	uint64_t large_bytes;
};

struct alloc_block {
	uint8_t size_class;
	bool tiny;	/* shares its block with others (src/runtime/malloc.go, maxTinySize) */
	uint64_t bytes; /* what it takes, of a block that is shared its part */
};

/*
 * alloc_block__of - where Go 1.@minor puts an object of @size bytes. @class_size is that of the class
 * with a number, 0 past the last.
 */
struct alloc_block alloc_block__of(uint64_t size, bool has_pointers, int minor,
				   uint32_t (*class_size)(uint8_t));

struct alloc_period {
	uint64_t period_ns, window_ns; /* the same: probes were there all the time */
	bool complete;		       /* and no hit was lost */
	uint64_t cpu_ns,
		all_cpu_ns; /* that the process used in the window, and in the period; 0: not known */
	double ns_per_hit;		    /* by calibration */
	const struct alloc_counts *counted; /* in it; NULL: not known */
};

struct alloc_weights {
	/* Counted in periods without a hit of the class: the next hits of it stand for these as well. */
	struct alloc_counts carried;
	/*
	 * All that entries were told, in the unit of the counts, by periods that share their own count or were seen in
	 * full.
	 */
	double settled[ALLOC_CLASSES];
	/* Of those that share what was counted in all of them, and that. */
	double shared[ALLOC_CLASSES], shared_counted[ALLOC_CLASSES];
	/* And counted while nothing was seen, in the same proportions. */
	double extended[ALLOC_CLASSES];
	double whole[ALLOC_CLASSES]; /* of what was settled, what was seen in full */
	double of_group[ALLOC_CLASSES]
		       [ALLOC_WINDOW_GROUPS]; /* and what each group of periods has */
	uint64_t periods, whole_periods;      /* that were seen in part, and in full */
	/* Lately, in that unit: what was counted, and what there was by the hits and time alone. */
	double lately_counted[ALLOC_CLASSES], lately_seen[ALLOC_CLASSES];
	uint32_t lacking[ALLOC_CLASSES];    /* periods in a row that had too little of it */
	double lately_doubt[ALLOC_CLASSES]; /* of who is slowed most by hits, on average */
	/* What hits in windows have taken lately, as it was seen, and by calibration. */
	double seen_ns, expected_ns;
	/* What others have of a class beside those who do little else than allocate, as refills tell. */
	struct alloc_pace pace;
	double paced[ALLOC_CLASSES][2]; /* as of entries, in the unit of the counts */
	double paced_of_group[ALLOC_CLASSES][2][ALLOC_WINDOW_GROUPS];
};

/*
 * alloc_weights__settle - the period is over: its hits are added to what entries of @flow stand for, and
 * the next begins.
 */
void alloc_weights__settle(struct alloc_weights *weights, struct alloc_flow *flow,
			   const struct alloc_period *period);

/*
 * alloc_weights__dearer - how many times as much hits have taken lately as calibration expects, by the CPU time per
 * allocation in windows and between them; 1: no more, or nothing is known.
 */
double alloc_weights__dearer(const struct alloc_weights *weights);

/*
 * alloc_weights__extend - of the time since the last period nothing but @counted is known: what there is of each
 * class stands for that as well.
 */
void alloc_weights__extend(struct alloc_weights *weights, struct alloc_flow *flow,
			   const struct alloc_counts *counted);

/*
 * alloc_weights__unseen - bytes that the runtime has counted of size classes of which no hit was told since.
 * @class_size as above.
 */
uint64_t alloc_weights__unseen(const struct alloc_weights *weights,
			       uint32_t (*class_size)(uint8_t));

/* alloc_weights__seen - of a class, what windows have seen by the time that they stand for. */
double alloc_weights__seen(const struct alloc_weights *weights, size_t c);

/* alloc_weights__factor - how many times as much there is. */
double alloc_weights__factor(const struct alloc_weights *weights, size_t c);

/* alloc_weights__is_busy - whether lately somebody spent half of the windows in hits. */
bool alloc_weights__is_busy(const struct alloc_weights *weights);

/* alloc_weights__has_saturated - whether lately somebody of the class did little else than allocate. */
bool alloc_weights__has_saturated(const struct alloc_weights *weights, size_t c);

/* alloc_weights__wants_pace - somebody shares the class with one who does little else than allocate. */
bool alloc_weights__wants_pace(const struct alloc_weights *weights, size_t c);

/*
 * How many times as much there is by refills as windows say, and how far off that may be, as a part of it: of
 * others, and of those who do little else than allocate.
 */
struct alloc_paced {
	double times[2];
	double error[2];
};

/* alloc_weights__paced - false: refills do not say. */
bool alloc_weights__paced(const struct alloc_weights *weights, size_t c,
			  struct alloc_paced *ret_paced);

/* alloc_entry__units - what each of its objects counts as the runtime counts its class: blocks, bytes of large ones. */
double alloc_entry__units(const struct alloc_flow_entry *entry);

#endif /* GLEAKD_TRACK_ALLOC_WEIGHTS_H */
