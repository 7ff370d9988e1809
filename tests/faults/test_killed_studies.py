"""A study whose process is killed loses nothing that was kept, and goes on to the very same table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from faults.scripts import told_by

pytestmark = [pytest.mark.faults, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")]


def test_studies_that_are_killed_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    found = told_by("studying", tmp_path)
    assert sum(alone["kills"] for alone in found["alone"]) >= 15
    assert any(0 < size < 40 for alone in found["alone"] for size in alone["sizes"])  # in the middle
    for alone in found["alone"]:
        assert alone["sizes"] == sorted(alone["sizes"])
        assert (alone["lost"], alone["equal"], alone["rest"]) == (0, True, [])
    assert sum(pair["kills"] for pair in found["pairs"]) >= 3
    for pair in found["pairs"]:
        assert (pair["codes"], pair["equal"], pair["rest"], pair["cells"]) == ([0], True, [], 40)
