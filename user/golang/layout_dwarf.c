// SPDX-License-Identifier: Apache-2.0
#include "golang/layout_dwarf.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golang/dwarf_file.h"

#define MAX_DIES 4000000 /* 64 MiB of the smallest that have a name */

/* Small programs have the runtime's unit in the first MiB, docker (43 MB) in the first 3. */
static const size_t prefix_sizes[] = {(size_t)8 << 20, (size_t)64 << 20};

/* --- the runtime's structs ---------------------------------------------------------------------- */

enum {
	G,
	M,
	P,
	SCHED,
	SUDOG,
	HCHAN,
	MODULEDATA,
	DEFER,
	MHEAP,
	HEAP_ARENA,
	MSPAN,
	MCACHE,
	SPECIAL,
	CLEANUP_QUEUE,
	CLEANUP_BLOCK,
	BUCKET,
	MEM_RECORD,
	MEM_RECORD_CYCLE,
	MSTATS,
	HEAP_STATS,
	GC_CONTROLLER,
	TIMER,
	TIME_HISTOGRAM,
	N_STRUCTS,
};

/* Columns of the table begin with the first of these. */
static const struct {
	const char *prefix;
	const char *name;
	bool optional; /* only heaps, timers and delays are read with it: what lacks is for those to refuse */
} struct_names[N_STRUCTS] = {
	[G] = {"g_", "runtime.g", .optional = false},
	[M] = {"m_", "runtime.m", .optional = false},
	[P] = {"p_", "runtime.p", .optional = false},
	[SCHED] = {"sched_", "runtime.schedt", .optional = false},
	[SUDOG] = {"sudog_", "runtime.sudog", .optional = false},
	[HCHAN] = {"hchan_", "runtime.hchan", .optional = false},
	[MODULEDATA] = {"moduledata_", "runtime.moduledata", .optional = false},
	[DEFER] = {"defer_", "runtime._defer", .optional = true},
	[MHEAP] = {"mheap_", "runtime.mheap", .optional = true},
	[HEAP_ARENA] = {"heapArena_", "runtime.heapArena", .optional = true},
	[MSPAN] = {"mspan_", "runtime.mspan", .optional = true},
	[MCACHE] = {"mcache_", "runtime.mcache", .optional = true},
	[SPECIAL] = {"special_", "runtime.special", .optional = true},
	[CLEANUP_QUEUE] = {"cleanupQueue_", "runtime.cleanupQueue", .optional = true},
	[CLEANUP_BLOCK] = {"cleanupBlock_", "runtime.cleanupBlock", .optional = true},
	[BUCKET] = {"bucket_", "runtime.bucket", .optional = true},
	[MEM_RECORD] = {"memRecord_", "runtime.memRecord", .optional = true},
	[MEM_RECORD_CYCLE] = {"memRecordCycle_", "runtime.memRecordCycle", .optional = true},
	[MSTATS] = {"mstats_", "runtime.mstats", .optional = true},
	[HEAP_STATS] = {"heapStats_", "runtime.heapStatsDelta", .optional = true},
	[GC_CONTROLLER] = {"gcController_", "runtime.gcControllerState", .optional = true},
	[TIMER] = {"timer_", "runtime.timer", .optional = true},
	[TIME_HISTOGRAM] = {"timeHistogram_", "runtime.timeHistogram", .optional = true},
};

struct runtime_types {
	Dwarf_Die structs[N_STRUCTS];
	bool found[N_STRUCTS];
	size_t n_found;
};

static bool has_name(Dwarf_Die *die, const char *name)
{
	Dwarf_Attribute attribute;
	const char *text;

	if (!dwarf_attr(die, DW_AT_name, &attribute))
		return false;
	text = dwarf_formstring(&attribute);
	return text && !strcmp(text, name);
}

static bool constant(Dwarf_Die *die, unsigned int name, uint64_t *ret_value)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value))
		return false;
	*ret_value = value;
	return true;
}

