// SPDX-License-Identifier: Apache-2.0
/*
 * Goroutines of libraries are recognised by the names of functions, which seldom change, and never
 * by lines. They are data: data/meanings.tsv, whose head says what a row consists of.
 */
#include "naming/meanings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/*
 * A row applies to a site when the site has everything that the row names. A name is that of a
 * function, in which stand
 *	#	for a number, or several with dots in between, as closures have: func1, func1.2
 *	~	at the end, for whatever follows.
 * It is compared with the names of the site's functions as plain_name() makes them.
 */
struct row {
	/*
	 * A function of the park stack, from the innermost frame outwards up to the first frame of
	 * the program's own code: what the program has called, or what a library has started.
	 */
	const char *frame;
	const char *creator;	  /* the function with the `go` statement */
	uint32_t classes;	  /* bits of wait classes; 0: any */
	bool innermost;		  /* `frame` has to be the innermost frame: it has called nothing */
	const char *from, *below; /* versions of the library; NULL: any */
	struct meaning meaning;
};

#define IN(class) (1U << (class))

/* data/meanings.tsv: the first that applies is taken. */
static const struct row rows[] = {
#include "meanings_table.inc"
};

/* --- comparing ----------------------------------------------------------------------------------- */

#define MAX_NAME   256
#define MAX_FRAMES 64 /* that are compared, innermost first */

/* Copies of one package that differ in how its names begin. */
static const struct {
	const char *begins, *plain;
} copies[] = {
	/* Until Go 1.26 a tool put it into net/http, with a prefix to every name. */
	{"net/http.(*http2", "http2.(*"},
	{"net/http.http2", "http2."},
	{"net/http/internal/http2.", "http2."},
	{"golang.org/x/net/http2.", "http2."},
	/* The module's name before it moved. */
	{"github.com/Shopify/sarama.", "github.com/IBM/sarama."},
};

/* The length of "/v2" at @p when that is the element of a path that names a major version. */
static size_t major_version(const char *p)
{
	size_t n = 2;

	if (p[0] != '/' || p[1] != 'v' || !isdigit((unsigned char)p[2]))
		return 0;
	while (isdigit((unsigned char)p[n]))
		n++;
	return p[n] == '/' || p[n] == '.' ? n : 0;
}

/* @function without type arguments and major versions; a name that is too long becomes "". */
static void plain_name(const char *function, char plain[MAX_NAME])
{
	size_t n = 0, depth = 0;

	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		size_t length = strlen(copies[i].begins);

		if (strncmp(function, copies[i].begins, length) != 0)
			continue;
		n = strlen(copies[i].plain);
		memcpy(plain, copies[i].plain, n);
		function += length;
		break;
	}
	while (*function && n < MAX_NAME - 1) {
		function += major_version(function);
		depth += *function == '[';
		if (!depth)
			plain[n++] = *function;
		depth -= *function == ']' && depth;
		function++;
	}
	plain[*function ? 0 : n] = '\0';
}

static bool matches(const char *pattern, const char *name)
{
	for (; *pattern; pattern++) {
		if (*pattern == '~')
			return true;
		if (*pattern != '#') {
			if (*pattern != *name++)
				return false;
			continue;
		}
		if (!isdigit((unsigned char)*name))
			return false;
		while (isdigit((unsigned char)*name) ||
		       (*name == '.' && isdigit((unsigned char)name[1])))
			name++;
	}
	return !*name;
}

/* --- versions ------------------------------------------------------------------------------------ */

#define VERSION_PARTS 3

/* "v1.3.4-rc.1+incompatible": what follows the three numbers does not count. False: it is no version. */
static bool parse_version(const char *text, unsigned long parts[VERSION_PARTS])
{
	if (*text++ != 'v')
		return false;
	for (size_t i = 0; i < VERSION_PARTS; i++) {
		char *end;

		if (!isdigit((unsigned char)*text))
			return false;
		parts[i] = strtoul(text, &end, 10);
		text = end + (i + 1 < VERSION_PARTS && *end == '.');
	}
	return true;
}

static int compare_versions(const unsigned long a[VERSION_PARTS],
			    const unsigned long b[VERSION_PARTS])
{
	for (size_t i = 0; i < VERSION_PARTS; i++) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return 0;
}

/* A row for some versions applies only where that of its library is known. */
static bool version_fits(const struct row *row, const struct go_dependency *library)
{
	unsigned long version[VERSION_PARTS], limit[VERSION_PARTS];
	char path[MAX_NAME];

	if (!row->from && !row->below)
		return true;
	if (!library || !row->frame)
		return false;
	plain_name(library->path, path);
	if (strncmp(row->frame, path, strlen(path)) != 0 ||
	    !parse_version(library->version, version) ||
	    !parse_version(row->from ? row->from : row->below, limit))
		return false;
	return row->from ? compare_versions(version, limit) >= 0 :
			   compare_versions(version, limit) < 0;
}

/* What of a site is compared with every row. */
struct subject {
	char creator[MAX_NAME];
	char frames[MAX_FRAMES][MAX_NAME]; /* up to the service's own code */
	size_t n_frames;
	uint32_t class;
};

static bool row_applies(const struct row *row, const struct subject *subject)
{
	size_t n = row->innermost ? min_of(subject->n_frames, (size_t)1) : subject->n_frames;

	if (row->classes && !(row->classes & subject->class))
		return false;
	if (row->creator && !matches(row->creator, subject->creator))
		return false;
	for (size_t i = 0; i < n && row->frame; i++) {
		if (matches(row->frame, subject->frames[i]))
			return true;
	}
	return !row->frame;
}

const struct meaning *meanings__of(const struct site_frames *frames, const char *wait_reason,
				   const struct go_dependency *library)
{
	enum wait_class class = site_frames__wait_class(frames, wait_class__of(wait_reason));
	struct subject subject;

	plain_name(frames->created_by.function, subject.creator);
	subject.class = IN(class);
	subject.n_frames = 0;
	while (subject.n_frames < min_of(frames->n_stack, (size_t)MAX_FRAMES) &&
	       !frames->stack[subject.n_frames].own) {
		plain_name(frames->stack[subject.n_frames].function,
			   subject.frames[subject.n_frames]);
		subject.n_frames++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (row_applies(&rows[i], &subject) && version_fits(&rows[i], library))
			return &rows[i].meaning;
	}
	return NULL;
}
