/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_HEAP_SITE_WAYS_H
#define GLEAKD_SESSION_HEAP_SITE_WAYS_H

/*
 * By which way what goroutines of suspected and waiting sites wait on is reached, for sites that are not
 * leaked because it is: found by scans that are made anyway, and kept for as long as the target is
 * watched.
 */
#include "heap/ways/names.h"
#include "session/target.h"

struct site_ways;

struct site_ways_options {
	uint64_t max_bytes;  /* of memory while a scan lasts; 0: no limit */
	uint64_t min_age_ns; /* sites whose members are not parked for so long are left alone */
	bool every_site;     /* whether suspected or not */
	struct heap_paths *paths; /* of the same scan, for names; NULL: there are none */
	struct go_variables *variables;
};

/* site_ways__new - of @target, whose heap @runtime is. -ENOMEM. */
int site_ways__new(struct target *target, const struct heap_runtime *runtime,
		   struct site_ways **ret_ways) __must_check;
void site_ways__free(struct site_ways *ways);

/* site_ways__wants - whether there is a site that a scan with @options would find a way to. */
bool site_ways__wants(struct site_ways *ways, const struct site_ways_options *options);

/*
 * site_ways__join - take part in a scan that is about to begin: sets the visitor and what is called
 * when it is ready, and has it go by level, unless no site wants to be looked at. -ENOMEM.
 */
int site_ways__join(struct site_ways *ways, const struct site_ways_options *options,
		    struct heap_scan_options *scan) __must_check;

/* site_ways__end - the scan has ended, and is still there: finds the ways. NULL: it came to nothing. */
void site_ways__end(struct site_ways *ways, struct heap_scan *scan);

/*
 * site_ways__text - the shortest way to what members of site @index wait on, and what it begins with; NULL: not
 * known. Stays valid.
 */
const char *site_ways__text(const struct site_ways *ways, uint32_t index,
			    enum proof_holder *ret_holder);

#endif /* GLEAKD_SESSION_HEAP_SITE_WAYS_H */