static bool is_runtime_unit(Dwarf_Die *unit)
{
	uint64_t language;

	return dwarf_tag(unit) == DW_TAG_compile_unit &&
	       constant(unit, DW_AT_language, &language) && language == DW_LANG_Go &&
	       has_name(unit, "runtime");
}

static void visit_type(Dwarf_Die *die, struct runtime_types *types)
{
	if (dwarf_tag(die) != DW_TAG_structure_type)
		return;
	for (size_t i = 0; i < N_STRUCTS; i++) {
		if (types->found[i] || !has_name(die, struct_names[i].name))
			continue;
		types->structs[i] = *die;
		types->found[i] = true;
		types->n_found++;
		return;
	}
}

/* @dies_left bounds all units together. */
static void visit_unit(Dwarf_Die *unit, struct runtime_types *types, size_t *dies_left)
{
	Dwarf_Die die;
	int more = dwarf_child(unit, &die);

	while (!more && types->n_found < N_STRUCTS && *dies_left) {
		visit_type(&die, types);
		more = dwarf_siblingof(&die, &die);
		--*dies_left;
	}
}

/*
 * Several units go by the name of runtime: it is also that of functions which other packages hold
 * for it. One of them has the types. -ENOENT when not all are there.
 */
static int find_types(Dwarf *dwarf, struct runtime_types *types)
{
	size_t header_size, dies_left = MAX_DIES;
	Dwarf_Off offset = 0, next;

	while (types->n_found < N_STRUCTS &&
	       !dwarf_nextcu(dwarf, offset, &next, &header_size, NULL, NULL, NULL) &&
	       next > offset) {
		Dwarf_Die unit;

		if (dwarf_offdie(dwarf, offset + header_size, &unit) && is_runtime_unit(&unit))
			visit_unit(&unit, types, &dies_left);
		offset = next;
	}
	for (size_t i = 0; i < N_STRUCTS; i++) {
		if (!types->found[i] && !struct_names[i].optional)
			return -ENOENT;
	}
	return 0;
}

/* --- their fields ------------------------------------------------------------------------------- */

#define MAX_MEMBERS  1024 /* an m has 80 */
#define MAX_TYPEDEFS 8
#define MAX_PATH     64

/*
 * Members have no children. Whatever has some ends the search, since every field looked up would go
 * through all of them again: a file of 60 KiB could hold up its reader for a minute.
 */
static bool find_member(Dwarf_Die *type, const char *name, Dwarf_Die *ret_member)
{
	Dwarf_Die die;
	int more = dwarf_child(type, &die);

	for (size_t i = 0; i < MAX_MEMBERS && !more && dwarf_haschildren(&die) == 0; i++) {
		if (dwarf_tag(&die) == DW_TAG_member && has_name(&die, name)) {
			*ret_member = die;
			return true;
		}
		more = dwarf_siblingof(&die, &die);
	}
	return false;
}

/* The type of a member, which typedefs only give another name. */
static bool type_of(Dwarf_Die *member, Dwarf_Die *ret_type)
{
	Dwarf_Die die = *member;

	for (size_t i = 0; i < MAX_TYPEDEFS; i++) {
		Dwarf_Attribute attribute;
		Dwarf_Die type;

		if (!dwarf_attr(&die, DW_AT_type, &attribute) ||
		    !dwarf_formref_die(&attribute, &type))
			return false;
		if (dwarf_tag(&type) != DW_TAG_typedef) {
			*ret_type = type;
			return true;
		}
		die = type;
	}
	return false;
}

/*
 * Adds up the offsets along @path, names with dots between. With a star before it the field must be
 * a plain pointer.
 */
