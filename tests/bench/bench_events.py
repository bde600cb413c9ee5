# SPDX-License-Identifier: Apache-2.0
"""Events that gleakd digests: lost ones at 200,000 creations a second, and events per second of its
own processor time at saturation."""

from programs import Program, start
from tracer import Gleakd, sites, total
from tracers import cpu_seconds, rss_bytes

COUNTS = Program("counts")


def session(case, results, command, label, seconds):
    """Runs one command of `counts` under gleakd: (events, gleakd's seconds, final report)."""
    target = start(case, COUNTS)
    g = Gleakd(case, target.pid, "--interval", "1s", "--mode", "lifecycle",
               "--max-overhead", "0")
    g.report()
    results.raw.setdefault("base_rss", rss_bytes(g.process.pid))
    made = COUNTS.line("made:spawn")
    before = cpu_seconds(g.process.pid)
    answer = target.ask(command, seconds)
    number = int(answer.split()[-1]) if command.startswith("churn") else int(command.split()[1])
    g.report("every event", lambda r: total(sites(r, made), "exited")
             + r["targets"][0]["losses"]["events"] >= number, 30)
    used = cpu_seconds(g.process.pid) - before
    final = g.interrupt()
    lost = final["targets"][0]["losses"]["events"]
    results.raw[label] = dict(events=2 * number, cpu_seconds=used, lost=lost)
    return 2 * number - lost, used, lost, number


def events(case, results, options):
    length = 1000 if options.quick else 10000
    handled, used, lost, number = session(
        case, results, f"churn 200000 {length}", "churn", 60)
    results.add("creations per second asked of the target", number / (length / 1000), "/s")
    results.add("events lost at that rate", lost, "", at_most=0)
    results.add("gleakd's own processor at that rate", 100 * used / (length / 1000), "% of one")
    results.add("base RSS of gleakd", results.raw["base_rss"] / 1e6, "MB", at_most=15)

    storm = 300_000 if options.quick else 10_000_000
    handled, used, lost, _ = session(case, results, f"storm {storm}", "storm", 120)
    results.add("events per second of gleakd's processor", handled / max(used, 0.01) / 1e6, "M/s",
                at_least=3)
    results.add("lost of those, as fast as the target can", 100 * lost / (2 * storm), "%")
