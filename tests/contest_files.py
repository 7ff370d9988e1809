"""The two files of past contests, written as an analyst might write them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from iomsim.validation.contest import Contest
from iomsim.validation.data import contests

# The column sets that a reader must expect, in their usual order.
ELECTIONS = (
    "election_id,body,year,candidates_first_round,rounds_total,days,decided_how,winner,threshold_share,"
    "electorate_size,source_url"
)
TALLIES = (
    "election_id,body,office,date,round,candidate,votes,voters_entitled,votes_cast_or_valid,majority_required,"
    "rule,secret,seats,kind,note,source_url"
)


def write(folder: Path, elections: Iterable[str], tallies: Iterable[str]) -> Path:
    (folder / "elections.csv").write_text("\n".join([ELECTIONS, *elections]) + "\n", encoding="utf-8")
    (folder / "tallies.csv").write_text("\n".join([TALLIES, *tallies]) + "\n", encoding="utf-8")
    return folder


def election(id_: str = "X", how: str = "majority", winner: str = "A", **cells: object) -> str:
    told = {"year": 2000, "start": 2, "total": "", "days": 1, "share": "0.6667", "size": 100} | cells
    before = ",".join(str(told[key]) for key in ("year", "start", "total", "days"))
    return f"{id_},Body,{before},{how},{winner},{told['share']},{told['size']},"


def tally(round_: object, votes: dict[str, object], id_: str = "X", **cells: object) -> list[str]:
    told = {"date": "", "entitled": "", "valid": "", "needed": "", "seats": "", "kind": ""} | cells
    return [
        f"{id_},Body,O,{told['date']},{round_},{name},{v},{told['entitled']},{told['valid']},"
        f"{told['needed']},,1,{told['seats']},{told['kind']},,"
        for name, v in votes.items()
    ]


def own(
    folder: Path, rounds: dict[int, dict[str, int]], kinds: dict[int, str] | None = None, **told: object
) -> Contest:
    kinds = kinds or {}
    lines = [line for r, votes in rounds.items() for line in tally(r, dict(votes), kind=kinds.get(r, ""))]
    return contests(write(folder, [election(**told)], lines))[0]  # type: ignore[arg-type]
