// SPDX-License-Identifier: Apache-2.0
/*
 * Understanding a binary is done in two steps, because a file alone does not tell everything: Go
 * 1.26 took the start of text out of the pclntab, and a stripped file has no addresses of variables.
 * What a process adds is kept only once all of it has been checked against that process; a failed
 * bind leaves the binary as it was.
 */
#include "golang/binary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "golang/code_fields.h"
#include "golang/cross_check.h"
#include "golang/globals.h"
#include "golang/layout_choice.h"
#include "golang/live.h"
#include "golang/live_reasons.h"
#include "golang/moduledata.h"
#include "golang/procs.h"
#include "golang/self_check.h"
#include "golang/semtable.h"
#include "golang/version_in_code.h"

#define MAX_SEGMENTS 64

struct go_binary {
	struct elf_image *image;
	struct pclntab *tab;
	struct go_build_info info;
	struct go_dependencies *dependencies; /* NULL: nobody has asked yet */
	char build_id[BUILD_ID_TEXT];
	struct layout_choice choice;
	uint64_t file_text; /* what the pclntab itself says (to Go 1.25), or 0 */

	bool bound;
	struct go_globals globals;
	enum globals_source globals_source;
	struct go_module module;
	uint64_t runtime_main;
	struct live_reasons *reasons; /* unless the layout is from the table */
	bool no_build_info;	      /* the version is runtime.buildVersion's */
	char how[200];
};

/* --- the file ----------------------------------------------------------------------------------- */

/* Without build information the runtime's own word for its version does; the rest stays unknown. */
static int identify(struct go_binary *binary, struct failure *failure)
{
	int err = go_build_info__read(binary->image, &binary->info, failure);

	if (err != -ENOEXEC || go_version__from_code(binary->image, &binary->info.version))
		return err;
	binary->no_build_info = true;
	return 0;
}

/* Whatever went wrong: a version that is not known is the likely cause, and is named first. */
static int explain_version(const struct go_binary *binary, int err, struct failure *failure)
{
	char reason[sizeof(failure->text)];

	if (binary->info.version.minor != GO_MINOR_UNKNOWN || err == -ENOMEM)
		return err;
	snprintf(reason, sizeof(reason), "%s", failure ? failure->text : "");
	/* What looks damaged was made so. */
	return failure__set(failure, err == -EPROTO ? -EOPNOTSUPP : err,
			    "its Go version \"%s\" is none that gleakd knows; obfuscators (garble) "
			    "and private builds of Go leave such: %s",
			    binary->info.version.text, reason);
}

int go_binary__open(int exe_fd, struct go_binary **ret_binary, struct failure *failure)
{
	struct go_binary *binary = calloc(1, sizeof(*binary));
	int err;

	if (!binary)
		return failure__set(failure, -ENOMEM, "out of memory");
	err = elf_image__open(exe_fd, &binary->image, failure);
	if (err)
		goto fail;
	err = identify(binary, failure);
	if (err)
		goto fail;
	err = layout_choice__make(binary->image, &binary->info, &binary->choice, failure);
	if (err)
		goto fail;
	err = pclntab__open(binary->image, &binary->tab, failure);
	if (err)
		goto fail;
	binary->file_text = pclntab__text(binary->tab);
	build_id__read(binary->image, binary->build_id);
	*ret_binary = binary;
	return 0;
fail:
	err = explain_version(binary, err, failure);
	go_binary__free(binary);
	return err;
}

int go_binary__open_module(int fd, const struct go_binary *runtime, struct go_binary **ret_binary,
			   struct failure *failure)
{
	struct go_binary *binary = calloc(1, sizeof(*binary));
	int err;

	if (!binary)
		return failure__set(failure, -ENOMEM, "out of memory");
	binary->choice = runtime->choice;
	err = elf_image__open(fd, &binary->image, failure);
	if (!err)
		err = pclntab__open(binary->image, &binary->tab, failure);
	if (err) {
		go_binary__free(binary);
		return err;
	}
	/* What it says of itself is only for telling whose code is whose. */
	if (go_build_info__read(binary->image, &binary->info, NULL))
		binary->info = runtime->info;
	binary->file_text = pclntab__text(binary->tab);
	build_id__read(binary->image, binary->build_id);
	*ret_binary = binary;
	return 0;
}

