// SPDX-License-Identifier: Apache-2.0
#include "golang/call_values.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define STORED_WITHIN 6 /* instructions */

struct values {
	uint64_t all[GO_REGISTERS];
	uint32_t known; /* a bit per register */
};

static void apply(struct values *values, const struct go_insn *insn)
{
	bool known = values->known >> insn->from & 1;
	uint64_t value = insn->value;

	switch (insn->kind) {
	case GO_INSN_ADDRESS:
		known = true;
		break;
	case GO_INSN_ADD:
		value += values->all[insn->from];
		break;
	case GO_INSN_CALL:
		values->known = 0;
		return;
	default:
		values->known &= ~insn->writes;
		return;
	}
	values->known &= ~insn->writes;
	if (!known)
		return;
	values->all[insn->to] = value;
	values->known |= 1u << insn->to;
}

static bool is_target(const uint8_t *targets, size_t at)
{
	return targets[at / 8] >> at % 8 & 1;
}

static void note_target(uint8_t *targets, const struct go_insn *insn, uint64_t address, size_t size)
{
	uint64_t at = insn->value - address;

	if (insn->kind == GO_INSN_BRANCH && at < size)
		targets[at / 8] |= (uint8_t)(1u << at % 8);
}

int call_values__read(const struct go_arch *arch, uint64_t address, const uint8_t *code, size_t at,
		      struct call_values *ret_values)
{
	uint8_t *targets __cleanup_free = NULL;
	struct values values = {0};
	struct go_insn insn;

	if (!at || at > CALL_VALUES_MAX_BYTES)
		return -ENOENT;
	targets = calloc(at / 8 + 1, 1);
	if (!targets)
		return -ENOMEM;
	for (size_t done = 0; done < at; done += insn.length) {
		if (arch->read_insn(address + done, code + done, at - done, &insn))
			return -ENOENT;
		if (is_target(targets, done))
			values.known = 0;
		if (insn.kind == GO_INSN_CALL && done + insn.length == at)
			break;
		note_target(targets, &insn, address, at);
		apply(&values, &insn);
		if (done + insn.length >= at)
			return -ENOENT;
	}
	ret_values->callee = insn.value;
	for (size_t i = 0; i < CALL_VALUES_MAX; i++) {
		uint8_t reg = arch->arguments[i];

		ret_values->arguments[i] = values.known >> reg & 1 ? values.all[reg] : 0;
	}
	return 0;
}

uint64_t call_values__stored(const struct go_arch *arch, uint64_t address, const uint8_t *code,
			     size_t size)
{
	struct values values = {0};
	struct go_insn insn;
	size_t done = 0;

	for (int i = 0; i < STORED_WITHIN && done < size; i++, done += insn.length) {
		if (arch->read_insn(address + done, code + done, size - done, &insn))
			return 0;
		if (insn.kind == GO_INSN_STORE && insn.to == arch->arguments[0] && !insn.value)
			return values.known >> insn.from & 1 ? values.all[insn.from] : 0;
		if (insn.kind == GO_INSN_CALL || insn.kind == GO_INSN_BRANCH ||
		    insn.writes >> arch->arguments[0] & 1)
			return 0;
		apply(&values, &insn);
	}
	return 0;
}
