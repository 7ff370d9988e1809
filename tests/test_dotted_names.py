# ruff: noqa: E501 - tables of what was got and what is said, one case a line
"""Names that hold a full stop: they are never taken apart, whatever is asked."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.charts.report import rerun
from iomsim.charts.sliders import sliders
from iomsim.cli import main
from iomsim.engine import paths
from iomsim.engine.simulate import is_early, simulate
from iomsim.model.parameters import describe_parameter, resolve
from iomsim.model.scenario import Scenario

TEXT = """
title = "Names with full stops"
electorate.table = [
    {name = "St. Kitts", "v1.5" = 1}, {name = "St. Lucia", "v1.5" = 0}, {name = "D.R. Congo", "v1.5" = 1},
    {name = "M. 4", "v1.5" = 0}, {name = "M. 5", "v1.5" = 1}, {name = "M. 6", "v1.5" = 0}, {name = "M. 7", "v1.5" = 1},
]
candidates = [{name = "Dr. No"}, {name = "Martin King Jr."}]

[[sponsors]]
name = "U.S."
backs = "Dr. No"
strength = {value = 0.5, low = 0.1, high = 0.9}
exposure = {all = 1.0, "v1.5" = 0.5, "name=M. 4" = 0.25}

[[sponsors]]
name = "U.K. et al."
backs = "Martin King Jr."
strength = {value = 0.4, low = 0.1, high = 0.9}

