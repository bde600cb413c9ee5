// SPDX-License-Identifier: Apache-2.0
/*
 * Where ways begin: "main.sessions", a variable by name, or by where it is; "stack of main.worker", by
 * the function that the goroutine was started with, and the one whose frame it is.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "heap/paths/private.h"

static uint16_t plain_root(struct heap_paths *paths, enum path_role role, const char *label)
{
	const struct path_step step = {.label = label, .role = role};

	return path_tree__child(paths->tree, PATH_NONE, &step);
}

/* In a program without names each word is a variable of its own. */
static uint16_t nameless(struct heap_paths *paths, uint64_t address)
{
	char label[64];

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

static uint16_t stack_root(struct heap_paths *paths, const struct heap_contents *in)
{
	const struct paths_stack *stack = stack_of(paths, in);
	struct path_node *root = path_tree__node(paths->tree, stack->root);

	root->goid = root->goid && root->goid != in->goid ? UINT64_MAX : in->goid;
	return stack->node;
}

uint64_t path_roots__receiver(struct heap_paths *paths, const struct heap_contents *in)
{
	return in->place == HEAP_IN_STACK && in->function ? stack_of(paths, in)->receiver : 0;
}

uint16_t path_roots__of(struct heap_paths *paths, const struct heap_reference *reference)
{
	switch (reference->in->place) {
	case HEAP_IN_VARIABLES:
		return variable_root(paths, reference->from);
	case HEAP_IN_STACK:
		return stack_root(paths, reference->in);
	case HEAP_IN_YOUNG:
		return plain_root(paths, PATH_RUNTIME, PATH_YOUNG);
	default:
		return plain_root(paths, PATH_RUNTIME, "runtime");
	}
}
