"""Are the published numbers still the same, bit for bit?

Computes the tables of the public API for fixed seeds and small sizes, writes them to a file, and
compares them with such a file later:

    python published_numbers.py write FILE
    python published_numbers.py check FILE

``--only NAME,...`` takes those entries whose name begins so.  ``check`` says for every entry whether
it is equal, and if not, in which of its leaves and by how much; it exits with 1 if any entry differs.
``--words-may-differ`` lets wording and labels change: only other numbers count then.

The file is good for one kind of machine: write it where it will be checked, with the versions of
packages and the processor that it names, or the last digits of some entries differ for that alone.

Nothing is rounded: a float is written with all its digits (``repr``), an array or a long table as
the SHA-256 of its bytes.  Sentences stand apart from numbers, under ``texts``.  If names of the
library change, only the section "Names of the library" has to follow.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import platform
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import iomsim as iom
from iomsim.model.bodies import readings
from iomsim.validation.synthetic import synthetic_contests

Found = tuple[Any, Any]
"""What an entry finds: its numbers, and its texts."""

# -- Names of the library: all that may be called otherwise one day ------------------------------


def part(thing: Any, *names: str) -> Any:
    """Return the first attribute that is there, of several names that it has had, the newest first."""
    for name in names:
        if hasattr(thing, name):
            return getattr(thing, name)
    raise AttributeError(f"{thing!r:.60} has none of {', '.join(names)}")


def quiet(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call what shows a bar, without it."""
    return function(*args, progress=False, **options)


def forecast_of(race: Any, **options: Any) -> Any:
    return quiet(iom.forecast, race, **options)


def night_of(race: Any, particles: int, seed: int) -> Any:
    return iom.live(race, particles=particles, seed=seed)


def tornado_of(race: Any, target: str | None = None, **options: Any) -> Any:
    return quiet(iom.tornado, race, target, **options)


def grid_of(race: Any, **options: Any) -> Any:
    return quiet(iom.grid, race, **options)


def sobol_of(race: Any, target: str | None = None, **options: Any) -> Any:
    return quiet(iom.sobol, race, target, **options)


def pivotal_of(race: Any, name: str | None = None, **options: Any) -> Any:
    return quiet(iom.pivotal, race, name, **options)


def comparison_of(a: Any, b: Any, **options: Any) -> Any:
    return quiet(iom.compare, a, b, **options)


def side_by_side_of(races: Mapping[str, Any], **options: Any) -> Any:
    return quiet(iom.side_by_side, races, **options)


def paths_of(race: Any, name: str, chance: float, **options: Any) -> Any:
    return quiet(iom.paths_to, race, name, chance, **options)


def study_by(way: str) -> Callable[..., Any]:
    """Return one of the ways to make a study: "grid", "sample" or "of"."""
    return part(iom.Study, way)


def study_rows(study: Any, **options: Any) -> pd.DataFrame:
    return quiet(study.run, **options)


def race_of(fc: Any) -> Any:
    return part(fc, "race", "scenario")


def tie_of(name: str, who: tuple[str, ...], candidate: str, log_odds: float) -> Any:
    return iom.Tie(name=name, who=who, candidate=candidate, log_odds=log_odds)


def opens_of(race: Any) -> datetime:
    return race.clock.opens


def outcomes_of(fc: Any) -> dict[str, np.ndarray]:
    """Return every array of the runs by its name."""
    out = part(fc, "all_outcomes", "outcomes")
    return {name: getattr(out, name) for name in OUTCOMES}


def runs_table_of(fc: Any) -> pd.DataFrame:
    return part(fc, "runs", "runs_table")


def tallies_table_of(fc: Any) -> pd.DataFrame:
    return part(fc, "tallies", "tallies_table")


def chart_data_of(thing: Any) -> dict[str, Any]:
    """Return the numbers of every chart of a thing."""
    plots = thing.plot
    return {name: getattr(plots, name)() for name in sorted(dir(plots)) if name.endswith("_data")}


OUTCOMES = ("winner", "ending", "rounds", "minute", "present", "votes", "valid", "flows", "draw")

# -- Plain data ----------------------------------------------------------------------------------

LONGEST = 100
"""Numbers of an array that are written out; of a longer one the SHA-256 is kept."""


