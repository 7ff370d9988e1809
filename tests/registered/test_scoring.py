"""Scores of a registration, by hand; what came is refused if it cannot have; prices; the ledger."""

from __future__ import annotations

import csv
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import elect, toy

import iomsim as iom
from iomsim import files
from iomsim.errors import FileError, IomsimError, UnknownNameError
from iomsim.registered import scorebook as book
from iomsim.registered.earned import FORECAST, SCORES
from iomsim.registered.law import Ensemble, Law

EVE = datetime(2023, 5, 14, 18, tzinfo=UTC)
HALF = {"winner": "A", "rounds": 2, "ended": "2023-05-15 12:20"}


def registered(race: iom.Scenario, path: Path, **options: Any) -> iom.Registration:
    return iom.register(race, path, progress=False, **{"runs": 400, "seed": 4, "at": EVE, **options})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> iom.Registration:
    """Return a registration of three candidates, of which one can count the runs."""
    race = toy(names="ABC", rules="four-rounds", appeal=0.4, clock={"opens": "2023-05-15T10:00:00"})
    return registered(race, tmp_path_factory.mktemp("told") / "three.toml")


@pytest.fixture(scope="module")
def runs(told: iom.Registration) -> pd.DataFrame:
    return iom.forecast(told.race, 400, 4, progress=False).runs


def by_hand(law: Law, **changed: Any) -> Law:
    return Law(**(vars(law) | changed))


# -- by hand -----------------------------------------------------------------------------------------------


def test_every_score_is_what_the_runs_come_to(told: iom.Registration, runs: pd.DataFrame) -> None:
    found = iom.score(told, **HALF, ending="majority", share={"A": 0.42})
    own = found.table()[FORECAST]
    p = np.array([(runs["winner"] == name).mean() for name in "ABC"])
    failed, still = (runs["ending"] == "failed").mean(), (runs["ending"] == "open").mean()
    assert own["winner, log"] == pytest.approx(-math.log(p[0]))
    assert own["winner, Brier"] == pytest.approx((1 - p[0]) ** 2 + p[1] ** 2 + p[2] ** 2 + failed**2 + still**2)
    below = np.array([(runs["rounds"] <= r).mean() for r in range(10)])
    assert own["rounds, RPS"] == pytest.approx(((below - (np.arange(10) >= 2)) ** 2).sum())
    late = (runs["ended_at"] >= "2023-05-16").mean() + still
    assert own["next day, log"] == pytest.approx(-math.log(1 - late))
    assert own["next day, Brier"] == pytest.approx(late**2)
    assert own["ending, log"] == pytest.approx(-math.log((runs["ending"] == "majority").mean()))
    hours = (runs["ended_at"].fillna(pd.Timestamp(told.law.moment(told.law.latest))) - pd.Timestamp("2023-05-15")) / (
        pd.Timedelta(hours=1)
    )
    x, y = hours.to_numpy(), 12 + 20 / 60
    assert own["ended, CRPS"] == pytest.approx(np.abs(x - y).mean() - np.abs(x[:, None] - x).mean() / 2)
    tally = iom.forecast(told.race, 400, 4, progress=False).tallies.query("round == 1 and candidate == 'A'")
    s = 100 * tally["share"].to_numpy()
    crps = np.abs(s - 42).mean() - np.abs(s[:, None] - s).mean() / 2
    assert own["next tally, CRPS"] == pytest.approx(crps, abs=0.13)


