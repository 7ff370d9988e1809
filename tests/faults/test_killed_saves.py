"""Who is killed while saving leaves the old file or the new one, and nothing that the next save does not clear."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from faults.saves import KINDS
from faults.scripts import told_by

pytestmark = [pytest.mark.faults, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")]


def killed(kind: str, folder: Path) -> dict[str, Any]:
    """Return how often each way killed a process that saved, and what was wrong then."""
    found: dict[str, Any] = told_by("killing", folder, kind)[kind]
    assert found["killed"]["byte"] == 5
    assert found["killed"]["step"]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_old_file_or_the_new_one_is_there(kind: str, tmp_path: Path) -> None:
    assert killed(kind, tmp_path)["wrong"] == []


def test_half_a_file_is_seen(tmp_path: Path) -> None:
    assert any("neither" in what for what in killed("in place", tmp_path)["wrong"])


def test_what_is_left_behind_is_seen(tmp_path: Path) -> None:
    wrong = killed("left behind", tmp_path)["wrong"]
    assert wrong
    assert all("saved again" in what for what in wrong)
