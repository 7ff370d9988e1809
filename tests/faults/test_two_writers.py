"""Several processes write one file at once, and some are killed: nobody ever reads half of it, and no line is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from faults.scripts import told_by


@pytest.mark.faults
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_whoever_writes_at_once_and_is_killed(tmp_path: Path) -> None:
    assert told_by("racing", tmp_path) == {"over_one_another": [], "first_of_all": [], "one_ledger": []}