def test_the_baselines_know_nothing(told: iom.Registration) -> None:
    table = iom.score(told, **HALF, first=[8, 5, 2]).table()
    even, leader, constant = (table[name] for name in ("even chances", "leader at 0.8", "constant hazard 0.45"))
    assert even["winner, log"] == pytest.approx(math.log(3))
    assert even["winner, Brier"] == pytest.approx((2 / 3) ** 2 + 2 / 9)
    assert even["next day, log"] == pytest.approx(math.log(2))
    assert even["next tally, CRPS"] == pytest.approx(np.mean([800 / 15 - 100 / 3, 0, 100 / 3 - 200 / 15]))
    assert told.law.winner.argmax() == 0
    assert leader["winner, log"] == pytest.approx(-math.log(0.8))
    behind = iom.score(told, winner="B").table()["leader at 0.8"]
    assert behind["winner, log"] == pytest.approx(-math.log(0.2 / 3))
    hazard = 0.45 * 0.55 ** np.arange(10)  # in round 1, 2, ...
    below = np.concatenate([[0.0], np.cumsum(hazard)])[:10]
    assert constant["rounds, RPS"] == pytest.approx(((below - (np.arange(10) >= 2)) ** 2).sum())
    assert leader.notna().sum() == 2
    assert constant.notna().sum() == 1


def test_a_forecast_that_knew_scores_nothing(tmp_path: Path) -> None:
    told = registered(elect("AAAAAAABB"), tmp_path / "x.toml", assumptions="fixed")
    table = iom.score(told, winner="A", rounds=1, ending="majority", first=[7, 2]).table()[FORECAST]
    assert table.drop("next tally, CRPS").max() == 0
    assert table["next tally, CRPS"] < 0.125  # half a class of shares


def test_what_never_came_is_not_infinitely_wrong(tmp_path: Path) -> None:
    told = registered(elect("AAAAAAABB"), tmp_path / "x.toml", assumptions="fixed")
    found = iom.score(told, winner="B")
    assert found.table()[FORECAST]["winner, log"] == pytest.approx(math.log(4000))
    assert found.came().loc["winner", ["chance", "likelier"]].tolist() == [0.0, 1]
    assert "in none of the forecast's runs did that happen" in found.post_mortem()
    else_ = iom.score(told, winner="somebody else")
    assert else_.table().loc["winner, log"].round(6).nunique() == 1
    assert "who did not stand" in else_.sentence()


@pytest.mark.parametrize("winner", ["nobody", "still voting"])
def test_no_winner_is_an_outcome(winner: str, tmp_path: Path) -> None:
    stuck = toy(size=30, behaviour=dict.fromkeys(("openness_fluid", "openness_entrenched", "openness_inf"), 0))
    told = registered(stuck if winner == "still voting" else elect("AAABBB", rules="four-rounds"), tmp_path / "x.toml")
    found = iom.score(told, winner=winner)
    place = told.law.outcomes.index(winner)
    assert found.table()[FORECAST]["winner, log"] == pytest.approx(-math.log(told.law.winner[place]))
    assert found.outcome.ending == {"nobody": "failed", "still voting": "open"}[winner]
    table = found.table()
    assert table["leader at 0.8"]["winner, log"] == pytest.approx(-math.log(0.05))
    if winner == "still voting":  # it has not ended, so it ran into the next day, and to the last moment that counts
        assert table[FORECAST]["next day, log"] == pytest.approx(-math.log(told.law.next_day_chance))
        x = told.law.minutes
        values, weights = x.values / 60, x.weights / x.weights.sum()
        apart = (weights[:, None] * weights * np.abs(values[:, None] - values)).sum() / 2
        assert table[FORECAST]["ended, CRPS"] == pytest.approx(
            (weights * (told.law.latest / 60 - values)).sum() - apart
        )
        with pytest.raises(IomsimError, match="what is still voting has not ended; leave ended out"):
            iom.score(told, winner=winner, ended="Tuesday 10:00")


def test_what_is_later_than_all_counts_as_the_latest(told: iom.Registration) -> None:
    scores = [iom.score(told, winner="A", ended=f"2023-0{month}-28 10:00").table()[FORECAST] for month in (7, 8)]
    assert scores[0]["ended, CRPS"] == scores[1]["ended, CRPS"]


def test_what_is_not_told_is_not_scored(told: iom.Registration) -> None:
    assert iom.score(told, winner="A").table().index.tolist() == ["winner, log", "winner, Brier"]
    assert iom.score(told, **HALF, ending="confirmed", first=[8, 5, 2]).table().index.tolist() == list(SCORES)


