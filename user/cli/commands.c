// SPDX-License-Identifier: Apache-2.0
/* The table of commands. Their options are in options_table.c, what they do is in main.c. */
#include <string.h>

#include "cli/edit_distance.h"
#include "cli/options_table.h"

const struct command_spec commands[COMMAND_COUNT] = {
	[COMMAND_WATCH] =
		{
			.name = "watch",
			.usage = "[NAME|PID...] [options]",
			.examples = {{"gleakd shop",
				      "the leaks of the Go process \"shop\", until Ctrl-C"},
				     {"gleakd 4242 --once",
				      "one look at a process, without probes"},
				     {"gleakd", "all Go processes of this host"}},
			.summary = "find leaking goroutines; the word may be left out",
			.about = "Watches running Go processes from outside and finds the "
				 "goroutines they leak: all processes of this host, or those that "
				 "are named. They need no preparation and are neither stopped nor "
				 "changed.",
			.max_words = OPTION_LIST_MAX,
		},
	[COMMAND_RUN] =
		{
			.name = "run",
			.usage = "[options] -- PROGRAM [ARGUMENT...]",
			.examples = {{"sudo gleakd run --duration 2m -- ./shop -port 8080",
				      "10 when it leaks"},
				     {"gleakd run --mode census -- ./batch", "without root"},
				     {"sudo gleakd run --format junit --report leaks.xml -- ./shop",
				      "for CI"}},
			.summary = "start a program, and watch it from its first goroutine on",
			.about = "Starts a Go program as a child, watches it from its first "
				 "goroutine until it ends or --duration is over, and fails when "
				 "goroutines leaked, when it ended before, or when nothing could "
				 "be judged. The program has the rights, input and output of who "
				 "started it.",
			.max_words = OPTION_LIST_MAX,
			.has_page = true,
		},
	[COMMAND_TOP] =
		{
			.name = "top",
			.usage = "[NAME|PID...] [options]",
			.examples = {{"sudo gleakd top", "all Go processes of this host"},
				     {"sudo gleakd top shop",
				      "its goroutines and memory, place by place"}},
			.summary = "processes, places and findings on the screen, to walk through",
			.about =
				"Shows Go processes on the terminal while they run: what they have "
				"of goroutines and memory and what is leaked; of one of them the "
				"places where goroutines wait or memory is allocated; of one place "
				"all that is known. h lists the keys.",
			.max_words = OPTION_LIST_MAX,
			.has_page = true,
		},
	[COMMAND_LIST] =
		{
			.name = "list",
			.usage = "[options]",
			.examples = {{"gleakd list", "Go processes, most goroutines first"},
				     {"gleakd list --json | jq", "for a script"}},
			.summary = "the Go processes of this host, and which can be watched",
			.about = "Lists the Go processes of this host with their goroutines, Go "
				 "version, module and kind of build, and says which of them gleakd "
				 "can watch. Needs no privilege for your own processes, unless the "
				 "kernel restricts that.",
			.has_page = true,
		},
	[COMMAND_DUMP] =
		{
			.name = "dump",
			.usage = "[NAME|PID...] [options]",
			.examples = {{"gleakd dump shop",
				      "all its goroutines, by where they stand"},
				     {"gleakd dump 4242 > dump.txt",
				      "as the runtime itself would dump them"},
				     {"gleakd dump shop --func handler",
				      "those that are in a handler"}},
			.summary = "all goroutines of a process, now",
			.about = "Lists the goroutines of a Go process without stopping it. On a "
				 "terminal those that stand at one place are together; into a file "
				 "or a pipe they come one by one in the form of the runtime's own "
				 "dump (debug=2), for the programs that read that.",
			.max_words = OPTION_LIST_MAX,
			.has_page = true,
		},
	[COMMAND_PROVE] =
		{
			.name = "prove",
			.usage = "[NAME|PID...] [options]",
			.examples = {{"sudo gleakd prove shop",
				      "what it leaks for certain, and what that keeps"},
				     {"sudo gleakd prove 4242 --json", "for a script"}},
			.summary = "prove leaks by one consistent picture of the memory",
			.about = "Copies the memory of a Go process, stops the process for some "
				 "milliseconds to copy what changed meanwhile, lets it go on, and "
				 "tells from the copy which goroutines wait for what nothing leads "
				 "to any more: they are leaked for certain. How long the stop will "
				 "be is said before.",
			.has_page = true,
			.max_words = OPTION_LIST_MAX,
		},
	[COMMAND_HEAP] =
		{
			.name = "heap",
			.usage = "[NAME|PID...] [options]",
			.examples = {{"sudo gleakd heap shop", "of what, held by whom"},
				     {"sudo gleakd heap shop --duration 2m", "what grows"},
				     {"sudo gleakd heap shop --pprof shop.pb.gz",
				      "where it allocates, for pprof"}},
			.summary = "what the memory of a process consists of",
			.about = "Reads the heap of a Go process while it runs, and tells how much "
				 "of its memory is alive, dead, free, stacks, the runtime's own, "
				 "and not Go's; of what types its objects are, which variables "
				 "and stacks hold them, and with --duration which containers "
				 "grow; and, where the program is linked with its memory "
				 "profile, where in the code it is allocated. The process is "
				 "neither stopped nor changed.",
			.max_words = OPTION_LIST_MAX,
			.has_page = true,
		},
	[COMMAND_HOLDERS] =
		{
			.name = "holders",
			.usage = "[NAME|PID...] [options]",
			.examples = {{"sudo gleakd holders shop --type main.session",
				      "who holds objects of it"},
				     {"sudo gleakd holders shop --goroutine 18",
				      "who could still wake it"},
				     {"sudo gleakd holders shop --site 8f22",
				      "the same for all of a site"}},
			.summary = "what leads to an object, or to what goroutines wait on",
			.about = "Reads the heap of a Go process while it runs, and tells by which "
				 "ways something is reached from variables and stacks: the "
				 "shortest, and how many others there are. What goroutines wait on "
				 "and nothing leads to can never wake them.",
			.max_words = OPTION_LIST_MAX,
			.has_page = true,
		},
	[COMMAND_RESOURCES] =
		{
			.name = "resources",
			.usage = "[NAME|PID...] [options]",
			.examples = {{"sudo gleakd resources shop", "what it has open, by holder"},
				     {"sudo gleakd resources shop --duration 2m",
				      "what is opened and never closed"}},
			.summary = "what a process has opened and not closed",
			.about = "Reads the heap of a Go process while it runs, and tells which "
				 "files, connections, processes, contexts, database handles, "
				 "bodies of responses, timers and tickers are open, and what "
				 "holds them; with --duration how many were opened and closed, and "
				 "where the open ones only ever become more. The process is "
				 "neither stopped nor changed.",
			.max_words = OPTION_LIST_MAX,
			.has_page = true,
		},
	[COMMAND_RECORD] =
		{
			.name = "record",
			.usage = "[NAME|PID...] -o FILE [options]",
			.examples = {{"sudo gleakd record shop -o shop.db",
				      "until Ctrl-C, or its end"},
				     {"gleakd report shop.db", "what it was, on any machine"},
				     {"sqlite3 shop.db .schema", "to ask yourself"}},
			.summary = "record what becomes of a process' goroutines to a file",
			.about = "Watches Go processes as gleakd does, and keeps what happens in a "
				 "file: when each goroutine began and ended and where, long parks, "
				 "populations and verdicts by interval, memory. The file is an "
				 "SQLite database that can be read while it is written; 'gleakd "
				 "report' shows it on any machine.",
			.max_words = OPTION_LIST_MAX,
			.has_page = true,
		},
	[COMMAND_REPORT] =
		{
			.name = "report",
			.usage = "FILE [options]",
			.examples = {{"gleakd report shop.db", "what was found"},
				     {"gleakd report shop.db -f json | jq", "for a script"},
				     {"gleakd report shop.db -f pprof > p.gz",
				      "for go tool pprof"}},
			.summary = "show a recording, or a report in JSON, anywhere",
			.about =
				"Reads what 'gleakd record' has written, or a report that --json "
				"has, and shows it. Needs no privilege, and neither the process nor "
				"the machine that it was on.",
			.max_words = 1,
			.has_page = true,
		},
	[COMMAND_DIFF] =
		{
			.name = "diff",
			.usage = "OLD NEW [options]",
			.examples = {{"gleakd diff before.db after.db", "what a change has done"},
				     {"gleakd diff old.json new.json --json", "for a script"}},
			.summary = "what is different between two recordings or reports",
			.about =
				"Compares two recordings, or reports in JSON, of the same program: "
				"which sites appeared, grew, shrank, do not rise any more or are "
				"gone, and which places in the code have more memory in use or "
				"less.",
			.max_words = 2,
			.has_page = true,
		},
	[COMMAND_DOCTOR] =
		{
			.name = "doctor",
			.usage = "[options]",
			.examples = {{"sudo gleakd doctor", "what works here, and what does not"}},
			.summary = "what works on this host, and what to do about the rest",
			.about = "Tells what gleakd can do on this host: features of the kernel, "
				 "capabilities, what probes cost, whether metrics can be written. "
				 "Says of everything that does not work what to do about it.",
			.has_page = true,
		},
	[COMMAND_HELP] =
		{
			.name = "help",
			.usage = "[COMMAND]",
			.examples = {{"gleakd help watch", "all options of watching"}},
			.summary = "help on a command",
			.about = "Prints the options of a command, with an example.",
			.max_words = 1,
		},
	[COMMAND_VERSION] =
		{
			.name = "version",
			.usage = "",
			.examples = {{"gleakd version", ""}},
			.summary = "the version of gleakd",
			.about = "Prints the version.",
		},
};

bool command__find(const char *word, enum command *ret_command)
{
	for (int c = 0; c < COMMAND_COUNT; c++) {
		if (strcmp(word, commands[c].name) == 0) {
			*ret_command = (enum command)c;
			return true;
		}
	}
	return false;
}

const char *command__nearest(const char *word)
{
	const char *best = NULL;
	size_t best_distance = EDIT_DISTANCE_FAR;

	for (int c = 0; c < COMMAND_COUNT; c++) {
		size_t distance = edit_distance(word, commands[c].name);

		/* Of a short word half of it is another one. */
		if (distance < best_distance && 2 * distance < strlen(word)) {
			best_distance = distance;
			best = commands[c].name;
		}
	}
	return best;
}
