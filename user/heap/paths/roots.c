// SPDX-License-Identifier: Apache-2.0
/*
 * Where ways begin: "main.sessions", a variable by name, or by where it is; "stack of main.worker", by
 * the function that the goroutine was started with, and there "main.worker.buf", a variable by name, or the
 * function whose frame it is.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "heap/paths/private.h"
#include "heap/roots/stack_scan.h"
#include "heap/types/leaf.h"

static uint16_t plain_root(struct heap_paths *paths, enum path_role role, const char *label)
{
	const struct path_step step = {.label = label, .role = role};

	return path_tree__child(paths->tree, PATH_NONE, &step);
}

/* In a program without names each word is a variable of its own. */
static uint16_t nameless(struct heap_paths *paths, uint64_t address)
{
	const char *own = path_own__variable(paths, address);
	char label[64];

	if (own)
		snprintf(label, sizeof(label), "%s", own);
	else
		snprintf(label, sizeof(label), "variable at 0x%llx",
			 (unsigned long long)(address - paths->runtime->bias));
	return plain_root(paths, PATH_VARIABLE, label);
}

static uint16_t static_root(struct heap_paths *paths, struct paths_static *value)
{
	const struct path_step step = {
		.label = value->name,
		.role = value->array ? PATH_VARIABLES : PATH_VARIABLE,
		.type = value->type,
		.shown = value->array ? 0 : value->type,
	};

	if (!value->node)
		value->node = path_tree__child(paths->tree, PATH_NONE, &step);
	paths->variable = value->address;
	paths->variable_size = value->size;
	return value->node;
}

static uint16_t variable_root(struct heap_paths *paths, uint64_t from)
{
	const struct go_variable *variable =
		paths->variables ? go_variables__at(paths->variables, from - paths->runtime->bias) :
				   NULL;
	struct path_step step = {.role = PATH_VARIABLE};
	struct paths_static *value;

	if (from - paths->variable < paths->variable_size)
		return paths->variable_node;
	paths->variable = paths->variable_size = 0;
	if (variable) {
		step.label = variable->name;
		step.type = heap_types__of_variable(paths->types, variable->type);
		step.shown = step.type;
		paths->variable_node = path_tree__child(paths->tree, PATH_NONE, &step);
		paths->variable = variable->address + paths->runtime->bias;
		paths->variable_size = variable->size;
		return paths->variable_node;
	}
	value = path_statics__at(paths, from);
	paths->variable_node = value ? static_root(paths, value) : nameless(paths, from);
	return paths->variable_node;
}

static const char *function_name(const struct heap_paths *paths, uint64_t entry, char *name,
				 size_t size)
{
	struct pclntab_func func;

	if (!entry || !paths->runtime->tab || pclntab__lookup(paths->runtime->tab, entry, &func) ||
	    pclntab__name(paths->runtime->tab, &func, name, size) < 0)
		return NULL;
	/* The program's own begins here. */
	return strcmp(name, "runtime.main") == 0 ? "main.main" : name;
}

static void name_stack(struct heap_paths *paths, struct paths_stack *stack)
{
	char first[PATHS_LABEL - 16], inner[PATHS_LABEL - 16], label[PATHS_LABEL];
	const char *root = function_name(paths, stack->first_function, first, sizeof(first));
	const char *name = function_name(paths, stack->function, inner, sizeof(inner));
	struct path_step step = {.role = PATH_STACK, .label = label};

	stack->receiver = name ? type_index__receiver(paths->type_index, name) : 0;
	snprintf(label, sizeof(label), "stack of %s", root ? root : "an unknown function");
	stack->root = stack->node = path_tree__child(paths->tree, PATH_NONE, &step);
	if (!stack->root || !name || (root && !strcmp(root, name)))
		return;
	snprintf(label, sizeof(label), ", in %s", name);
	stack->node = path_tree__child(paths->tree, stack->root, &step);
}

static struct paths_stack *stack_of(struct heap_paths *paths, const struct heap_contents *in)
{
	const uint64_t words[] = {in->first_function, in->function};
	uint64_t hash = hash__keyed(words, sizeof(words));
	struct paths_stack *stack = &paths->stacks[hash % PATHS_STACKS];

