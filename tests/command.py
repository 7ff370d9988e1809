"""The command line, run in this process."""

from __future__ import annotations

import pytest

from iomsim import cli

Captured = pytest.CaptureFixture[str]
SMALL = ("--runs", "300", "--seed", "5")


def iomsim(*words: object) -> int:
    """Run a command in this process; return its exit code."""
    return cli.main([str(word) for word in words])
