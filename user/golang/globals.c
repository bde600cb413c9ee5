// SPDX-License-Identifier: Apache-2.0
#include "golang/globals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "golang/globals_code.h"
#include "golang/procs.h"

enum { ALLGPTR, ALLGLEN, ALLGS, SCHED, ALLP, SEMTABLE, N_SYMBOLS };

/* False when the two that a census cannot do without are not there. */
static bool from_symbols(struct live *live, struct go_globals *globals)
{
	static const char *const names[N_SYMBOLS] = {
		[ALLGPTR] = "runtime.allgptr", [ALLGLEN] = "runtime.allglen",
		[ALLGS] = "runtime.allgs",     [SCHED] = "runtime.sched",
		[ALLP] = "runtime.allp",       [SEMTABLE] = "runtime.semtable",
	};
	struct elf_symbol symbols[N_SYMBOLS] = {0};

	if (elf_image__symbols(live->image, names, symbols, N_SYMBOLS) <= 0)
		return false;
	*globals = (struct go_globals){
		.allgptr = symbols[ALLGPTR].address,
		.allglen = symbols[ALLGLEN].address,
		.allgs = symbols[ALLGS].address,
		.sched = symbols[SCHED].address,
		.allp = symbols[ALLP].address,
		.semtable = symbols[SEMTABLE].address,
	};
	return globals->allgptr && globals->allglen;
}

enum { ALLGADD, PROCRESIZE, NEWPROC1, N_FUNCTIONS };

static int find_functions(struct live *live, struct pclntab_func funcs[N_FUNCTIONS])
{
	static const char *const names[N_FUNCTIONS] = {
		[ALLGADD] = "runtime.allgadd",
		[PROCRESIZE] = "runtime.procresize",
		[NEWPROC1] = "runtime.newproc1",
	};
	int n = pclntab__find(live->tab, names, funcs, N_FUNCTIONS);

	if (n < 0)
		return live__refuse(live, "its function table cannot be searched: %s",
				    strerror(-n));
	if (!funcs[ALLGADD].entry)
		return live__refuse(live, "it has no function runtime.allgadd; an obfuscated "
					  "program (garble) has none by that name");
	return 0;
}

/* What a function refers to; nothing when there is no such function or it cannot be read. */
static void read_refs(struct live *live, const struct pclntab_func *func, struct code_refs *refs)
{
	*refs = (struct code_refs){0};
	if (func->entry && code_refs__read(live->image, func, refs))
		*refs = (struct code_refs){0};
}

static int from_code(struct live *live, struct go_globals *globals)
{
	struct pclntab_func funcs[N_FUNCTIONS] = {0};
	struct code_refs *refs __cleanup_free = malloc(sizeof(*refs));
	int err;

	if (!refs)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	err = find_functions(live, funcs);
	if (err)
		return err;
	*globals = (struct go_globals){0};
	read_refs(live, &funcs[ALLGADD], refs);
	err = globals_code__allgs(live, refs, globals);
	if (err)
		return err;
	read_refs(live, &funcs[PROCRESIZE], refs);
	globals->allp = procs__find_allp(live, refs);
	read_refs(live, &funcs[NEWPROC1], refs);
	globals->sched = procs__find_sched(live, refs, globals->allp);
	return 0;
}

int globals__find(struct live *live, struct go_globals *ret_globals,
		  enum globals_source *ret_source)
{
	struct go_globals globals;
	int err;

	if (from_symbols(live, &globals)) {
		procs__verify(live, &globals);
		*ret_source = GLOBALS_SYMBOLS;
	} else {
		err = from_code(live, &globals);
		if (err)
			return err;
		*ret_source = GLOBALS_CODE;
	}
	*ret_globals = globals;
	return 0;
}
