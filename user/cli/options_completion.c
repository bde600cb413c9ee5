// SPDX-License-Identifier: Apache-2.0
/* The table of options as completions for shells. */
#include <string.h>

#include "base/stream.h"
#include "cli/options_reference.h"
#include "cli/options_table.h"

#define PATTERN_KINDS "comm: exe: unit: cgroup: user:"

/* "watch list doctor", without @but; COMMAND_COUNT: all of them. */
static void write_command_names(FILE *out, enum command but)
{
	const char *separator = "";

	for (int c = 0; c < COMMAND_COUNT; c++) {
		if (c == (int)but)
			continue;
		fprintf(out, "%s%s", separator, commands[c].name);
		separator = " ";
	}
}

static void write_choices(FILE *out, const struct option_spec *spec)
{
	for (size_t i = 0; spec->choices[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", spec->choices[i]);
}

static bool has_choices(const struct option_spec *spec)
{
	return spec->type == OPTION_CHOICE || spec->type == OPTION_WORDS;
}

static bool is_file(const struct option_spec *spec)
{
	return spec->type == OPTION_PATH || spec->type == OPTION_TEXTFILE;
}

/* --- bash --------------------------------------------------------------------------------------- */

static void write_bash_names(FILE *out, enum command command)
{
	const char *separator = "";

	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!option_spec__is_listed(spec, command))
			continue;
		fprintf(out, "%s--%s", separator, spec->name);
		if (spec->short_name)
			fprintf(out, " -%c", spec->short_name);
		separator = " ";
	}
}

/* Commands have some names in common. */
static bool is_first(const struct option_spec *spec)
{
	const struct option_spec *first = option_specs;

	while (strcmp(first->name, spec->name) != 0)
		first++;
	return first == spec;
}

/* What follows an option: the same whatever the command, as far as both take it. */
static void write_bash_value(FILE *out, const struct option_spec *spec)
{
	if (!option_spec__takes_value(spec) || spec->flags & OPTION_HIDDEN || !is_first(spec))
		return;
	fprintf(out, "\t--%s", spec->name);
	if (spec->short_name)
		fprintf(out, " | -%c", spec->short_name);
	fputs(")\n", out);
	if (is_file(spec)) {
		fputs("\t\tcompopt -o filenames 2>/dev/null\n"
		      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n",
		      out);
	} else if (spec->type == OPTION_PROCESSES) {
		fputs("\t\tmapfile -t COMPREPLY < <(compgen -W \"$(cd /proc && echo [0-9]*)\" "
		      "-- \"$cur\")\n",
		      out);
	} else if (spec->type == OPTION_PATTERNS) {
		fputs("\t\tcompopt -o nospace 2>/dev/null\n"
		      "\t\tmapfile -t COMPREPLY < <(compgen -W '" PATTERN_KINDS "' -- \"$cur\")\n",
		      out);
	} else if (has_choices(spec)) {
		fputs("\t\tmapfile -t COMPREPLY < <(compgen -W '", out);
		write_choices(out, spec);
		fputs("' -- \"$cur\")\n", out);
	}
	fputs("\t\treturn\n\t\t;;\n", out);
}

int completion__write_bash(FILE *out)
{
	fputs("# SPDX-License-Identifier: Apache-2.0\n"
	      "# bash completion for gleakd; written by 'make reference'.\n\n"
	      "_gleakd()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words\n\n"
	      "\tCOMPREPLY=()\n"
	      "\t# bash makes three words of --name=value.\n"
	      "\tif [[ $cur == = ]]; then\n\t\tcur=\n"
	      "\telif [[ $prev == = && $COMP_CWORD -ge 2 ]]; then\n"
	      "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	      "\tcase $prev in\n",
	      out);
	for (size_t i = 0; i < n_option_specs; i++)
		write_bash_value(out, &option_specs[i]);
	fputs("\tesac\n\tcase ${COMP_WORDS[1]} in\n", out);
	for (int c = 0; c < COMMAND_COUNT; c++) {
		fprintf(out, "\t%s) words='", commands[c].name);
		write_bash_names(out, (enum command)c);
		if (c == COMMAND_HELP) {
			fputc(' ', out);
			write_command_names(out, COMMAND_COUNT);
		}
		fputs("' ;;\n", out);
	}
	fputs("\t*) words='", out);
	write_bash_names(out, COMMAND_WATCH);
	fputs("' ;;\n\tesac\n"
	      "\tif [[ $COMP_CWORD -eq 1 && $cur != -* ]]; then\n\t\twords='",
	      out);
	write_command_names(out, COMMAND_COUNT);
	fputs("'\n\tfi\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "}\n\ncomplete -F _gleakd gleakd\n",
	      out);
	return stream__flush(out);
}

/* --- zsh ---------------------------------------------------------------------------------------- */

/* Inside single quotes; what _arguments takes for its own has a backslash. */
static void write_zsh_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
	}
}

static void write_zsh_action(FILE *out, const struct option_spec *spec)
{
	fprintf(out, ":%s:", spec->metavar);
	if (is_file(spec)) {
		fputs("_files", out);
	} else if (spec->type == OPTION_PROCESSES) {
		fputs("_pids", out);
	} else if (has_choices(spec)) {
		fputc('(', out);
		write_choices(out, spec);
		fputc(')', out);
	} else if (spec->type == OPTION_PATTERNS) {
		fputs("(comm\\: exe\\: unit\\: cgroup\\: user\\:)", out);
	}
}