def plain(value: Any) -> Any:
    """Return a result as what JSON can hold, losing nothing."""
    if isinstance(value, pd.DataFrame):
        columns = [value.iloc[:, i] for i in range(value.shape[1])]
        return {
            "columns": plain(list(value.columns)),
            "index": plain(list(value.index)),
            "dtypes": [str(column.dtype) for column in columns],
            "data": [plain(column.tolist()) for column in columns],
        }
    if isinstance(value, pd.Series):
        return {"index": plain(list(value.index)), "dtype": str(value.dtype), "data": plain(value.tolist())}
    if isinstance(value, np.ndarray):
        return plain(value.tolist()) if value.size <= LONGEST else digest(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(held) for held in value]
    return leaf(value)


def leaf(value: Any) -> Any:
    """Return a single value as what JSON can hold."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (str, Fraction)):
        return str(value)
    raise TypeError(f"no plain form of {type(value).__name__}: {value!r:.80}")


def digest(value: Any) -> str:
    """Return the SHA-256 of a text, of an array with its dtype and shape, or of a table."""
    if isinstance(value, pd.DataFrame):
        return digest(json.dumps(plain(value)))
    if isinstance(value, str):
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    array = np.ascontiguousarray(value)
    if array.dtype.hasobject:
        raise TypeError("the bytes of an array of objects are addresses, which no two processes share")
    return f"sha256:{hashlib.sha256(array.tobytes()).hexdigest()} {array.dtype.str} {array.shape}"


def column_digests(table: pd.DataFrame) -> dict[str, Any]:
    """Return the SHA-256 of every column of a long table."""
    out: dict[str, Any] = {"rows": len(table)}
    for name, column in table.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            out[str(name)] = {"categories": plain(list(column.cat.categories)), "codes": digest(column.cat.codes)}
        elif column.dtype.kind == "M":
            out[str(name)] = {"dtype": str(column.dtype), "moments": digest(column.to_numpy().view(np.int64))}
        elif column.dtype.kind in "biuf":
            out[str(name)] = digest(column.to_numpy())
        else:
            out[str(name)] = digest(json.dumps(plain(column.tolist())))
    return out


# -- Elections -----------------------------------------------------------------------------------


@cache
def shipped(name: str) -> Any:
    return iom.load(name)


@cache
def geneva() -> Any:
    return shipped("geneva-2023")


@cache
def four() -> Any:
    """Return four candidates in a small council, with everything in it that a scenario can have."""
    rows = [
        f'{{ name = "M{i}", region = "{REGIONS[i % 3]}", coast = {str(i % 5 == 0).lower()}, weight = {i % 4} }}'
        for i in range(1, 62)
    ]
    return iom.loads(FOUR.replace("ROWS", ",\n    ".join(rows)))


REGIONS = ("north", "south", "east")

FOUR = """
title = "A council of four"

[electorate]
group = "region"
own_groups = { "the coast" = "coast" }
without_vote = ["M60", "M61"]
pinned = { Ada = ["M1", "M2"], Bo = ["M3"], Dee = ["M4"] }
table = [
    ROWS
]

[[candidates]]
name = "Ada"
appeal = { value = 0.30, low = 0.0, high = 0.6 }

[[candidates]]
name = "Bo"
appeal = { value = 0.15, low = -0.2, high = 0.5 }

[[candidates]]
name = "Cy"

[[candidates]]
name = "Dee"
appeal = -0.2

[[sponsors]]
name = "Upland"
backs = "Ada"
strength = { value = 0.7, low = 0.2, high = 1.2 }
spread = 0.5
exposure = { "not coast" = 1.0, "region=north" = { value = 0.8, low = 0.2, high = 1.5 } }

[[sponsors]]
name = "Harbour"
backs = "Cy"
strength = { value = 0.5, low = 0.1, high = 0.9 }
exposure = { "coast" = 2.0, "region=south" = 0.5 }

[[ties]]
name = "southern accord"
who = "region=south and not coast"
candidate = "Bo"
log_odds = { value = 0.8, low = 0.2, high = 1.4 }

[[ties]]
name = "old friends"
who = ["M10", "M11", "M12"]
candidate = "Dee"
log_odds = 2.0

[rules]
name = "of the council"
base = "present"
withdrawal = "vote"
phases = [
    { name = "all", standing = 3, ballots = 2 },
    { name = "three", standing = 3, field = "all but the last", ballots = 2 },
    { name = "two", field = "all but the last", ballots = 4 },
    { name = "alone", vote = "yes-no", ballots = 1, base = "valid" },
]
after = "fail"
max_rounds = 25