def test_where_it_lay(told: iom.Registration, runs: pd.DataFrame) -> None:
    came = iom.score(told, winner="B", rounds=3, ended="2023-05-15 12:20").came()
    p = [(runs["winner"] == name).mean() for name in (*"ABC",)] + [
        (runs["ending"] == e).mean() for e in ("failed", "open")
    ]
    assert came.loc["winner", ["chance", "likelier"]].tolist() == [p[1], sum(x > p[1] for x in p)]
    assert came.loc["rounds", "point"] == pytest.approx((runs["rounds"] < 3).mean() + (runs["rounds"] == 3).mean() / 2)
    assert came.loc["rounds", ["low", "median", "high"]].tolist() == [
        *np.quantile(runs["rounds"], [0.1, 0.5, 0.9], method="inverted_cdf")
    ]
    before = runs["ended_at"] < "2023-05-15 12:20"
    level = runs["ended_at"] == "2023-05-15 12:20"
    assert came.loc["ended", "point"] == pytest.approx(before.mean() + level.mean() / 2)
    together = runs.assign(
        end=runs["winner"].astype(str).where(runs["winner"] != "no winner", runs["ending"].astype(str))
    )
    counts = together.groupby(["end", "rounds"]).size() / 400
    chance = counts.get(("B", 3), 0.0)
    assert came.loc["winner and rounds", ["chance", "likelier"]].tolist() == [chance, (counts > chance).sum()]


# -- time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "hour"),
    [
        ("12:20", 12),
        ("Monday 12:20", 12),
        ("2023-05-15 12:20", 12),
        ("2023-05-15T12:20", 12),
        ("2023-05-15T12:20:00+02:00", 12),
        ("2023-05-15T10:20:00Z", 12),
        ("2023-05-15T06:20:00-04:00", 12),
        (datetime(2023, 5, 15, 12, 20), 12),
        (datetime(2023, 5, 15, 10, 20, tzinfo=UTC), 12),
        ("2023-05-15 10:20", 10),
    ],
)
def test_hours_are_those_of_the_seat(ended: Any, hour: int, told: iom.Registration) -> None:
    assert iom.score(told, winner="A", ended=ended).outcome.ended == datetime(2023, 5, 15, hour, 20)


def test_the_night_belongs_to_the_next_day_of_the_calendar(told: iom.Registration) -> None:
    scores = [iom.score(told, winner="A", ended=when) for when in ("2023-05-15 23:59", "2023-05-16 00:00")]
    assert [score.spilled for score in scores] == [False, True]
    # 23:00 in New York is the next day in Geneva
    assert iom.score(told, winner="A", ended="2023-05-15T23:00:00-04:00").spilled


