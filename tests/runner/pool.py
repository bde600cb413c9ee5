# SPDX-License-Identifier: Apache-2.0
"""Jobs in processes of their own, each with a deadline, and a word about them every few seconds.

A job that hangs is told to end (its clean-up runs), killed when it does not, and whatever it
started is killed with it. So a run of many jobs ends in a time that is known, with a result for
each of them.
"""

import ctypes
import json
import os
import selectors
import signal
import sys
import time
import traceback

import harness
from harness import BUT_UNITS, Outcome

ENDING = 15  # seconds that a killed process may need to end
BUSY_LIMIT = 20 * 60  # seconds that one job may spend on downloads and builds
ENDERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # include/uapi/linux/prctl.h


def prctl(option, value):
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


class Job:
    """`function(tell)` reports an Outcome for each of `names` by tell(outcome=...).

    alone     nothing runs beside it but those that wait; with BUT_UNITS those that are apart, too
    apart     it has to do with nothing but itself and computes, as a unit test
    waits     it hardly does more than wait, and looks at a program of its own
    is_long   it begins early, so that nobody has to wait for it at the end
    """

    def __init__(self, names, function, seconds, alone=False, title=None, apart=False,
                 is_long=False, waits=False):
        self.names, self.function, self.seconds, self.alone = names, function, seconds, alone
        self.title, self.apart, self.is_long, self.waits = title or names[0], apart, is_long, waits

    def turn(self):
        """Who begins before whom. Once others run, there would be no room for who must be alone."""
        if self.alone:
            return 1 if self.alone == BUT_UNITS else 0
        return 2 if self.waits else 3 if self.is_long else 4 if self.apart else 5

    def may_run_beside(self, others):
        return all(o.bears(self) and self.bears(o) for o in others)

    def bears(self, other):
        return not self.alone or other.waits or (self.alone == BUT_UNITS and other.apart)


class Running:
    """The process of one job, seen from outside."""

    def __init__(self, job, grace):
        self.job, self.grace, self.begin = job, grace, time.monotonic()
        self.told, self.details, self.buffer = set(), "", b""
        self.busy, self.busy_since, self.busy_seconds = None, 0.0, 0.0
        self.doing, self.reason, self.kill_at, self.killed = None, None, None, False
        reading, writing = os.pipe()
        # Until it has handlers of its own, it would handle signals as this process does.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDERS)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            become(job, writing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDERS)
        os.close(writing)
        os.set_blocking(reading, False)
        self.pipe = reading

    def spent(self, now):
        """Seconds that count: without downloads and builds."""
        return now - self.begin - self.busy_seconds - (now - self.busy_since if self.busy else 0)

    def shown(self, now):
        if self.busy:
            name = "" if self.busy == self.job.title else f"{self.job.title}: "
            return f"{name}{self.busy} {max(now - self.busy_since, 0):.0f} s"
        doing = f" {self.doing}" if self.doing else ""
        return f"{self.job.title}{doing} {self.spent(now):.0f} s"

    def read(self, report):
        """What the process has said; false at its end."""
        try:
            data = os.read(self.pipe, 1 << 16)
        except BlockingIOError:
            # Somebody that it has left behind may keep the pipe open.
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            self._take(json.loads(line), report)
        return bool(data)

    def _take(self, said, report):
        if "outcome" in said:
            outcome = Outcome(**said["outcome"])
            self.told.add(outcome.name)
            report(outcome)
        elif "doing" in said:
            self.doing = said["doing"]
        elif "hung" in said:
            self.details = said["hung"]
        else:
            now = time.monotonic()
            if self.busy:
                self.busy_seconds += now - self.busy_since
            self.busy, self.busy_since = said["busy"], now

    def check_deadline(self, now):
        if self.reason is None:
            busy = self.busy_seconds + (now - self.busy_since if self.busy else 0)
            if self.spent(now) > self.job.seconds:
                self.tell_to_end(f"still running after {self.job.seconds:g} s")
            elif busy > BUSY_LIMIT:
                self.tell_to_end(f"{self.busy or 'building'}: not done after {BUSY_LIMIT} s")
        elif now > self.kill_at and not self.killed:
            self.killed = True
            kill_tree(self.pid)

    def tell_to_end(self, reason):
        self.reason, self.kill_at = reason, time.monotonic() + self.grace
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass


