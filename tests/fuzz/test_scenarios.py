"""Scenario files that are broken in every way: an election with all names as they stand in the file, or a sentence."""

from __future__ import annotations

import random
import tomllib
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from fuzz.harness import NASTY, bytes_like, each, lengths, plain_like, rng, survives

import iomsim as iom
from iomsim.house_style import unfit_name
from iomsim.model.catalogue import dumps
from iomsim.model.evidence import shipped_names, shipped_text
from iomsim.model.scenario import Scenario, build


@cache
def texts() -> tuple[str, ...]:
    """Return the shipped scenarios, a short one, and one that has everything a scenario can have."""
    table = [
        {
            "name": f"M{i} é",
            "iso3": f"X{i}",
            "near": i % 2,
            "aid": float(i * i),
            "region": "North" if i < 4 else "South",
        }
        for i in range(9)
    ]
    short = {
        "title": "A vote",
        "facts": ["eu-27"],
        "electorate": {"table": table, "group": "region", "own_groups": {"Near": "near"}, "without_vote": ["X8"],
                       "pinned": {"A. B.": ["X1"]}, "barred": {"C": ["X2"]}},
        "candidates": [{"name": "A. B.", "colour": "#00ff00"}, {"name": "C", "appeal": 0.5}, {"name": "Dé"}],
        "sponsors": [{"name": "U.S.", "backs": "C", "strength": {"value": 0.5, "low": 0.2, "high": 0.9},
                      "exposure": {"near": 1, "rank(aid)": 0.5, "not near and region=North": 0.25}}],
        "ties": [{"name": "t", "who": ["X3", "M4 é"], "candidate": "C", "log_odds": -1.5},
                 {"name": "u", "who": "region=South", "candidate": "Dé", "log_odds": 1, "label": "the South"}],
        "behaviour": {"secrecy": 0.5, "fluid": {"value": 0.7, "low": 0.5, "high": 0.9, "source": "eu-27, oif-47"}},
        "rules": {"threshold": ["2/3", ">1/2"], "after": "fail", "withdrawal": "vote",
                  "phases": [{"name": "all", "ballots": 3}, {"name": "two", "keep": 2, "ballots": 2}]},
        "clock": {"opens": "2024-02-29T10:00:00", "sittings": [["10:00", "13:00"]], "timezone": "America/St_Johns",
                  "days": ["Mon", "Thu"], "closed": ["2024-03-04"], "rounds_a_day": 2},
    }  # fmt: skip
    rich = build(short, "short").balanced({"A. B.": 0.4})
    rich = rich.with_pledges(pd.DataFrame({"member": ["X3", "X5"], "candidate": "C", "kind": ["oral", "written"]}))
    rich = rich.with_polling(pd.DataFrame({"member": ["X6"], "C": [0.5], "Dé": [0.2]}), trust=0.5).swing(
        2, "South", "C"
    )
    shipped = [shipped_text("scenarios", name, ".toml", "") for name in shipped_names("scenarios", ".toml")]
    return (dumps(build(short, "short")), dumps(rich), dumps(iom.start("who", ["A", "B", "C"])), *shipped)


def names_stand(race: Scenario, data: Any) -> None:
    """Fail unless a race has the names of its file, sign by sign, and all of them can be shown."""
    assert list(race.names) == [one["name"] for one in data["candidates"]]
    assert [one.name for one in race.sponsors] == [one["name"] for one in data.get("sponsors", [])]
    assert [one.name for one in race.ties] == [one["name"] for one in data.get("ties", [])]
    rows, column = data["electorate"].get("table"), data["electorate"].get("name", "name")
    if isinstance(rows, list) and all(isinstance(row.get(column), str) for row in rows):
        assert race.electorate.frame["name"].tolist() == [row[column] for row in rows]
    called = [*race.names, *(one.name for one in (*race.sponsors, *race.ties, *race.swings, *race.procedures))]
    assert not any(map(unfit_name, [*called, *race.electorate.frame[["id", "name", "group"]].to_numpy().ravel()]))


def renamed(chance: random.Random, value: Any, old: str, new: str) -> Any:
    """Return plain data in which something has another name, wherever it stands."""
    if isinstance(value, dict):
        return {renamed(chance, key, old, new): renamed(chance, part, old, new) for key, part in value.items()}
    if isinstance(value, list):
        return [renamed(chance, part, old, new) for part in value]
    return new if value == old else value


def name_like(chance: random.Random, old: str) -> str:
    """Return another name: something nasty, or the old one with a sign of any script, or of none, in it."""
    if chance.random() < 0.3:
        return chance.choice([text for text in NASTY if isinstance(text, str)])
    place, sign = (
        chance.randrange(len(old) + 1),
        chr(chance.choice((chance.randrange(0x300), chance.randrange(0x11000)))),
    )
    return f"{old[:place]}{sign}{old[place:]}"


def called(data: dict[str, Any]) -> list[str]:
    """Return the names of a description's things."""
    things = [*data["candidates"], *data.get("sponsors", []), *data.get("ties", []), {"name": data["title"]}]
    rows = data["electorate"].get("table", [])
    return [one["name"] for one in (*things, *rows)] + [row["region"] for row in rows if "region" in row]


def case(number: int, folder: Path) -> None:
    chance = rng("scenarios", number)
    text = chance.choice(texts()[:2] if chance.random() < 0.7 else texts())
    path = folder / f"{number}.toml"
    way = chance.random()
    if way < 0.3:
        old = chance.choice(called(tomllib.loads(text)))
        data = renamed(chance, tomllib.loads(text), old, name_like(chance, old))
        race = survives(lambda: build(data, "file"))
    elif way < 0.6:
        path.write_bytes(bytes_like(chance, text.encode()))
        race = survives(lambda: iom.load(path))
        data = None if race is None else tomllib.loads(path.read_text(encoding="utf-8-sig"))
    else:
        data = plain_like(chance, tomllib.loads(text))
        race = survives(lambda: build(data, "file") if isinstance(data, dict) else iom.Scenario.model_validate(data))
    if race is None:
        return
    names_stand(race, data)
    with warnings.catch_warnings(action="ignore"):
        again = iom.loads(dumps(race))
    assert again == race
    assert again.hash == race.hash
    assert survives(lambda: str(race)) != ""
    survives(
        lambda: iom.forecast(race, runs=8, seed=1, assumptions=chance.choice(("fixed", 4)), progress=False).answer()
    )


@lengths()
def test_scenarios(numbers: range, tmp_path: Path) -> None:
    each(numbers, case, tmp_path)
