// SPDX-License-Identifier: Apache-2.0
/*
 * A cache in front of the pclntab. Every result is kept, nothing is evicted: what was given out
 * stays valid as long as the symbolizer, and the call sites of one program are limited in number.
 * A hostile target can make up as many pcs as it likes, so there are limits, and behind them the
 * answers degrade: first nothing more is remembered, then unknown strings become "?".
 */
#include "golang/symbolize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "elf/string_pool.h"

#define MAX_PCS	   65536
#define MAX_FRAMES ((size_t)MAX_PCS * 4)
#define MAX_TEXT   ((size_t)16 << 20)

/*
 * Numbers of unknown addresses are kept until the text is half used up, so that they cannot keep
 * the names of real functions out.
 */
#define MAX_ADDRESS_TEXT (MAX_TEXT / 2)

/* Set in the key of results of symbolizer__function(); no user address has this bit. */
#define KEY_FUNCTION (1ULL << 63)

struct cached {
	uint64_t key;
	uint32_t first; /* in `frames` */
	uint32_t n;
};

struct module {
	struct pclntab *tab; /* NULL: its file is not readable */
	const struct go_build_info *info;
	const char *name;
};

struct symbolizer {
	struct module *modules; /* by number */
	size_t n_modules;
	struct string_pool *strings;

	struct cached *cached;
	size_t n_cached, cached_size;
	struct index *index; /* of the cached, by key */
	struct frame *frames;
	size_t n_frames, frames_size;

	uint64_t unnamed;
	struct pclntab_frame scratch[PCLNTAB_MAX_INLINE + 1];
};

int symbolizer__new(struct go_binary *binary, struct symbolizer **ret_symbolizer)
{
	struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));

	if (!symbolizer)
		return -ENOMEM;
	if (index__new(MAX_PCS, &symbolizer->index) ||
	    string_pool__new(MAX_TEXT, &symbolizer->strings)) {
		symbolizer__free(symbolizer);
		return -ENOMEM;
	}
	if (symbolizer__add_module(symbolizer, binary, "")) {
		symbolizer__free(symbolizer);
		return -ENOMEM;
	}
	*ret_symbolizer = symbolizer;
	return 0;
}

int symbolizer__add_module(struct symbolizer *symbolizer, struct go_binary *binary,
			   const char *name)
{
	const char *copy = string_pool__intern(symbolizer->strings, name);
	struct module *modules;

	if (symbolizer->n_modules == MODULE_MAX)
		return -ENOSPC;
	modules = reallocarray(symbolizer->modules, symbolizer->n_modules + 1, sizeof(*modules));
	if (!copy || !modules) {
		symbolizer->modules = modules ? modules : symbolizer->modules;
		return -ENOMEM;
	}
	modules[symbolizer->n_modules] = (struct module){
		.tab = binary ? go_binary__pclntab(binary) : NULL,
		.info = binary ? go_binary__build_info(binary) : NULL,
		.name = copy,
	};
	symbolizer->modules = modules;
	symbolizer->n_modules++;
	return 0;
}

void symbolizer__free(struct symbolizer *symbolizer)
{
	if (!symbolizer)
		return;
	string_pool__free(symbolizer->strings);
	index__free(symbolizer->index);
	free(symbolizer->modules);
	free(symbolizer->frames);
	free(symbolizer->cached);
	free(symbolizer);
}

uint64_t symbolizer__unnamed(const struct symbolizer *symbolizer)
{
	return symbolizer->unnamed;
}

/* --- the cache --------------------------------------------------------------------------------- */

static const struct cached *find(const struct symbolizer *symbolizer, uint64_t key)
{
	struct index_search search = index__search(symbolizer->index, hash__keyed_word(key));

	while (index__next(&search)) {
		if (symbolizer->cached[search.number].key == key)
			return &symbolizer->cached[search.number];
	}
	return NULL;
}

static void remember(struct symbolizer *symbolizer, uint64_t key, const struct frame *frames,
		     size_t n)
{
	size_t at = symbolizer->n_cached, n_frames = symbolizer->n_frames + n;

	if (n_frames > MAX_FRAMES ||
	    !array__reserve(symbolizer->frames, symbolizer->frames_size, n_frames) ||
	    !array__reserve(symbolizer->cached, symbolizer->cached_size, at + 1) ||
	    index__add(symbolizer->index, hash__keyed_word(key), (uint32_t)at))
		return;
	symbolizer->cached[symbolizer->n_cached++] = (struct cached){
		.key = key,
		.first = (uint32_t)symbolizer->n_frames,
		.n = (uint32_t)n,
	};
	memcpy(&symbolizer->frames[symbolizer->n_frames], frames, n * sizeof(*frames));
	symbolizer->n_frames = n_frames;
}

/* --- making frames ----------------------------------------------------------------------------- */

static const char *intern(struct symbolizer *symbolizer, const char *text)
{
	const char *copy = string_pool__intern(symbolizer->strings, text);

	if (copy)
		return copy;
	symbolizer->unnamed++;
	return "?";
}

