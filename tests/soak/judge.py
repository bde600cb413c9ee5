# SPDX-License-Identifier: Apache-2.0
"""Whether what was sampled stayed as it was."""

import statistics

# The last third against the second: what was learned to the end of the first is not growth.
RSS_SHARE, RSS_KILOBYTES = 0.03, 1024
# The service manager's patience is 30 s (deploy/systemd): a sixth of it is still far away.
MAX_SILENCE = 5.0
MIN_MOMENTS = 2  # quiet ones per third

COLUMNS = (("rss", "RSS, kB"), ("anonymous", "anonymous, kB"), ("fds", "descriptors"),
           ("links", "BPF links"), ("maps", "BPF maps"), ("programs", "BPF programs"),
           ("bpf_bytes", "BPF bytes"), ("threads", "threads"), ("targets", "targets"),
           ("cpu", "CPU share"), ("cycle", "round, s"), ("silence", "longest silence, s"),
           ("lost", "events lost"))


def thirds(samples, seconds):
    """Those of each third of the run."""
    return [[s for s in samples if seconds * i / 3 <= s["at"] < seconds * (i + 1) / 3]
            for i in range(3)]


def median(samples, name):
    return statistics.median(s[name] for s in samples) if samples else float("nan")


def table(samples, moments, seconds):
    """Medians of each third, and the extremes."""
    lines = [f"{'':20} {'first':>10} {'second':>10} {'last':>10} {'least':>10} {'most':>10}"]
    parts = thirds(samples, seconds)
    for name, title in COLUMNS:
        figures = [median(part, name) for part in parts]
        values = [s[name] for s in samples] or [float("nan")]
        cells = "".join(f" {figure:10.6g}" for figure in [*figures, min(values), max(values)])
        lines.append(f"{title:20}{cells}")
    lines.append("quiet moments, with the same targets, all probes attached:")
    for name, title in COLUMNS[:4]:
        lines.append(f"  {title:18} " + " ".join(f"{m[name]}" for m in moments))
    return "\n".join(lines)


def flat_memory(samples, seconds):
    _, second, last = thirds(samples, seconds)
    before, after = median(second, "rss"), median(last, "rss")
    allowed = before * RSS_SHARE + RSS_KILOBYTES
    # A comparison with NaN is false.
    return after - before <= allowed, \
        f"RSS {before:.0f} kB in the second third, {after:.0f} kB in the last, " \
        f"{before + allowed:.0f} kB allowed"


def flat_count(moments, name, seconds):
    """Exactly the same at all quiet moments after the first third."""
    counted = [m[name] for part in thirds(moments, seconds)[1:] for m in part]
    enough = all(len(part) >= MIN_MOMENTS for part in thirds(moments, seconds)[1:])
    if not enough:
        return False, f"{name}: too few quiet moments to tell ({len(counted)})"
    return len(set(counted)) == 1, f"{name} at {len(counted)} quiet moments: {sorted(set(counted))}"


def constant(samples, name):
    seen = {s[name] for s in samples[1:]}
    return len(seen) == 1, f"{name}: {sorted(seen)}"


def verdicts(run):
    """(name, passed, words) of each."""
    samples, moments, seconds = run["samples"], run["moments"], run["seconds"]
    return [
        ("memory_is_flat", *flat_memory(samples, seconds)),
        ("descriptors_are_flat", *flat_count(moments, "fds", seconds)),
        ("links_are_flat", *flat_count(moments, "links", seconds)),
        ("maps_stay", *constant(samples, "maps")),
        ("programs_stay", *constant(samples, "programs")),
        ("loop_is_in_time", run["longest_silence"] <= MAX_SILENCE,
         f"longest silence {run['longest_silence']:.2f} s, {MAX_SILENCE} s allowed"),
        ("targets_are_unharmed", not run["dead"], f"ended by themselves: {run['dead']}"),
        ("leaks_are_found", run["leaks_found"] >= run["leaks"] - 1,
         f"{run['leaks_found']} of {run['leaks']} leaking processes"),
        ("healthy_ones_are_not_flagged", not run["false_findings"],
         f"flagged: {run['false_findings'][:5]}"),
        ("orderly_end", run["exit_status"] == 0, f"exit status {run['exit_status']}"),
    ]