static bool walk(const Dwarf_Die *from, const char *path, uint64_t *ret_offset)
{
	bool pointer = *path == '*';
	char names[MAX_PATH], *rest = names;
	Dwarf_Die type = *from;
	uint64_t offset = 0;

	snprintf(names, sizeof(names), "%s", path + pointer);
	while (rest) {
		const char *name = strsep(&rest, ".");
		Dwarf_Die member;
		uint64_t more;

		if (!find_member(&type, name, &member) ||
		    !constant(&member, DW_AT_data_member_location, &more) ||
		    more > LAYOUT_DWARF_MAX_STRUCT || !type_of(&member, &type))
			return false;
		offset += more;
	}
	if (pointer && dwarf_tag(&type) != DW_TAG_pointer_type)
		return false;
	*ret_offset = offset;
	return true;
}

/*
 * A column's name is the path of its field with underscores for dots, but for these. In 1.26 two
 * pointers of sudog became pairs, whose second word always holds the address; 1.25 renamed
 * g.syncGroup, 1.23 put the heap of timers into a struct (src/runtime/runtime2.go).
 */
static const struct {
	const char *column;
	const char *paths[2];
} other_paths[] = {
	{"sudog_elem", {"elem.vu", "*elem"}},
	{"sudog_c", {"c.maybeTraceablePtr.vu", "*c"}},
	{"p_timers", {"timers.heap", "timers"}},
	{"g_bubble", {"bubble", "syncGroup"}},
	{"g_trackingStamp", {"trackingStamp", "runnableStamp"}},
	{"g_panic", {"_panic", "_panic"}},
	{"g_defer", {"_defer", "_defer"}},
	{"g_xRegs", {"xRegs.state", "xRegs.state"}},
	{"mheap_arenas_arm64", {"arenas", "arenas"}},
	{"cleanupQueue_all_arm64", {"all", "all"}},
	{"cleanupBlock_alllink", {"cleanupBlockHeader.alllink", "alllink"}},
	{"cleanupBlock_n", {"cleanupBlockHeader.n", "n"}},
	{"mstats_heapStats", {"heapStats.stats", "heapStats.stats"}},
	{"mstats_mspan_sys", {"mspan_sys", "mspan_sys"}},
	{"mstats_mcache_sys", {"mcache_sys", "mcache_sys"}},
	{"mstats_buckhash_sys", {"buckhash_sys", "buckhash_sys"}},
	{"mstats_other_sys", {"other_sys", "other_sys"}},
	{"mstats_last_gc_unix", {"last_gc_unix", "last_gc_unix"}},
	{"mstats_pause_end", {"pause_end", "pause_end"}},
	{"mstats_last_gc_nanotime", {"last_gc_nanotime", "last_gc_nanotime"}},
	{"mstats_pause_total_ns", {"pause_total_ns", "pause_total_ns"}},
	{"gcController_heapGoal", {"gcPercentHeapGoal", "heapGoal"}},
};

/* Columns of the other structs that only heaps, timers and delays need: a new Go may rename them. */
static const char *const minor_columns[] = {
	"g_tracking",
	"g_trackingStamp",
	"m_incgo",
	"p_schedtick",
	"p_sysmontick_schedtick",
	"p_sysmontick_schedwhen",
	"sched_timeToRun",
	"g_sched_ctxt",
	"g_sched_lr",
	"g_panic",
	"g_defer",
	"g_asyncSafePoint",
	"m_gsignal",
	"m_p",
	"p_wbBuf_next",
	"p_wbBuf_buf",
	"sudog_next",
	"sudog_prev",
	"hchan_buf",
	"hchan_elemtype",
	"moduledata_rodata",
	"p_timers",
	"p_mcache",
};

static bool is_optional(const char *column, uint32_t oldest, uint32_t newest)
{
	if (oldest == GO_LAYOUT_ABSENT || newest == GO_LAYOUT_ABSENT)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(minor_columns); i++) {
		if (!strcmp(column, minor_columns[i]))
			return true;
	}
	for (size_t i = 0; i < N_STRUCTS; i++) {
		if (struct_names[i].optional &&
		    !strncmp(column, struct_names[i].prefix, strlen(struct_names[i].prefix)))
			return true;
	}
	return false;
}

