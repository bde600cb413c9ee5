// SPDX-License-Identifier: Apache-2.0
/* Where code is, and a program with a plugin: two made files, one runtime. */
#include "golang/module_map.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fake_go.h"
#include "golang/moduledata.h"
#include "golang/symbolize.h"

static const struct loaded_module first = {.bias = 0x1000,
					   .text = 0x2000,
					   .etext = 0x3000,
					   .goexit = 0x1100,
					   .goexit_end = 0x1110};
static const struct loaded_module second = {.number = 1,
					    .bias = 0x7f0000000000,
					    .text = 0x7f0000001000,
					    .etext = 0x7f0000002000};

static struct module_map *made(void)
{
	struct module_map *map;

	cr_assert_eq(module_map__new(&map), 0);
	cr_assert_eq(module_map__add(map, &first), 0);
	cr_assert_eq(module_map__add(map, &second), 0);
	return map;
}

Test(module_map, finds_by_address)
{
	struct module_map *map = made();

	cr_expect_eq(module_map__count(map), 2);
	for (int turn = 0; turn < 2; turn++) {
		cr_expect_null(module_map__find(map, 0x1fff));
		cr_expect_eq(module_map__find(map, 0x2000), module_map__at(map, 0));
		cr_expect_eq(module_map__find(map, 0x2fff), module_map__at(map, 0));
		cr_expect_null(module_map__find(map, 0x3000));
		cr_expect_eq(module_map__find(map, 0x7f0000001fff), module_map__at(map, 1));
		cr_expect_null(module_map__find(map, 0x7f0000002000));
	}
	module_map__free(map);
	module_map__free(NULL);
}

Test(module_map, pcs_say_which_module)
{
	struct module_map *map = made();
	uint64_t pc = module_map__pc(map, 0x7f0000001234);

	cr_expect_eq(module_map__pc(map, 0x2345), 0x1345,
		     "of the first they are link-time addresses");
	cr_expect_eq(pc, (1ULL << 48) + 0x1234);
	cr_expect_eq(module_pc__number(pc), 1);
	cr_expect_eq(module_pc__address(pc), 0x1234);
	cr_expect_eq(module_map__of(map, pc), module_map__at(map, 1));
	cr_expect_eq(module_map__of(map, 0x1345), module_map__at(map, 0));
	cr_expect_eq(module_map__pc(map, 0), 0);
	pc = module_map__pc(map, 0x7fff00000042);
	cr_expect_eq(module_pc__number(pc), MODULE_NONE);
	cr_expect_eq(module_pc__address(pc), 0x7fff00000042, "the target's address");
	cr_expect_null(module_map__of(map, pc));
	module_map__free(map);
}

Test(module_map, limits)
{
	struct module_map *map = made();
	struct loaded_module module = {.number = 2, .text = 0x2fff, .etext = 0x4000};

	cr_expect_eq(module_map__add(map, &module), -EEXIST, "no code is in two modules");
	for (uint32_t number = 2; number < MODULE_MAX; number++) {
		module = (struct loaded_module){.number = number,
						.text = 0x10000ULL * number,
						.etext = 0x10000ULL * number + 0x100};
		cr_assert_eq(module_map__add(map, &module), 0);
	}
	module = (struct loaded_module){.number = MODULE_MAX, .text = 1, .etext = 2};
	cr_expect_eq(module_map__add(map, &module), -ENOSPC);
	cr_expect_eq(module_map__find(map, 0x640050), module_map__at(map, 100));
	module_map__free(map);
}

/* --- a program and a plugin ---------------------------------------------------------------------- */

#define PLUGIN_BIAS   0x7f5000000000ULL
#define PLUGIN_MODULE (FAKE_MODULEDATA + PLUGIN_BIAS)

static struct fake_go program, plugin;
static struct remote *memory;