void go_binary__free(struct go_binary *binary)
{
	if (!binary)
		return;
	pclntab__free(binary->tab);
	go_dependencies__free(binary->dependencies);
	elf_image__free(binary->image);
	free(binary->reasons);
	free(binary);
}

/*
 * The kernel maps whole pages: a mapping begins at the page that holds the segment's first byte, in
 * memory as in the file (fs/binfmt_elf.c elf_map).
 */
int go_binary__load_bias(const struct go_binary *binary, uint64_t mapping_start,
			 uint64_t mapping_file_offset, uint64_t *ret_bias)
{
	uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
	struct elf_segment segment;

	for (size_t i = 0; i < MAX_SEGMENTS; i++) {
		if (elf_image__segment(binary->image, i, &segment))
			break;
		if (segment.file_size && (segment.offset & ~mask) == mapping_file_offset) {
			*ret_bias = mapping_start - (segment.address & ~mask);
			return 0;
		}
	}
	return -ENOEXEC;
}

int go_binary__bias_of_code(const struct go_binary *binary, uint64_t mapping_start,
			    uint64_t mapping_file_offset, uint64_t *ret_bias)
{
	uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
	struct elf_segment segment;

	for (size_t i = 0; i < MAX_SEGMENTS; i++) {
		uint64_t first;

		if (elf_image__segment(binary->image, i, &segment))
			break;
		first = segment.offset & ~mask;
		if (!segment.executable || mapping_file_offset < first ||
		    mapping_file_offset - first >= segment.file_size)
			continue;
		*ret_bias =
			mapping_start - (mapping_file_offset - first) - (segment.address & ~mask);
		return 0;
	}
	return -ENOEXEC;
}

/* --- the process -------------------------------------------------------------------------------- */

static void describe(struct go_binary *binary, enum moduledata_source moduledata,
		     enum globals_source globals)
{
	static const char *const moduledata_words[] = {
		[MODULEDATA_SYMBOL] = "symbol",
		[MODULEDATA_SECTION] = "section .go.module",
		[MODULEDATA_SCAN] = "scan",
	};
	size_t size = sizeof(binary->how);
	int n;

	if (moduledata == MODULEDATA_SYMBOL && globals == GLOBALS_SYMBOLS)
		n = snprintf(binary->how, size, "symbols");
	else
		n = snprintf(binary->how, size, "stripped: moduledata by %s, globals from %s",
			     moduledata_words[moduledata],
			     globals == GLOBALS_SYMBOLS ? "symbols" : "runtime.allgadd");
	if (binary->no_build_info)
		n += snprintf(binary->how + n, size - (size_t)n,
			      "; version from runtime.buildVersion");
	if (binary->choice.source == LAYOUT_DWARF)
		snprintf(binary->how + n, size - (size_t)n, "; layout from DWARF");
	else if (binary->choice.source == LAYOUT_GUESS)
		snprintf(binary->how + n, size - (size_t)n, "; layout of go1.%d, self-checked",
			 binary->choice.row);
}

/* The two places that say where text begins must agree; everything else is relative to it. */
static int use_text(struct go_binary *binary, struct live *live)
{
	if (binary->file_text && binary->file_text != live->module.text)
		return live__refuse(live,
				    "text begins at 0x%llx by its pclntab and at 0x%llx by "
				    "runtime.firstmoduledata",
				    (unsigned long long)binary->file_text,
				    (unsigned long long)live->module.text);
	pclntab__set_text(binary->tab, live->module.text);
	pclntab__set_gofunc(binary->tab, live->module.gofunc);
	return 0;
}

static int find_runtime_main(struct live *live)
{
	static const char *const names[] = {"runtime.main"};
	struct pclntab_func func = {0};
	int n = pclntab__find(live->tab, names, &func, 1);

	if (n < 0)
		return live__refuse(live, "its function table cannot be searched: %s",
				    strerror(-n));
	if (!func.entry)
		return live__refuse(live, "it has no function runtime.main");
	live->runtime_main = func.entry;
	return 0;
}

/*
 * A layout that is only a guess: the program's code must bear it out. This comes before anything is
 * read with it, as a wrong one may look like a process that has not started.
 */