static bool offset_of(const Dwarf_Die *type, const char *column, const char *field,
		      uint64_t *ret_offset)
{
	char path[MAX_PATH];

	for (size_t i = 0; i < ARRAY_SIZE(other_paths); i++) {
		if (!strcmp(column, other_paths[i].column))
			return walk(type, other_paths[i].paths[0], ret_offset) ||
			       walk(type, other_paths[i].paths[1], ret_offset);
	}
	snprintf(path, sizeof(path), "%s", field);
	for (char *p = path; *p; p++)
		*p = *p == '_' ? '.' : *p;
	return walk(type, path, ret_offset);
}

static int refuse(struct elf_image *image, struct failure *failure, const char *column,
		  const char *what)
{
	return failure__set(failure, -EOPNOTSUPP,
			    "%s: its debug information describes a Go runtime that this gleakd "
			    "does not know (%s %s); a newer gleakd may",
			    elf_image__name(image), column, what);
}

/* One column; @optional: it may be absent. */
static int read_column(struct elf_image *image, struct runtime_types *types, const char *column,
		       bool optional, uint32_t *ret_value, struct failure *failure)
{
	const char *field = NULL;
	Dwarf_Die *type = NULL;
	uint64_t size, offset;

	for (size_t i = 0; i < N_STRUCTS; i++) {
		if (strncmp(column, struct_names[i].prefix, strlen(struct_names[i].prefix)) != 0)
			continue;
		if (!types->found[i]) {
			*ret_value = GO_LAYOUT_ABSENT;
			return 0;
		}
		type = &types->structs[i];
		field = column + strlen(struct_names[i].prefix);
	}
	if (!type || !constant(type, DW_AT_byte_size, &size) || size < sizeof(uint64_t) ||
	    size > LAYOUT_DWARF_MAX_STRUCT)
		return refuse(image, failure, column, "has no size");
	if (!strcmp(field, "sizeof")) {
		*ret_value = (uint32_t)size;
		return 0;
	}
	if (!offset_of(type, column, field, &offset)) {
		*ret_value = GO_LAYOUT_ABSENT;
		return optional ? 0 : refuse(image, failure, column, "is not there");
	}
	/* Whoever reads a struct may read a word at each of its fields. */
	if (offset > size - sizeof(uint64_t))
		return refuse(image, failure, column, "is outside of its struct");
	*ret_value = (uint32_t)offset;
	return 0;
}

static int read_columns(struct elf_image *image, struct runtime_types *types,
			struct go_layout *ret_layout, struct failure *failure)
{
	struct go_layout layout = *ret_layout;
	int err = 0;

#define X(field)                                                                  \
	if (!err)                                                                 \
		err = read_column(image, types, #field,                           \
				  is_optional(#field, go_layout__oldest()->field, \
					      go_layout__newest()->field),        \
				  &layout.field, failure);
	GO_LAYOUT_FIELDS(X)
#undef X
	if (!err)
		*ret_layout = layout;
	return err;
}

static int read_prefix(struct elf_image *image, size_t prefix, struct go_layout *ret_layout,
		       bool *ret_is_whole, struct failure *failure)
{
	struct dwarf_file file = {0};
	struct runtime_types types = {0};
	int err = dwarf_file__open(image, prefix, &file);

	*ret_is_whole = file.info_is_whole;
	if (!err)
		err = find_types(file.dwarf, &types);
	if (!err)
		err = read_columns(image, &types, ret_layout, failure);
	dwarf_file__close(&file);
	return err;
}

int layout_dwarf__read(struct elf_image *image, struct go_layout *ret_layout,
		       struct failure *failure)
{
	bool whole = false;
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(prefix_sizes) && err == -ENOENT && !whole; i++)
		err = read_prefix(image, prefix_sizes[i], ret_layout, &whole, failure);
	return err == -EPROTO || err == -EIO || err == -EFAULT ? -ENOENT : err;
}