[behaviour]
secrecy = { value = 0.5, low = 0.2, high = 0.8 }
absent = 0.08
abstain = 0.04
overnight = { value = 0.3, low = 0.0, high = 0.5 }
concede_a = 1.5
concede_b = 4.0

[clock]
opens = 2024-03-07T10:30:00
days = ["Mon", "Tue", "Thu", "Fri"]
sittings = [[10:00:00, 12:30:00], [14:30:00, 17:00:00]]
closed = [2024-03-11]
sits_on_until = 19:00:00
round_minutes = 55
sits_on = 0.4
consultation = { value = 45, low = 0, high = 120 }
"""


@cache
def eight() -> Any:
    """Return eight candidates in an electorate without groups."""
    stand = ", ".join(f'{{ name = "{name}", appeal = {0.1 * (i - 3.5):.2f} }}' for i, name in enumerate("ABCDEFGH"))
    return iom.loads(
        f'title = "A field of eight"\nelectorate.size = 45\ncandidates = [{stand}]\n'
        'rules = { name = "of eight", threshold = ">1/2", base = "entitled", concession = true, eliminate_after = 3 }'
    )


# -- What is told of a thing ---------------------------------------------------------------------


def said(fc: Any, outcomes: bool = True, rule_sets: bool = True) -> Found:
    """Return all that a forecast says."""
    opening = opens_of(race_of(fc)).date()
    numbers = {
        "scenario": race_of(fc).hash,
        "runs": len(fc),
        "win_probability": fc.win_probability(),
        "rounds": fc.rounds(),
        "endings": fc.endings(),
        "decided_at": fc.decided_at(),
        "spill": fc.spill(),
        "spill to later days": [fc.spill(opening + timedelta(days=days)) for days in (1, 2, 4)],
        "median_rounds": fc.median_rounds(),
    }
    if rule_sets:
        numbers["rule_sets"] = fc.rule_sets()
    if outcomes:
        numbers["outcomes"] = {name: digest(array) for name, array in outcomes_of(fc).items()}
        numbers["table of runs"] = column_digests(runs_table_of(fc))
        numbers["table of tallies"] = column_digests(tallies_table_of(fc))
    if not rule_sets:
        return numbers, {}
    return numbers, {"answer": fc.answer(), "headline": fc.headline(), "detail": fc.answer(detail=True)}


def found(thing: Any, **further: Any) -> Found:
    """Return the table and the sentence of a what-if, and further numbers."""
    return {"table": thing.table(), **further}, {"sentence": thing.sentence()}


def together(parts: Mapping[str, Found]) -> Found:
    """Return several findings as one."""
    numbers, texts = ({name: pair[i] for name, pair in parts.items()} for i in (0, 1))
    return numbers, {name: text for name, text in texts.items() if text}


def lived(race: Any, particles: int, seed: int, lines: list[str]) -> Found:
    """Return what an election day says after every line that is announced."""
    night = night_of(race, particles, seed)
    steps = {"before": night_says(night, "")}
    for number, line in enumerate(lines, 1):
        steps[f"{number}: {line}"] = night_says(night, str(night.tell(line)))
    numbers, texts = together(steps)
    return {"history": night.history(), "charts": chart_data_of(night), "steps": numbers}, texts


def night_says(night: Any, report: str) -> Found:
    fc = night.forecast()
    numbers, texts = said(fc)
    numbers |= {"learned": night.learned(), "effective size": night.effective_size}
    texts |= {"report": report, "needed": night.needed()}
    if not fc.certain:
        for name in (None, race_of(fc).names[-1]):
            coming = night.what_next(name)
            numbers[f"what_next {name}"] = {
                "table": coming.table(),
                "tally": coming.tally(),
                "turning point": coming.turning_point(),
                "chances": [coming.held, coming.decides, coming.elects, coming.alone],
            }
            texts[f"what_next {name}"] = str(coming)
    return numbers, texts


# -- Entries -------------------------------------------------------------------------------------

ENTRIES: dict[str, Callable[[], Found]] = {}


def entry(name: str) -> Callable[[Callable[[], Found]], Callable[[], Found]]:
    """Make a function an entry."""

    def add(function: Callable[[], Found]) -> Callable[[], Found]:
        ENTRIES[name] = function
        return function

    return add


@cache
def geneva_forecast() -> Any:
    return forecast_of(geneva(), runs=8_000, seed=2023)


@cache
def four_forecast() -> Any:
    return forecast_of(four(), runs=4_000, seed=4)


@entry("forecast geneva-2023")
def _() -> Found:
    return said(geneva_forecast())


@entry("forecast iom-2018")
def _() -> Found:
    return said(forecast_of(shipped("iom-2018"), runs=4_000, seed=2018))


@entry("forecast minimal")
def _() -> Found:
    return said(forecast_of(shipped("minimal"), runs=2_000, seed=1))


@entry("forecast four candidates")
def _() -> Found:
    return said(four_forecast())


@entry("forecast eight candidates")
def _() -> Found:
    return said(forecast_of(eight(), runs=1_000, seed=8))


@entry("forecast under other rules")
def _() -> Found:
    races = {
        "four-rounds": geneva().with_rules("four-rounds"),
        "four-rounds, confirmed": geneva().with_rules("four-rounds", after_concession="confirmation"),
        "one-two-way": geneva().with_rules("one-two-way"),
        "strict, at most six": geneva().with_rules("strict", max_rounds=6),
        "three fifths of the entitled": geneva().with_rules(threshold="3/5", base="entitled"),
        "half from the third": geneva().with_rules(simple_majority_from=3),
        "three candidates, two-way limit": shipped("iom-2018").with_rules("four-rounds", eliminate_after=1),
        "three candidates, no elimination": shipped("iom-2018").with_rules(eliminate_after=None, max_rounds=12),
    }
    forecasts = {name: forecast_of(race, runs=1_500, seed=7) for name, race in races.items()}
    return together({name: said(fc, rule_sets=False) for name, fc in forecasts.items()})


@entry("forecast as in the readme")
def _() -> Found:
    return said(forecast_of(geneva(), runs=100_000, seed=2023, keep="summary"), outcomes=False)


@entry("forecast until precise")
def _() -> Found:
    fc = forecast_of(four(), precision=0.008, target="spill", seed=3)
    numbers, _ = said(fc, rule_sets=False)
    return numbers, {"stopped": fc.stopped}


@entry("forecast on the best guesses")
def _() -> Found:
    races = {"geneva-2023": geneva(), "iom-2018": shipped("iom-2018"), "four": four()}
    return together({name: said(forecast_of(race, runs=3_000, seed=5, assumptions="fixed"))
                     for name, race in races.items()})  # fmt: skip


@entry("draws of the assumptions")
def _() -> Found:
    races = {"geneva-2023": geneva(), "in public": geneva().with_behaviour(secrecy=0), "four": four()}
    draws = {name: forecast_of(race, runs=400, seed=6) for name, race in races.items()}
    solved = {
        name: {path: digest(values) for path, values in fc.draws.parameters.items()} for name, fc in draws.items()
    }
    return {name: [column_digests(fc.assumptions), solved[name]] for name, fc in draws.items()}, {}


@entry("drivers")
def _() -> Found:
    found = {str(target): geneva_forecast().drivers(target) for target in (None, "Tuesday", "no winner", "rounds")}
    numbers = {name: drivers.table() for name, drivers in found.items()}
    return numbers, {name: drivers.sentence() for name, drivers in found.items()}


@entry("chances of events")
def _() -> Found:
    fc = geneva_forecast()
    asked = {
        "second round on Monday": {"winner": "Pope", "round": 2, "day": "Monday"},
        "in the afternoon": {"winner": "Vitorino", "between": ("15:00", "18:00"), "day": "Monday"},
        "by majority": {"ending": "majority"},
        "if it runs into Tuesday": {"winner": "Pope", "given": {"day": "Tuesday"}},
    }
    return {name: fc.probability(**event) for name, event in asked.items()}, {}


@entry("forecast saved and opened")
def _() -> Found:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forecast.npz"
        four_forecast().save(path)
        return said(iom.open_forecast(path))


@entry("charts of forecasts")
def _() -> Found:
    forecasts = {"geneva-2023": geneva_forecast(), "four": four_forecast()}
    return {name: chart_data_of(fc) for name, fc in forecasts.items()}, {}


@entry("tornado")
def _() -> Found:
    bars = tornado_of(geneva(), "Tuesday", runs=400, seed=11)
    targets = ("Pope", "no winner", "rounds")
    numbers, texts = found(bars, rule_sets=bars.rule_sets(), span=bars.span(), charts=chart_data_of(bars))
    numbers |= {target: [bars.table(target), bars.rule_sets(target), bars.span(target)] for target in targets}
    return numbers, texts | {target: bars.sentence(target) for target in targets}


@entry("tornado of four candidates")
def _() -> Found:
    bars = tornado_of(four(), runs=300, seed=12)
    return found(bars, spill=bars.table("spill"))


@entry("grid")
def _() -> Found:
    cells = grid_of(
        geneva(), secrecy=[0.0, 0.25, 0.5, 0.75, 1.0], Washington=[0.0, 0.3, 0.6, 0.9, 1.2], runs=300, seed=13
    )
    further = {"surface": cells.surface("spill"), "errors": cells.errors(), "base": cells.base}
    return found(cells, **further, charts=chart_data_of(cells))


@entry("grid along the clock")
def _() -> Found:
    return found(grid_of(four(), consultation=[0, 30, 90], runs=300, seed=14))


@entry("sobol")
def _() -> Found:
    names = ["secrecy", "Washington", "fluid", "round_minutes", "sits_on", "concede_b"]
    shares = sobol_of(geneva(), "spill", parameters=names, samples=16, runs=100, seed=15)
    return found(shares, charts=chart_data_of(shares))


@entry("sobol with ranges given")
def _() -> Found:
    ranges = {"overnight": (0.0, 0.6), "consultation": (0, 180), "Upland": (0.0, 1.5)}
    return found(sobol_of(four(), "rounds", parameters=ranges, samples=8, runs=60, seed=16))


@entry("pivotal")
def _() -> Found:
    calls = pivotal_of(geneva(), runs=20_000, checked=3, checked_runs=500, seed=17)
    return found(calls, rivals=calls.rivals(), groups=calls.by_group(), charts=chart_data_of(calls))


@entry("pivotal of four candidates")
def _() -> Found:
    return found(pivotal_of(four(), "Cy", runs=3_000, checked=2, checked_runs=300, seed=18))


@entry("compare")
def _() -> Found:
    two = comparison_of(geneva(), geneva().with_pressure(Washington=0), runs=3_000, seed=19)
    numbers, texts = found(two, variance_ratio=two.variance_ratio())
    return numbers, texts | {"changes": two.changes()}


@entry("side_by_side")
def _() -> Found:
    variants = {
        "as it is": geneva(),
        "in public": geneva().with_behaviour(secrecy=0),
        "strict": geneva().with_rules("strict"),
        "slow": geneva().with_clock(round_minutes=90, consultation=60),
    }
    beside = side_by_side_of(variants, runs=1_500, seed=20)
    return found(beside, charts=chart_data_of(beside))


@entry("changed copies")
def _() -> Found:
    race = four()
    copies = {
        "openness": race.with_behaviour(openness=0.3, momentum=1.0),
        "pinned": race.with_pinned(Cy=["M20", "M21"], Dee="M22"),
        "tied": race.with_ties(tie_of("new friends", ("M30", "M31"), "Cy", 1.2)),
        "closed": race.with_clock(closed=(date(2024, 3, 8),), sits_on=0.0),
        "by path": race.with_parameters({"ties.old friends.log_odds": 0.5, "sponsors.Upland.exposure.not coast": 2.0}),
    }
    numbers = {name: said(forecast_of(copy, runs=600, seed=21), rule_sets=False)[0] for name, copy in copies.items()}
    return numbers, {}


@entry("paths_to")
def _() -> Found:
    return found(paths_of(geneva(), "Vitorino", 0.55, runs=400, seed=22))


@entry("paths_to of four candidates")
def _() -> Found:
    return found(paths_of(four(), "Bo", 0.45, parameters={"secrecy": (0, 1), "Bo": (-0.5, 1.5)}, runs=200, seed=23))


@entry("study")
def _() -> Found:
    studies = {
        "grid": study_by("grid")(geneva(), Washington=[0.0, 0.6], fluid=[0.55, 0.88], round_minutes=[50, 90]),
        "sample": study_by("sample")(four(), 6, seed=24, parameters=["overnight", "Upland", "secrecy"]),
        "of": study_by("of")({"as it is": geneva(), "strict": geneva().with_rules("strict"), "minimal": geneva()}),
    }
    return {
        name: {"points": study.points, "rows": study_rows(study, runs=400, seed=25)} for name, study in studies.items()
    }, {}


@entry("balanced")
def _() -> Found:
    races = {
        "0.55": geneva().balanced(0.55),
        "three of four": four().balanced({"Ada": 0.35, "Bo": 0.25, "Dee": 0.15}),
        "two of eight": eight().balanced({"A": 0.2, "H": 0.2}),
    }
    numbers = {
        name: {
            "appeals": [race.plan.values[path] for path in race.plan.appeals],
            "scenario": race.hash,
            "win_probability": forecast_of(race, runs=500, seed=26).win_probability(),
        }
        for name, race in races.items()
    }
    return numbers, {}


# -- Election days -------------------------------------------------------------------------------


@entry("night geneva-2023")
def _() -> Found:
    lines = ["Pope=98 Vitorino=67 at 12:20", "Pope=104 Vitorino=60 at 16:10", "withdraw Vitorino at 17:00"]
    return lived(geneva(), 4_000, 2023, lines)


@entry("night half heard")
def _() -> Found:
    lines = ["Pope at least 85 valid=165", "go on at 12:40", "98-67 at 15:50", "undo", "adjourn until Tuesday 10:00"]
    return lived(geneva(), 2_000, 27, lines)


@entry("night iom-2018")
def _() -> Found:
    lines = ["65-51-27 at 11:40", "valid=143", "68-52-22", "77-66 at 17:10"]
    return lived(shipped("iom-2018"), 2_000, 2018, lines)


@entry("night under four-rounds")
def _() -> Found:
    lines = ["96-69 at 12:00", "99-66", "101-64 at 17:00", "confirm yes=120 no=44 at Tuesday 11:00"]
    return lived(geneva().with_rules("four-rounds"), 2_000, 28, lines)


@entry("night four candidates")
def _() -> Found:
    lines = [
        "Ada=18 Bo=13 Cy=12 Dee=9 at 12:00",
        "Ada=20 Bo=13 Cy=12 Dee=8 at 15:30",
        "adjourn until Friday 10:00",
        "Ada=22 Bo=16 Cy=14",
        "withdraw Cy",
        "Ada=27 Bo=25 at 15:00",
        "withdraw Bo",
        "confirm yes=41 no=11",
    ]
    return lived(four(), 1_500, 29, lines)


# -- Past contests -------------------------------------------------------------------------------


@cache
def small_fit() -> Any:
    return iom.fit(draws=400, seed=30)


def judged(test: Any) -> Found:
    numbers = {
        "table": test.table(),
        "forecasts": test.forecasts,
        "scores": test.scores,
        "skipped": test.skipped,
        "model scores": test.model_scores(),
        "by contest": test.by_contest(),
        "pits": test.pits,
        "ranks": test.ranks(),
        "events": {event: [test.reliability(event), test.decomposition(event)] for event in EVENTS},
        "said and came": {event: test.reliability_table(event) for event in EVENTS},
        "coverage": test.coverage(),
        "groups": {group: test.by(group) for group in test.groupings()},
        "losses": test.loses().rounds.drop(columns="why"),
    }
    return numbers, {"sentence": test.sentence(), "losses": test.loses().sentence()}


EVENTS = ("over next", "leader wins")


@entry("history")
def _() -> Found:
    past = iom.history()
    contests = {
        one.id: [one.size, one.started, one.rounds_total, one.decided_round, list(one.points), one.ending, one.winner]
        for one in iom.contests()
    }
    numbers = {name: plain_words(getattr(past, name)) for name in ("elections", "tallies")}
    alike = past.like(98, 67, bar="2/3", rounds="any")
    numbers |= {"contests": contests, "table": past.table(), "each": past.each(), "alike": alike.table()}
    return numbers, {"sentence": past.sentence(), "alike": alike.sentence()}


def plain_words(table: pd.DataFrame) -> Any:
    """Return the numbers of a table in full, and the SHA-256 of its words."""
    words = [column for column in table if not pd.api.types.is_numeric_dtype(table[column])]
    return {"numbers": table.drop(columns=words), "words": digest(table[words].astype(str))}


@entry("backtest")
def _() -> Found:
    return judged(iom.backtest(particles=300, seed=31))


@entry("backtest of what was fitted")
def _() -> Found:
    ids = ["UNSC2007-EEG", "UNSC2011-EEG", "UNSC2020-AF"]
    return judged(iom.backtest(ids, model=small_fit(), particles=300, seed=32))


@entry("fit")
def _() -> Found:
    fit = small_fit()
    numbers = {
        "table": fit.table(),
        "trade-offs": fit.trade_offs(),
        "by kind": fit.by_kind(),
        "left out": fit.left_out(),
        "effective": fit.effective,
        "draws": {
            name: digest(getattr(fit, name)) for name in ("scores", "log_proposal", "log_likelihoods", "weights")
        },
        "posterior": column_digests(fit.posterior),
        "scenario": fit.scenario(geneva()).hash,
    }
    return numbers, {"sentence": fit.sentence()}


@entry("backtest of version 0.1, without a camp, on the values alone")
def _() -> Found:
    return judged(iom.backtest(["WHO2017", "IAEA2019", "UNSC2020-AF"], model="0.1", particles=300, seed=34))


@entry("registered and scored")
def _() -> Found:
    with tempfile.TemporaryDirectory() as folder:
        told = quiet(iom.register, geneva(), Path(folder) / "it.toml", runs=4_000, seed=35)
        found = iom.score(told, winner="Pope", rounds=1, ended="16:35", first=[98, 67], market={"Pope": 0.55})
        numbers = {"law": dataclasses.asdict(told.law), "came": found.came(), "table": found.table()}
        return numbers, {"not known": list(told.not_known), "sentence": str(found.sentence())}


@entry("synthetic contests")
def _() -> Found:
    made = synthetic_contests(4, seed=33, candidates=3)
    return {one.id: [one.tallies, one.rounds_total, one.winner, one.ending] for one in made}, {}


# -- Descriptions --------------------------------------------------------------------------------


def described(race: Any) -> Found:
    evidence = race.evidence()
    again = iom.loads(iom.dumps(race))
    numbers = {
        "hash": race.hash,
        "hash after dumps and loads": again.hash,
        "parameters": {path: [q.value, q.low, q.high] for path, q in race.parameters().items()},
        "members": column_digests(race.members),
        "rules": race.rules.table(),
    }
    texts = {
        "evidence": digest(evidence),
        "dumps": digest(iom.dumps(race)),
        "dumps after loads": digest(iom.dumps(again)),
        "briefing": digest(repr(race)),
    }
    return numbers, texts


@entry("scenarios")
def _() -> Found:
    races = {name: shipped(name) for name in iom.catalogue().index} | {"four": four(), "eight": eight()}
    return together({name: described(race) for name, race in races.items()})


@entry("rule sets")
def _() -> Found:
    rules = {name: one.table() for name, one in readings().items()}
    needed = {name: [one.needed(base, 4) for base in range(1, 200)] for name, one in readings().items()}
    return {"rules": rules, "needed": needed}, {name: one.sentence(3) for name, one in readings().items()}


@entry("catalogue and facts")
def _() -> Found:
    return {}, {"catalogue": iom.catalogue(), "facts": digest(iom.facts()), "schema": digest(json.dumps(iom.schema()))}


# -- Writing and checking ------------------------------------------------------------------------


def made(name: str) -> dict[str, Any]:
    """Return the numbers and texts of an entry, as they come back from a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbers, texts = ENTRIES[name]()
    return json.loads(json.dumps({"numbers": plain(numbers), "texts": plain(texts)}))


