// SPDX-License-Identifier: Apache-2.0
#include "probe/probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/detacher.h"
#include "probe/links.h"
#include "probe/programs.h"
#include "probe/slots.h"

struct probes {
	struct programs *programs;
	uint32_t ring_bytes;
	bool uprobe_multi;
	struct slots slots; /* of gl_targets */
	struct detacher *detacher;
};

struct probe_attachment {
	struct probes *probes;
	struct probe_plan plan;
	struct probe_link links[PROBE_EVENT_COUNT];
	size_t slot;
	pid_t pid;
	int exe_fd; /* the caller's */
};

int probes__new(const struct probes_options *options, const struct kernel_features *features,
		struct probes **ret_probes, struct failure *failure)
{
	uint32_t ring_bytes = options->ring_bytes ? options->ring_bytes : PROBES_DEFAULT_RING_BYTES;
	struct probes *probes = calloc(1, sizeof(*probes));
	int err;

	if (!probes)
		return failure__set(failure, -ENOMEM, "out of memory");
	probes->uprobe_multi = features->uprobe_multi;
	probes->ring_bytes = ring_bytes;
	err = detacher__new(&probes->detacher);
	if (err)
		failure__set(failure, err, "out of memory");
	if (!err)
		err = programs__load(PROGRAMS_GOROUTINES, ring_bytes, features, &probes->programs,
				     failure);
	if (err) {
		probes__free(probes);
		return err;
	}
	*ret_probes = probes;
	return 0;
}

void probes__free(struct probes *probes)
{
	if (!probes)
		return;
	/* Links keep their programs loaded: they go first, since users wait for them. */
	detacher__free(probes->detacher);
	programs__unload(probes->programs);
	free(probes);
}

int probes__ring_fd(const struct probes *probes)
{
	return programs__ring_fd(probes->programs);
}

size_t probes__ring_bytes(const struct probes *probes)
{
	return probes->ring_bytes;
}

static int publish(struct probe_attachment *attachment, const struct go_layout *layout,
		   struct failure *failure)
{
	union program_target target;
	int err;

	if (!gl_target__describe(layout, attachment->pid, &target.goroutines))
		return failure__set(failure, -EINVAL,
				    "the probes cannot read the goroutines of Go 1.%d: its "
				    "runtime.g is laid out in a way they do not know",
				    layout->minor);
	err = programs__describe(attachment->probes->programs, attachment->slot, &target);
	if (err)
		return failure__set(failure, err, "cannot write the BPF maps: %s", strerror(-err));
	return 0;
}

static int explain_link(const struct probe_attachment *attachment, enum probe_event event, int err,
			struct failure *failure)
{
	const struct probe_site *site = &attachment->plan.sites[event];

	switch (err) {
	case -ENOENT:
	case -ESRCH:
		return failure__set(failure, -ESRCH, "process %d is gone", attachment->pid);
	case -EPERM:
	case -EACCES:
		return failure__set(
			failure, -EPERM,
			"not allowed to probe process %d: needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE%s",
			attachment->pid,
			attachment->probes->uprobe_multi ?
				"" :
				", and on this kernel CAP_SYS_ADMIN (its uprobes are perf events)");
	case -EMFILE:
		return failure__set(failure, err,
				    "process %d cannot be probed: gleakd may not open more files; "
				    "raise its limit (ulimit -n, or LimitNOFILE= of the service)",
				    attachment->pid);
	default:
		return failure__set(failure, err, "cannot probe %s+%#x of process %d (%s): %s",
				    site->function, site->func_offset, attachment->pid,
				    probe_event__name(event), strerror(-err));
	}
}

static int attach_event(struct probe_attachment *attachment, enum probe_event event,
			struct failure *failure)
{
	const struct probe_site *site = &attachment->plan.sites[event];
	const struct probes *probes = attachment->probes;
	const struct program_site where = {
		.event = event,
		.pid = attachment->pid,
		.exe_fd = attachment->exe_fd,
	};
	const struct program_place place = {
		.file_offset = site->file_offset,
		.cookie = GL_COOKIE(attachment->slot, site->g_location, site->guard,
				    site->g_stack_offset),
	};
	int fd;

	if (!site->present)
		return 0;
	/* While an old probe is still there, each hit would count twice. */
	detacher__wait(probes->detacher, attachment->pid);
	fd = programs__attach(probes->programs, &where, &place, 1);
	if (fd < 0)
		return explain_link(attachment, event, fd, failure);
	attachment->links[event] = (struct probe_link){.attached = true, .fd = fd};
	return 0;
}

static int take_slot(struct probes *probes, size_t *ret_slot)
{
	size_t slot;

	while (detacher__slot(probes->detacher, &slot))
		slots__release(&probes->slots, slot);
	if (!slots__take(&probes->slots, ret_slot))
		return 0;
	/* Only slots that were released a moment ago are left. */
	detacher__wait(probes->detacher, 0);
	while (detacher__slot(probes->detacher, &slot))
		slots__release(&probes->slots, slot);
	return slots__take(&probes->slots, ret_slot);
}

int probes__attach(struct probes *probes, struct go_binary *binary, const struct probe_plan *plan,
		   pid_t pid, int exe_fd, unsigned int event_mask,
		   struct probe_attachment **ret_attachment, struct failure *failure)
{
	struct probe_attachment *attachment = calloc(1, sizeof(*attachment));
	int err;

	if (!attachment)
		return failure__set(failure, -ENOMEM, "out of memory");
	attachment->exe_fd = exe_fd;
	attachment->pid = pid;
	attachment->plan = *plan;
	err = take_slot(probes, &attachment->slot);
	if (err) {
		free(attachment);
		return failure__set(failure, err, "more than %d processes are probed",
				    GL_MAX_TARGETS);
	}
	attachment->probes = probes;
	err = publish(attachment, go_binary__layout(binary), failure);
	if (!err)
		err = probe_attachment__set(attachment, event_mask, failure);
	if (err) {
		probe_attachment__free(attachment);
		return err;
	}
	*ret_attachment = attachment;
	return 0;
}

/* Hands the links of @event_mask to the detacher, and with the last of them the slot. */
static void let_go(struct probe_attachment *attachment, unsigned int event_mask, bool gives_slot)
{
	struct detachment detachment = {
		.pid = attachment->pid, .gives_slot = gives_slot, .slot = attachment->slot};

	for (int event = 0; event < PROBE_EVENT_COUNT; event++) {
		if (!(event_mask & 1u << event))
			continue;
		detachment.links[event] = attachment->links[event];
		attachment->links[event] = (struct probe_link){0};
	}
	detacher__take(attachment->probes->detacher, &detachment);
}

int probe_attachment__set(struct probe_attachment *attachment, unsigned int event_mask,
			  struct failure *failure)
{
	let_go(attachment, ~event_mask, false);
	for (int event = 0; event < PROBE_EVENT_COUNT; event++) {
		int err;

		if (!(event_mask & 1u << event) || attachment->links[event].attached)
			continue;
		err = attach_event(attachment, event, failure);
		if (err)
			return err;
	}
	return 0;
}

int probe_attachment__losses(const struct probe_attachment *attachment,
			     struct gl_losses *ret_losses)
{
	union program_counts counts;
	int err = programs__counts(attachment->probes->programs, attachment->slot, &counts);

	if (!err)
		*ret_losses = counts.goroutines;
	return err;
}

size_t probe_attachment__slot(const struct probe_attachment *attachment)
{
	return attachment->slot;
}

void probe_attachment__free(struct probe_attachment *attachment)
{
	if (!attachment)
		return;
	let_go(attachment, ~0u, true);
	free(attachment);
}