static int check_code(struct live *live)
{
	char what[160];
	int result;

	if (!live->guess)
		return 0;
	result = code_fields__contradicts(live->image, live->tab, live->layout, what, sizeof(what));
	if (result < 0)
		return live__refuse(live, "its code cannot be examined: %s", strerror(-result));
	return result ? live__refuse(live, "%s", what) : 0;
}

/* What the table does not say for certain. Leaves @ret_reasons NULL where the table does. */
static int complete_layout(struct go_binary *binary, struct live *live,
			   const struct go_globals *globals, struct live_reasons **ret_reasons)
{
	struct live_reasons *reasons;
	int err;

	if (binary->choice.source == LAYOUT_TABLE)
		return 0;
	reasons = calloc(1, sizeof(*reasons));
	if (!reasons)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	err = live_reasons__read(live, reasons);
	if (!err && live->guess)
		err = cross_check__run(live, globals, reasons);
	if (err)
		free(reasons);
	else
		*ret_reasons = reasons;
	return err;
}

static void use_reasons(struct go_binary *binary, struct live_reasons *reasons)
{
	if (!reasons)
		return;
	binary->reasons = reasons;
	binary->choice.layout.wait_reasons = reasons->texts;
	binary->choice.layout.n_wait_reasons = reasons->n;
}

static int bind_first(struct go_binary *binary, struct live *live)
{
	enum moduledata_source moduledata_source;
	enum globals_source globals_source;
	struct live_reasons *reasons = NULL;
	struct go_globals globals;
	uint64_t moduledata;
	int err;

	err = moduledata__find(live, &moduledata, &moduledata_source);
	if (!err)
		err = use_text(binary, live);
	if (!err)
		err = check_code(live);
	if (!err)
		err = find_runtime_main(live);
	if (!err)
		err = globals__find(live, &globals, &globals_source);
	if (!err)
		err = self_check__run(live, &globals);
	if (!err)
		err = complete_layout(binary, live, &globals, &reasons);
	if (err)
		return err;
	globals.moduledata = moduledata;
	binary->globals = globals;
	binary->globals_source = globals_source;
	binary->module = live->module;
	binary->runtime_main = live->runtime_main;
	use_reasons(binary, reasons);
	binary->bound = true;
	describe(binary, moduledata_source, globals_source);
	return 0;
}

static int check_text(const struct go_binary *binary, struct live *live)
{
	if (live->module.text == binary->module.text &&
	    live->module.gofunc == binary->module.gofunc)
		return 0;
	return live__refuse(live,
			    "text begins at 0x%llx, but at 0x%llx in another process of the same "
			    "file",
			    (unsigned long long)live->module.text,
			    (unsigned long long)binary->module.text);
}

/* All of it is of the file. A process that says otherwise, or said so first, speaks for itself. */
static int check_module(const struct go_binary *binary, struct live *live)
{
	int err = check_text(binary, live);

	if (err || !memcmp(&live->module, &binary->module, sizeof(live->module)))
		return err;
	return live__refuse(live, "its moduledata is not as in another process of the same file");
}

/* Those that are not certain without a process: found here by themselves. */
static int check_globals(const struct go_binary *binary, struct live *live)
{
	const struct go_globals *known = &binary->globals;
	struct go_globals own = *known;
	enum globals_source source;
	int err = 0;

	if (binary->globals_source == GLOBALS_CODE || !own.sched || !own.allp)
		err = globals__find(live, &own, &source);
	else
		procs__verify(live, &own);
	if (err)
		return err;
	if (own.allgptr == known->allgptr && own.allglen == known->allglen &&
	    own.allgs == known->allgs && own.sched == known->sched && own.allp == known->allp)
		return 0;
	return live__refuse(live, "the runtime's variables are not where another process of the "
				  "same file has them");
}

/* What is read of the process itself, where the table does not tell. */
static int check_reasons(const struct go_binary *binary, struct live *live)
{
	struct live_reasons *own;
	int err;

	if (!binary->reasons)
		return 0;
	own = calloc(1, sizeof(*own));
	if (!own)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	err = live_reasons__read(live, own);
	if (!err && (own->n != binary->reasons->n ||
		     memcmp(own->text, binary->reasons->text, sizeof(own->text)) != 0))
		err = live__refuse(live, "reasons to wait are not those of another process of the "
					 "same file");
	free(own);
	return err;
}