def environment() -> dict[str, str]:
    """Return what else the last bits may depend on.

    NumPy has other loops for exp, log and sums on other processors.  Runs do not feel it; the weights of
    an election day, fits and a few other floats differ in their last digits.
    """
    packages = {name: version(name) for name in ("numpy", "scipy", "pandas", "pydantic")}
    loops = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    machine = f"{platform.machine()} {' '.join(loops)}"
    return {"iomsim": iom.__version__, "python": platform.python_version(), "machine": machine} | packages


def write(path: Path, names: list[str]) -> int:
    """Write the entries into a file; those that were not asked for stay as they are."""
    held = read(path) if path.exists() else {"numbers": {}, "texts": {}}
    for name in names:
        start = time.perf_counter()
        for section, content in made(name).items():
            held[section][name] = content
        print(f"{name:<34} {time.perf_counter() - start:6.2f} s", flush=True)
    order = [name for name in ENTRIES if name in held["numbers"]]
    head = f'{{"made with": {json.dumps(environment())}'
    sections = [
        f'"{section}": {{\n' + ",\n".join(f"{json.dumps(name)}: {compact(held[section][name])}" for name in order) + "}"
        for section in ("numbers", "texts")
    ]
    path.write_text(",\n".join([head, *sections]) + "}\n", encoding="utf-8")
    return 0


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def check(path: Path, names: list[str], words_may_differ: bool) -> int:
    """Compare the entries with a file; return 1 if any differs."""
    held = read(path)
    print(f"of iomsim {iom.__version__} in {Path(iom.__file__).parent}", flush=True)
    told = {key: f"{held['made with'].get(key)} then, {now} now" for key, now in environment().items()}
    other = [f"{key} {words}" for key, words in told.items() if held["made with"].get(key) != environment()[key]]
    print(*[f"note: {words}" for words in other], sep="\n", end="\n" * bool(other))
    differ = [name for name in names if not same(name, held, words_may_differ)]
    print(f"{len(names) - len(differ)} of {len(names)} entries are equal")
    return 1 if differ else 0