	if (!stack->root || stack->first_function != in->first_function ||
	    stack->function != in->function) {
		*stack = (struct paths_stack){
			.first_function = in->first_function,
			.function = in->function,
		};
		name_stack(paths, stack);
	}
	return stack;
}

uint64_t path_roots__receiver(struct heap_paths *paths, const struct heap_contents *in)
{
	return in->place == HEAP_IN_STACK && in->function ? stack_of(paths, in)->receiver : 0;
}

/* --- variables on stacks ------------------------------------------------------------------------ */

/* Words of a variable that are not beside each other do not tell what they mean together. */
static uint64_t type_of_local(struct heap_paths *paths, const struct go_local *local)
{
	uint64_t address = heap_types__of_variable(paths->types, local->type);
	const struct heap_type *type = address ? heap_types__any(paths->types, address) : NULL;
	char path[PATHS_LABEL];
	struct heap_leaf leaf;

	if (!type || local->whole)
		return address;
	return heap_types__leaf(paths->types, type, (uint64_t)local->offset, &leaf, path,
				sizeof(path)) &&
			       leaf.word != HEAP_WORD_EFACE && leaf.word != HEAP_WORD_IFACE ?
		       address :
		       0;
}

static uint16_t name_local(struct heap_paths *paths, const struct go_local *local, uint16_t root)
{
	struct path_step step = {.label = local->name, .role = PATH_LOCAL};
	const struct heap_type *type;
	const struct heap_shape *shape;

	step.type = type_of_local(paths, local);
	step.shown = step.type;
	type = step.type ? heap_types__any(paths->types, step.type) : NULL;
	shape = local->by_address && type ? heap_types__shape(paths->types, type) : NULL;
	if (shape)
		step.shown = shape->elem;
	return path_tree__child(paths->tree, root, &step);
}

/* The variable that the word at @from is in, below @root; PATH_NONE: it is not known to be in one. */
static uint16_t local_root(struct heap_paths *paths, const struct heap_stack_contents *in,
			   uint64_t from, uint16_t root)
{
	int64_t place = (int64_t)(from - in->frame);
	const struct go_local *local =
		paths->variables && from && in->frame ?
			go_variables__local(paths->variables, in->pc, place) :
			NULL;
	struct paths_local *known;

	if (!local)
		return PATH_NONE;
	known = &paths->locals[hash__mix64((uint64_t)(uintptr_t)local ^ root) % PATHS_LOCALS];
	if (known->local != local || known->root != root)
		*known = (struct paths_local){local, root, name_local(paths, local, root)};
	paths->root_offset = (uint64_t)(place - local->place + local->offset);
	paths->root_torn = !local->whole;
	return known->node;
}

static uint16_t stack_root(struct heap_paths *paths, const struct heap_reference *reference)
{
	const struct heap_contents *in = reference->in;
	const struct paths_stack *stack = stack_of(paths, in);
	struct path_node *root = path_tree__node(paths->tree, stack->root);
	uint16_t local;

	root->goid = root->goid && root->goid != in->goid ? UINT64_MAX : in->goid;
	local = local_root(paths, heap_stack_contents__of(in), reference->from, stack->root);
	return local ? local : stack->node;
}

/* ------------------------------------------------------------------------------------------------ */

uint16_t path_roots__of(struct heap_paths *paths, const struct heap_reference *reference)
{
	uint16_t root;

	paths->root_offset = 0;
	paths->root_torn = false;
	switch (reference->in->place) {
	case HEAP_IN_VARIABLES:
		root = variable_root(paths, reference->from);
		paths->root_offset = paths->variable ? reference->from - paths->variable : 0;
		return root;
	case HEAP_IN_STACK:
		return stack_root(paths, reference);
	case HEAP_IN_YOUNG:
		return plain_root(paths, PATH_RUNTIME, PATH_YOUNG);
	default:
		return plain_root(paths, PATH_RUNTIME, "runtime");
	}
}
