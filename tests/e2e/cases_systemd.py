# SPDX-License-Identifier: Apache-2.0
"""The service, as its Debian package installs it, under a real systemd."""

import glob
import os
import re
import shutil
import stat
import subprocess
import tempfile

import harness
from cases_prometheus import metrics
from harness import BUT_UNITS, ROOT, Failed, Skip, case, cases_for, check, check_equal, until
from machine import Machine
from programs import Program, Target
from tracer import needs_tracing, run

COUNTS = Program("counts")
UNIT = os.path.join(ROOT, "deploy", "systemd", "gleakd.service")
NO_SYS_ADMIN = os.path.join(ROOT, "deploy", "systemd", "gleakd.service.d", "no-sys-admin.conf")
TEXTFILE = "/var/lib/prometheus/node-exporter/gleakd.prom"
STATE = "/var/lib/gleakd/state"
SCORE_LIMIT = 2.0

# include/uapi/linux/capability.h
CAPABILITIES = {"CAP_DAC_READ_SEARCH": 2, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21,
                "CAP_PERFMON": 38, "CAP_BPF": 39, "CAP_CHECKPOINT_RESTORE": 40}


# --- the package ----------------------------------------------------------------------------------


def package():
    """The .deb of this tree, made once; lintian has looked at it."""
    return harness.once("building the Debian package", _package)


def _package():
    for tool in ("dpkg-buildpackage", "dh", "lintian"):
        if not shutil.which(tool):
            raise Skip(f"{tool} (packages dpkg-dev, debhelper, lintian)")
    # A make of its own, with as many jobs as there are processors.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-C", ROOT, "deb"], capture_output=True, text=True, env=env)
    check_equal(done.returncode, 0, f"make deb: {(done.stdout + done.stderr)[-2000:]}")
    found = glob.glob(os.path.join(ROOT, "build", "deb", "gleakd_*.deb"))
    check_equal(len(found), 1, f"packages: {found}")
    return found[0]


@case
def package_is_clean_and_complete(t):
    path = package()
    listed = subprocess.run(["dpkg-deb", "-c", path], capture_output=True, text=True).stdout
    for wanted in ("/usr/sbin/gleakd", "/lib/systemd/system/gleakd.service",
                   "/etc/gleakd/gleakd.conf", "/usr/share/doc/gleakd/copyright",
                   "/usr/share/gleakd/gleakd.rules.yml", "/usr/share/gleakd/dashboards/gleakd.json",
                   "/usr/share/gleakd/mixin/mixin.libsonnet",
                   "/usr/share/doc/gleakd/systemd.md.gz", "/usr/share/doc/gleakd/repairs.md.gz",
                   "/usr/share/man/man8/gleakd.8.gz"):
        # Since Debian 13 units are below /usr/lib, which /lib is a link to.
        check(re.search(rf" \.(/usr)?{re.escape(wanted)}\n", listed), f"no {wanted} in:\n{listed}")


harness.to_prepare("building the Debian package", package)


# --- the unit -------------------------------------------------------------------------------------


def exposure(t, *drop_ins):
    """What systemd-analyze thinks of the unit."""
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze (package systemd)")
    folder = t.directory()
    path = os.path.join(folder, "gleakd.service")
    with open(UNIT, encoding="utf-8") as file:
        text = file.read()
    for drop_in in drop_ins:
        with open(drop_in, encoding="utf-8") as file:
            text += file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", path],
                          capture_output=True, text=True)
    found = re.search(r"Overall exposure level for gleakd.service: ([\d.]+)", done.stdout)
    check(found, f"no level: {done.stdout[-300:]}{done.stderr}")
    return float(found.group(1))


@case
def exposure_is_small(t):
    as_shipped, without = exposure(t), exposure(t, NO_SYS_ADMIN)
    print(f"systemd-analyze security: {as_shipped}; without CAP_SYS_ADMIN {without}", flush=True)
    check(as_shipped <= SCORE_LIMIT, f"exposure {as_shipped} of the unit")
    check(without < as_shipped, f"exposure {without} with the drop-in, {as_shipped} without")


# --- the service ----------------------------------------------------------------------------------


