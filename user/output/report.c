// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

const char *report_end__words(enum report_end end)
{
	switch (end) {
	case REPORT_GOES_ON:
		return "";
	case REPORT_ONCE:
		return "once";
	case REPORT_INTERRUPTED:
		return "interrupted";
	case REPORT_TERMINATED:
		return "terminated";
	case REPORT_DURATION_OVER:
		return "duration over";
	case REPORT_TARGET_EXITED:
		return "target exited";
	case REPORT_TARGET_EXECUTED:
		return "target executed another program";
	case REPORT_NOTHING_TO_EXPLAIN:
		return "nothing to explain";
	}
	return "";
}
