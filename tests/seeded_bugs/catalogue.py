"""The deliberate bugs, by name, with the law that each is caught by. docs/reference/seeded-bugs.md lists them."""

from __future__ import annotations

from seeded_bugs.bug import Bug
from seeded_bugs.in_deciding import DECIDING
from seeded_bugs.in_doing import DOING
from seeded_bugs.in_releasing import RELEASING

BUGS: dict[str, Bug] = {bug.name: bug for bug in (*RELEASING, *DECIDING, *DOING)}
