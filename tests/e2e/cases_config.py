# SPDX-License-Identifier: Apache-2.0
"""The config file, and what is made of the table of options: man pages and completions."""

import glob
import os
import pty
import select
import shutil
import subprocess
import time

from harness import ROOT, Failed, Skip, case, cases_for, check, check_equal
from tracer import binary, run

USAGE, DENIED = 2, 4
PAGES = sorted(glob.glob(os.path.join(ROOT, "docs", "man", "*.[58]")))
COMPLETIONS = os.path.join(ROOT, "completions")


def needs(tool):
    if not shutil.which(tool):
        raise Skip(tool)


def config_file(t, text, mode=0o600):
    path = os.path.join(t.directory(), "gleakd.conf")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def values(text):
    """{name: [values]} of a config file."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, value = line.split(" = ", 1)
            found.setdefault(name, []).append(value)
    return found


def printed(t, *args):
    code, out, err = run(t, *args, "--print-config")
    check_equal((code, err), (0, ""), "exit code and stderr")
    return out


@case
def everything_wrong_is_told_with_its_line(t):
    path = config_file(t, "interval = 3s\r\nintervall = 4s\r\n# fine\r\nmode = fast\r\n"
                          "interval = 5s\r\npid = 1\r\njson\r\nmax-overhead = 101%\r\n")
    code, out, err = run(t, "--config", path)
    check_equal((code, out), (USAGE, ""), "exit code and stdout")
    lines = err.splitlines()
    for line, word in ((2, "did you mean 'interval'?"), (4, "census, lifecycle, full, waits, auto"),
                       (5, "line 1"), (6, "--pid"), (7, "name = value"), (8, "0% and 100%")):
        wanted = f"{path}:{line}: "
        check(any(wanted in said and word in said for said in lines), f"{wanted} {word}: {err}")
    check_equal(sum(path in said for said in lines), 6, "complaints")


@case
def twenty_complaints_are_enough(t):
    _, _, err = run(t, "--config", config_file(t, "x = 1\n" * 31))
    check_equal(err.count("unknown name 'x'"), 20, "complaints")
    check("and 11 more" in err, err)


@case
def what_is_printed_can_be_fed_back(t):
    first = printed(t, "--interval", "1m1s5ms", "--max-overhead", "0.03", "--exclude", " a #b",
                    "--exclude", "user:root", "--only", 'x"\n\\', "--max-memory", "96M", "-vv",
                    "--json", "--group-by", "unit", "--textfile", "a.prom", "--config", "/dev/null")
    found = values(first)
    check_equal(found["interval"], ["1m1s5ms"], "interval")
    check_equal(found["exclude"], ['" a #b"', "user:root"], "exclude")
    check_equal(found["only"], ['"x\\"\\x0a\\\\"'], "only")
    path = config_file(t, first)
    check_equal(printed(t, "--config", path), first, "fed back")
    # The command line wins.
    found = values(printed(t, "--config", path, "--exclude", "b", "--interval", "7s"))
    check_equal((found["exclude"], found["interval"], found["max-memory"]),
                (["b"], ["7s"], ["96M"]), "over the file")


@case
def one_process_has_other_defaults(t):
    path = config_file(t, "max-targets = 7\nmin-age = 30s\n")
    found = values(printed(t, "--pid", "1", "--config", path))
    check_equal((found["interval"], found["max-overhead"], found["min-age"]),
                (["2s"], ["5%"], ["30s"]), "with --pid")
    check("max-targets" not in found, "max-targets is about the host")


@cases_for({"group": 0o660, "all": 0o606, "owner": None})
def others_may_not_write_what_root_reads(t, mode):
    if os.geteuid() != 0:
        raise Skip("root")
    path = config_file(t, "json = true\n", mode or 0o600)
    if mode is None:
        os.chown(path, 65534, 0)
    code, out, err = run(t, "--config", path, "--print-config")
    check_equal((code, out), (DENIED, ""), "exit code and stdout")
    check("others than root" in err and "chmod go-w" in err, err)
    # Anybody else may do as they like.
    needs("setpriv")
    tool = shutil.copy(binary(t), os.path.join(os.path.dirname(path), "gleakd"))
    os.chmod(path, (mode or 0o600) | 0o044)
    code, _, err = run(t, "--config", path, "--print-config", path=tool,
                       prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    check_equal(code, 0, f"exit code as nobody ({err})")


@cases_for({os.path.basename(path): path for path in PAGES})
def man_page(t, path):
    """No complaint by either formatter, and every line within the terminal."""
    needs("mandoc")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", path], capture_output=True,
                          text=True, cwd=t.directory())
    # They refer to each other, installed or not.
    complaints = [line for line in done.stdout.splitlines() if "referenced manual" not in line]
    check_equal(complaints, [], "mandoc")
    needs("man")
    done = subprocess.run(["man", "--warnings=w", "-l", path], capture_output=True, text=True,
                          env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    check_equal((done.returncode, done.stderr), (0, ""), "man")
    check(all(len(line) <= 80 for line in done.stdout.splitlines()), "wider than 80 columns")
    check("gleakd" in done.stdout, "no text")


@case
def installed(t):
    root = t.directory()
    # By another name of the folder make would not know what is made of which header.
    folder = os.path.relpath(t.build, ROOT)
    done = subprocess.run(["make", "-C", ROOT, "install", f"B={folder}", f"DESTDIR={root}"],
                          capture_output=True, text=True)
    check_equal(done.returncode, 0, f"exit code of make ({done.stderr})")
    share = os.path.join(root, "usr", "share")
    for path in [*(f"man/man{page[-1]}/{os.path.basename(page)}" for page in PAGES),
                 "bash-completion/completions/gleakd", "zsh/site-functions/_gleakd",
                 "fish/vendor_completions.d/gleakd.fish", "gleakd/gleakd.rules.yml",
                 "gleakd/dashboards/gleakd.json", "gleakd/mixin/mixin.libsonnet"]:
        path = os.path.join(share, path)
        check(os.path.isfile(path), f"{path} is not there")
        check_equal(os.stat(path).st_mode & 0o777, 0o644, f"mode of {path}")
    check_equal(len(PAGES), 14, "man pages")


BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
$(complete -p gleakd | sed 's/.*-F \\([^ ]*\\).*/\\1/') && printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash_offers(*words):
    """Candidates for the last of @words, as bash splits them."""
    done = subprocess.run(["bash", "--norc", "-c", BASH, "bash",
                           os.path.join(COMPLETIONS, "gleakd.bash"), "gleakd", *words],
                          capture_output=True, text=True, cwd=COMPLETIONS)
    check_equal((done.returncode, done.stderr), (0, ""), f"bash for {words}")
    return done.stdout.split("\n")[:-1]


@case
def completion_bash(t):
    needs("bash")
    for words, offers in (
        (("",), ["watch", "run", "top", "list", "dump", "prove", "heap", "holders", "resources",
               "record",
                 "report", "diff", "doctor", "help", "version"]),
        (("li",), ["list"]),
        (("help", "doc"), ["doctor"]),
        (("--gr",), ["--group-by"]), (("list", "--js"), ["--json"]),
        (("list", "--gr"), [""]), (("doctor", "--text"), ["--textfile"]),
        (("--group-by", "c"), ["comm", "container"]), (("--group-by", "=", "c"),
                                                       ["comm", "container"]),
        (("--mode", "="), ["census", "lifecycle", "full", "waits", "auto"]),
        (("--only", "u"), ["unit:", "user:"]), (("--interval", ""), [""]),
        (("--allow", "gleakd.b"), ["gleakd.bash"]), (("-p", str(os.getpid())), [str(os.getpid())]),
        (("--ring",), [""]),
    ):
        check_equal(bash_offers(*words), offers, f"bash offers for {words}")


@case
def completion_fish(t):
    needs("fish")

    def offers(line):
        done = subprocess.run(["fish", "--no-config", "-c",
                               f"source {COMPLETIONS}/gleakd.fish; complete -C '{line}'"],
                              capture_output=True, text=True,
                              env={**os.environ, "HOME": t.directory()})
        check_equal((done.returncode, done.stderr), (0, ""), f"fish for {line}")
        found = [said.split("\t")[0] for said in done.stdout.splitlines()]
        # Fish 4 names as well what only has these letters in this order, as a second choice.
        return [said for said in found if said.startswith(line.split(" ")[-1])]

    check_equal(sorted(offers("gleakd ")), ["diff", "doctor", "dump", "heap", "help", "holders", "list", "prove",
                                         "record", "report", "resources", "run", "top", "version",
                                         "watch"], "commands")
    check_equal(offers("gleakd --gr"), ["--group-by"], "option")
    check_equal(offers("gleakd --group-by c"), ["comm", "container"], "values")
    check_equal(offers("gleakd list --gr"), [], "option of another command")
    check_equal(offers("gleakd list --js"), ["--json"], "option of a command")
    check_equal(offers("gleakd doctor --text"), ["--textfile"], "option of doctor")


class Shell:
    """zsh at a terminal of its own."""

    def __init__(self, t):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", HOME="/nonexistent", LC_ALL="C")
            os.execlp("zsh", "zsh", "-f", "-i", "-V")
        t.defer(self.close)

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def ask(self, keys, wanted, seconds=20):
        """Types @keys, waits for @wanted, and clears the line."""
        self.seen = ""
        os.write(self.fd, keys.encode())
        end = time.monotonic() + seconds
        while wanted not in self.seen:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed(f"zsh: {wanted!r} is not in {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode(errors="replace")
        os.write(self.fd, b"\x15")


@case
def completion_zsh(t):
    needs("zsh")
    shell = Shell(t)
    # In two parts, for the terminal echoes what is typed.
    shell.ask(f"fpath=({COMPLETIONS} $fpath); autoload -U compinit && compinit -D -u "
              "&& echo rea''dy\n", "ready")
    for typed, wanted in (("--gr", "--group-by="), ("--group-by=con", "container"),
                          ("lis", "list "), ("list --js", "--json"),
                          ("doctor --textf", "--textfile="), ("--mode li", "lifecycle")):
        shell.ask(f"gleakd {typed}\t", wanted)
