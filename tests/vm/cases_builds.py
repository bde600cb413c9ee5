# SPDX-License-Identifier: Apache-2.0
"""Programs of many versions of Go in the usual ways of building (tests/vm/run --cases builds.)."""

from checks import counts_are_exact
from harness import VERSIONS, cases_for
from programs import Program

GO = ("1.18.10", "1.20.14", "1.22.12", "1.24.13", "local", "1.27.4")
WAYS = {"plain": {}, "stripped": {"strip": True}, "pie": {"pie": True}}
BUILDS = {f"{go}-{way}": Program("counts", go, **options)
          for go in GO for way, options in WAYS.items()}


@cases_for(BUILDS, tier=VERSIONS)
def counted(t, program):
    counts_are_exact(t, program)