[[ties]]
name = "No. 1"
who = "v1.5"
candidate = "Martin King Jr."
log_odds = {value = 0.1, low = 0.0, high = 0.2}
"""
STRENGTH, OTHER, SELECTOR = (
    "sponsors.U.S..strength",
    "sponsors.U.K. et al..strength",
    "sponsors.U.S..exposure.name=M. 4",
)

NAMED = {
    STRENGTH: "U.S.'s strength",
    "sponsors.U.S..spread": "how unevenly U.S.'s pressure works",
    "sponsors.U.S..exposure.v1.5": "exposure of 'v1.5' to U.S.",
    SELECTOR: "exposure of 'name=M. 4' to U.S.",
    OTHER: "U.K. et al.'s strength",
    "candidates.Dr. No.appeal": "Dr. No's appeal",
    "candidates.Martin King Jr..appeal": "Martin King Jr.'s appeal",
    "ties.No. 1.log_odds": "loyalty to Martin King Jr. (No. 1)",
}


@pytest.fixture(scope="module")
def race() -> Scenario:
    return iom.loads(TEXT)


# -- paths ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NAMED)
def test_a_path_is_a_name(race: Scenario, path: str) -> None:
    assert path in race.parameters()
    assert path in race.plan.values
    assert path in race.evidence().index
    assert resolve(race, path) == path
    assert describe_parameter(race, path) == NAMED[path]
    assert resolve(race, NAMED[path]) == path
    changed = race.with_parameters({path: 0.255})
    assert {path for path, q in changed.parameters().items() if q.value == 0.255} == {path}
    assert changed.hash == race.hash_with({path: 0.255})
    assert is_early(path)


def test_paths_are_those_of_the_plan(race: Scenario) -> None:
    plan = race.plan
    read = {*plan.appeals, *plan.strengths, *plan.spreads, *(tie.log_odds for tie in plan.ties)}
    read |= {term.weight for terms in plan.exposures for term in terms}
    read |= {paths.behaviour(field) for field in vars(plan.behaviour)}
    read |= {paths.clock(field) for field in vars(plan.pace)}
    assert read == set(race.parameters())


def test_short_names(race: Scenario) -> None:
    short = {"U.S.": STRENGTH, "U.K. et al.": OTHER, "Dr. No": "candidates.Dr. No.appeal"}
    assert {name: resolve(race, name) for name in short} == short
    with pytest.raises(iom.UnknownNameError, match=re.escape("no parameter named 'U.S'; did you mean 'U.S.'?")):
        resolve(race, "U.S")
    with pytest.raises(iom.UnknownNameError, match=re.escape(f"did you mean '{STRENGTH}'?")):
        race.with_parameters({"sponsors.U.S.strength": 0.5})


def test_a_name_that_means_two_parameters_is_refused() -> None:
    race = iom.loads(TEXT.replace('name = "U.K. et al."', 'name = "Dr. No"'))
    said = "'Dr. No' can mean sponsors.Dr. No.strength or candidates.Dr. No.appeal; write which"
    with pytest.raises(iom.ScenarioError, match=re.escape(said)):
        resolve(race, "Dr. No")
    assert resolve(race, "sponsors.Dr. No.strength") == "sponsors.Dr. No.strength"


def test_names_whose_paths_begin_alike_are_told_apart() -> None:
    race = iom.loads(TEXT.replace("U.K. et al.", "U.S..strength"))
    changed = race.with_parameters({"sponsors.U.S..strength.strength": 0.8, STRENGTH: 0.3})
    assert (changed.sponsor("U.S.").strength.value, changed.sponsor("U.S..strength").strength.value) == (0.3, 0.8)
    assert resolve(race, "U.S..strength") == "sponsors.U.S..strength.strength"


def test_names_whose_paths_are_the_same_are_refused() -> None:
    twice = TEXT.replace("U.K. et al.", "U.S..exposure.name=M. 4").replace(
        '"name=M. 4" = 0.25', '"name=M. 4.strength" = 1'
    )
    twice = twice.replace('{name = "M. 4"', '{name = "M. 4.strength"')
    said = (
        "exposure of 'name=M. 4.strength' to U.S. and U.S..exposure.name=M. 4's strength would both be called "
        "sponsors.U.S..exposure.name=M. 4.strength; change one of the names"
    )
    with pytest.raises(iom.ScenarioError, match=re.escape(said)):
        iom.loads(twice)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{value = 0.5, low = 0.1, high = 0.9}", "-0.5", "sponsors.U.S..strength must be between 0 and 1e6, got -0.5"),
        ("value = 0.5, low = 0.1", "value = 0.5, low = 2", "sponsors.U.S..strength: low <= value <= high must hold"),
        ("low = 0.1, high = 0.9}\nexp", "low = 0.1, hgh = 0.9}\nexp", "unknown key 'sponsors.U.S..strength.hgh'; did you mean 'high'?"),
        ('"v1.5" = 0.5', '"v1.5" = "x"', "sponsors.U.S..exposure.v1.5 must be a number, or a table with value, low and high, got 'x'"),
        ('"v1.5" = 0.5', '"v1.6" = 0.5', "sponsor 'U.S.': no column 'v1.6' in the member table"),
        ('"Dr. No"}', '"Dr. No", appeal = true}', "candidates.Dr. No.appeal must be a number, or a table with value, low and high, got True"),
        ("strength = {value = 0.5, low = 0.1, high = 0.9}", "", "'sponsors.U.S..strength' is missing"),
    ],
)  # fmt: skip
def test_what_is_refused_is_called_by_its_path(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(iom.ScenarioError, match=re.escape(said)):
        iom.loads(TEXT.replace(old, new, 1))


def test_values_out_of_bounds_are_called_by_their_path(race: Scenario) -> None:
    with pytest.raises(iom.ScenarioError, match=re.escape(f"{STRENGTH} must be between 0 and 1e6, got -1")):
        race.with_pressure(**{"U.S.": -1})


# -- files ----------------------------------------------------------------------------------------------------


def test_it_is_written_and_read_back(race: Scenario, tmp_path: Path) -> None:
    changed = race.with_parameters(dict.fromkeys(NAMED, 0.125))
    changed.save(tmp_path / "dots.toml")
    back = iom.load(tmp_path / "dots.toml")
    assert back == changed
    assert list(back.parameters()) == list(race.parameters())


def test_a_forecast_is_saved_and_opened(race: Scenario, tmp_path: Path) -> None:
    fc = iom.forecast(race, runs=1000, seed=1, progress=False)
    fc.save(tmp_path / "fc.npz")
    back = iom.open_forecast(tmp_path / "fc.npz")
    assert back.race == race
    pd.testing.assert_frame_equal(back.summary.ends, fc.summary.ends)
    pd.testing.assert_frame_equal(back.win_probability(), fc.win_probability())


@pytest.mark.slow
def test_a_report_is_made_again(race: Scenario, tmp_path: Path) -> None:
    fc = iom.forecast(race, runs=1000, seed=1, progress=False)
    again, same = rerun(iom.report(fc, tmp_path / "report.html"))
    assert same
    assert again.race.hash == race.hash


# -- what is asked --------------------------------------------------------------------------------------------


def test_values_of_many_points_go_by_path(race: Scenario) -> None:
    points = {path: np.array([[q], [0.3]]) for path, q in ((p, race.parameters()[p].value) for p in NAMED)}
    played = simulate(race.plan, points, 100, 1)
    alone = simulate(race.with_parameters(dict.fromkeys(NAMED, 0.3)).plan, {}, 100, 1)
    assert (played.winner[100:] == alone.winner).all()
    assert (played.minute[100:] == alone.minute).all()


def test_a_tornado(race: Scenario) -> None:
    asked = ["U.S.", "loyalty to Martin King Jr. (No. 1)", "conviction"]
    bars = iom.tornado(race, parameters=asked, rules=False, runs=2000, seed=1, progress=False)
    assert set(bars.table().index) == {STRENGTH, "ties.No. 1.log_odds", "behaviour.conviction"}
    data = bars.plot.tornado_data()
    assert set(data.index) > {STRENGTH}
    assert dict(data["name"]).items() <= (NAMED | {"behaviour.conviction": "spread of convictions"}).items()
    labels = [label.get_text().replace("\n", " ") for label in bars.plot.tornado().get_yticklabels()]
    assert labels == list(data["name"])
    assert "U.S.'s strength" in bars.sentence()


def test_indices(race: Scenario) -> None:
    found = iom.sobol(race, parameters=["U.S.", "U.K. et al."], samples=4, runs=20, seed=1, progress=False)
    assert set(found.table().index) == {STRENGTH, OTHER}
    assert set(found.plot.sobol_data()["name"]) == {NAMED[STRENGTH], NAMED[OTHER]}


def test_a_grid_and_its_chart(race: Scenario) -> None:
    axes = {"U.S.": [0.1, 0.9], OTHER: [0.1, 0.9]}
    cells = iom.grid(race, runs=50, seed=1, progress=False, **axes)
    assert cells.paths == (STRENGTH, OTHER)
    assert "U.S.'s strength from 0.1 to 0.9 and U.K. et al.'s strength from 0.1 to 0.9" in cells.sentence()
    axes = cells.plot.pressure_grid().axes
    assert any("U.S.'s strength" in ax.get_xlabel() for ax in axes)
    assert any("U.K. et al.'s strength" in ax.get_ylabel() for ax in axes)


def test_ways_to_a_goal(race: Scenario) -> None:
    ways = iom.paths_to(race, "Martin King Jr.", 0.9, runs=50, seed=1, progress=False)
    assert set(ways.table().index[:2]) == {STRENGTH, OTHER}
    assert all(NAMED[path] in ways.sentence() for path in (STRENGTH, OTHER))


def test_what_sets_two_scenarios_apart(race: Scenario) -> None:
    side = iom.compare(race, race.with_pressure(**{"U.S.": 0.0, "U.K. et al.": 0.7}), runs=50, seed=1, progress=False)
    assert "without U.S.'s pressure" in side.sentence()
    assert "U.K. et al.'s strength at 0.7 instead of 0.4" in side.sentence()


def test_sliders(race: Scenario) -> None:
    panel = sliders(race, points=2, runs=20, seed=1, progress=False)
    assert set(panel.at(**{"U.S.": 0.9})) >= {"Dr. No", "Martin King Jr."}


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "dots.toml"
    file.write_text(TEXT, encoding="utf-8")
    rest = ["--scenario", str(file), "--runs", "20", "--set", f"{SELECTOR}=0.5", "--set", "U.K. et al.=0.6"]
    assert main(["grid", "U.S.=0:1:2", *rest]) == 0
    said = capsys.readouterr().out
    assert "U.S.'s strength from 0 to 1" in said


# -- the one place --------------------------------------------------------------------------------------------

WRITTEN = re.compile(r"f[\"'](?:sponsors|candidates|ties|behaviour|clock|level)\.\{")
TAKEN_APART = re.compile(r"\.r?split\([\"']\.[\"']|\.r?partition\([\"']\.[\"']\)|[\"']\.[\"']\.join")
ELSEWHERE = {"charts/fonts.py", "engine/paths.py", "forecasting/archive.py", "model/bodies.py", "validation/data.py"}
"""Beside the one place, files where full stops stand in other things: versions, names of arrays, keys of a body, decimals."""


def test_paths_are_written_and_read_in_one_place() -> None:
    package = Path(iom.__file__).parent
    found = [
        f"{file.relative_to(package)}: {line.strip()}"
        for file in sorted(package.rglob("*.py"))
        if file.relative_to(package).as_posix() not in ELSEWHERE
        for line in file.read_text(encoding="utf-8").splitlines()
        if (WRITTEN.search(line) or TAKEN_APART.search(line)) and ">>>" not in line
    ]
    assert not found
