/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_INVENTORY_H
#define GLEAKD_SESSION_INVENTORY_H

/*
 * The Go processes of this host, looked at once. A process that ends or becomes another program
 * meanwhile is left out.
 */
#include "base/common.h"
#include "base/failure.h"
#include "output/list.h"

struct inventory;

/*
 * inventory__take - look at everything in @proc_root. What cannot be read is counted, not an error.
 * Errors: -ENOMEM, or that @proc_root itself cannot be read.
 */
int inventory__take(const char *proc_root, struct inventory **ret_inventory,
		    struct failure *failure) __must_check;
void inventory__free(struct inventory *inventory);

/* inventory__list - sorted: most goroutines first, then by pid. Lives as long as the inventory. */
const struct list *inventory__list(const struct inventory *inventory);

#endif /* GLEAKD_SESSION_INVENTORY_H */
