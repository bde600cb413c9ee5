/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_PROBES_H
#define GLEAKD_PROBE_PROBES_H

/*
 * The loaded BPF object and the links that attach it to targets. It owns every BPF descriptor: when
 * gleakd ends, however that happens, the kernel closes them and the probes are gone; nothing is
 * pinned. A probe that is not wanted is detached and not filtered, because the trap is what costs.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"
#include "probe/kernel.h"
#include "probe/event.h"
#include "probe/plan.h"

struct probes;
struct probe_attachment;

struct probes_options {
	uint32_t ring_bytes; /* power of two, multiple of the page size; 0: default */
};

/*
 * 200,000 goroutines per second that are created, park and exit fill half of it in 40 ms. Each byte
 * counts twice in our RSS, because the kernel maps the ring twice in a row.
 */
#define PROBES_DEFAULT_RING_BYTES (2u << 20)

/*
 * probes__new - load the programs; nothing is attached yet.
 * Errors: as kernel__check(); -ENOMEM; -EINVAL a verifier or size problem (the failure quotes it).
 */
int probes__new(const struct probes_options *options, const struct kernel_features *features,
		struct probes **ret_probes, struct failure *failure) __must_check;
/* probes__free - after all attachments; every probe is gone when it returns. */
void probes__free(struct probes *probes);

/* probes__ring_fd, _bytes - map descriptor of the ring buffer and its size, for observe/events. */
int probes__ring_fd(const struct probes *probes);
size_t probes__ring_bytes(const struct probes *probes);

/*
 * probes__attach - attach the events of @event_mask (bits 1 << enum probe_event) to one process.
 * @exe_fd: the file that was read, which is right in containers and after it was replaced; it stays
 * open as long as the attachment. Sites that the plan lacks are skipped. @plan and @binary are only
 * read during the call. Errors: -ESRCH gone, or another program by now, -EPERM (the failure names
 * the capability), -ENOSPC too many processes, -EINVAL the layout does not fit the ABI, else the
 * kernel's refusal.
 */
int probes__attach(struct probes *probes, struct go_binary *binary, const struct probe_plan *plan,
		   pid_t pid, int exe_fd, unsigned int event_mask,
		   struct probe_attachment **ret_attachment, struct failure *failure) __must_check;

/*
 * probe_attachment__set - change which events are attached. Detaching goes on for some tens of ms
 * after this returns. On failure some of the wanted events may be attached and some not.
 */
int probe_attachment__set(struct probe_attachment *attachment, unsigned int event_mask,
			  struct failure *failure) __must_check;

/* probe_attachment__losses - records of this process that were lost since the attach. */
int probe_attachment__losses(const struct probe_attachment *attachment,
			     struct gl_losses *ret_losses) __must_check;

/*
 * probe_attachment__slot - the number that records of this attachment carry as gl_event.slot, below
 * GL_MAX_TARGETS. Only a later attachment may get the same.
 */
size_t probe_attachment__slot(const struct probe_attachment *attachment);

/*
 * probe_attachment__free - detach everything, which goes on for some tens of ms after it returns.
 * NULL is fine.
 */
void probe_attachment__free(struct probe_attachment *attachment);

#endif /* GLEAKD_PROBE_PROBES_H */