class Service:
    """gleakd installed on a machine that runs one Go program, and enabled as its user would."""

    def __init__(self, t, *options, drop_in="", enable=True):
        needs_tracing()
        deb = package()
        self.machine = Machine(t)
        self.target = Target(t, self.machine.enter(COUNTS.build()))
        self.target.answer("ready")
        self.options = options
        # Short times for the test; all else is as shipped. Read before the first start.
        self.configure(drop_in)
        self.machine.run("mkdir", "-p", os.path.dirname(TEXTFILE))
        self.machine.run("dpkg", "-i", deb, seconds=120)
        if enable:
            self.machine.run("systemctl", "enable", "--now", "gleakd", ok=None)
        t.defer(lambda: t.note(self.machine.journal("gleakd")))

    def configure(self, drop_in):
        command = ["/usr/sbin/gleakd", "--state", STATE, "--textfile", TEXTFILE,
                   "--interval", "500ms", "--min-process-age", "0", *self.options]
        self.machine.write("/etc/systemd/system/gleakd.service.d/test.conf",
                           f"[Service]\nExecStart=\nExecStart={' '.join(command)}\n"
                           f"RestartSec=200ms\n{drop_in}")

    def systemctl(self, *args, ok=0):
        return self.machine.run("systemctl", *args, ok=ok)

    def state(self):
        return self.machine.show("gleakd", "ActiveState", "SubState")

    def wait_active(self, restarts=0, seconds=30):
        wanted = ["active", "running", str(restarts)]
        until(f"the service is {wanted}",
              lambda: self.machine.show("gleakd", "ActiveState", "SubState", "NRestarts") == wanted,
              seconds)

    def main_pid(self):
        return int(self.machine.show("gleakd", "MainPID")[0])

    def metric(self, name):
        """A metric of the Go program's group; None while it is not there."""
        path = self.machine.path(TEXTFILE)
        try:
            found = metrics(path)
        except FileNotFoundError:
            return None
        label = f'{{groupname="{os.path.basename(COUNTS.path)}"}}'
        return found.get(name + label)

    def probed(self):
        """Whether creations and exits are counted: the governor begins with a look at the cost."""
        found = metrics(self.machine.path(TEXTFILE))
        label = f'groupname="{os.path.basename(COUNTS.path)}"'
        return found.get('gleakd_target_mode{%s,mode="full"}' % label) == 1

    def created(self):
        return self.metric("gleakd_goroutines_created_total") or 0

    def status_line(self, name):
        path = self.machine.path(f"/proc/{self.main_pid()}/status")
        with open(path, encoding="utf-8") as file:
            return next(line.split()[1] for line in file if line.startswith(name + ":"))


def capability_names(mask):
    return {name for name, bit in CAPABILITIES.items() if mask >> bit & 1}


@case(alone=BUT_UNITS)
def service_runs_reloads_and_stops(t):
    """READY, figures, few capabilities, files with the right modes; and all gone at the end."""
    s = Service(t)
    s.wait_active()
    s.target.ask("spawn 211")
    until("its goroutines are counted", lambda: s.created() >= 211, 30)
    path = s.machine.path(TEXTFILE)
    check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o644, "mode of the textfile")
    check_equal(stat.S_IMODE(os.stat(s.machine.path(STATE)).st_mode), 0o600, "mode of the state")
    until("probes are attached", s.probed, 30)

    left = int(s.status_line("CapEff"), 16)
    check_equal(left, int(s.status_line("CapPrm"), 16), "permitted beside effective capabilities")
    wanted = {"CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_PERFMON", "CAP_BPF",
              "CAP_CHECKPOINT_RESTORE"}
    check(wanted <= capability_names(left) <= wanted | {"CAP_SYS_ADMIN"}, f"capabilities {left:x}")
    check_equal(left & ~sum(1 << bit for bit in CAPABILITIES.values()), 0, "others")
    check_equal(s.status_line("NoNewPrivs"), "1", "no_new_privs")
    check_equal(s.status_line("Seccomp"), "2", "seccomp filter")

    pid = s.main_pid()
    s.systemctl("reload", "gleakd")
    s.wait_active()
    check_equal(s.main_pid(), pid, "process after a reload")
    check(s.machine.show("gleakd", "StatusText")[0], "a status for people")

    s.systemctl("stop", "gleakd")
    check_equal(s.machine.show("gleakd", "ActiveState", "Result"), ["inactive", "success"], "end")
    check(not os.path.exists(path), "the textfile is still there after a stop")
    check(os.path.exists(s.machine.path(STATE)), "the state is gone after a stop")
    check(s.target.alive(), "the program is gone")


@case(alone=BUT_UNITS)
def package_starts_nothing_by_itself(t):
    """It would watch a whole host: installing it is not asking for that. An upgrade keeps both."""
    s = Service(t, enable=False)
    check_equal(s.machine.run("systemctl", "is-enabled", "gleakd", ok=1), "disabled\n", "enabled")
    check_equal(s.state(), ["inactive", "dead"], "after the installation")
    s.machine.run("dpkg", "-i", package(), seconds=120)
    check_equal(s.state(), ["inactive", "dead"], "after an upgrade of what did not run")
    s.systemctl("enable", "--now", "gleakd")
    s.wait_active()
    first = s.main_pid()
    s.machine.run("dpkg", "-i", package(), seconds=120)
    s.wait_active()
    check(s.main_pid() != first, "the upgrade did not restart what runs")
    check_equal(s.machine.run("systemctl", "is-enabled", "gleakd"), "enabled\n", "enabled")


