// SPDX-License-Identifier: Apache-2.0
/* The modules of a target: the runtime's own file, and plugins, which come at any time and stay. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "golang/moduledata.h"
#include "session/target_internal.h"

static const struct go_layout *layout_of(const struct target *target)
{
	return go_binary__layout(target->executable->binary);
}

/* The file that holds the module's pclntab is the module's. */
static void find_file(const struct target *target, const struct moduledata_head *head,
		      struct mapped_file *file)
{
	if (!mapped_file__at(target->options.proc_root, target->process.id.pid, head->pc_header,
			     file))
		return;
	*file = (struct mapped_file){.start = head->pc_header};
	snprintf(file->path, sizeof(file->path), "(no file)");
}

/* A module whose file is not readable still has its name and its range of code. */
static int add_unreadable(struct target *target, uint32_t number, uint64_t moduledata,
			  const struct moduledata_head *head, const char *reason)
{
	const struct loaded_module module = {
		.number = number,
		.bias = head->text,
		.moduledata = moduledata,
		.text = head->text,
		.etext = head->etext,
	};

	snprintf(target->how, sizeof(target->how), "%s; a plugin is not readable: %s",
		 go_binary__how(target->executable->binary), reason);
	return module_map__add(target->modules, &module);
}

static int load(struct target *target, uint32_t number, struct go_binary *binary,
		uint64_t moduledata, struct failure *failure)
{
	uint64_t bias;
	int err = go_binary__bind_module(binary, target->remote, moduledata, &bias, failure);

	return err ? err : module_map__load(target->modules, number, binary, bias, moduledata);
}

/* The next module above @after in the file; -ENOTRECOVERABLE: not as this process has it in its memory. */
static int try_module(struct target *target, uint64_t moduledata,
		      const struct moduledata_head *head, const struct mapped_file *file,
		      uint32_t after, uint32_t *ret_number)
{
	struct failure failure = {""};
	const struct executable_module *module;
	bool shared;
	int err = executable__module(target->executable, target->options.proc_root,
				     target->process.id.pid, file, after, ret_number);

	if (err)
		return err;
	module = target->executable->modules[*ret_number - 1];
	if (!module->binary)
		return add_unreadable(target, *ret_number, moduledata, head, module->reason.text);
	shared = go_binary__is_bound(module->binary);
	err = load(target, *ret_number, module->binary, moduledata, &failure);
	if (err == -EOPNOTSUPP && shared)
		return -ENOTRECOVERABLE;
	return err == -EOPNOTSUPP ?
		       add_unreadable(target, *ret_number, moduledata, head, failure.text) :
		       err;
}

/* Where its memory is not as that of another process that has opened the plugin, one of the two may be lying. */
static int add_module(struct target *target, uint64_t moduledata,
		      const struct moduledata_head *head)
{
	struct mapped_file file;
	uint32_t number = 0;
	int err;

	find_file(target, head, &file);
	do
		err = try_module(target, moduledata, head, &file, number, &number);
	while (err == -ENOTRECOVERABLE);
	if (err == -ENOSPC && number)
		return add_unreadable(
			target, number, moduledata, head,
			"too many processes have something else in their memory of it");
	return err;
}

/*
 * The list only grows (src/runtime/symtab.go, modulesinit; src/plugin/plugin_dlopen.go): what comes
 * after the last known one is all that is new. Most times that is one read of one word.
 */
static uint64_t next_of_last(const struct target *target)
{
	size_t n = module_map__count(target->modules);
	uint64_t last = module_map__at(target->modules, n - 1)->moduledata, next;

	if (remote__read_u64(target->remote, last + layout_of(target)->moduledata_next, &next))
		return 0;
	return next;
}

size_t target_modules__refresh(struct target *target)
{
	size_t before = module_map__count(target->modules);

	for (;;) {
		uint64_t next = next_of_last(target);
		struct moduledata_head head;
		int err;

		if (!next || moduledata__peek(layout_of(target), target->remote, next, &head))
			break;
		err = add_module(target, next, &head);
		if (err) {
			/* Asked again with the next census: the module is there to stay. */
			log_debug("pid %d: a plugin cannot be taken in: %s", target->process.id.pid,
				  strerror(-err));
			break;
		}
	}
	return module_map__count(target->modules) - before;
}

int target_modules__open(struct target *target, struct failure *failure)
{
	struct go_binary *binary = target->executable->binary;
	int err = module_map__new(&target->modules);

	if (!err)
		err = module_map__load(target->modules, 0, binary, target->load_bias,
				       go_binary__globals(binary)->moduledata + target->load_bias);
	if (err)
		return failure__set(failure, err,
				    "the functions of process %d cannot be looked up: %s",
				    target->process.id.pid, strerror(-err));
	target_modules__refresh(target);
	return 0;
}
