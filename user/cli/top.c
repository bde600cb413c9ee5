// SPDX-License-Identifier: Apache-2.0
#include "cli/top.h"

/* Its macros have names that others use, too. */
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#undef columns
#undef lines

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/messages.h"
#include "cli/terminal.h"
#include "output/top/top.h"

/* After Escape: what follows within that is a key's sequence. */
#define ESCAPE_MS 25
#define ESCAPE	  27
#define CONTROL_L 12

struct top_screen {
	struct top *top;
	struct top_frame frame;
	SCREEN *terminal;
	bool color;
	struct loop *loop;
	loop_fn quit;
	void *ctx;
};

/* --- a crash -------------------------------------------------------------------------------------- */

/* What gives the terminal back without ncurses, which must not be called from a signal handler. */
static struct {
	bool noted;
	struct termios modes; /* from before there was a screen */
	char sequence[256];
	size_t n;
	volatile sig_atomic_t armed;
} rescue;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static void on_crash(int signal)
{
	if (rescue.armed) {
		rescue.armed = 0;
		if (write(STDOUT_FILENO, rescue.sequence, rescue.n) < 0)
			rescue.n = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
	}
	/* The handler is gone by now (SA_RESETHAND): the crash is what it would have been. */
	raise(signal);
}

static void add_sequence(const char *capability)
{
	const char *text = tigetstr(capability);
	size_t n;

	if (!text || text == (char *)-1)
		return;
	n = strlen(text);
	if (n > sizeof(rescue.sequence) - rescue.n)
		return;
	memcpy(rescue.sequence + rescue.n, text, n);
	rescue.n += n;
}

static void arm_rescue(void)
{
	/* xterm(1), "Mouse Tracking": what is not on may be switched off. */
	static const char no_mouse[] = "\033[?1000l\033[?1006l";
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};

	memcpy(rescue.sequence, no_mouse, sizeof(no_mouse) - 1);
	rescue.n = sizeof(no_mouse) - 1;
	add_sequence("sgr0");
	add_sequence("cnorm");
	add_sequence("rmkx");
	add_sequence("rmcup");
	rescue.armed = 1;
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, NULL);
}

/* --- drawing -------------------------------------------------------------------------------------- */

static attr_t attribute_of(const struct top_screen *screen, const struct top_cell *cell)
{
	static const struct {
		attr_t plain; /* where there are no colours */
		attr_t attributes;
		short pair;
	} looks[] = {
		[STYLE_PLAIN] = {A_NORMAL, A_NORMAL, 0}, [STYLE_BOLD] = {A_BOLD, A_BOLD, 0},
		[STYLE_DIM] = {A_DIM, A_DIM, 0},	 [STYLE_LEAKING] = {A_BOLD, A_BOLD, 1},
		[STYLE_STUCK] = {A_BOLD, A_BOLD, 2},	 [STYLE_GROWING] = {A_NORMAL, A_NORMAL, 3},
		[STYLE_GOOD] = {A_NORMAL, A_NORMAL, 4},
	};
	attr_t reverse = cell->reverse ? A_REVERSE : A_NORMAL;

	if (!screen->color)
		return reverse | looks[cell->style].plain;
	return reverse | looks[cell->style].attributes |
	       (attr_t)COLOR_PAIR(looks[cell->style].pair);
}

static void put_row(const struct top_screen *screen, unsigned int row)
{
	const struct top_cell *cell;
	unsigned int column = 0, begin = 0;
	char text[512];

	while ((cell = top_frame__run(&screen->frame, row, &column, text, sizeof(text)))) {
		wattrset(stdscr, (int)attribute_of(screen, cell));
		mvwaddstr(stdscr, (int)row, (int)begin, text);
		begin = column;
	}
}

static int draw(struct top_screen *screen)
{
	int err = top__draw(screen->top, &screen->frame, (unsigned int)max_of(getmaxx(stdscr), 1),
			    (unsigned int)max_of(getmaxy(stdscr), 1));

	if (err)
		return err;
	werase(stdscr);
	for (unsigned int row = 0; row < screen->frame.rows; row++)
		put_row(screen, row);
	wrefresh(stdscr);
	return 0;
}