def same(name: str, held: Mapping[str, Any], words_may_differ: bool) -> bool:
    """Compare one entry and print the verdict."""
    if name not in held["numbers"]:
        print(f"{name:<34} is not in the file", flush=True)
        return False
    try:
        now = made(name)
    except Exception:
        print(f"{name:<34} FAILS: {traceback.format_exc(limit=-1).strip().splitlines()[-1]}", flush=True)
        return False
    verdicts = {section: compared(held[section][name], now[section]) for section in ("numbers", "texts")}
    wording = verdicts["texts"].equal or words_may_differ
    equal = wording and (verdicts["numbers"].equal or (words_may_differ and verdicts["numbers"].words_only))
    print(f"{name:<34} " + "; ".join(f"{section} {verdict}" for section, verdict in verdicts.items()), flush=True)
    return equal


@dataclasses.dataclass
class Verdict:
    """How two entries compare, leaf by leaf."""

    leaves: int = 0
    numbers: int = 0
    digests: int = 0
    words: int = 0
    largest: float = 0.0
    first: str = ""

    @property
    def equal(self) -> bool:
        return not self.numbers + self.words

    @property
    def words_only(self) -> bool:
        return not self.numbers

    def __str__(self) -> str:
        if self.equal:
            return "equal"
        share = (self.numbers + self.words) / self.leaves
        kind = "DIFFER" if self.numbers else "differ in words only"
        gap = f", largest difference {self.largest:.3g}" if self.numbers > self.digests else ""
        gap += f", {self.digests} digests" if self.digests else ""
        return f"{kind}: {100 * share:.2g} % of {self.leaves} leaves{gap}; first {self.first}"


