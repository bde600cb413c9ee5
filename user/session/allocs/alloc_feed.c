// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/alloc_feed.h"

#include "base/log.h"

int alloc_feed__open(struct alloc_feed *feed, enum programs_kind kind, uint32_t ring_bytes,
		     struct failure *failure)
{
	struct programs_outlook outlook = {.calibrated = false};
	int err = programs__prepare(&outlook, failure);

	*feed = (struct alloc_feed){
		.uprobe_multi = outlook.features.uprobe_multi,
		.ring_records = ring_bytes / (BPF_RING_HEADER_BYTES + sizeof(struct gl_alloc)),
	};
	if (!err)
		err = alloc_probes__new(kind, &outlook.features, ring_bytes, &feed->probes,
					failure);
	if (err)
		return err;
	feed->cost = alloc_probes__cost(feed->probes);
	log_debug("a hit of these probes costs about %.0f ns, a record of it %.0f more",
		  feed->cost.hit_ns, feed->cost.record_ns);
	err = bpf_ring__new(alloc_probes__ring_fd(feed->probes), ring_bytes, &feed->ring);
	return err ? failure__set(failure, err,
				  "cannot map the ring buffer; raise the memory limit (ulimit -l) "
				  "and try again") :
		     0;
}

void alloc_feed__close(struct alloc_feed *feed)
{
	bpf_ring__free(feed->ring);
	alloc_probes__free(feed->probes);
	*feed = (struct alloc_feed){0};
}