# -- what cannot have come ---------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"winner": "Aa"}, "no outcome named 'Aa'"),
    ({"winner": "A\N{ZERO WIDTH SPACE}"}, "no outcome named 'A\\u200b'; did you mean 'A'?"),
    ({"winner": None}, "no outcome named 'None'"),
    ({"winner": "no winner"}, "say which way there is no winner: 'nobody' (the rules end it) or 'still voting'"),
    ({"winner": "A", "rounds": 1.5}, "rounds must be a whole number of at least 0, got 1.5"),
    ({"winner": "A", "rounds": -1}, "rounds must be a whole number of at least 0, got -1"),
    ({"winner": "A", "rounds": True}, "rounds must be a whole number of at least 0, got True"),
    ({"winner": "A", "rounds": 0}, "rounds are those held, 1 at least where somebody is elected; got 0"),
    ({"winner": "A", "ended": "soon"}, "no time 'soon'"),
    ({"winner": "A", "ended": "2023-05-15 25:00"}, "no time '2023-05-15 25:00'"),
    ({"winner": "A", "ended": "2023-05-14 12:00"}, "before the opening"),
    (
        {"winner": "A", "ended": "09:59"},
        "Monday 09:59 is before the opening on Monday 10:00; hours are those of Europe",
    ),
    ({"winner": "A", "ending": "lot"}, "no ending named 'lot'"),
    ({"winner": "A", "ending": "failed"}, "with 'A' as its outcome it ended as majority, acclamation or confirmed"),
    ({"winner": "nobody", "ending": "majority"}, "with 'nobody' as its outcome it ended as failed, not 'majority'"),
    ({"winner": "A", "first": [98, 67]}, "a tally has a number for each of A, B and C, got 2"),
    ({"winner": "A", "first": [98, 67, 9]}, "the tally has 174 votes, and 15 members may vote"),
    ({"winner": "A", "first": [0, 0, 0]}, "the tally has 0 votes"),
    ({"winner": "A", "first": [1.5, 2, 3]}, "the votes of A must be a whole number of at least 0, got 1.5"),
    ({"winner": "A", "first": [-1, 2, 3]}, "the votes of A must be a whole number of at least 0, got -1"),
    ({"winner": "A", "first": {"A": 5, "B": 2}}, "the tally lacks C; give the votes of all, or shares of some"),
    ({"winner": "A", "first": {"A": 5, "D": 2}}, "no candidate named 'D'"),
    ({"winner": "A", "first": "98-67"}, "the tally is votes by candidate, or a list of votes, got '98-67'"),
    ({"winner": "A", "first": [8, 5, 2], "share": {"A": 0.5}}, "give the votes of the tally or the shares, not both"),
    ({"winner": "A", "share": {"A": 55}}, "the share of A must be between 0 and 1, got 55; write 0.55 for 55 in 100"),
    ({"winner": "A", "share": {"A": math.nan}}, "the share of A must be between 0 and 1, got nan"),
    ({"winner": "A", "share": {"A": 0.6, "B": 0.6}}, "the shares add up to 1.2, and can be 1 at most"),
    ({"winner": "A", "share": 0.6}, "shares are given by candidate"),
    ({"winner": "A", "market": {"A": 55}}, "the price of A must be between 0 and 1, got 55; write 0.55"),
    ({"winner": "A", "market": {"A": -0.1}}, "the price of A must be between 0 and 1, got -0.1"),
    ({"winner": "A", "market": {"A": "0.5"}}, "the price of A must be between 0 and 1, got '0.5'"),
    ({"winner": "A", "market": {"D": 0.5}}, "no outcome with a price named 'D'"),
    ({"winner": "A", "market": {"A": 0.7, "B": 0.5}}, "the prices add up to 1.2, which leaves nothing for C"),
    ({"winner": "A", "market": {"A": 0, "B": 0, "C": 0}}, "all prices are 0, which says nothing"),
    ({"winner": "A", "market": {}}, "prices are given by outcome"),
    ({"winner": "A", "market": 0.5}, "prices are given by outcome"),
    ({"winner": "A", "again": True}, "again replaces a line of a ledger"),
]


@pytest.mark.parametrize(("asked", "said"), REFUSED, ids=lambda x: str(x)[:60])
def test_what_cannot_have_come_is_refused(asked: dict[str, Any], said: str, told: iom.Registration) -> None:
    with pytest.raises(IomsimError) as refused:
        iom.score(told, **asked)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


# -- prices ------------------------------------------------------------------------------------------------


def test_a_market_that_says_the_same_scores_the_same(told: iom.Registration) -> None:
    prices = dict(zip(told.law.outcomes, told.law.winner.tolist(), strict=True))
    for winner in ("A", "B", "C", "nobody"):
        found = iom.score(told, winner=winner, market=prices)
        table = found.table().loc[["winner, log", "winner, Brier"]]
        assert table["market"].to_numpy() == pytest.approx(table[FORECAST].to_numpy())
        assert found.remark == ""


