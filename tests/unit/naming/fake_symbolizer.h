/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_SESSION_FAKE_SYMBOLIZER_H
#define GLEAKD_TESTS_SESSION_FAKE_SYMBOLIZER_H

/*
 * A symbolizer made of a table: the real one needs a Go binary, and what is tested in this folder is
 * what becomes of frames, not how they are found. It stands in for all tests of the folder.
 */
#include "golang/symbolize.h"

enum fake_lookup {
	BEHIND_CALL, /* must be looked up as a return address */
	EXACT,	     /* must not */
	ENTRY,	     /* neither must this, at which a function begins */
};

struct fake_pc {
	uint64_t pc; /* rows with the same pc follow each other, innermost call first */
	struct frame frame;
	enum fake_lookup lookup;
};

/*
 * fake_symbolizer__use - instead of the small table that is there from the start, for the running
 * test. Pcs that are not in it have a frame named "0x..." without file.
 */
void fake_symbolizer__use(const struct fake_pc *pcs, size_t n);

/* fake_symbolizer__asked - how many times it was asked for frames. */
size_t fake_symbolizer__asked(void);

#endif /* GLEAKD_TESTS_SESSION_FAKE_SYMBOLIZER_H */
