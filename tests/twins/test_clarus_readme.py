from __future__ import annotations

import re
from dataclasses import fields
from importlib.resources import files

from pickgate.twins.clarus import ClarusKnobs


def test_readme_lists_every_knob_and_no_other() -> None:
    readme = files("pickgate.twins.clarus").joinpath("README.md").read_text("utf-8")
    table = readme.split("## Knobs")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert listed == [field.name for field in fields(ClarusKnobs)]
