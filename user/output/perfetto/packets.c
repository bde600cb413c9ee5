// SPDX-License-Identifier: Apache-2.0
#include "output/perfetto/packets.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "output/perfetto/trace.h"

typedef Gleakd__Perfetto__TracePacket packet_message;
typedef Gleakd__Perfetto__TrackEvent event_message;
typedef Gleakd__Perfetto__TrackDescriptor track_message;

/* Of TrackEvent.type. */
enum event_type { EVENT_BEGIN = 1, EVENT_END = 2, EVENT_INSTANT = 3, EVENT_COUNTER = 4 };

/* Trace.packet, as its bytes have it: field 1, with a length. */
#define PACKET_TAG 0x0a

/* Without a clock times would be taken for those of CLOCK_BOOTTIME; events are of a sequence. */
static void set_defaults(struct packets *packets, packet_message *packet)
{
	packet->has_timestamp_clock_id = packet->has_timestamp;
	packet->timestamp_clock_id = PACKET_CLOCK;
	if (packet->has_trusted_packet_sequence_id)
		return;
	packet->has_trusted_packet_sequence_id = true;
	packet->trusted_packet_sequence_id = PACKET_SEQUENCE;
	packet->has_sequence_flags = !packets->began;
	packet->sequence_flags = PACKET_CLEARED;
	packets->began = true;
}

static int write_packet(FILE *out, const packet_message *packet)
{
	size_t size = gleakd__perfetto__trace_packet__get_packed_size(packet), left = size;
	uint8_t *bytes __cleanup_free = malloc(size + 1);
	uint8_t head[11] = {PACKET_TAG};
	size_t n = 1;

	if (!bytes)
		return -ENOMEM;
	for (; left >= 0x80; left >>= 7)
		head[n++] = (uint8_t)(left | 0x80);
	head[n++] = (uint8_t)left;
	gleakd__perfetto__trace_packet__pack(packet, bytes);
	errno = 0;
	if (fwrite(head, 1, n, out) == n && fwrite(bytes, 1, size, out) == size)
		return 0;
	return errno ? -errno : -EIO;
}

void packets__put(struct packets *packets, packet_message *packet)
{
	set_defaults(packets, packet);
	if (!packets->err)
		packets->err = write_packet(packets->out, packet);
}

/* --- tracks -------------------------------------------------------------------------------------- */

static uint64_t put_track(struct packets *packets, uint64_t parent, const char *name,
			  track_message *track)
{
	packet_message packet = GLEAKD__PERFETTO__TRACE_PACKET__INIT;
	char *clean __cleanup_free = utf8__repair(report__text(name));

	track->has_uuid = true;
	track->uuid = ++packets->tracks;
	track->has_parent_uuid = parent;
	track->parent_uuid = parent;
	track->name = clean;
	packet.track_descriptor = track;
	packets__put(packets, &packet);
	return track->uuid;
}

uint64_t packets__process(struct packets *packets, int32_t pid, const char *name)
{
	Gleakd__Perfetto__ProcessDescriptor process = GLEAKD__PERFETTO__PROCESS_DESCRIPTOR__INIT;
	char *clean __cleanup_free = utf8__repair(report__text(name));
	track_message track = GLEAKD__PERFETTO__TRACK_DESCRIPTOR__INIT;

	process.has_pid = true;
	process.pid = pid;
	process.process_name = clean;
	track.process = &process;
	return put_track(packets, 0, name, &track);
}

uint64_t packets__track(struct packets *packets, uint64_t parent, const char *name)
{
	track_message track = GLEAKD__PERFETTO__TRACK_DESCRIPTOR__INIT;

	return put_track(packets, parent, name, &track);
}

uint64_t packets__counter(struct packets *packets, uint64_t parent, const char *name,
			  enum packet_unit unit)
{
	Gleakd__Perfetto__CounterDescriptor counter = GLEAKD__PERFETTO__COUNTER_DESCRIPTOR__INIT;
	track_message track = GLEAKD__PERFETTO__TRACK_DESCRIPTOR__INIT;

	counter.has_unit = true;
	counter.unit = unit;
	track.counter = &counter;
	return put_track(packets, parent, name, &track);
}

/* --- events -------------------------------------------------------------------------------------- */

static void put_event(struct packets *packets, uint64_t track, uint64_t time_ns,
		      enum event_type type, event_message *event)
{
	packet_message packet = GLEAKD__PERFETTO__TRACE_PACKET__INIT;

	event->has_type = true;
	event->type = type;
	event->has_track_uuid = true;
	event->track_uuid = track;
	packet.has_timestamp = true;
	packet.timestamp = time_ns;
	packet.track_event = event;
	packets__put(packets, &packet);
}

void packets__value(struct packets *packets, uint64_t track, uint64_t time_ns, uint64_t value)
{
	event_message event = GLEAKD__PERFETTO__TRACK_EVENT__INIT;

	event.has_counter_value = true;
	event.counter_value = (int64_t)min_of(value, (uint64_t)INT64_MAX);
	put_event(packets, track, time_ns, EVENT_COUNTER, &event);
}

void packets__begin(struct packets *packets, uint64_t track, uint64_t time_ns, const char *name)
{
	event_message event = GLEAKD__PERFETTO__TRACK_EVENT__INIT;
	char *clean __cleanup_free = utf8__repair(report__text(name));

	event.name = clean;
	put_event(packets, track, time_ns, EVENT_BEGIN, &event);
}

void packets__end(struct packets *packets, uint64_t track, uint64_t time_ns)
{
	event_message event = GLEAKD__PERFETTO__TRACK_EVENT__INIT;

	put_event(packets, track, time_ns, EVENT_END, &event);
}

void packets__slice(struct packets *packets, uint64_t track, uint64_t begin_ns, uint64_t end_ns,
		    const char *name)
{
	packets__begin(packets, track, begin_ns, name);
	packets__end(packets, track, end_ns);
}

void packets__instant(struct packets *packets, uint64_t track, uint64_t time_ns, const char *name,
		      const char *why)
{
	Gleakd__Perfetto__DebugAnnotation annotation = GLEAKD__PERFETTO__DEBUG_ANNOTATION__INIT;
	Gleakd__Perfetto__DebugAnnotation *annotations[] = {&annotation};
	event_message event = GLEAKD__PERFETTO__TRACK_EVENT__INIT;
	char *clean __cleanup_free = utf8__repair(report__text(why));
	char *clean_name __cleanup_free = utf8__repair(report__text(name));
	char key[] = "why";

	annotation.name = key;
	annotation.string_value = clean;
	event.name = clean_name;
	event.n_debug_annotations = 1;
	event.debug_annotations = annotations;
	put_event(packets, track, time_ns, EVENT_INSTANT, &event);
}
