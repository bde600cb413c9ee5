# SPDX-License-Identifier: Apache-2.0
"""What gleakd said about a healthy server from the first report to the last."""

import json

import common


class Site:
    """One site over the whole watch."""

    def __init__(self):
        self.verdicts = {}  # verdict: number of reports
        self.spells = []  # [verdict, from, to, goroutines at its begin, at its end], alarms only
        self.curve = []  # [(seconds, goroutines), ...], a point every five seconds or so
        self.last = {}  # the site in the latest report that had it
        self.alarm = {}  # the site when it was an alarm for the first time
        self.last_seen = 0.0

    def take(self, seconds, site):
        verdict, members = site["verdict"], site["goroutines"]
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        if verdict in common.ALARMS:
            self.alarm = self.alarm or site
            spell = self.spells[-1] if self.spells else None
            if spell and spell[0] == verdict and spell[2] == self.last_seen:
                spell[2], spell[4] = seconds, members
            else:
                self.spells.append([verdict, seconds, seconds, members, members])
        if not self.curve or seconds - self.curve[-1][0] >= 5:
            self.curve.append((seconds, members))
        self.last, self.last_seen = site, seconds

    def worst(self, end):
        """The class to count it as: an alarm at any time, growing only at the end."""
        for verdict in common.ALARMS:
            if verdict in self.verdicts:
                return verdict
        growing = self.last["verdict"] == "growing" and self.last_seen == end
        return "growing" if growing else "quiet"


class Record:
    """All sites of one server, and the figures of the process."""

    def __init__(self, path):
        self.sites, self.peak, self.seconds, self.losses, self.mode = {}, 0, 0.0, {}, ""
        with open(path, encoding="utf-8") as file:
            for line in file:
                for target in json.loads(line)["targets"]:
                    self._take(target)

    def _take(self, target):
        self.seconds = target["observed_seconds"]
        self.losses, self.mode = target["losses"], target["mode"]
        self.peak = max(self.peak, target["goroutines"]["alive"])
        for site in target["sites"]:
            self.sites.setdefault(site["id"], Site()).take(self.seconds, site)

    def classes(self):
        """{class: number of sites}"""
        counts = dict.fromkeys(common.CLASSES, 0)
        for site in self.sites.values():
            counts[site.worst(self.seconds)] += 1
        return counts

    def of_class(self, wanted):
        return [s for s in self.sites.values() if s.worst(self.seconds) in wanted]


def spans(site):
    """"leaking 34-120 s (20 to 55)" for each spell, the first three."""
    said = [f"{verdict} {begin:.0f}-{end:.0f} s ({first} to {last})"
            for verdict, begin, end, first, last in site.spells[:3]]
    return ", ".join(said) + (f" and {len(site.spells) - 3} more" if len(site.spells) > 3 else "")


def innermost(site):
    """Where it is parked; also where the service's own code is not on the stack."""
    frame = site["blocked_at"] or (site["stack"][-1] if site["stack"] else None)
    at = common.place(frame) or ("?", 0, site["start_function"])
    return f"{at[2]} ({at[0]}:{at[1]})"


def alarm_text(site):
    """One false alarm in words: where, when, why."""
    shown = site.alarm
    made = common.place(shown["created_by"])
    by = f", made at {made[0]}:{made[1]}" if made else ""
    return (f"{spans(site)}: {innermost(shown)}, {shown['wait_reason'] or 'running'}{by}: "
            f"{'; '.join(shown['why'])}")


def dump(site):
    """All that is needed to study it without the stream."""
    return {
        "spells": site.spells, "verdicts": site.verdicts, "curve": site.curve,
        "first_alarm": site.alarm, "last": site.last,
    }
