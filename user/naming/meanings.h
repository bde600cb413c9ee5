/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_MEANINGS_H
#define GLEAKD_NAMING_MEANINGS_H

/*
 * What goroutines are for that a library starts on the program's behalf. No line of the program is
 * on the stack of such a goroutine. So the report says in a sentence what it waits for, and what it
 * means when such goroutines become more.
 */
#include "naming/site_frames.h"
#include "track/tracker.h"

struct meaning {
	const char *
		text; /* "HTTP client: a response body that was neither read to its end nor closed" */
	enum site_nature nature;
};

/*
 * meanings__of - of a site with these frames and the wait reason that the runtime names so, in code of
 * @library (site_frames__library()); NULL
 * when such goroutines are not known. For a goroutine of the program itself that waits inside of a
 * library it says what it waits for; the nature is unknown then, or that of the stream or pipe that
 * it waits for. It takes some 10 us: ask once per site.
 */
const struct meaning *meanings__of(const struct site_frames *frames, const char *wait_reason,
				   const struct go_dependency *library);

#endif /* GLEAKD_NAMING_MEANINGS_H */
