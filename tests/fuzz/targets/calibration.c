// SPDX-License-Identifier: Apache-2.0
/* A remembered calibration, whoever wrote the file: one that is believed is one that was written. */
#include "probe/calibration_text.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static const struct calibration_scope scope = {
	.boot = "6c6c9d3e-0b1a-4f55-8c1d-1f2e3d4c5b6a",
	.kernel = "6.18.44-amd64 #1 SMP",
	.build = "0.1.0 0123456789ab",
	.now_ns = CALIBRATION_MAX_AGE_NS,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	char *text = fuzz_input__text(&input, '\0');
	char written[CALIBRATION_TEXT_SIZE];
	struct calibration calibration, again;

	if (!calibration_text__read(text, &scope, &calibration)) {
		fuzz__require(calibration.ns[CALIBRATION_CALL]);
		fuzz__require(calibration_text__write(&calibration, &scope, written) <
			      sizeof(written));
		fuzz__require(!calibration_text__read(written, &scope, &again));
		fuzz__require(!memcmp(&calibration.ns, &again.ns, sizeof(again.ns)));
		fuzz__require(calibration.cold_percent == again.cold_percent);
	}
	free(text);
	return 0;
}