def compared(old: Any, new: Any) -> Verdict:
    """Compare two pieces of plain data."""
    verdict = Verdict()
    for path, a, b in pairs(old, new):
        verdict.leaves += 1
        if type(a) is type(b) and repr(a) == repr(b):
            continue
        verdict.first = verdict.first or f"{path}: {a!r:.60} -> {b!r:.60}"
        if is_word(a) and is_word(b):
            verdict.words += 1
            continue
        verdict.numbers += 1
        verdict.digests += isinstance(a, str) and isinstance(b, str) and MISSING not in (a, b)
        if all(isinstance(x, (int, float)) for x in (a, b)):
            gap = abs(a - b)
            verdict.largest = max(verdict.largest, float("inf") if gap != gap else gap)
    return verdict


MISSING = "(missing)"


def pairs(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield every leaf of either of two pieces of plain data, beside that of the other."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from pairs(old.get(key, MISSING), new.get(key, MISSING), f"{path}/{key}")
    elif isinstance(old, list) and isinstance(new, list):
        for i in range(max(len(old), len(new))):
            yield from pairs(old[i] if i < len(old) else MISSING, new[i] if i < len(new) else MISSING, f"{path}/{i}")
    elif isinstance(old, (dict, list)) or isinstance(new, (dict, list)):
        # One has a part where the other has none: every leaf of it differs.
        there, first = (old, True) if isinstance(old, (dict, list)) else (new, False)
        yield path, *((compact(there), new) if first else (old, compact(there)))
    else:
        yield path, old, new


def is_word(value: Any) -> bool:
    """Say whether a leaf is wording: a text, but no digest of numbers."""
    return isinstance(value, str) and value != MISSING and not re.match(r"sha256:|[0-9a-f]{12}$|[\[{]", value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["write", "check", "list"])
    parser.add_argument("file", type=Path, nargs="?", default=Path("published_numbers.json"))
    parser.add_argument("--only", default="", metavar="NAME,...", help="entries whose name begins so")
    parser.add_argument("--words-may-differ", action="store_true", help="only other numbers count as a difference")
    given = parser.parse_args()
    wanted = tuple(part.strip() for part in given.only.split(",") if part.strip())
    names = [name for name in ENTRIES if not wanted or name.startswith(wanted)]
    if not names:
        parser.error(f"no entry begins with {given.only!r}; there are: {', '.join(ENTRIES)}")
    if given.what == "list":
        print(*names, sep="\n")
        return 0
    return write(given.file, names) if given.what == "write" else check(given.file, names, given.words_may_differ)


if __name__ == "__main__":
    sys.exit(main())
