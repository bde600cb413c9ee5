// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gleakd.skel.h"

#include "probe/calibrate.h"
#include "probe/calibration_file.h"
#include "probe/libbpf_text.h"
#include "probe/links.h"
#include "probe/programs.h"

struct programs {
	struct gleakd_bpf *skeleton;
	bool uprobe_multi;
};

/* What a hit costs here, before anybody is hit. False: it could not be found out. */
static bool know_costs(const struct kernel_features *features, struct calibration *calibration)
{
	const char *folder = calibration_file__folder();

	if (folder && !calibration_file__read(folder, calibration))
		return true;
	if (calibrate__run(features, calibration))
		return false;
	/* Where it cannot be remembered, the next one measures again. */
	if (folder)
		(void)!calibration_file__write(folder, calibration);
	return true;
}

static int direct_prepare(struct programs_outlook *ret_outlook, struct failure *failure)
{
	struct programs_outlook outlook = {.calibrated = false};
	int err;

	kernel__probe(&outlook.features);
	err = kernel__check(&outlook.features, failure);
	if (err)
		return err;
	outlook.calibrated = know_costs(&outlook.features, &outlook.calibration);
	*ret_outlook = outlook;
	return 0;
}

static struct bpf_program *program_of(const struct programs *programs, enum probe_event event)
{
	return bpf_object__find_program_by_name(programs->skeleton->obj,
						probe_event__info(event)->program);
}

static bool valid_ring_size(uint32_t bytes)
{
	return bytes >= (uint32_t)sysconf(_SC_PAGESIZE) && !(bytes & (bytes - 1));
}

static int configure(struct programs *programs, uint32_t ring_bytes)
{
	struct gleakd_bpf *skeleton = programs->skeleton;
	int err;

	/* Wakes the reader when half full: as much room is left before records are lost. */
	skeleton->rodata->gl_wakeup_bytes = ring_bytes / 2;
	err = bpf_map__set_max_entries(skeleton->maps.gl_events, ring_bytes);
	for (int event = 0; event < PROBE_EVENT_COUNT && !err && programs->uprobe_multi; event++)
		err = bpf_program__set_expected_attach_type(program_of(programs, event),
							    LINK_UPROBE_MULTI);
	return err;
}

static int load(struct programs *programs, uint32_t ring_bytes, struct failure *failure)
{
	int err;

	libbpf_text__capture();
	programs->skeleton = gleakd_bpf__open();
	if (!programs->skeleton)
		return failure__set(failure, -errno, "cannot open the built-in BPF programs: %s",
				    libbpf_text__get());
	err = configure(programs, ring_bytes);
	if (!err)
		err = gleakd_bpf__load(programs->skeleton);
	return libbpf_text__explain(err, ring_bytes, failure);
}

static void direct_unload(struct programs *programs)
{
	gleakd_bpf__destroy(programs->skeleton);
	free(programs);
}

static int direct_load(uint32_t ring_bytes, const struct kernel_features *features,
		       struct programs **ret_programs, struct failure *failure)
{
	struct programs *programs;
	int err = kernel__check(features, failure);

	if (err)
		return err;
	if (!valid_ring_size(ring_bytes))
		return failure__set(
			failure, -EINVAL,
			"ring buffer of %u bytes: must be a power of two and at least a "
			"page",
			ring_bytes);
	programs = calloc(1, sizeof(*programs));
	if (!programs)
		return failure__set(failure, -ENOMEM, "out of memory");
	programs->uprobe_multi = features->uprobe_multi;
	err = load(programs, ring_bytes, failure);
	if (err) {
		direct_unload(programs);
		return err;
	}
	*ret_programs = programs;
	return 0;
}

static int direct_ring_fd(const struct programs *programs)
{
	return bpf_map__fd(programs->skeleton->maps.gl_events);
}

static int direct_describe(struct programs *programs, size_t slot, const struct gl_target *target)
{
	const struct gl_losses none_lost = {0};
	uint32_t key = (uint32_t)slot;
	int err = bpf_map_update_elem(bpf_map__fd(programs->skeleton->maps.gl_targets), &key,
				      target, BPF_ANY);

	return err ? err :
		     bpf_map_update_elem(bpf_map__fd(programs->skeleton->maps.gl_losses), &key,
					 &none_lost, BPF_ANY);
}

static int direct_losses(const struct programs *programs, size_t slot, struct gl_losses *ret_losses)
{
	uint32_t key = (uint32_t)slot;

	return bpf_map_lookup_elem(bpf_map__fd(programs->skeleton->maps.gl_losses), &key,
				   ret_losses);
}

static int direct_attach(struct programs *programs, const struct program_site *site)
{
	struct probe_link link = {.fd = -1};
	char path[64];
	const struct probe_link_target target = {
		.path = path,
		.file_offset = site->file_offset,
		.cookie = site->cookie,
		.pid = site->pid,
	};
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", site->exe_fd);
	err = probe_link__attach(&link, program_of(programs, site->event), &target,
				 programs->uprobe_multi);
	return err ? err : link.fd;
}

const struct programs_ops programs_direct = {
	.prepare = direct_prepare,
	.load = direct_load,
	.unload = direct_unload,
	.ring_fd = direct_ring_fd,
	.describe = direct_describe,
	.losses = direct_losses,
	.attach = direct_attach,
};
