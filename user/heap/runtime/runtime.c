// SPDX-License-Identifier: Apache-2.0
#include "heap/runtime/runtime.h"

#include <errno.h>

#include "golang/memory_globals.h"

/* src/runtime/preempt_*.s, asm_*.s (debugCallV2 from Go 1.17 on), signal_unix.go */
static void find_functions(struct heap_runtime *runtime)
{
	static const char *const names[] = {"runtime.asyncPreempt", "runtime.debugCallV2",
					    "runtime.sigpanic", "runtime.cgocallback"};
	struct pclntab_func funcs[ARRAY_SIZE(names)] = {0};

	/* One that is not there is in no stack either. */
	if (pclntab__find(runtime->tab, names, funcs, ARRAY_SIZE(names)) < 0)
		return;
	runtime->async_preempt = funcs[0].entry;
	runtime->debug_call = funcs[1].entry;
	runtime->sigpanic = funcs[2].entry;
	runtime->cgocallback = funcs[3].entry;
}

int heap_runtime__init(struct heap_runtime *runtime, struct go_binary *binary,
		       struct remote *remote, uint64_t load_bias, struct failure *failure)
{
	const struct go_globals *globals = go_binary__globals(binary);
	/* Without symbols it shows only while somebody waits: then is when it is needed. */
	uint64_t semtable = go_binary__find_semtable(binary, remote, load_bias);
	struct memory_globals memory;
	struct heap_globals heap;
	int err = heap_globals__find(binary, remote, load_bias, &heap, failure);

	if (err)
		return err;
	memory = memory_globals__find(binary, remote, load_bias, heap.mheap);
	*runtime = (struct heap_runtime){
		.layout = go_binary__layout(binary),
		.arch = go_arch__of(go_binary__image(binary)),
		.remote = remote,
		.tab = go_binary__pclntab(binary),
		.bias = load_bias,
		.mheap = heap.mheap + load_bias,
		.n_queues = heap.n_queues,
		.queues_certain = heap.queues_certain,
		.allgptr = globals->allgptr + load_bias,
		.allglen = globals->allglen + load_bias,
		.allp = globals->allp ? globals->allp + load_bias : 0,
		.semtable = semtable ? semtable + load_bias : 0,
		.moduledata = globals->moduledata + load_bias,
		.memstats = memory.memstats ? memory.memstats + load_bias : 0,
		.gc_controller = memory.gc_controller ? memory.gc_controller + load_bias : 0,
	};
	for (size_t i = 0; i < heap.n_queues; i++)
		runtime->queues[i] = heap.queues[i] + load_bias;
	find_functions(runtime);
	err = page_map__open(&runtime->pages, remote, runtime->layout, runtime->arch,
			     runtime->mheap);
	return err ? failure__set(failure, err, "the page map of the heap cannot be read") : 0;
}