static void set_up(void)
{
	struct remote_range ranges[3];

	fake_go__make(&program, &(struct fake_options){.version = "go1.26.8", .symbols = true});
	fake_go__make(&plugin, &(struct fake_options){.version = "go1.26.8", .bias = PLUGIN_BIAS});
	fake_go__set(&program, FAKE_MODULEDATA + program.layout->moduledata_next, PLUGIN_MODULE);
	cr_assert_eq(fake_go__bind(&program), 0, "%s", program.failure.text);
	cr_assert_eq(fake_go__open_plugin(&plugin, &program), 0, "%s", plugin.failure.text);
	ranges[0] = program.ranges[0];
	ranges[1] = program.ranges[1];
	ranges[2] = (struct remote_range){FAKE_DATA + PLUGIN_BIAS, plugin.memory,
					  sizeof(plugin.memory)};
	cr_assert_eq(remote__open_image(ranges, ARRAY_SIZE(ranges), &memory), 0);
}

static void tear_down(void)
{
	remote__free(memory);
	fake_go__release(&plugin);
	fake_go__release(&program);
}

TestSuite(module_list, .init = set_up, .fini = tear_down);

Test(module_list, is_read_from_the_process)
{
	struct moduledata_head head;

	cr_assert_eq(moduledata__peek(program.layout, memory, FAKE_MODULEDATA, &head), 0);
	cr_expect_eq(head.next, PLUGIN_MODULE);
	cr_expect_eq(head.pc_header, FAKE_PCLNTAB);
	cr_assert_eq(moduledata__peek(program.layout, memory, head.next, &head), 0);
	cr_expect_eq(head.pc_header, FAKE_PCLNTAB + PLUGIN_BIAS);
	cr_expect_eq(head.text, FAKE_TEXT + PLUGIN_BIAS);
	cr_expect_eq(head.next, 0);
}

Test(module_list, nonsense_is_refused)
{
	struct moduledata_head head = {.next = 7};

	cr_expect_eq(moduledata__peek(program.layout, memory, 0x123456000, &head), -EFAULT);
	cr_expect_eq(moduledata__peek(program.layout, memory, PLUGIN_MODULE + 4, &head), -EPROTO);
	cr_expect_eq(moduledata__peek(program.layout, memory, FAKE_NOPTRBSS, &head), -EPROTO);
	cr_expect_eq(head.next, 7, "untouched on failure");
}

Test(module_list, plugins_bind_to_the_runtime_of_the_program)
{
	struct failure failure = {""};
	struct module_map *map;
	uint64_t bias;

	cr_assert_eq(go_binary__bind_module(plugin.binary, memory, PLUGIN_MODULE, &bias, &failure),
		     0, "%s", failure.text);
	cr_expect_eq(bias, PLUGIN_BIAS);
	cr_assert_eq(module_map__new(&map), 0);
	cr_assert_eq(module_map__load(map, 0, program.binary, 0, FAKE_MODULEDATA), 0);
	cr_assert_eq(module_map__load(map, 1, plugin.binary, bias, PLUGIN_MODULE), 0);
	cr_expect_eq(module_map__pc(map, FAKE_ENTRY(FAKE_WORKER) + PLUGIN_BIAS),
		     module_pc__make(1, FAKE_ENTRY(FAKE_WORKER)));
	cr_expect_eq(module_map__pc(map, FAKE_ENTRY(FAKE_WORKER)), FAKE_ENTRY(FAKE_WORKER));
	cr_expect_eq(go_binary__bind_module(plugin.binary, memory, PLUGIN_MODULE, &bias, &failure),
		     0, "in the next process");
	module_map__free(map);
}

