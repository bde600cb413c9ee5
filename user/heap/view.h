/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_VIEW_H
#define GLEAKD_HEAP_VIEW_H

/* What `gleakd heap` shows of one process. */
#include "heap/memory.h"

struct heap_view {
	struct heap_memory memory;
};

#endif /* GLEAKD_HEAP_VIEW_H */
