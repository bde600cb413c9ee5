// SPDX-License-Identifier: Apache-2.0
/* What a process runs and has mapped: whether there is Go in it. */
#include "discover/discovery_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "discover/runtimes.h"
#include "golang/go_sniff.h"
#include "host/exe_file.h"

/* --- what a file is ------------------------------------------------------------------------------ */

static enum exe_verdict verdict_of(enum go_sniff_kind kind)
{
	switch (kind) {
	case GO_SNIFF_NO:
		return EXE_NOT_GO;
	case GO_SNIFF_UNSURE:
		return EXE_MAYBE_GO;
	default:
		/* Other compilers' as well: the attach says in words what is wrong with them. */
		return EXE_GO;
	}
}

/* -EAGAIN: it runs another file by now. Else as process__open_exe() and go_sniff__file(). */
static int open_and_sniff(struct discovery *discovery, const struct process_entry *entry,
			  enum exe_verdict *ret_verdict)
{
	int fd __cleanup_close = process__open_exe(discovery->proc_root, entry->id.pid, NULL);
	struct go_sniff sniff;
	struct stat opened;
	int err;

	if (fd == -ENOEXEC) {
		*ret_verdict = EXE_NOT_GO;
		return 0;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &opened) || opened.st_dev != entry->image.file.device ||
	    opened.st_ino != entry->image.file.inode)
		return -EAGAIN;
	discovery->counts.opened++;
	err = go_sniff__file(fd, &sniff);
	if (!err)
		*ret_verdict = verdict_of(sniff.kind);
	return err;
}

int discovery__know_file(struct discovery *discovery, const struct process_entry *entry,
			 struct exe_knowledge *knowledge)
{
	int err;

	if (exe_cache__get(discovery->files, &entry->image, knowledge))
		return 0;
	*knowledge = (struct exe_knowledge){.pid = entry->id.pid};
	if (image_file__may_block(discovery->proc_root, entry->id.pid, &entry->image.file)) {
		knowledge->verdict = EXE_MAY_BLOCK;
		discovery->counts.may_block++;
	} else {
		err = open_and_sniff(discovery, entry, &knowledge->verdict);
		if (err)
			return err;
	}
	exe_cache__put(discovery->files, &entry->image, *knowledge);
	return 0;
}

/* --- what is mapped ------------------------------------------------------------------------------ */

void discovery__note_mapped(struct discovery *discovery, struct process_entry *entry)
{
	entry->searched =
		!process__mapped_code(discovery->proc_root, entry->id.pid, &entry->mapped_code) &&
		!runtimes__fingerprint(discovery->proc_root, entry->id.pid, &entry->fingerprint);
}

int discovery__search_libraries(struct discovery *discovery, struct process_entry *entry,
				struct failure *failure)
{
	struct runtimes *found;
	bool is_go;
	/* Before the search: what is mapped after it makes a difference. */
	bool sized =
		!process__mapped_code(discovery->proc_root, entry->id.pid, &entry->mapped_code);
	int err = runtimes__find(discovery->proc_root, entry->id.pid, discovery->files, &found);

	entry->searched = sized && !err;
	if (err)
		return 0;
	entry->fingerprint = found->fingerprint;
	discovery->counts.opened += found->opened;
	is_go = found->n;
	if (!is_go && found->unsupported_with)
		failure__set(failure, 0,
			     "it has %.200s mapped, as process %d has, where the Go runtime in it "
			     "could not be watched",
			     found->unsupported, found->unsupported_with);
	free(found);
	return is_go;
}