/* Without memory for a frame the one before stays. */
static void redraw(struct top_screen *screen)
{
	int err = draw(screen);

	if (err)
		log_debug("the screen was not drawn: %s", strerror(-err));
}

void top_screen__resize(struct top_screen *screen)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return;
	resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
	redraw(screen);
}

int top_screen__write(struct top_screen *screen, const struct report *report)
{
	int err = top__take(screen->top, report);

	return err ? err : draw(screen);
}

void top_screen__message(struct top_screen *screen, const char *line)
{
	top__message(screen->top, line);
	redraw(screen);
}

/* --- keys ----------------------------------------------------------------------------------------- */

static uint32_t key_of(int code)
{
	static const struct {
		int code;
		enum top_key key;
	} keys[] = {
		{KEY_UP, TOP_KEY_UP},	      {KEY_DOWN, TOP_KEY_DOWN},
		{KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
		{KEY_HOME, TOP_KEY_HOME},     {KEY_END, TOP_KEY_END},
		{KEY_ENTER, TOP_KEY_ENTER},   {'\n', TOP_KEY_ENTER},
		{'\r', TOP_KEY_ENTER},	      {KEY_RIGHT, TOP_KEY_ENTER},
		{KEY_LEFT, TOP_KEY_BACK},     {ESCAPE, TOP_KEY_BACK},
		{'\t', TOP_KEY_TAB},	      {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
		{0x7f, TOP_KEY_BACKSPACE},    {'\b', TOP_KEY_BACKSPACE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].code == code)
			return keys[i].key;
	}
	return code >= ' ' && code < 0x100 ? (uint32_t)code : 0;
}

static void on_mouse(struct top_screen *screen)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return;
	if (event.bstate & BUTTON4_PRESSED)
		top__key(screen->top, TOP_KEY_UP);
	else if (event.bstate & BUTTON5_PRESSED)
		top__key(screen->top, TOP_KEY_DOWN);
	else if (event.bstate & BUTTON1_PRESSED)
		top__click(screen->top, (unsigned int)max_of(event.y, 0));
}

/* The other side of the terminal has gone: nothing is readable for ever. */
static bool hung_up(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, 0) > 0 && input.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static bool is_in_background(void)
{
	pid_t foreground = tcgetpgrp(STDIN_FILENO), own = getpgid(0);

	return foreground > 0 && own > 0 && foreground != own;
}

static void on_input(void *ctx)
{
	struct top_screen *screen = ctx;
	bool wants_end;
	int code;

	/*
	 * Somebody has stopped the other process of this job, and types to the shell. The kernel would stop
	 * this one in the middle of a read(2) and go on with that later, when there is nothing to be read.
	 */
	if (is_in_background()) {
		raise(SIGSTOP);
		return;
	}
	code = wgetch(stdscr);
	wants_end = code == ERR && hung_up();
	for (; code != ERR; code = wgetch(stdscr)) {
		uint32_t key = key_of(code);

		if (code == KEY_MOUSE)
			on_mouse(screen);
		else if (code == CONTROL_L)
			clearok(curscr, TRUE);
		else if (key)
			top__key(screen->top, key);
	}
	if (wants_end || top__wants_end(screen->top))
		screen->quit(screen->ctx);
	else
		redraw(screen);
}

/* --- job control ---------------------------------------------------------------------------------- */

/* Here the signal is blocked, and what the loop has read of it is gone: stop as it would have. */
static void stop_now(void)
{
	sigset_t stop, before;

	endwin();
	rescue.armed = 0;
	signal(SIGTSTP, SIG_DFL);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &before);
	/* Behind this line it goes on. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	rescue.armed = 1;
}

/* The shell, or who else had the terminal meanwhile, has left it in modes of its own. */
static void go_on(struct top_screen *screen)
{
	reset_prog_mode();
	clearok(curscr, TRUE);
	top_screen__resize(screen);
}