static void write_zsh_option(FILE *out, const struct option_spec *spec)
{
	bool value = option_spec__takes_value(spec);
	bool again = spec->type == OPTION_COUNT || option_spec__is_list(spec);

	fputs(" \\\n\t\t", out);
	if (spec->short_name && again)
		fprintf(out, "'*'{-%c,--%s%s}", spec->short_name, spec->name, value ? "=" : "");
	else if (spec->short_name)
		fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}", spec->short_name, spec->name,
			spec->short_name, value ? "+" : "", spec->name, value ? "=" : "");
	else
		fprintf(out, "'%s--%s%s", again ? "*" : "", spec->name, value ? "=" : "");
	fputs(spec->short_name ? "'[" : "[", out);
	write_zsh_text(out, spec->help);
	fputc(']', out);
	if (value)
		write_zsh_action(out, spec);
	fputc('\'', out);
}

static void write_zsh_options(FILE *out, enum command command)
{
	fputs("\t\t_arguments -s", out);
	for (size_t i = 0; i < n_option_specs; i++) {
		if (option_spec__is_listed(&option_specs[i], command))
			write_zsh_option(out, &option_specs[i]);
	}
}

int completion__write_zsh(FILE *out)
{
	fputs("#compdef gleakd\n# SPDX-License-Identifier: Apache-2.0\n"
	      "# zsh completion for gleakd; written by 'make reference'.\n\n"
	      "_gleakd()\n{\n"
	      "\tcase ${words[2]} in\n",
	      out);
	for (int c = 0; c < COMMAND_COUNT; c++) {
		fprintf(out,
			"\t%s)\n\t\t(( CURRENT > 2 )) || { _gleakd_commands; return }\n"
			"\t\tshift words\n\t\t(( CURRENT-- ))\n",
			commands[c].name);
		write_zsh_options(out, (enum command)c);
		if (c == COMMAND_HELP)
			fputs(" \\\n\t\t'1: :_gleakd_commands'", out);
		if (c == COMMAND_WATCH)
			fputs(" \\\n\t\t'*:process:_pids'", out);
		fputs("\n\t\t;;\n", out);
	}
	fputs("\t*)\n", out);
	write_zsh_options(out, COMMAND_WATCH);
	fputs(" \\\n\t\t'1: :_gleakd_commands' '*:process:_pids'\n\t\t;;\n\tesac\n}\n\n"
	      "_gleakd_commands()\n{\n\tlocal -a names=(\n",
	      out);
	for (int c = 0; c < COMMAND_COUNT; c++) {
		fprintf(out, "\t\t'%s:", commands[c].name);
		write_zsh_text(out, commands[c].summary);
		fputs("'\n", out);
	}
	fputs("\t)\n\t_describe command names\n}\n\n_gleakd \"$@\"\n", out);
	return stream__flush(out);
}

/* --- fish --------------------------------------------------------------------------------------- */

/* Inside single quotes. */
static void write_fish_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fprintf(out, "%s%c", strchr("'\\", *text) ? "\\" : "", *text);
}

static void write_fish_option(FILE *out, enum command command, const struct option_spec *spec)
{
	fputs("complete -c gleakd -n '", out);
	if (command == COMMAND_WATCH) {
		fputs("not __fish_seen_subcommand_from ", out);
		write_command_names(out, COMMAND_WATCH);
	} else {
		fprintf(out, "__fish_seen_subcommand_from %s", commands[command].name);
	}
	fprintf(out, "' -l %s", spec->name);
	if (spec->short_name)
		fprintf(out, " -s %c", spec->short_name);
	if (is_file(spec))
		fputs(" -r -F", out);
	else if (option_spec__takes_value(spec))
		fputs(" -x", out);
	if (spec->type == OPTION_PROCESSES) {
		fputs(" -a '(__fish_complete_pids)'", out);
	} else if (has_choices(spec)) {
		fputs(" -a '", out);
		write_choices(out, spec);
		fputc('\'', out);
	} else if (spec->type == OPTION_PATTERNS) {
		fputs(" -a '" PATTERN_KINDS "'", out);
	}
	fputs(" -d '", out);
	write_fish_text(out, spec->help);
	fputs("'\n", out);
}

int completion__write_fish(FILE *out)
{
	fputs("# SPDX-License-Identifier: Apache-2.0\n"
	      "# fish completion for gleakd; written by 'make reference'.\n\n"
	      "complete -c gleakd -f\n"
	      "complete -c gleakd -n '__fish_seen_subcommand_from help' -a '",
	      out);
	write_command_names(out, COMMAND_COUNT);
	fputs("'\n", out);
	for (int c = 0; c < COMMAND_COUNT; c++) {
		fprintf(out, "complete -c gleakd -n __fish_use_subcommand -a %s -d '",
			commands[c].name);
		write_fish_text(out, commands[c].summary);
		fputs("'\n", out);
	}
	for (int c = 0; c < COMMAND_COUNT; c++) {
		for (size_t i = 0; i < n_option_specs; i++) {
			if (option_spec__is_listed(&option_specs[i], (enum command)c))
				write_fish_option(out, (enum command)c, &option_specs[i]);
		}
	}
	return stream__flush(out);
}
