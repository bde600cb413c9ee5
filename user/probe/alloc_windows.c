// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_windows.h"

#include <math.h>

#include "base/clock.h"
#include "probe/cost.h"

void alloc_windows__init(struct alloc_windows *windows, double max_overhead, double ns_per_hit)
{
	*windows = (struct alloc_windows){
		.max_overhead = max_overhead,
		.ns_per_hit = ns_per_hit,
		.credit_ns = ALLOC_WINDOW_CREDIT_NS,
	};
}

bool alloc_windows__tick(struct alloc_windows *windows, uint64_t now_ns, uint64_t cpu_ns,
			 uint64_t hits)
{
	if (windows->max_overhead <= 0)
		return true;
	if (windows->time_ns && now_ns > windows->time_ns) {
		double elapsed = (double)(now_ns - windows->time_ns);
		double cpu = (double)(cpu_ns - min_of(cpu_ns, windows->cpu_ns));

		windows->credit_ns +=
			windows->max_overhead * fmax(cpu, COST_BASE_SHARE * elapsed) -
			(double)(hits - min_of(hits, windows->hits)) * windows->ns_per_hit;
		windows->credit_ns = fmin(windows->credit_ns, (double)ALLOC_WINDOW_CREDIT_NS);
	}
	windows->time_ns = now_ns;
	windows->cpu_ns = cpu_ns;
	windows->hits = hits;
	return windows->open ? windows->credit_ns > 0 :
			       windows->credit_ns >= (double)ALLOC_WINDOW_CREDIT_NS;
}

void alloc_windows__set(struct alloc_windows *windows, bool open)
{
	windows->open = open;
}
