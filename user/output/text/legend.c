// SPDX-License-Identifier: Apache-2.0
#include "output/text/legend.h"

#define MEANING_COLUMN 10
#define MAX_LINES      3

const struct legend_word legend_words[] = {
	{"site", "the goroutines that one go statement has started and that wait at one place",
	 true},
	{"leaking", "their number rises, and those that came do not go away", true},
	{"stuck", "they wait for what does not come, as far as that can be seen from outside",
	 true},
	{"census", "a look at all goroutines from outside, while the program runs on", false},
	{"mode",
	 "full: probes tell of creations, exits and parks as well; lifecycle: of the first two",
	 false},
	{"cost",
	 "what probes add to each goroutine, and take of the program's CPU time (--max-overhead)",
	 false},
};
const size_t n_legend_words = ARRAY_SIZE(legend_words);

size_t legend__lines(bool overview)
{
	size_t n = 0;

	for (size_t i = 0; i < n_legend_words; i++)
		n += legend_words[i].in_overview || !overview;
	return n;
}

void legend__put(struct screen *screen, bool overview)
{
	for (size_t i = 0; i < n_legend_words; i++) {
		if (overview && !legend_words[i].in_overview)
			continue;
		screen__put(screen, STYLE_BOLD, legend_words[i].word);
		screen__to(screen, MEANING_COLUMN);
		screen__wrap(screen, STYLE_DIM, legend_words[i].meaning, MAX_LINES);
	}
}
