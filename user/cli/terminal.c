// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_TRIES  20
#define READ_TRY_MS 10

bool terminal__present(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && !(term && !strcmp(term, "dumb"));
}

bool terminal__has_stderr(void)
{
	struct stat out, err;

	return isatty(STDERR_FILENO) && !fstat(STDOUT_FILENO, &out) &&
	       !fstat(STDERR_FILENO, &err) && out.st_rdev == err.st_rdev;
}

bool terminal__want_color(int fd, enum color_choice choice)
{
	const char *no_color = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	/* https://no-color.org: present and not empty. */
	if (no_color && *no_color)
		return false;
	/* http://bixense.com/clicolors: anything but 0. */
	return terminal__present(fd) || (force && *force && strcmp(force, "0") != 0);
}

bool terminal__pipe_was_read(int fd)
{
	/* POLLERR: there is no reader (pipe(7)). */
	struct pollfd reader = {.fd = fd};
	struct stat st;
	int unread = 0;

	if (fstat(fd, &st) || !S_ISFIFO(st.st_mode))
		return true;
	for (int i = 0; i < READ_TRIES; i++) {
		if (ioctl(fd, FIONREAD, &unread) || !unread)
			return true;
		if (poll(&reader, 1, READ_TRY_MS) > 0)
			return false;
	}
	return true;
}

unsigned int terminal__rows(void)
{
	struct winsize size = {0};

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_row;
}

bool terminal__is_utf8(const char *lc_all, const char *lc_ctype, const char *lang)
{
	const char *const values[] = {lc_all, lc_ctype, lang};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (values[i] && *values[i])
			return strcasestr(values[i], "utf-8") || strcasestr(values[i], "utf8");
	}
	return false;
}

unsigned int terminal__columns_of(const char *text)
{
	unsigned long columns;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	columns = strtoul(text, &end, 10);
	return *end || columns > SCREEN_NO_LIMIT ? 0 : (unsigned int)columns;
}

struct screen_options terminal__screen(int fd, enum color_choice choice, unsigned int fold)
{
	unsigned int wanted = terminal__columns_of(getenv("COLUMNS"));
	bool terminal = isatty(fd);
	struct winsize size = {0};
	struct screen_options screen = {
		.columns = fold,
		.whole = !terminal,
		.color = terminal__want_color(fd, choice),
		.ascii = !terminal__is_utf8(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")),
	};

	if (terminal) {
		screen.columns = TERMINAL_DEFAULT_COLUMNS;
		if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
			screen.columns = size.ws_col;
	}
	/* A line that is wider than the terminal would scroll what is drawn in place. */
	if (wanted && (!terminal || wanted < screen.columns))
		screen.columns = wanted;
	return screen;
}
