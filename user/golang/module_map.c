// SPDX-License-Identifier: Apache-2.0
#include "golang/module_map.h"

#include <errno.h>
#include <stdlib.h>

struct module_map {
	struct loaded_module *modules;
	size_t n, capacity;
	size_t last; /* found: the next question is mostly about the same */
};

int module_map__new(struct module_map **ret_map)
{
	struct module_map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	*ret_map = map;
	return 0;
}

void module_map__free(struct module_map *map)
{
	if (!map)
		return;
	free(map->modules);
	free(map);
}

static bool overlaps(const struct module_map *map, const struct loaded_module *module)
{
	for (size_t i = 0; i < map->n; i++) {
		if (module->text < map->modules[i].etext && map->modules[i].text < module->etext)
			return true;
	}
	return false;
}

static int grow(struct module_map *map)
{
	size_t capacity = map->capacity ? map->capacity * 2 : 1;
	struct loaded_module *modules;

	if (map->n < map->capacity)
		return 0;
	modules = reallocarray(map->modules, capacity, sizeof(*modules));
	if (!modules)
		return -ENOMEM;
	map->modules = modules;
	map->capacity = capacity;
	return 0;
}

int module_map__add(struct module_map *map, const struct loaded_module *module)
{
	if (map->n == MODULE_MAX)
		return -ENOSPC;
	if (overlaps(map, module))
		return -EEXIST;
	if (grow(map))
		return -ENOMEM;
	map->modules[map->n++] = *module;
	return 0;
}

size_t module_map__count(const struct module_map *map)
{
	return map->n;
}

const struct loaded_module *module_map__at(const struct module_map *map, size_t index)
{
	return &map->modules[index];
}

static bool has(const struct loaded_module *module, uint64_t pc)
{
	return pc >= module->text && pc < module->etext;
}

const struct loaded_module *module_map__find(struct module_map *map, uint64_t pc)
{
	if (map->n && has(&map->modules[map->last], pc))
		return &map->modules[map->last];
	for (size_t i = 0; i < map->n; i++) {
		if (!has(&map->modules[i], pc))
			continue;
		map->last = i;
		return &map->modules[i];
	}
	return NULL;
}

const struct loaded_module *module_map__of(const struct module_map *map, uint64_t pc)
{
	for (size_t i = 0; i < map->n; i++) {
		if (map->modules[i].number == module_pc__number(pc))
			return &map->modules[i];
	}
	return NULL;
}

uint64_t module_map__pc(struct module_map *map, uint64_t pc)
{
	const struct loaded_module *module = pc ? module_map__find(map, pc) : NULL;

	if (!pc)
		return 0;
	return module ? module_pc__make(module->number, pc - module->bias) :
			module_pc__make(MODULE_NONE, pc);
}

bool module_map__is_goexit(const struct module_map *map, uint64_t pc)
{
	const struct loaded_module *module = module_map__of(map, pc);
	uint64_t address = module_pc__address(pc);

	return module && address >= module->goexit && address < module->goexit_end;
}

int module_map__load(struct module_map *map, uint32_t number, struct go_binary *binary,
		     uint64_t bias, uint64_t moduledata)
{
	static const char *const names[] = {"runtime.goexit"};
	const struct go_module *link = go_binary__module(binary);
	struct loaded_module module = {
		.number = number,
		.binary = binary,
		.tab = go_binary__pclntab(binary),
		.bias = bias,
		.moduledata = moduledata,
		.text = link->text + bias,
		.etext = link->etext + bias,
	};
	struct pclntab_func func = {0};
	int n = pclntab__find(module.tab, names, &func, 1);

	if (n < 0)
		return n;
	module.goexit = func.entry;
	module.goexit_end = func.end;
	return module_map__add(map, &module);
}
