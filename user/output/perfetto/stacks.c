// SPDX-License-Identifier: Apache-2.0
#include "output/perfetto/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* perfetto: protos/perfetto/trace/profiling/stack_sample.proto, Unit */
enum sample_unit { SAMPLE_BYTES = 4, SAMPLE_COUNT = 9 };

typedef Gleakd__Perfetto__InternedString string_message;
typedef Gleakd__Perfetto__Frame frame_message;

/* Each sample interns what it needs: nothing has to be remembered. */
struct stack {
	struct packets *packets;
	const struct timeline_target *target;
	uint64_t time_ns;
};

static string_message *interned(struct arena *arena, uint64_t number, const char *text)
{
	string_message *string = arena__take(arena, 1, sizeof(*string));

	if (!string)
		return NULL;
	*string = (string_message)GLEAKD__PERFETTO__INTERNED_STRING__INIT;
	string->has_iid = string->has_str = true;
	string->iid = number;
	string->str.data = (uint8_t *)report__text(text);
	string->str.len = strlen(report__text(text));
	return string;
}

static frame_message *framed(struct arena *arena, uint64_t number, const struct report_frame *from)
{
	frame_message *frame = arena__take(arena, 1, sizeof(*frame));

	if (!frame)
		return NULL;
	*frame = (frame_message)GLEAKD__PERFETTO__FRAME__INIT;
	frame->has_iid = frame->has_function_name_id = frame->has_source_path_iid = true;
	frame->iid = frame->function_name_id = frame->source_path_iid = number;
	frame->has_line_number = from->line;
	frame->line_number = from->line;
	return frame;
}

/* @frames innermost first; the trace wants the outermost first. */
static bool intern(struct arena *arena, const struct report_frame *frames, size_t n,
		   Gleakd__Perfetto__InternedData *data, Gleakd__Perfetto__Callstack *callstack)
{
	data->function_names = arena__take(arena, n, sizeof(*data->function_names));
	data->source_paths = arena__take(arena, n, sizeof(*data->source_paths));
	data->frames = arena__take(arena, n, sizeof(*data->frames));
	callstack->frame_ids = arena__take(arena, n, sizeof(*callstack->frame_ids));
	for (size_t i = 0; i < n && !arena->failed; i++) {
		const struct report_frame *frame = &frames[n - 1 - i];

		data->function_names[i] = interned(arena, i + 1, frame->function);
		data->source_paths[i] = interned(arena, i + 1, frame->file);
		data->frames[i] = framed(arena, i + 1, frame);
		callstack->frame_ids[i] = i + 1;
	}
	data->n_function_names = data->n_source_paths = data->n_frames = n;
	callstack->n_frame_ids = n;
	return !arena->failed;
}

static void put_sample(struct stack *stack, const struct report_frame *frames, size_t n, char *what,
		       enum sample_unit unit, uint64_t weight)
{
	Gleakd__Perfetto__TracePacket packet = GLEAKD__PERFETTO__TRACE_PACKET__INIT;
	Gleakd__Perfetto__StackSample sample = GLEAKD__PERFETTO__STACK_SAMPLE__INIT;
	Gleakd__Perfetto__StackSample__TaskContext task =
		GLEAKD__PERFETTO__STACK_SAMPLE__TASK_CONTEXT__INIT;
	Gleakd__Perfetto__StackSample__CounterDescriptor counter =
		GLEAKD__PERFETTO__STACK_SAMPLE__COUNTER_DESCRIPTOR__INIT;
	Gleakd__Perfetto__InternedData data = GLEAKD__PERFETTO__INTERNED_DATA__INIT;
	Gleakd__Perfetto__Callstack callstack = GLEAKD__PERFETTO__CALLSTACK__INIT;
	struct arena arena = {0};

	if (!n || !weight)
		return;
	if (!intern(&arena, frames, n, &data, &callstack)) {
		stack->packets->err = -ENOMEM;
		arena__release(&arena);
		return;
	}
	task.has_pid = true;
	task.pid = (uint32_t)stack->target->pid;
	counter.name = what;
	counter.has_unit = true;
	counter.unit = unit;
	sample.task_context = &task;
	sample.callstack = &callstack;
	sample.primary_descriptor = &counter;
	sample.has_primary_weight = true;
	sample.primary_weight = weight;
	packet.has_timestamp = packet.has_trusted_packet_sequence_id = true;
	packet.timestamp = stack->time_ns;
	packet.trusted_packet_sequence_id = PACKET_STACK_SEQUENCE;
	packet.has_sequence_flags = true;
	packet.sequence_flags = PACKET_CLEARED | PACKET_NEEDS_STATE;
	packet.interned_data = &data;
	packet.stack_sample = &sample;
	packets__put(stack->packets, &packet);
	arena__release(&arena);
}

void perfetto_stacks__put(struct packets *packets, const struct timeline_target *target,
			  uint64_t time_ns)
{
	const struct report_target *report = target->target;
	const struct report_allocations *allocations = report ? report->allocations : NULL;
	struct stack stack = {
		.packets = packets,
		.target = target,
		.time_ns = time_ns,
	};
	char goroutines[] = "goroutines", bytes[] = "bytes in use";

	for (size_t i = 0; report && i < report->n_sites; i++)
		put_sample(&stack, report->sites[i].stack, report->sites[i].n_stack, goroutines,
			   SAMPLE_COUNT, report->sites[i].view.goroutines);
	for (size_t i = 0; allocations && i < allocations->n_sites; i++)
		put_sample(&stack, allocations->sites[i].stack, allocations->sites[i].n_stack,
			   bytes, SAMPLE_BYTES, allocations->sites[i].in_use_bytes);
}