@case(alone=BUT_UNITS)
def service_killed_goes_on_with_its_history(t):
    s = Service(t)
    s.wait_active()
    s.target.ask("spawn 1009")
    until("its goroutines are counted", lambda: s.created() >= 1009, 30)
    s.systemctl("restart", "gleakd")
    s.wait_active()
    until("it goes on from its state", lambda: s.created() >= 1009)
    before = os.stat(s.machine.path(TEXTFILE)).st_ino
    s.systemctl("kill", "-s", "KILL", "gleakd")
    s.wait_active(restarts=1)
    until("a new textfile", lambda: os.stat(s.machine.path(TEXTFILE)).st_ino != before)
    check(s.created() >= 1009, f"{s.created()} goroutines after the kill, of 1009")
    check(s.target.alive(), "the program is gone")


@case(alone=BUT_UNITS)
def service_that_hangs_is_restarted(t):
    """Stopped, it cannot feed the watchdog; before, it does for longer than the interval."""
    s = Service(t, drop_in="WatchdogSec=2s\nTimeoutAbortSec=1s\n")
    s.wait_active()
    first = s.main_pid()
    fed = set()

    def fed_often():
        fed.add(s.machine.show("gleakd", "WatchdogTimestampMonotonic")[0])
        return len(fed) >= 6

    until("six signs of life", fed_often, 20)
    check_equal(s.main_pid(), first, "process")
    s.systemctl("kill", "-s", "STOP", "gleakd")
    until("the watchdog ends it", lambda: s.main_pid() not in (0, first), 20)
    s.wait_active(restarts=1)
    check("atchdog" in s.machine.journal("gleakd"), "the journal says why")


@case(alone=BUT_UNITS)
def service_without_sys_admin_attaches(t):
    """The drop-in for kernels with uprobe_multi."""
    with open(NO_SYS_ADMIN, encoding="utf-8") as file:
        s = Service(t, drop_in=file.read())
    s.wait_active()
    until("figures", lambda: s.metric("gleakd_goroutines"))
    check("CAP_SYS_ADMIN" not in capability_names(int(s.status_line("CapBnd"), 16)), "bounding set")
    try:
        until("probes are attached", s.probed, 30)
    except Failed:
        features = run(t, "doctor", "--json")[1]
        if "uprobe_multi links, whose filter means the process" in features:
            raise
        raise Skip("uprobe_multi links that need no CAP_SYS_ADMIN", always=True) from None


@cases_for({"option": ["--no-such-option"], "value": ["--interval", "never"]})
def service_with_a_mistake_does_not_try_again(t, options):
    s = Service(t, *options)
    until("it has failed", lambda: s.state() == ["failed", "failed"])
    check_equal(s.machine.show("gleakd", "ExecMainStatus", "NRestarts"), ["2", "0"],
                "exit code and restarts")


@case(alone=BUT_UNITS)
def service_messages_have_priorities(t):
    """Warnings are warnings in the journal: here that the metrics' folder is missing."""
    s = Service(t)
    s.wait_active()
    s.systemctl("stop", "gleakd")
    s.machine.run("rm", "-r", os.path.dirname(TEXTFILE))
    s.systemctl("start", "gleakd")
    s.wait_active()
    until("a warning", lambda: "gleakd.prom" in s.machine.run(
        "journalctl", "-u", "gleakd", "-p", "warning", "_COMM=gleakd", "-o", "cat", "--no-pager"))
    all_of_it = s.machine.journal("gleakd")
    check("<4>" not in all_of_it and "gleakd: " not in all_of_it, f"prefixes in {all_of_it!r}")


@case(alone=BUT_UNITS)
def package_goes_as_it_came(t):
    s = Service(t)
    s.wait_active()
    s.machine.run("dpkg", "--purge", "gleakd")
    check_equal(s.state(), ["inactive", "dead"], "service")
    for path in ("/usr/sbin/gleakd", "/etc/gleakd", TEXTFILE):
        check(not os.path.exists(s.machine.path(path)), f"{path} is still there")


# --- the configuration ----------------------------------------------------------------------------


@case
def shipped_configuration_is_valid(t):
    """As it is, and with everything that is commented out."""
    with open(os.path.join(ROOT, "deploy", "gleakd.conf"), encoding="utf-8") as file:
        text = file.read()
    check("--config" in run(t, "help", "watch")[1], "gleakd has no --config")
    everything = re.sub(r"(?m)^#(?=[a-z-]+ = )", "", text)
    check(everything.count(" = ") > 10, "nothing is commented out")
    for content in (text, everything):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(content.replace("/etc/gleakd/allow", "/dev/null"))
            file.flush()
            code, out, err = run(t, "--config", file.name, "--print-config")
            check_equal((code, err), (0, ""), f"exit code and words; {out}")
