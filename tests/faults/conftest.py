"""What is broken on purpose may wait for ever: then the test ends with a traceback of all threads."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator

import pytest

LONGEST = 600
"""Seconds that a test of faults may take."""


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    faulthandler.dump_traceback_later(LONGEST, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()