static void take_message(void *ctx, const char *line)
{
	const struct top_screen *screen = ctx;

	top__urgent_message(screen->top, line);
}

/* Of the broker, which says little. */
static void on_messages(void *ctx)
{
	messages__read(take_message, ctx);
	redraw(ctx);
}

static void on_signal(void *ctx, int signal)
{
	if (signal == SIGTSTP)
		stop_now();
	go_on(ctx);
}

int top_screen__listen(struct top_screen *screen, struct loop *loop, loop_fn quit, void *ctx)
{
	sigset_t signals;
	int err;

	screen->loop = loop;
	screen->quit = quit;
	screen->ctx = ctx;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTSTP);
	sigaddset(&signals, SIGCONT);
	err = loop__add_signals(loop, &signals, on_signal, screen);
	if (!err && messages__fd() >= 0)
		err = loop__add_fd(loop, messages__fd(), on_messages, screen);
	return err ? err : loop__add_fd(loop, STDIN_FILENO, on_input, screen);
}

/* --- beginning and end ---------------------------------------------------------------------------- */

void top_screen__note_terminal(void)
{
	rescue.noted = !tcgetattr(STDIN_FILENO, &rescue.modes);
}

int command__check_top(void)
{
	int known;

	if (terminal__present(STDOUT_FILENO) && isatty(STDIN_FILENO)) {
		if (setupterm(NULL, STDOUT_FILENO, &known) == OK)
			return 0;
		log_error("what this terminal understands is not known here (TERM=%.40s); try "
			  "TERM=xterm gleakd top",
			  getenv("TERM") ? getenv("TERM") : "");
		return EXIT_CODE_USAGE;
	}
	log_error("top needs a terminal that can be drawn on, and its keys; into a file or a pipe "
		  "write 'gleakd watch', with --json for a script");
	return EXIT_CODE_USAGE;
}

/* The library wants a locale for what is not ASCII, the name of which the user may not have here. */
static bool use_utf8(void)
{
	if (!terminal__is_utf8(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")))
		return false;
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void choose_colors(struct top_screen *screen, enum color_choice choice)
{
	static const short colors[] = {COLOR_RED, COLOR_MAGENTA, COLOR_YELLOW, COLOR_GREEN};

	screen->color =
		terminal__want_color(STDOUT_FILENO, choice) && has_colors() && start_color() == OK;
	if (!screen->color)
		return;
	use_default_colors();
	for (size_t i = 0; i < ARRAY_SIZE(colors); i++)
		init_pair((short)(i + 1), colors[i], -1);
}

static int take_terminal(struct top_screen *screen)
{
	/* Those that a screen was killed in are not those to go back to. */
	if (rescue.noted && tcsetattr(STDIN_FILENO, TCSADRAIN, &rescue.modes))
		log_debug("the terminal stays in its modes: %s", strerror(errno));
	screen->terminal = newterm(NULL, stdout, stdin);
	if (!screen->terminal)
		return -ENOTTY;
	arm_rescue();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
	return 0;
}

int top_screen__new(const struct options *options, struct top_screen **ret_screen)
{
	struct top_screen *screen = calloc(1, sizeof(*screen));
	const struct top_options wanted = {
		.ascii = !use_utf8(),
		.alone = options->processes.n == 1,
	};
	int err;

	if (!screen)
		return -ENOMEM;
	err = top__new(&wanted, &screen->top);
	if (!err)
		err = take_terminal(screen);
	if (err) {
		top_screen__free(screen);
		return err;
	}
	choose_colors(screen, options->color);
	redraw(screen);
	*ret_screen = screen;
	return 0;
}

void top_screen__free(struct top_screen *screen)
{
	if (!screen)
		return;
	if (screen->loop) {
		loop__remove_fd(screen->loop, STDIN_FILENO);
		loop__remove_fd(screen->loop, messages__fd());
	}
	if (screen->terminal) {
		endwin();
		rescue.armed = 0;
		delscreen(screen->terminal);
	}
	top_frame__release(&screen->frame);
	top__free(screen->top);
	free(screen);
}
