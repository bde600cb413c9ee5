# SPDX-License-Identifier: Apache-2.0
"""What a run prints: what failed, at once; what is going on; and the numbers at the end."""

import os
import re
import textwrap
import time

from harness import IN_CI

NAMES_SHOWN = 50  # of what did not run


class Screen:
    """Lines on stdout, and how long ago the last one was."""

    def __init__(self):
        self.last = time.monotonic()

    def say(self, line):
        try:
            print(line, flush=True)
        except BrokenPipeError:
            # Whoever reads has gone (a pipe into head): nothing more can be said.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        self.last = time.monotonic()

    def silent(self, now):
        return now - self.last


class Tally:
    """Counts outcomes and says at once what failed."""

    def __init__(self, logs, verbose, screen):
        self.counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
        self.skipped, self.not_run, self.failed, self.unsteady = {}, [], {}, []
        self.logs, self.verbose, self.screen = logs, verbose, screen
        os.makedirs(logs, exist_ok=True)

    def add(self, outcome):
        if outcome.verdict == "elsewhere":  # a matter of another tier
            return
        self.counts[outcome.verdict] += 1
        if outcome.verdict == "skipped":
            self.skipped.setdefault(outcome.reason, []).append(outcome.name)
        if outcome.verdict == "failed":
            first = outcome.reason.strip().splitlines()[0] if outcome.reason.strip() else "failed"
            self.failed[outcome.name] = first[:300]
            self.screen.say(f"FAIL {outcome.name}: {first[:300]}")
            log = os.path.join(self.logs, re.sub(r"[^\w.-]+", "_", outcome.name) + ".log")
            with open(log, "w", encoding="utf-8") as file:
                file.write(outcome.reason + "\n\n" + outcome.details + "\n")
        elif self.verbose:
            self.screen.say(f"{outcome.verdict:7} {outcome.name} ({outcome.seconds:.1f} s)")

    def add_again(self, outcome):
        """Of a test that has failed before: one that passes now is steady no more, but has passed."""
        if outcome.verdict != "passed":
            self.screen.say(f"FAIL {outcome.name}: and once more: {outcome.reason.strip()[:300]}")
            return
        self.counts["failed"] -= 1
        self.counts["passed"] += 1
        self.unsteady.append(f"UNSTEADY {outcome.name}: passes alone; before: "
                             + self.failed.pop(outcome.name))

    def add_not_run(self, reason, names):
        """In CI that is a failure; a person who pressed Ctrl-C knows."""
        self.counts["failed" if IN_CI else "skipped"] += len(names)
        self.not_run.append((reason, names))

    def close(self):
        """The last lines; true when all is well."""
        for line in self.unsteady:
            self.screen.say(line)
        for reason, names in sorted(self.skipped.items()):
            more = ", …" if names[1:] else ""
            self.screen.say(f"SKIP {len(names)} ({names[0]}{more}): {reason}")
        for reason in dict.fromkeys(reason for reason, _ in self.not_run):
            names = sorted(n for r, found in self.not_run if r == reason for n in found)
            self.screen.say(f"NOT RUN {len(names)}: {reason}")
            shown, path = ", ".join(names[:NAMES_SHOWN]), os.path.join(self.logs, "not-run")
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(names) + "\n")
            shown += f" … (all of them: {path})" if names[NAMES_SHOWN:] else ""
            self.screen.say(textwrap.fill(shown, 100, initial_indent="     ",
                                          subsequent_indent="     ", break_long_words=False))
        counts = self.counts
        self.screen.say(f"{counts['passed']} passed, {counts['failed']} failed, "
                        f"{counts['skipped']} skipped")
        return counts["passed"] > 0 and not counts["failed"] and not self.not_run