@pytest.mark.parametrize(
    ("prices", "chance", "remark"),
    [
        (
            {"A": 0.55},
            0.55,
            "The prices add up to 0.55; B and C had none, and what they leave counts for that: 0.225 each.",
        ),
        ({"A": 0.5, "B": 0.3}, 0.5, "The prices add up to 0.8; C had none, and what they leave counts for that: 0.2."),
        ({"A": 0.5, "B": 0.3, "C": 0.25}, 0.5 / 1.05, "The prices add up to 1.05 and were divided by that."),
        ({"A": 0.5, "B": 0.3, "C": 0.1}, 0.5 / 0.9, "The prices add up to 0.9 and were divided by that."),
        ({"A": 0.5, "B": 0.3, "C": 0.1, "nobody": 0.1}, 0.5, ""),
        ({"A": 1.0}, 1.0, "The prices add up to 1; B and C had none, and what they leave counts for that: 0 each."),
        ({"A": 1, "B": 0, "C": 0}, 1.0, ""),
    ],
)
def test_prices_need_not_add_up(prices: dict[str, float], chance: float, remark: str, told: iom.Registration) -> None:
    found = iom.score(told, winner="A", market=prices)
    assert found.market is not None
    assert found.market.chances.sum() == pytest.approx(1)
    assert found.table()["market"]["winner, log"] == pytest.approx(-math.log(chance))
    assert found.remark == remark
    assert remark in found.post_mortem()


# -- words -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def geneva(tmp_path_factory: pytest.TempPathFactory) -> iom.Registration:
    path = tmp_path_factory.mktemp("geneva") / "x.toml"
    return iom.register(iom.load("geneva-2023"), path, runs=4000, seed=2023, progress=False)


def test_the_post_mortem_says_what_the_numbers_say(geneva: iom.Registration) -> None:
    found = iom.score(
        geneva,
        winner="Pope",
        rounds=1,
        ended="2023-05-15 16:35",
        ending="acclamation",
        first=[98, 67],
        market={"Pope": 0.55},
    )
    said = found.post_mortem()[:]
    law, came = geneva.law, found.came()
    assert said.startswith("This is hindsight: the forecast was registered on ")
    assert "voting had opened on 15 May 2023." in said
    assert f"It gave two rounds or more {100 * law.rounds[2:].sum():.0f} in 100, and it took one" in said
    assert "Pope was elected; the forecast gave that" in said
    assert f"The first tally gave Pope 59.4 %, at the {100 * came.loc['share of Pope', 'point']:.0f} % point" in said
    assert "It ended on Monday 16:35, at the" in said
    assert "That voting runs into Tuesday had been given" in said
    assert "and voting did not" in said
    assert "An election by acclamation" in said
    assert "inside its range, though more rounds were likelier than not: the number of rounds" in said
    assert "One election judges no forecast" in said
    assert found.sentence()[:] in " ".join([said, found.sentence()])
    assert "\n" not in said


def test_what_was_wrong_is_called_wrong(tmp_path: Path) -> None:
    told = registered(toy(appeal=3.0), tmp_path / "x.toml")
    right = iom.score(told, winner="A", rounds=1, ended="11:30", first=[13, 1])
    wrong = iom.score(told, winner="B", rounds=9, ended="2023-05-17 12:00", first=[3, 12])
    assert (
        "Right: the winner, the number of rounds, the hour of the end, the share of A and the next day"
        in right.post_mortem()
    )
    assert "wrong:" not in right.post_mortem()
    assert (
        "Wrong: the winner, the number of rounds, the hour of the end, the share of A and the next day"
        in wrong.post_mortem()
    )
    assert "it had A at" in wrong.post_mortem()
    assert "It gave fewer than nine rounds" in wrong.post_mortem()
    assert "outside its middle 80 %" in wrong.post_mortem()
    assert "hindsight" not in wrong.post_mortem()


def test_level_candidates_are_neither_right_nor_wrong(tmp_path: Path) -> None:
    told = registered(toy(), tmp_path / "x.toml", runs=2000)
    for winner in "AB":
        assert "neither right nor wrong: the winner" in iom.score(told, winner=winner, rounds=1).post_mortem()


