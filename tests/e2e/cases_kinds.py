# SPDX-License-Identifier: Apache-2.0
"""Programs that look like Go and are not, and Go programs from other shops than Debian's."""

import glob
import http.client
import os
import subprocess
import time

from cases_input import UNSUPPORTED, refused
from cases_packages import answers, free_port, request, watch_under_load
from harness import Skip, case, until
from packages import npm_package, prepared
from programs import Target
from tracer import needs_tracing

ESBUILD = "@esbuild/linux-x64"
prepared(ESBUILD)

# Sections of a Go binary in a C program: the names are right and the contents are not.
PRETENDER = r"""
#include <unistd.h>
__attribute__((section(".gopclntab"), used)) static const unsigned char table[4096] =
	{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8, 5};
__attribute__((section(".go.buildinfo"), aligned(16), used)) static unsigned char info[256] =
	"\xff Go buildinf:\x08\x02";
int main(void) { write(1, "ready\n", 6); pause(); }
"""

GCCGO_PROGRAM = """
package main

import "time"

func main() {
	println("ready")
	time.Sleep(time.Minute)
}
"""


def compiled(t, compiler, source, suffix):
    """The program that `compiler` makes of `source`."""
    path = os.path.join(t.directory(), "program")
    with open(path + suffix, "w", encoding="utf-8") as file:
        file.write(source)
    subprocess.run([compiler, "-o", path, path + suffix], check=True, capture_output=True)
    return path


@case
def c_program_with_go_sections(t):
    needs_tracing()
    target = Target(t, [compiled(t, "gcc", PRETENDER, ".c")])
    target.answer("ready")
    refused(t, UNSUPPORTED, "Go", "--pid", str(target.pid))


@case
def gccgo(t):
    needs_tracing()
    found = sorted(glob.glob("/usr/bin/gccgo-[0-9]*"))
    if not found:
        raise Skip("gccgo", always=True)
    path = compiled(t, found[-1], GCCGO_PROGRAM, ".go")
    target = Target(t, ["sh", "-c", f"exec {path} 2>&1"])
    target.answer("ready")
    refused(t, UNSUPPORTED, "gccgo", "--pid", str(target.pid))


@case(alone=True)
def esbuild_from_npm(t):
    """A Go program that most of its users do not know to be one, building on every request."""
    program = os.path.join(npm_package(ESBUILD), "package", "bin", "esbuild")
    folder, port = t.directory(), free_port()
    with open(os.path.join(folder, "a.js"), "w", encoding="utf-8") as file:
        file.write("export const x: number = 1".replace(": number", "") + "\n" * 100)
    os.chmod(program, 0o755)
    target = Target(t, [program, "a.js", "--bundle", "--outdir=" + folder + "/out",
                        f"--serve=127.0.0.1:{port}"], cwd=folder)
    until("esbuild serves", answers(port, "/a.js"), 30)

    def ask(_number, _turn):
        # It would build on all processors without a pause, and nothing is promised to who gets none.
        time.sleep(0.03)
        try:
            return request(port, "GET", "/a.js")
        except http.client.HTTPException as error:
            return 0, repr(error).encode()

    watch_under_load(t, target, ask, at_least=2)