/* What the first process has in its memory of a plugin says nothing of the plugin. */
Test(module_list, a_process_that_says_otherwise_speaks_for_itself)
{
	const uint64_t ebss = FAKE_MODULEDATA + plugin.layout->moduledata_ebss;
	struct failure failure = {""};
	uint64_t bias, module_ebss;

	fake_go__set(&plugin, ebss, PLUGIN_BIAS + FAKE_NOPTRBSS - 64);
	cr_assert_eq(go_binary__bind_module(plugin.binary, memory, PLUGIN_MODULE, &bias, &failure),
		     0, "%s", failure.text);
	module_ebss = go_binary__module(plugin.binary)->ebss;
	fake_go__set(&plugin, ebss, PLUGIN_BIAS + FAKE_NOPTRBSS);
	cr_expect_eq(go_binary__bind_module(plugin.binary, memory, PLUGIN_MODULE, &bias, &failure),
		     -EOPNOTSUPP, "the second one");
	cr_expect_eq(go_binary__module(plugin.binary)->ebss, module_ebss, "it changes nothing");
	go_binary__free(plugin.binary);
	cr_assert_eq(fake_go__open_plugin(&plugin, &program), 0);
	cr_expect_eq(go_binary__bind_module(plugin.binary, memory, PLUGIN_MODULE, &bias, &failure),
		     0, "with a reading of its own: %s", failure.text);
	cr_expect_eq(go_binary__module(plugin.binary)->ebss, FAKE_NOPTRBSS);
}

Test(module_list, another_file_at_that_address_is_refused)
{
	struct failure failure = {""};
	uint64_t bias = 7;

	/* The pclntab of the file is not where the moduledata says. */
	fake_go__set(&plugin, FAKE_MODULEDATA + plugin.layout->moduledata_funcnametab,
		     PLUGIN_BIAS + 0x1234);
	cr_expect_eq(go_binary__bind_module(plugin.binary, memory, PLUGIN_MODULE, &bias, &failure),
		     -EOPNOTSUPP);
	cr_expect(strstr(failure.text, "funcnametab"), "%s", failure.text);
	cr_expect_eq(bias, 7, "untouched on failure");
}

Test(module_list, names_come_from_each_file)
{
	struct symbolizer *symbolizer;
	struct frame frame;
	uint64_t bias, pc = FAKE_ENTRY(FAKE_WORKER);

	cr_assert_eq(go_binary__bind_module(plugin.binary, memory, PLUGIN_MODULE, &bias, NULL), 0);
	cr_assert_eq(symbolizer__new(program.binary, &symbolizer), 0);
	cr_assert_eq(symbolizer__add_module(symbolizer, plugin.binary, "plugin.so"), 0);
	cr_assert_eq(symbolizer__add_module(symbolizer, NULL, "gone.so"), 0);

	cr_expect_eq(symbolizer__frames(symbolizer, pc, false, &frame, 1), 1);
	cr_expect_str_eq(frame.function, "main.worker");
	cr_expect_str_eq(frame.module, "");
	cr_expect_eq(symbolizer__frames(symbolizer, module_pc__make(1, pc), false, &frame, 1), 1);
	cr_expect_str_eq(frame.function, "main.worker");
	cr_expect_str_eq(frame.module, "plugin.so");
	cr_expect(symbolizer__is_entry(symbolizer, module_pc__make(1, pc)));
	cr_expect_str_eq(symbolizer__function(symbolizer, module_pc__make(1, pc)), "main.worker");

	/* Of what cannot be read no address is shown: it would be another one in each run. */
	cr_expect_eq(symbolizer__frames(symbolizer, module_pc__make(2, pc), false, &frame, 1), 1);
	cr_expect_str_eq(frame.function, "?");
	cr_expect_str_eq(frame.module, "gone.so");
	cr_expect_not(symbolizer__is_entry(symbolizer, module_pc__make(2, pc)));
	cr_expect_eq(symbolizer__frames(symbolizer, module_pc__make(MODULE_NONE, 0x7fff00000042),
					false, &frame, 1),
		     1);
	cr_expect_str_eq(frame.function, "0x7fff00000042");
	cr_expect_str_eq(frame.module, "");
	symbolizer__free(symbolizer);
}
