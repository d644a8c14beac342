"""What the vendors leave open, as variants: a scenario that depends on one is played in each."""

from __future__ import annotations

import pytest

ADDED_LINES = pytest.mark.parametrize("joins", [0.0, 1.0], ids=["added-units-apart", "added-units-join"])
RAISED_LINES = pytest.mark.parametrize("as_new_line", [0.0, 1.0], ids=["raised-in-place", "raised-as-new-line"])
EMPTY_LINES = pytest.mark.parametrize("vanishes", [0.0, 1.0], ids=["empty-line-stays", "empty-line-vanishes"])
CANCELS = pytest.mark.parametrize("answer", ["cancel", "refuse"], ids=["warehouse-cancels", "warehouse-refuses"])
STRATEGIES = pytest.mark.parametrize("strategy", ["reissue", "amend"])
