"""What SECURITY.md says is what the library does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from iomsim.charts import report
from iomsim.election_day import log
from iomsim.errors import LONGEST, MOST_LINES
from iomsim.house_style import LONGEST_NAME, LONGEST_TEXT
from iomsim.model import tables
from iomsim.model.assumptions import DRAWS_AT_MOST
from iomsim.model.scenario import Scenario
from iomsim.rules.phase import MOST_BALLOTS
from iomsim.sensitivity import tasks

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
CODE = {path.relative_to(ROOT / "iomsim").as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "iomsim").rglob("*.py")}  # fmt: skip


def most(model: type[BaseModel], field: str) -> int:
    return next(part.max_length for part in model.model_fields[field].metadata if hasattr(part, "max_length"))


LIMITS = {
    "a scenario, a table or a workbook": f"{tables.MOST_BYTES // 10**6} MB; unpacked, six times as much",
    "a log of an election day": f"{log.MOST_BYTES // 10**6} MB, {log.MOST_EVENTS:,} events",
    "a report": f"{report.LARGEST // 10**6} MB",
    "a cell of a study": f"{tasks.LARGEST // 10**6} MB",
    "members; rows and columns of a table": (
        f"{tables.MOST_MEMBERS:,}; {tables.MOST_ROWS:,} and {tables.MOST_COLUMNS:,}"
    ),
    "candidates, sponsors": f"{most(Scenario, 'candidates')}, {most(Scenario, 'sponsors')}",
    "a name; a text of several lines": f"{LONGEST_NAME} signs; {LONGEST_TEXT:,}",
    "draws of the assumptions": f"{DRAWS_AT_MOST:,}",
    "ballots of the rules": f"{MOST_BALLOTS:,}",
}  # fmt: skip


def test_the_limits_are_those_of_the_code() -> None:
    table = TEXT.partition("## Limits")[2].partition("##")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    said = dict(rows)
    said.pop(" ", None)
    assert said == {what: limit.replace(",0", " 0") for what, limit in LIMITS.items()}
    assert f"cut at {LONGEST} signs" in TEXT
    assert MOST_LINES == 5
    assert "on five lines at most" in TEXT


def test_the_places_it_names_are_there() -> None:
    named = re.findall(r"`((?:iomsim|tests)/[\w/.]+)`", TEXT)
    assert len(named) > 4
    assert [name for name in named if not (ROOT / name).exists()] == []


MODULES = "subprocess|socket|ssl|urllib|http|ftplib|smtplib|requests|marshal|shelve|dill|joblib|yaml"
EXECUTES = re.compile(
    r"\b(?:eval|exec|compile|__import__)\(|\bos\.(?:system|popen|spawn|exec)|\bread_pickle\b|\ballow_pickle=True|"
    rf"^[ \t]*(?:import|from) (?:{MODULES})\b",
    re.MULTILINE,
)
BETWEEN_PROCESSES = {"engine/simulate.py", "workers.py"}


@pytest.mark.parametrize(
    "code", ["x = eval(y)", "import socket", "    from urllib.request import urlopen", "os.system(x)"]
)
def test_what_executes_is_seen(code: str) -> None:
    assert EXECUTES.search(code)


def test_nothing_is_executed_or_fetched() -> None:
    found = {name: EXECUTES.search(code.replace("re.compile(", "")) for name, code in CODE.items()}
    assert {name: match[0] for name, match in found.items() if match} == {}
    assert {
        name for name, code in CODE.items() if re.search(r"^[ \t]*(?:import|from) pickle\b", code, re.MULTILINE)
    } == (BETWEEN_PROCESSES)
    loaded = [call for code in CODE.values() for call in re.findall(r"np\.load\([^\n]*", code)]
    assert loaded
    assert all("allow_pickle=False" in call for call in loaded)
