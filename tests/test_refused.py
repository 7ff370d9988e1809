"""What is handed to the wrong place, or cannot be written, is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import iomsim as iom
from iomsim.charts import report

ASKERS: dict[str, Callable[[Any], Any]] = {
    "forecast": iom.forecast,
    "live": iom.live,
    "grid": lambda race: iom.grid(race, secrecy=[0.0]),
    "tornado": iom.tornado,
    "sobol": iom.sobol,
    "pivotal": iom.pivotal,
    "paths_to": lambda race: iom.paths_to(race, "A"),
    "dumps": iom.dumps,
    "a study": lambda race: iom.Study.grid(race, secrecy=[0.0]),
}


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    return iom.forecast(iom.load("minimal"), runs=50, seed=1, progress=False)


@pytest.mark.parametrize("asker", ASKERS)
def test_a_name_is_no_scenario(asker: str) -> None:
    with pytest.raises(iom.IomsimError, match=f"^{asker} takes a Scenario, got str; read one with iomsim.load$"):
        ASKERS[asker]("minimal")


def test_a_study_takes_scenarios() -> None:
    for make in (lambda x: iom.Study.sample(x, 2, 1), lambda x: iom.Study.of([x])):
        with pytest.raises(iom.IomsimError, match=r"^a study takes a Scenario, got int"):
            make(3)


def test_text_is_what_loads_takes() -> None:
    with pytest.raises(iom.IomsimError, match=r"^loads takes the text of a scenario, got PosixPath; load reads"):
        iom.loads(Path("x.toml"))  # type: ignore[arg-type]


def test_contests_are_a_list() -> None:
    with pytest.raises(iom.IomsimError, match=r"^contests must be ids or contests, got 3; "):
        iom.backtest(contests=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("hits", "runs"), [(0, 0), (5, 3), (-1, 3)])
def test_a_share_of_nothing(hits: int, runs: int) -> None:
    with pytest.raises(iom.IomsimError, match=f"^{hits} in {runs} runs is no share"):
        iom.Estimate.of(hits, runs)


def writers(fc: iom.Forecast, there: Path) -> list[Callable[[], Any]]:
    return [
        lambda: report.write(fc, there / "x.html"),
        lambda: fc.plot.save("rounds", there / "x.png"),
        lambda: fc.save(there / "x.npz"),
        lambda: fc.to_csv(there / "x"),
        lambda: fc.race.save(there / "x.toml"),
        lambda: iom.Study.of([fc.race]).run(runs=10, seed=1, folder=there / "x", progress=False),
    ]


@pytest.mark.parametrize("which", range(6))
def test_where_nothing_can_be_written(fc: iom.Forecast, tmp_path: Path, which: int) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(iom.FileError, match=r"^cannot write (into )?'.*': Not a directory$") as told:
        writers(fc, tmp_path / "file")[which]()
    assert str(told.value).count("file") == 1


def test_a_folder_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(iom.FileError, match=r"^cannot read '.*elections.csv': No such file or directory$"):
        iom.history(tmp_path)


@pytest.mark.parametrize("nearly", [0.667, "0.6667", 0.67, 0.6666])
def test_nearly_two_thirds_is_not_two_thirds(nearly: Any) -> None:
    with pytest.raises(iom.ScenarioError, match="is not two thirds and elects otherwise where it matters; write '2/3'"):
        iom.load("minimal").with_rules(threshold=nearly)


@pytest.mark.parametrize(
    ("written", "meant"), [(2 / 3, "2/3"), ("667/1000", "667/1000"), (0.66, "33/50"), (0.7, "7/10"), ("2/3", "2/3")]
)
def test_what_is_meant_is_taken(written: Any, meant: str) -> None:
    assert iom.load("minimal").with_rules(threshold=written).rules.threshold == Fraction(meant)


# -- past contests ----------------------------------------------------------------------------------

ELECTIONS = "election_id,year,rounds_total,decided_how,winner,threshold_share,electorate_size\n"
TALLIES = "election_id,round,candidate,votes\nX,1,Anna,80\nX,1,Bob,70\nX,2,Anna,110\nX,2,Bob,40\n"


def past(folder: Path, winner: str) -> Path:
    (folder / "elections.csv").write_text(f"{ELECTIONS}X,2000,2,majority,{winner},2/3,160\n")
    (folder / "tallies.csv").write_text(TALLIES)
    return folder


def test_who_had_the_votes_in_the_last_round_won(tmp_path: Path) -> None:
    with pytest.raises(iom.FileError, match=r"line 2: the winner is Bob, but Anna had the votes in round 2, the last$"):
        iom.history(past(tmp_path, "Bob"))
    assert iom.history(past(tmp_path, "Anna")).elections["winner"].tolist() == ["Anna"]
    assert iom.history(past(tmp_path, "Carl")).elections["winner"].tolist() == ["Carl"]  # perhaps a fuller name


def test_one_contest_is_told_in_the_singular(tmp_path: Path) -> None:
    test = iom.backtest(folder=past(tmp_path, "Anna"))
    assert test.sentence().startswith("Judged after 1 round of 1 past contest, ")