def test_a_score_shows_itself(told: iom.Registration) -> None:
    found = iom.score(told, **HALF)
    assert told.checksum in repr(found)
    assert "winner, log" in found._repr_html_()
    assert found.race.hash == told.race.hash
    assert found.provenance["checksum"] == told.checksum
    assert (found.seed, found.runs) == (4, 400)


def test_a_file_will_do(told: iom.Registration) -> None:
    one, other = iom.score(told.path, **HALF), iom.score(str(told.path), **HALF)
    pd.testing.assert_frame_equal(one.table(), other.table())


# -- the ledger --------------------------------------------------------------------------------------------


def test_a_line_is_appended(told: iom.Registration, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    found = iom.score(told, **HALF, market={"A": 0.5}, ledger=path, at=datetime(2023, 5, 17))
    with path.open(encoding="utf-8", newline="") as file:
        [line] = csv.DictReader(file)
    assert tuple(line) == book.COLUMNS
    assert line["checksum"] == told.checksum
    assert (line["winner"], line["rounds"], line["ended"]) == ("A", "2", "2023-05-15T12:20")
    assert (line["registered"], line["scored"], line["hindsight"]) == (
        "2023-05-14T18:00:00Z",
        "2023-05-17T00:00:00Z",
        "no",
    )
    assert line["prices"] == "A=0.5"
    table = found.table()
    for score in table.index:
        for who, value in table.loc[score].dropna().items():
            assert float(line[f"{score} [{who}]"]) == pytest.approx(value, abs=1e-6)
    assert line["ending, log [forecast]"] == ""
    assert found.ledger.iloc[0].astype(str).to_dict() == line
    assert [one.name for one in tmp_path.iterdir()] == ["scores.csv"]


def test_twice_is_refused_and_again_replaces(told: iom.Registration, tmp_path: Path) -> None:
    path, other = tmp_path / "scores.csv", registered(toy(), tmp_path / "other.toml")
    with pytest.raises(FileError, match="has no line of registration"):
        iom.score(told, winner="A", ledger=path, again=True)
    assert not path.exists()
    iom.score(told, winner="A", ledger=path)
    iom.score(other, winner="A", ledger=path)
    before = path.read_bytes()
    with pytest.raises(FileError, match=f"has a line of registration {told.short} already, scored on 20"):
        iom.score(told, winner="B", ledger=path)
    assert path.read_bytes() == before
    iom.score(told, winner="B", ledger=path, again=True)
    lines = book.read(path)
    assert [(line["checksum"], line["winner"]) for line in lines] == [(told.checksum, "B"), (other.checksum, "A")]


@pytest.mark.parametrize("text", ["", "mine,yours\n1,2\n", "\x00", "checksum\n", '"'])
def test_something_else_is_not_written_into(text: str, told: iom.Registration, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match="is no ledger of scores"):
        iom.score(told, winner="A", ledger=path)
    assert path.read_text(encoding="utf-8") == text
    assert [one.name for one in tmp_path.iterdir()] == ["scores.csv"]


def test_a_ledger_that_lost_a_column_is_refused(told: iom.Registration, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    iom.score(told, winner="A", ledger=path)
    pd.read_csv(path).drop(columns="prices").to_csv(path, index=False)
    with pytest.raises(FileError, match="is no ledger of scores"):
        iom.scorebook(path)


def test_names_that_a_csv_could_stumble_over(tmp_path: Path) -> None:
    race = iom.loads(
        'title = "a, \\"b\\" c"\nelectorate.size = 9\ncandidates = [{name = "A, \\"x\\""}, {name = "B=1"}]'
    )
    told = registered(race, tmp_path / "x.toml")
    iom.score(told, winner='A, "x"', market={"B=1": 0.3}, ledger=tmp_path / "s.csv")
    [line] = book.read(tmp_path / "s.csv")
    assert (line["winner"], line["title"], line["prices"]) == ('A, "x"', 'a, "b" c', "B=1=0.3")


def test_nobody_loses_a_line_in_a_race(tmp_path: Path, told: iom.Registration) -> None:
    path = tmp_path / "scores.csv"
    entry = iom.score(told, winner="A").line
    entries = [entry | {"checksum": f"{i:064x}"} for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: book.append(path, each), entries))
    assert sorted(line["checksum"] for line in book.read(path)) == [each["checksum"] for each in entries]


def test_a_ledger_that_is_being_written_is_waited_for(
    tmp_path: Path, told: iom.Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    with (
        files.alone(tmp_path / "scores.csv"),
        pytest.raises(FileError, match=r"somebody else is writing .*scores\.csv'; if nobody is, delete"),
    ):
        iom.score(told, winner="A", ledger=tmp_path / "scores.csv")
    (tmp_path / ".scores.csv.lock").touch()  # of a process that was killed
    iom.score(told, winner="A", ledger=tmp_path / "scores.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]
    with pytest.raises(FileError, match="cannot write"):
        iom.score(told, winner="A", ledger=tmp_path / "no" / "scores.csv")


def test_mean_scores_of_several(tmp_path: Path, told: iom.Registration) -> None:
    path = tmp_path / "scores.csv"
    other = registered(toy(), tmp_path / "other.toml", at=datetime(2024, 1, 1))
    one = iom.score(told, winner="A", rounds=2, ledger=path, market={"A": 0.5})
    two = iom.score(other, winner="B", ledger=path)
    means = iom.scorebook(path)
    row = means.loc["winner, log", "even chances"]
    own = [score.table().loc["winner, log", FORECAST] for score in (one, two)]
    assert row["forecast's"] == pytest.approx(np.mean(own), abs=1e-6)
    assert row["other's"] == pytest.approx((math.log(3) + math.log(2)) / 2, abs=1e-6)
    assert row["elections"] == 2
    assert row["hindsight"] == 1
    assert means.loc["winner, log", "market"]["elections"] == 1
    assert means.loc["rounds, RPS", "constant hazard 0.45"]["elections"] == 1
    with pytest.raises(FileError, match="cannot read"):
        iom.scorebook(tmp_path / "none.csv")


def test_a_registration_that_was_changed_is_not_scored(told: iom.Registration, tmp_path: Path) -> None:
    path, ledger = tmp_path / "x.toml", tmp_path / "scores.csv"
    path.write_bytes(told.path.read_bytes().replace(b"four-rounds", b"four-round", 1))
    with pytest.raises(FileError, match="was changed after it was sealed"):
        iom.score(path, **HALF, ledger=ledger)
    assert not ledger.exists()


def test_an_unknown_name_is_an_unknown_name(told: iom.Registration) -> None:
    with pytest.raises(UnknownNameError):
        iom.score(told, winner="Z")


def test_the_point_of_what_is_level_is_its_middle(told: iom.Registration) -> None:
    """A guard: the law by hand, of which one can see the points."""
    law = by_hand(told.law, ended=Ensemble(np.array([600.0, 660.0, 720.0]), np.array([100, 200, 100])), latest=1440.0)
    kept = iom.Registration(told.path, told.checksum, told.content, law)
    still = law.still
    row = iom.score(kept, winner="A", ended="11:00").came().loc["ended"]
    assert row["point"] == pytest.approx((100 + 100) / (400 + still))


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("checksum", "x"),
        ("hindsight", "maybe"),
        ("scored", "today"),
        (book.COLUMNS[-1], "1e999"),
        ("title", "a\x1b[2J"),
    ],
)
def test_a_ledger_has_no_cells_that_no_score_has_written(
    column: str, cell: str, told: iom.Registration, tmp_path: Path
) -> None:
    path = tmp_path / "scores.csv"
    iom.score(told, winner="A", ledger=path)
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[0, column] = cell
    frame.to_csv(path, index=False)
    before = path.read_bytes()
    for call in (lambda: iom.scorebook(path), lambda: iom.score(told, winner="A", ledger=path, again=True)):
        with pytest.raises(FileError, match=r"scores\.csv', line 2: (no score has written|its 'title' must not hold)"):
            call()
    assert path.read_bytes() == before