def become(job, writing):
    """The process of a job; does not return."""
    code = 1
    try:
        os.setsid()
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # what it starts and forgets stays below it
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, raise_deadline)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDERS)

        def tell(**said):
            if "outcome" in said:
                said["outcome"] = vars(said["outcome"])
            line = json.dumps(said).encode() + b"\n"
            while line:
                line = line[os.write(writing, line):]

        harness.set_channel(tell)
        job.function(tell)
        code = 0
    except BaseException:  # the parent tells the rest: what has no outcome has failed
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def raise_deadline(_signal, _frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the clean-up is to end in peace
    raise harness.Deadline


def children_of(pid):
    """Processes whose parent it is."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                # "PID (NAME) STATE PARENT ...", where NAME may hold anything.
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it has just ended
        if parent == pid:
            found.append(int(entry))
    return found


def kill_tree(pid):
    """The process and what is below it; from the top, so that nobody starts more meanwhile."""
    below = []
    try:
        os.kill(pid, signal.SIGSTOP)
        below = children_of(pid)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    for child in below:
        kill_tree(child)


def reap(pid, seconds):
    """The exit code of a child that is ending, as subprocess has it; None when it does not end."""
    end = time.monotonic() + seconds
    while True:
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return None
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            return None
        time.sleep(0.01)


class Pool:
    """Runs jobs, at most so many at once; those beside which hardly anything may run come first.

    `report` gets each Outcome as it comes. `screen` prints, after `silence` seconds without a line
    what is going on. What was told to end is killed `grace` seconds later.
    """

    def __init__(self, at_once, report, screen, silence=6, grace=15):
        self.at_once, self.report, self.screen = at_once, report, screen
        self.silence, self.grace = silence, grace
        self.running, self.stopped, self.lost = [], None, set()
        self.selector = selectors.DefaultSelector()
        prctl(PR_SET_CHILD_SUBREAPER, 1)

    def stop(self, reason):
        """Nothing more begins; what runs is told to end. Twice: is killed."""
        for r in self.running:
            if r.reason is None:
                r.tell_to_end(reason)
            elif self.stopped:
                r.kill_at = 0
        self.stopped = self.stopped or reason

    def run(self, jobs, what, seconds=None):
        """Returns [(reason, names)] of what did not run."""
        waiting = sorted(jobs, key=Job.turn)
        total, end = len(waiting), time.monotonic() + seconds if seconds else None
        not_run = []
        while self.running or (waiting and not self.stopped):
            while not self.stopped and (job := self._next(waiting)):
                waiting.remove(job)
                self._start(job)
            self.selector.select(0.2)
            now = time.monotonic()
            for r in list(self.running):
                r.check_deadline(now)
                # What cannot be killed hangs in the kernel: the others need not.
                if not r.read(self.report) or (r.killed and now > r.kill_at + ENDING):
                    not_run += self._ended(r)
            if end and now > end and not self.stopped:
                self.stop(f"the time limit of {seconds:g} s")
            if self.screen.silent(now) >= self.silence:
                self._show(what, total - len(waiting) - len(self.running), total, now)
        return not_run + [(self.stopped, j.names) for j in waiting]

    def _next(self, waiting):
        """The first that there is room for."""
        if len(self.running) >= self.at_once:
            return None
        others = [r.job for r in self.running]
        is_shared = any(job.alone for job in others) or any(job.alone for job in waiting)
        # Cases mostly wait: of those that compute there are half as many, and one beside whom it disturbs.
        computing = sum(job.apart for job in others) >= (1 if is_shared else max(1, self.at_once // 2))
        # There has to be room for the others.
        full = is_shared and sum(job.waits for job in others) >= max(1, self.at_once // 2)
        return next((job for job in waiting if job.may_run_beside(others)
                     and not (computing and job.apart) and not (full and job.waits)), None)

    def _start(self, job):
        # What is in the buffers would be printed by the child as well.
        sys.stdout.flush()
        sys.stderr.flush()
        r = Running(job, self.grace)
        self.running.append(r)
        self.selector.register(r.pipe, selectors.EVENT_READ)

    def _ended(self, r):
        """Reaps it, and speaks for it where it could not. Returns what has not run, as run()."""
        self.selector.unregister(r.pipe)
        os.close(r.pipe)
        code = reap(r.pid, ENDING)
        self.running.remove(r)
        self._clear_up()
        left = [name for name in r.job.names if name not in r.told]
        if left and self.stopped and r.reason == self.stopped:
            return [(self.stopped, left)]
        reason = r.reason or f"no result: its process ended with {code}"
        if r.killed:
            reason += f"; it did not clean up within {self.grace:g} s and was killed"
        if code is None:
            reason += "; it does not end"
        for name in left:
            self.report(Outcome(name, "failed", reason, r.details, r.spent(time.monotonic())))
        return []

    def _clear_up(self):
        """Kills what an ended job has left: this process has inherited it."""
        jobs = {r.pid for r in self.running}
        for _ in range(100):  # what it leaves may leave something in turn
            left = set(children_of(os.getpid())) - jobs - self.lost
            if not left:
                break
            for pid in left:
                kill_tree(pid)
                if reap(pid, 5) is None:
                    self.lost.add(pid)

    def _show(self, what, done, total, now):
        shown = ", ".join(r.shown(now) for r in self.running)
        self.screen.say(f"     {what}: {done} of {total} done; {shown}")