/* The module that @pc is in; NULL: none. */
static const struct module *module_of(const struct symbolizer *symbolizer, uint64_t pc)
{
	uint32_t number = module_pc__number(pc);

	return number < symbolizer->n_modules ? &symbolizer->modules[number] : NULL;
}

/*
 * What is known of an address outside of Go's text: C code, the vdso, or nonsense. Where a plugin is
 * loaded differs from run to run: of one that cannot be read there is only its name.
 */
static struct frame unknown_frame(struct symbolizer *symbolizer, uint64_t pc)
{
	const struct module *module = module_of(symbolizer, pc);
	struct frame frame = {.function = "?",
			      .file = "",
			      .module = module ? module->name : "",
			      .owner = FRAME_RUNTIME};
	char text[32];

	if (frame.module[0])
		return frame;
	if (string_pool__used(symbolizer->strings) < MAX_ADDRESS_TEXT) {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)module_pc__address(pc));
		frame.function = intern(symbolizer, text);
	} else {
		symbolizer->unnamed++;
	}
	return frame;
}

static struct frame make_frame(struct symbolizer *symbolizer, const struct module *module,
			       const struct pclntab_frame *from)
{
	return (struct frame){
		.function = intern(symbolizer, from->function),
		.file = intern(symbolizer, from->file),
		.line = from->line,
		.offset = from->offset,
		.module = module->name,
		.owner = frame_owner__of(from->function, from->file, module->info),
		.inlined = from->inlined,
		.wrapper = from->wrapper,
	};
}

/* *@ret_lasting: asking again would give the same, as opposed to a file that could not be read. */
static size_t make_frames(struct symbolizer *symbolizer, uint64_t pc, uint64_t shown_pc,
			  struct frame frames[PCLNTAB_MAX_INLINE + 1], bool *ret_lasting)
{
	const struct module *module = module_of(symbolizer, pc);
	int n = -ENOENT;

	if (module && module->tab)
		n = pclntab__frames(module->tab, module_pc__address(pc), symbolizer->scratch,
				    ARRAY_SIZE(symbolizer->scratch));
	*ret_lasting = n > 0 || n == -ENOENT || n == -EPROTO;
	if (n <= 0) {
		frames[0] = unknown_frame(symbolizer, shown_pc);
		return 1;
	}
	for (int i = 0; i < n; i++)
		frames[i] = make_frame(symbolizer, module, &symbolizer->scratch[i]);
	return (size_t)n;
}

size_t symbolizer__frames(struct symbolizer *symbolizer, uint64_t pc, bool return_address,
			  struct frame *frames, size_t max)
{
	struct frame made[PCLNTAB_MAX_INLINE + 1];
	uint64_t key = return_address && pc ? pc - 1 : pc;
	const struct cached *cached = find(symbolizer, key);
	const struct frame *from = made;
	bool lasting;
	size_t n;

	if (cached) {
		from = &symbolizer->frames[cached->first];
		n = cached->n;
	} else {
		n = make_frames(symbolizer, key, pc, made, &lasting);
		if (lasting)
			remember(symbolizer, key, made, n);
	}
	memcpy(frames, from, min_of(n, max) * sizeof(*frames));
	/* Of the address that was asked for, as the runtime prints it. */
	if (n <= max && frames[n - 1].file[0])
		frames[n - 1].offset += pc - key;
	return min_of(n, max);
}

bool symbolizer__is_entry(struct symbolizer *symbolizer, uint64_t pc)
{
	const struct module *module = module_of(symbolizer, pc);
	uint64_t address = module_pc__address(pc);
	struct pclntab_func func;

	return module && module->tab && !pclntab__lookup(module->tab, address, &func) &&
	       func.entry == address;
}

const char *symbolizer__function(struct symbolizer *symbolizer, uint64_t pc)
{
	const struct cached *cached = find(symbolizer, pc | KEY_FUNCTION);
	const struct module *module = module_of(symbolizer, pc);
	struct frame frame = {.file = "", .module = ""};
	struct pclntab_func func;
	char name[sizeof(symbolizer->scratch[0].function)];

	if (cached)
		return symbolizer->frames[cached->first].function;
	if (module && module->tab && !pclntab__lookup(module->tab, module_pc__address(pc), &func) &&
	    pclntab__name(module->tab, &func, name, sizeof(name)) > 0)
		frame.function = intern(symbolizer, name);
	else
		frame = unknown_frame(symbolizer, pc);
	remember(symbolizer, pc | KEY_FUNCTION, &frame, 1);
	return frame.function;
}

/*
 * src/runtime/traceback.go, isSystemGoroutine(gp, false). There the goroutines of finalizers and
 * cleanups count as the program's while they run its functions; that is state of the process and
 * not of the start function, so here they are the system's at all times.
 */
bool symbolizer__is_system_goroutine(struct symbolizer *symbolizer, uint64_t start_pc)
{
	static const char *const users[] = {"runtime.main", "runtime.handleAsyncEvent",
					    "runtime.corostart"};
	const char *function = symbolizer__function(symbolizer, start_pc);

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		if (!strcmp(function, users[i]))
			return false;
	}
	return !strncmp(function, "runtime.", strlen("runtime."));
}