static int bind_again(struct go_binary *binary, struct live *live)
{
	int err = moduledata__read(live, binary->globals.moduledata);

	if (!err)
		err = check_module(binary, live);
	if (err)
		return err;
	live->runtime_main = binary->runtime_main;
	err = self_check__run(live, &binary->globals);
	if (!err)
		err = check_globals(binary, live);
	return err ? err : check_reasons(binary, live);
}

/* Half of what is read is allowed to be unreadable; of a process that has ended everything is. */
static bool has_ended(struct live *live)
{
	uint64_t word;

	return remote__read_u64(live->remote, pclntab__address(live->tab) + live->bias, &word) ==
	       -ESRCH;
}

static struct live live_of(const struct go_binary *binary, struct remote *remote,
			   uint64_t load_bias, struct failure *failure)
{
	return (struct live){
		.image = binary->image,
		.tab = binary->tab,
		.remote = remote,
		.layout = &binary->choice.layout,
		.version = binary->info.version.text,
		.guess = binary->choice.source == LAYOUT_GUESS ? binary->choice.row : 0,
		.bias = load_bias,
		.failure = failure,
	};
}

int go_binary__bind(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
		    struct failure *failure)
{
	struct live live = live_of(binary, remote, load_bias, failure);
	int err = binary->bound ? bind_again(binary, &live) : bind_first(binary, &live);

	if ((err == -EOPNOTSUPP || err == -EAGAIN) && has_ended(&live))
		return failure__set(failure, -ESRCH, "the process has ended");
	return err == -EOPNOTSUPP ? explain_version(binary, err, failure) : err;
}

int go_binary__bind_module(struct go_binary *binary, struct remote *remote, uint64_t moduledata,
			   uint64_t *ret_bias, struct failure *failure)
{
	struct moduledata_head head;
	struct live live;
	int err = moduledata__peek(&binary->choice.layout, remote, moduledata, &head);

	if (err)
		return failure__set(failure, err, "the moduledata of %s cannot be read: %s",
				    elf_image__name(binary->image), strerror(-err));
	live = live_of(binary, remote, head.pc_header - pclntab__address(binary->tab), failure);
	err = moduledata__read(&live, moduledata - live.bias);
	if (!err)
		err = binary->bound ? check_module(binary, &live) : use_text(binary, &live);
	if (err)
		return err;
	binary->module = live.module;
	binary->bound = true;
	*ret_bias = live.bias;
	return 0;
}

bool go_binary__is_bound(const struct go_binary *binary)
{
	return binary->bound;
}

uint64_t go_binary__find_semtable(const struct go_binary *binary, struct remote *remote,
				  uint64_t load_bias)
{
	struct live live = live_of(binary, remote, load_bias, NULL);
	uint64_t next = binary->globals.moduledata + load_bias + live.layout->moduledata_next;

	if (!binary->bound || binary->globals.semtable)
		return binary->globals.semtable;
	live.module = binary->module;
	live.other_modules = !remote__read_u64(remote, next, &live.next_module) && live.next_module;
	return semtable__find(&live);
}

/* --- what is known ------------------------------------------------------------------------------ */

const char *go_binary__build_id(const struct go_binary *binary)
{
	return binary->build_id;
}

const struct go_dependencies *go_binary__dependencies(struct go_binary *binary)
{
	if (!binary->dependencies && go_dependencies__read(binary->image, &binary->dependencies))
		return NULL;
	return binary->dependencies;
}

const struct go_build_info *go_binary__build_info(const struct go_binary *binary)
{
	return &binary->info;
}

const struct go_layout *go_binary__layout(const struct go_binary *binary)
{
	return &binary->choice.layout;
}

const struct go_globals *go_binary__globals(const struct go_binary *binary)
{
	return &binary->globals;
}

const struct go_module *go_binary__module(const struct go_binary *binary)
{
	return &binary->module;
}

struct elf_image *go_binary__image(const struct go_binary *binary)
{
	return binary->image;
}

struct pclntab *go_binary__pclntab(const struct go_binary *binary)
{
	return binary->tab;
}

const char *go_binary__how(const struct go_binary *binary)
{
	return binary->how;
}
