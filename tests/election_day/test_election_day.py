"""Election day as an analyst meets it: announcing, undoing, logging, asking."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from toys import SURE, elect, night_of, same, slow_but, toy

import iomsim as iom
from iomsim.election_day import report
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.predict import under
from iomsim.election_day.report import READINESS, one_in
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import AnnouncementError, FileError, IomsimError
from iomsim.model.bodies import readings
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import Procedure

quiet = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")

NOON = "Pope=98 Vitorino=67 at 12:20"
THREE = "Vitorino=65 Thompson=51 Isaacs=27"


@pytest.fixture(scope="module")
def geneva() -> Scenario:
    return iom.load("geneva-2023")


@pytest.fixture(scope="module")
def june() -> Scenario:
    return iom.load("iom-2018")


def told(race: Scenario, *lines: str, particles: int = 400, seed: int = 3, **options: Any) -> ElectionDay:
    night = night_of(race, particles=particles, seed=seed, **options)
    for line in lines:
        night.tell(line)
    return night


def arrays(thing: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every part of a state by its path."""
    if isinstance(thing, tuple) and not hasattr(thing, "_fields"):
        for i, part in enumerate(thing):
            yield from arrays(part, f"{name}.{i}")
    elif hasattr(thing, "__dataclass_fields__"):
        for key in thing.__dataclass_fields__:
            yield from arrays(getattr(thing, key), f"{name}.{key}")
    else:
        yield name, thing


def identical(a: Any, b: Any) -> bool:
    """Say whether two states are equal in every bit."""
    one, two = dict(arrays(a)), dict(arrays(b))
    assert len(one) > 20
    return one.keys() == two.keys() and all(np.array_equal(one[key], two[key]) for key in one)


TABLES = ("win_probability", "rounds", "endings", "decided_at", "rule_sets")


def agree(a: iom.Forecast, b: iom.Forecast) -> None:
    """Assert that two forecasts say the same in every table."""
    for table in TABLES:
        assert_frame_equal(getattr(a, table)(), getattr(b, table)())
    assert_frame_equal(a.runs, b.runs)
    assert_frame_equal(a.tallies, b.tallies)
    assert (a.answer(), a.stamp()) == (b.answer(), b.stamp())


# -- before the vote ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "particles", "assumptions"),
    [
        ("geneva-2023", 1700, 400),
        ("iom-2018", 300, "fixed"),
        *(
            pytest.param(name, particles, assumptions, marks=pytest.mark.slow)
            for name, particles, others in (
                ("geneva-2023", 1700, ("fixed", 60)),
                ("iom-2018", 300, (60, 400)),
                ("minimal", 1100, ("fixed", 60, 400)),
            )
            for assumptions in others
        ),
    ],
)
def test_before_anything_is_announced_it_is_the_prior_forecast(
    name: str, particles: int, assumptions: int | str
) -> None:
    race = iom.load(name)
    mine = iom.live(race, particles, seed=9, assumptions=assumptions).forecast()
    ordinary = iom.forecast(race, particles, seed=9, assumptions=assumptions, progress=False)
    agree(mine, ordinary)
    assert same(mine.all_outcomes, ordinary.all_outcomes)
    assert mine.draws is ordinary.draws


@pytest.mark.parametrize("assumptions", ["fixed", pytest.param(400, marks=pytest.mark.slow)])
def test_also_across_the_spans_of_the_ordinary_forecast(geneva: Scenario, assumptions: int | str) -> None:
    mine = iom.live(geneva, 17_000, seed=9, assumptions=assumptions).forecast()
    ordinary = iom.forecast(geneva, 17_000, seed=9, assumptions=assumptions, progress=False)
    assert same(mine.all_outcomes, ordinary.all_outcomes)


# -- announcing --------------------------------------------------------------------------------------


def test_an_announcement_and_what_it_means(geneva: Scenario) -> None:
    night = night_of(geneva, particles=4000, seed=2023)
    report = night.announce(Pope=98, Vitorino=67, at="12:20")
    assert str(report) == repr(report) == "Pope 98, Vitorino 67. Pope is 12 votes short of 110."
    fc = night.forecast()
    assert fc.answer().startswith("After 98\N{EN DASH}67 Pope is ahead, with a ")
    assert fc.win_probability().loc["Pope", "probability"] == pytest.approx(0.981, abs=0.012)
    assert "with 1 already held" in fc.answer()
    assert not fc.spilled
    assert "the chance that voting runs into Tuesday is " in fc.answer()
    assert night.needed() == "Pope is 12 votes short of 110."
    assert 2000 < night.effective_size < 4000
    first = fc.tallies[fc.tallies["round"] == 1].groupby("candidate", observed=True)["votes"].agg(["min", "max"])
    assert first.to_numpy().tolist() == [[98, 98], [67, 67]]
    assert fc.announced == 1
    assert not fc.certain
    ended = fc.runs["ended_at"].dropna()
    assert ended.min() == datetime(2023, 5, 15, 12, 20)  # a concession at once
    assert night.state.ended is None


def test_the_answer_begins_with_the_last_tally_and_what_came_after_it(geneva: Scenario) -> None:
    night = told(geneva, NOON, "104-61 at 16:10")
    assert night.forecast().answer().startswith("After 104\N{EN DASH}61 Pope is ahead, with a ")
    night.go_on()
    night.adjourn(until="17:30")
    assert "another round and an adjournment until 17:30, Pope is ahead" in " ".join(night.forecast().answer().split())


@pytest.mark.parametrize(
    "how",
    [
        lambda night: night.announce(Pope=98, Vitorino=67, at="12:20"),
        lambda night: night.announce({"Pope": 98, "Vitorino": 67}, at=datetime(2023, 5, 15, 12, 20)),
        lambda night: night.announce({"Pope": np.int16(98)}, Vitorino=67, valid=165, at=time(12, 20)),
        lambda night: night.tell("98-67 at 12:20"),
        lambda night: night.apply({"event": "announce", "votes": {"Pope": 98, "Vitorino": 67}, "at": "12:20"}),
    ],
)
def test_all_ways_to_say_it_mean_the_same(geneva: Scenario, how: Any) -> None:
    night = night_of(geneva, particles=300, seed=3)
    how(night)
    assert identical(night.state, told(geneva, NOON, particles=300).state)
    json.dumps(night.events)


def test_the_order_of_the_names_does_not_matter(geneva: Scenario) -> None:
    a, b = told(geneva, "Pope=98 Vitorino=67"), told(geneva, "Vitorino=67 Pope=98")
    assert identical(a.state, b.state)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(geneva: Scenario) -> None:
    lines = [NOON, "Pope=100 Vitorino=64 at 16:10"]
    a, b, other = told(geneva, *lines), told(geneva, *lines), told(geneva, *lines, seed=4)
    assert identical(a.state, b.state)
    agree(a.forecast(), b.forecast())
    assert not np.array_equal(a.state.particles.draws.conviction, other.state.particles.draws.conviction)


# -- endings -----------------------------------------------------------------------------------------


def test_a_withdrawal_ends_it(geneva: Scenario) -> None:
    night = told(geneva, NOON, "withdraw Vitorino at 16:35")
    fc = night.forecast()
    assert fc.certain
    assert fc.answer() == "It is over: Pope is elected by acclamation after one round, on Monday at 16:35."
    chances = fc.win_probability()
    assert chances.loc["Pope"].tolist() == [1.0, 1.0, 1.0, 0.0]
    assert chances["high"].drop("Pope").tolist() == [0.0, 0.0]
    assert fc.spill().value == 0.0
    assert fc.rule_sets().index.tolist() == ["until-two-thirds"]
    assert (fc.runs["ended_at"] == datetime(2023, 5, 15, 16, 35)).all()
    assert re.search(r"Pope +100 +by rule", repr(fc))
    with pytest.raises(AnnouncementError, match="there is no next round"):
        night.what_next()


def test_a_withdrawal_before_the_vote(geneva: Scenario) -> None:
    fc = told(geneva, "withdraw Pope at 10:30").forecast()
    assert fc.answer() == "It is over: Vitorino is elected by acclamation before the first round, on Monday at 10:30."
    assert (fc.rounds().size, fc.median_rounds()) == (0, (0, 0, 0))


@quiet
def test_two_thirds_end_it_whatever_was_not_announced(geneva: Scenario) -> None:
    assert told(geneva, "Pope=110 Vitorino=55").state.ended == (0, 0)
    assert told(geneva, "Pope=109 Vitorino=55").state.ended is None
    assert told(geneva, "Pope at least 117").state.ended == (0, 0)
    assert told(geneva, "Pope at least 110 valid=165").state.ended == (0, 0)
    assert told(geneva, "Pope at least 109 valid=165").state.ended is None
    answer = told(geneva, "Pope=110 Vitorino=55").forecast().answer()
    assert answer == "It is over: Pope is elected by majority after one round."


@quiet
def test_a_yes_no_round(geneva: Scenario) -> None:
    race = geneva.with_rules("one-two-way")
    night = told(race, NOON, "confirm yes=110 no=55 at 15:10")
    assert night.forecast().answer() == (
        "It is over: Pope is elected in a yes/no round after two rounds, on Monday at 15:10."
    )
    failed = told(race, NOON, "confirm yes=109 no=55")
    assert failed.forecast().answer() == "It is over: nobody is elected, and the election fails after two rounds."
    kinds = failed.forecast().tallies.groupby("round")["kind"].first().tolist()
    assert kinds == ["ballot", "yes/no"]


@quiet
def test_a_simple_majority_where_the_rules_have_one(geneva: Scenario) -> None:
    race = geneva.with_rules(simple_majority_from=2)
    night = told(race, NOON)
    assert night.state.ended is None
    night.announce(Pope=83, Vitorino=82)
    assert night.state.ended == (0, 0)
    night.undo()
    night.tell("Pope=82 Vitorino=82")
    assert night.needed() == "Pope is 1 vote short of 83."


@quiet
def test_the_last_of_three_leaves_by_the_rules_of_2018(june: Scenario) -> None:
    night = told(june, THREE, THREE, "Vitorino=68 Thompson=52 Isaacs=22")
    fc = night.forecast()
    assert fc.tallies.query("round == 4")["candidate"].unique().tolist() == ["Vitorino", "Thompson"]
    night.announce(Vitorino=77, Thompson=66)
    assert night.state.standing.tolist() == [True, True, False]
    moved = night.state.flows[-1].mean(axis=-1)
    assert moved[2, 2] == 0  # nobody still wants who has left
    assert moved[2, :2].sum() == pytest.approx(22, abs=3)
    night.withdraw("Thompson")
    assert night.forecast().answer() == "It is over: Vitorino is elected by acclamation after four rounds."


@pytest.mark.slow
@quiet
def test_who_is_out_wins_with_probability_0_by_rule(june: Scenario, tmp_path: Path) -> None:
    night = told(june, THREE, THREE, "Vitorino=68 Thompson=52 Isaacs=22")
    fc = night.forecast()
    assert fc.out == ("Isaacs",)
    assert fc.win_probability().loc["Isaacs"].tolist() == [0, 0, 0, 0]
    assert fc.win_probability()["mc_error"].gt(0).sum() == 3
    assert "Isaacs" not in fc.answer()
    assert any(line.split() == ["Isaacs", "0", "by", "rule"] for line in repr(fc).splitlines())
    assert [text.get_text() for text in fc.plot.win_probability(rules=False).texts].count("0 in 100") == 1
    assert night.plot.live_data().loc["Isaacs", "mc_error"].gt(0).tolist() == [True, True, True, False]
    assert any(text.get_text() == "Isaacs wins 0" for text in night.plot.live().texts)
    assert iom.open_forecast(fc.save(tmp_path / "june.npz") or tmp_path / "june.npz").out == fc.out
    night.undo()
    assert night.forecast().out == ()


def test_a_spill_that_has_happened_has_no_error(geneva: Scenario) -> None:
    night = told(geneva, "Pope=85 Vitorino=80 at 12:20", "Pope=86 Vitorino=79 at Tue 11:00")
    assert night.plot.live_data().loc["spill", "mc_error"].iloc[1] > 0
    assert night.plot.live_data().loc["spill"].iloc[-1][["probability", "mc_error"]].tolist() == [1, 0]
    assert any(text.get_text() == "into Tuesday 100" for text in night.plot.live().texts)


def test_a_leader_alone_has_no_rival_left(geneva: Scenario) -> None:
    night = told(geneva.with_rules("one-two-way"), "Pope=80 Vitorino=78", "eliminate Vitorino")
    fc = night.forecast()
    assert fc.out == ("Vitorino",)
    assert "most likely nobody is elected, with a chance of about 85 in 100" in " ".join(fc.answer().split())
    assert fc.plot.win_probability(rules=False).get_title().replace("\n", " ").endswith("Pope wins in about 15")
    ahead = told(geneva.with_rules("one-two-way"), "Pope=100 Vitorino=58", "eliminate Vitorino").forecast()
    assert "only Pope still stands" in ahead.answer()
    assert "Pope is ahead and wins in " in ahead.plot.win_probability(rules=False).get_title().replace("\n", " ")


@quiet
def test_two_may_leave_at_once(june: Scenario) -> None:
    race = toy(21, "ABCD", rules={"concession": True, "eliminate_after": 1})
    night = told(race, "A=8 B=6 C=4 D=2", "withdraw C", "A=11 B=9")
    assert night.history()["event"].iloc[1] == "A 8, B 6, C 4, D 2; D is out by the rules"
    moved = night.state.flows[-1].mean(axis=-1)
    assert moved[2:, 2:].sum() == 0
    assert night.forecast().tallies.query("round == 2")["candidate"].unique().tolist() == ["A", "B"]
    rest = told(race, "A=8 B=6 C=4 D=2", "withdraw C").forecast()
    assert set(rest.tallies.query("round == 2")["candidate"].unique()) <= {"A", "B"}


# -- refusals ----------------------------------------------------------------------------------------

OVER = "the election is over; day.undo() takes the last event back, day.correct(...) changes a tally"
REFUSED: list[tuple[Any, list[str], str, str]] = [
    ("geneva", [], "100-80", "180 votes are more than the 175 members with a vote"),
    ("geneva", [], "Popp=90", "no candidate named 'Popp'; did you mean 'Pope'?"),
    (
        "geneva",
        [],
        "0-165",
        "Pope 0, Vitorino 165 is impossible under the scenario: pinned members give Pope 1",
    ),
    ("geneva", [], "undo", "there is nothing to undo"),
    ("geneva", [], "go on", "nothing is open after the last event: announce a tally"),
    ("geneva", [], "98-67 at 9:3", "no time '9:3'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
    ("geneva", [], "98-67 at 08:30", "Monday 08:30 is before the opening on Monday 09:00"),
    (
        "geneva",
        [NOON],
        "98-67 at 11:00",
        "Monday 11:00 is before the last event on Monday 12:20; write the date for another day",
    ),
    (
        "geneva",
        [NOON, "adjourn until Tuesday 10:00"],
        "98-67 at Monday 17:00",
        "cannot happen",
    ),
    ("geneva", [NOON], "confirm 90 60", "more than one candidate stands; announce a tally, or a withdrawal first"),
    (
        "geneva",
        [NOON],
        "eliminate Vitorino",
        "only two stand, and the rules put neither out now: announce a withdrawal",
    ),
    ("geneva", [NOON, "go on"], "go on", "nothing is open after the last event: announce a tally"),
    (
        "geneva",
        [NOON, "withdraw Vitorino"],
        "98-67",
        OVER,
    ),
    ("geneva", ["120-40"], "98-67", OVER),
    ("one-two-way", [NOON], "98-67", "Pope stands alone; announce the yes/no round: day.confirm(yes, no)"),
    ("one-two-way", [NOON], "confirm 120 60", "180 papers are more than the 175 members with a vote"),
    (
        "one-two-way",
        ["valid=160"],
        "go on",
        "the announcements leave open whether Pope or Vitorino stands alone now; announce who is out with "
        "day.eliminate(...)",
    ),
    ("short", [NOON, NOON.split(" at")[0]], "98-67", "the rules end the election after 2 rounds"),
    ("short", [NOON, NOON.split(" at")[0]], "go on", "the rules end the election after 2 rounds"),
    ("sure", [NOON], "98-67", "the trailing candidate concedes for certain under the scenario"),
    ("june", [THREE, "eliminate Isaacs"], THREE, "Isaacs does not stand any more and cannot get votes"),
    ("june", [THREE, "withdraw Isaacs"], "withdraw Isaacs", "Isaacs does not stand any more"),
    (
        "june",
        ["valid=140", "valid=140", "valid=140"],
        "Vitorino=77",
        "the announcements leave open whether Vitorino or Thompson or Isaacs is out; announce it with "
        "day.eliminate(...)",
    ),
]
REFUSED = [case for case in REFUSED if case[3] != "cannot happen"]


def scenario(name: str) -> Scenario:
    if name in ("geneva", "june"):
        return iom.load({"geneva": "geneva-2023", "june": "iom-2018"}[name])
    race = iom.load("geneva-2023")
    if name == "sure":
        return race.with_behaviour(concede_a=1e9, concede_b=1e-9)
    return race.with_rules(max_rounds=2) if name == "short" else race.with_rules(name)


@quiet
@pytest.mark.parametrize(("name", "before", "line", "sentence"), REFUSED)
def test_what_cannot_happen_is_refused_and_nothing_is_lost(
    name: str, before: list[str], line: str, sentence: str, tmp_path: Path
) -> None:
    night = told(scenario(name), *before, particles=200, log=tmp_path / "log")
    state, events, log = night.state, list(night.events), (tmp_path / "log").read_text(encoding="utf-8")
    with pytest.raises(IomsimError) as error:
        night.tell(line)
    assert str(error.value) == sentence
    assert night.state is state
    assert night.events == events
    assert (tmp_path / "log").read_text(encoding="utf-8") == log


def test_arguments_that_make_no_sense(geneva: Scenario, tmp_path: Path) -> None:
    with pytest.raises(IomsimError, match=r"^live takes a Scenario, got str; read one with iomsim.load$"):
        night_of("geneva-2023")  # type: ignore[arg-type]
    with pytest.raises(IomsimError, match=r"^particles must be a whole number of at least 2, got 1$"):
        night_of(geneva, particles=1)
    night = night_of(geneva, particles=50, seed=1)
    with pytest.raises(AnnouncementError, match=r"^no event 'resign'; there are announce, inconclusive, "):
        night.apply({"event": "resign"})
    with pytest.raises(AnnouncementError, match=r"^yes must be a whole number of at least 0, got -1$"):
        told(geneva.with_rules("one-two-way"), NOON, particles=50).confirm(-1, 20)
    with pytest.raises(FileError, match="cannot write "):
        night_of(geneva, particles=50, seed=1, log=tmp_path / "no" / "folder")


# -- undo, log, replay -------------------------------------------------------------------------------

DAY = [NOON, "go on", "Pope=101 Vitorino=64 at 15:50", "adjourn until Tuesday 10:00", "Pope=104 Vitorino=61", "undo"]


@quiet
def test_undo_restores_every_bit(geneva: Scenario) -> None:
    night = told(geneva, NOON)
    before, answer, history = night.state, night.forecast().answer(), night.history()
    for lines in (["Pope=101 Vitorino=64 at 15:50"], ["go on", "adjourn until 15:00"], ["withdraw Vitorino"]):
        for line in lines:
            night.tell(line)
        night.forecast()
        for _ in lines:
            night.undo()
        assert identical(night.state, before)
        assert night.forecast().answer() == answer
    assert_frame_equal(night.history(), history)
    assert str(night.undo()) == "Before the vote."
    agree(night.forecast(), iom.forecast(geneva, 400, seed=3, assumptions="fixed", progress=False))


@quiet
def test_what_was_undone_leaves_no_trace(geneva: Scenario) -> None:
    straight = told(geneva, NOON, "Pope=101 Vitorino=64")
    winding = told(geneva)
    for line in ("Pope=80 Vitorino=80", "undo", NOON, "withdraw Pope", "undo", "Pope=101 Vitorino=64"):
        winding.tell(line)
        winding.forecast()
    assert identical(straight.state, winding.state)
    assert straight.events == winding.events
    agree(straight.forecast(), winding.forecast())


@pytest.mark.slow
@quiet
def test_the_log_is_written_at_each_step_and_replayed(geneva: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "monday.log"
    night = night_of(geneva, particles=300, seed=5, log=path)
    for line in DAY:
        night.tell(line)
        again = iom.replay(path)
        assert identical(again.state, night.state)
        assert again.events == night.events
    agree(again.forecast(), night.forecast())
    header, *events = [json.loads(entry) for entry in path.read_text(encoding="utf-8").splitlines()]
    assert (header["format"], header["seed"], header["particles"]) == (3, 5, 300)
    assert [event["event"] for event in events] == ["announce", "go on", "announce", "adjourn"]
    assert not path.with_name(path.name + ".part").exists()


@quiet
def test_a_day_goes_on_from_its_log(geneva: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "monday.log"
    told(geneva, NOON, particles=200, log=path)
    with pytest.raises(FileError, match="exists already; replay"):
        night_of(geneva, log=path)
    again = iom.replay(path, log=path)
    again.withdraw("Vitorino")
    assert [event["event"] for event in iom.replay(path).events] == ["announce", "withdraw"]
    aside = iom.replay(path)
    aside.undo()
    assert len(iom.replay(path).events) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is damaged or is no log of an election day"),
        ("{}\n", "is damaged or is no log of an election day"),
        ("not json", "is damaged or is no log of an election day"),
        ('{"format": 99, "version": "9.9", "particles": 2, "seed": 1, "scenario": ""}', "was written by iomsim 9.9"),
    ],
)
def test_logs_that_cannot_be_read(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "log"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=sentence):
        iom.replay(path)
    with pytest.raises(FileError, match="cannot read the log"):
        iom.replay(tmp_path / "nowhere")


@quiet
def test_the_log_keeps_the_member_table(tmp_path: Path) -> None:
    table = tmp_path / "members.csv"
    table.write_text("name,g\n" + "".join(f"M{i},{'xy'[i % 2]}\n" for i in range(15)), encoding="utf-8")
    text = (
        f"electorate = {{members = '{table}', name = 'name', group = 'g'}}\ncandidates = [{{name='A'}}, {{name='B'}}]"
    )
    night = told(iom.loads(text), "A=8 B=6", particles=100, log=tmp_path / "log")
    table.unlink()
    assert identical(iom.replay(tmp_path / "log").state, night.state)


def test_a_forecast_can_be_made_again_from_its_provenance(geneva: Scenario, tmp_path: Path) -> None:
    fc = told(geneva, NOON, "go on", particles=300).forecast()
    kept = json.loads(json.dumps(fc.provenance))
    night = night_of(geneva, particles=kept["runs"], seed=kept["seed"])
    for event in kept["events"]:
        night.apply(event)
    agree(night.forecast(), fc)
    assert fc.stamp().endswith(" · 2 announced, " + fc.stamp()[-6:])
    assert told(geneva, NOON, particles=300).forecast().stamp() != fc.stamp()
    fc.save(tmp_path / "fc.npz")
    back = iom.open_forecast(tmp_path / "fc.npz")
    agree(back, fc)
    assert (back.events, back.certain, back.reached) == (fc.events, False, 740.0)


# -- rules -------------------------------------------------------------------------------------------

IOM = tuple(readings("iom"))


@pytest.mark.slow
@quiet
@pytest.mark.parametrize(
    ("rules", "lines", "names"),
    [
        ("until-two-thirds", [NOON], list(IOM)),
        ("until-two-thirds", [NOON, "go on"], [*IOM[:3], "withdrawal-then-vote"]),
        ("until-two-thirds", [NOON, "100-65"], [*IOM[:3], "withdrawal-then-vote"]),
        ("until-two-thirds", [NOON, "100-65", "100-65", "100-65"], [*IOM[:2], "withdrawal-then-vote"]),
        ("until-two-thirds", ["adjourn until 15:00"], list(IOM)),
        ("one-two-way", [NOON, "eliminate Vitorino"], ["one-two-way"]),
    ],
)
def test_only_rule_sets_that_agree_with_what_happened_stand_beside_it(
    geneva: Scenario, rules: str, lines: list[str], names: list[str]
) -> None:
    fc = told(geneva.with_rules(rules), *lines, particles=200).forecast()
    assert fc.rule_sets().index.tolist() == names
    own = fc.rule_sets().iloc[0]
    assert own["Pope"] == fc.win_probability().loc["Pope", "probability"]


@quiet
def test_rules_of_one_s_own(geneva: Scenario) -> None:
    """Under a higher bar a tally is open that the shipped rule sets would have ended."""
    race = geneva.with_rules(threshold="3/4")
    night = told(race, "Pope=115 Vitorino=50", particles=200)
    assert night.forecast().rule_sets().index.tolist() == ["until-two-thirds, changed", *IOM]
    night.go_on()
    assert len(night.forecast().rule_sets()) == 1


def test_rounds_that_were_announced_count_towards_the_cap(geneva: Scenario) -> None:
    """Three rounds between two, two of them announced; then the leader alone."""
    fc = told(geneva.with_rules("four-rounds"), NOON, "98-67", particles=400).forecast()
    alone = fc.tallies[fc.tallies["kind"] == "yes/no"]
    assert set(alone["round"]) == {4}
    assert fc.runs["rounds"].max() == 4


def test_rules_that_hold_no_further_round_do_not_agree_with_one(geneva: Scenario) -> None:
    night = told(geneva, NOON, "go on", particles=50)
    agree_ = [under(Procedure(max_rounds=most), night.plan, night.state) is not None for most in (1, 2)]
    assert agree_ == [False, True]


def test_the_leader_alone_next(geneva: Scenario) -> None:
    night = told(geneva.with_rules("one-two-way"), NOON, "go on")
    upcoming = night.what_next()
    assert upcoming.alone.value == 1.0
    assert str(upcoming).startswith("Round 2 is held in >99 of 100 elections. It is a vote of yes or no on the leader")
    assert night.forecast().endings()["probability"]["acclamation"].sum() == 0.0


# -- the clock ---------------------------------------------------------------------------------------


def endings_of(night: ElectionDay) -> pd.Series:
    return night.forecast().runs["ended_at"]


def test_times_say_nothing_about_votes(geneva: Scenario) -> None:
    bare, timed = told(geneva, "98-67"), told(geneva, "98-67 at 17:55")
    assert np.array_equal(bare.state.particles.draws.conviction, timed.state.particles.draws.conviction)
    assert np.array_equal(bare.state.particles.log_weight, timed.state.particles.log_weight)
    assert bare.forecast().win_probability().equals(timed.forecast().win_probability())
    assert timed.forecast().spill().value > bare.forecast().spill().value + 0.2


def test_a_round_that_ends_in_the_evening_shows_that_the_chair_sits_on(geneva: Scenario) -> None:
    """It cannot have begun before 18:00 otherwise: the one before it ended at 17:30."""
    race = geneva.with_rules("strict")
    night = told(race, "98-67 at 17:30", particles=1000)
    assert night.forecast().spill().value > 0.7
    night.tell("98-67 at 18:40")
    ended = endings_of(night).dropna()
    assert (ended[night.forecast().runs["rounds"] == 3] < datetime(2023, 5, 15, 21, 30)).all()


def test_an_evening_sitting_is_believed(geneva: Scenario) -> None:
    night = told(geneva.with_rules("strict"), "98-67 at 17:50", "adjourn until 19:00", particles=1000)
    runs = night.forecast().runs
    assert (runs.loc[runs["rounds"] == 2, "ended_at"] < datetime(2023, 5, 15, 23)).all()
    lunch = told(geneva.with_rules("strict"), NOON, "adjourn until 15:00", particles=500).forecast().runs
    assert (lunch["ended_at"].dropna() > datetime(2023, 5, 15, 15)).all()


def test_an_adjournment_until_tomorrow_is_a_spill(geneva: Scenario) -> None:
    fc = told(geneva, NOON, "adjourn until Tuesday 10:00").forecast()
    assert fc.spill().value == 1.0
    assert fc.spilled
    assert "the chance that voting runs into Tuesday" not in fc.answer()  # it is a fact
    assert fc.runs["ended_at"].min() >= datetime(2023, 5, 16, 10)
    assert told(geneva, NOON, "adjourn until Tuesday 10:00", "98-67 at 11:10").events[-1]["at"] == "11:10"


def test_what_teaches_nothing_changes_nothing(geneva: Scenario) -> None:
    night = told(geneva, NOON, particles=1000)
    before = night.forecast().win_probability()
    night.adjourn(until=date(2023, 5, 16))
    assert_frame_equal(night.forecast().win_probability(), before)


def test_a_time_no_clock_had_thought_possible_is_a_fact(geneva: Scenario) -> None:
    fc = told(geneva, "98-67 at 10:01").forecast()
    assert fc.runs["ended_at"].min() == datetime(2023, 5, 15, 10, 1)


def test_consultation_takes_its_time(geneva: Scenario) -> None:
    night = told(geneva.with_clock(consultation=60.0), "98-67 at 17:50", "withdraw Vitorino", particles=2000)
    ended = endings_of(night)
    assert set(ended.dt.strftime("%a %H:%M")) == {"Tue 09:00", "Mon 18:50"}  # some chairs sit on
    runs = told(geneva.with_clock(consultation=60.0), "98-67 at 11:30").forecast().runs
    assert set(runs.loc[runs["rounds"] == 1, "ended_at"]) == {datetime(2023, 5, 15, 12, 30)}


# -- surprises ---------------------------------------------------------------------------------------


@cache
def played(race: Scenario) -> Outcomes:
    return iom.forecast(
        race.with_rules(max_rounds=1), 60_000, seed=21, assumptions="fixed", progress=False
    ).all_outcomes


@pytest.mark.slow
def test_the_odds_are_those_of_anything_as_far_out(geneva: Scenario) -> None:
    """Two-sided: a share as low or lower, or, by doubling, as far out on the other side."""
    race = geneva.with_behaviour(absent=0.0, cross_pressure_absence=0.0, abstain=0.0)
    votes = played(race).votes[:, 0]
    for count in (60, 75, 105, 116):
        night = night_of(race, particles=4000, seed=2)
        night.announce(Pope=count, Vitorino=175 - count)
        tail = 2 * min((votes <= count).mean(), (votes >= count).mean())
        assert night.state.surprise == pytest.approx(tail, rel=0.1)


def test_bounds_are_as_far_out_as_they_are_improbable(geneva: Scenario) -> None:
    night = told(geneva, "Pope at least 100", particles=4000)
    out = played(geneva)
    assert night.state.surprise == pytest.approx((out.votes[out.starts][:, 0] >= 100).mean(), rel=0.12)
    assert night.state.chance == pytest.approx(night.state.surprise, rel=0.1)


def test_the_number_of_papers_can_be_the_surprise(geneva: Scenario) -> None:
    with pytest.warns(iom.UnexpectedTallyWarning, match=r"^The model gave so few valid papers less than 1 in 400; "):
        few = told(geneva, "Pope=70 Vitorino=65")
    assert str(few.undo()) == "Before the vote."
    out = played(geneva)
    tail = 2 * (out.valid[out.starts] >= 167).mean()
    assert told(geneva, "valid=167", particles=2000).state.surprise == pytest.approx(tail, rel=0.15)


def test_a_nearly_impossible_tally_is_said_to_be_one(geneva: Scenario) -> None:
    with pytest.warns(iom.UnexpectedTallyWarning, match="treat what follows with care"):
        night = told(geneva, "Pope=30 Vitorino=130", particles=2000)
    assert "The model gave a tally this far out " in repr(night)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told(geneva, NOON)


@pytest.mark.parametrize(
    ("odds", "words"),
    [(0.00095, "about 1 in 1\u202f100"), (1 / 4123, "about 1 in 4\u202f100"), (1e-9, "less than 1 in 20\u202f000")],
)
def test_odds_in_words(odds: float, words: str) -> None:
    assert one_in(odds, 20_000) == words


@quiet
@pytest.mark.parametrize("tally", ["130-40", "85-80", "60-105", "112-50", "40-120"])
def test_surprising_first_tallies_do_not_leave_one_world(geneva: Scenario, tally: str) -> None:
    night = told(geneva, tally, particles=2000)
    assert night.effective_size > 500
    assert len(np.unique(night.state.particles.draws.appeal[0])) > 500


@quiet
@pytest.mark.parametrize("second", slow_but(["98-67", "90-75", "110-50"], "110-50"))
def test_nor_do_surprising_second_ones(geneva: Scenario, second: str) -> None:
    night = told(geneva.with_rules("strict"), "98-67", second, particles=2000)
    particles = night.state.particles
    assert night.effective_size > 50
    assert len(np.unique(particles.draws.appeal[0])) > 1500
    assert len(np.unique(particles.draws.conviction[7])) > 1500
    assert len(np.unique(particles.rounds[1].shocks[0])) > 1200


@quiet
def test_a_report_says_when_too_few_worlds_are_left(geneva: Scenario) -> None:
    report = str(told(geneva, "98-67", particles=500).tell("80-85"))
    assert re.search(r" The numbers that follow are rough: only about \d+ of 500 simulated elections agree ", report)


# -- asking ------------------------------------------------------------------------------------------


@quiet
def test_history(geneva: Scenario) -> None:
    night = told(geneva, NOON, "Pope=104 Vitorino=61 at 15:50", "withdraw Vitorino at 16:30")
    table = night.history()
    assert table["event"].tolist() == [
        "before the vote",
        "Pope 98, Vitorino 67",
        "Pope 104, Vitorino 61",
        "Vitorino withdraws, and Pope is acclaimed",
    ]
    assert table["round"].tolist() == [0, 1, 2, 2]
    assert table["at"].dt.strftime("%H:%M").tolist()[1:] == ["12:20", "15:50", "16:30"]
    assert table[["Pope", "Vitorino", "no winner"]].sum(axis=1).tolist() == pytest.approx([1.0] * 4)
    assert table["Pope"].iloc[-1] == 1.0
    assert table["Pope"].iloc[1] == night._forecast(1).win_probability().loc["Pope", "probability"]
    assert table["spill"].iloc[-1] == 0.0


@quiet
@pytest.mark.parametrize(
    ("names", "rules", "lines", "said"),
    [
        ("AB", {}, ["8-7", "go on", "adjourn until 17:30"], ["nobody concedes", "adjourned until Monday 17:30"]),
        ("ABC", {}, ["A at least 6", "go on", "withdraw C"], ["voting goes on", "C withdraws"]),
        ("ABC", {}, ["A=6 B=5 C=4", "eliminate C"], ["C is out"]),
        ("ABC", {"eliminate_after": 1}, ["A=6 B=5 C=4"], ["A 6, B 5, C 4; C is out by the rules"]),
        (
            "AB",
            {"after_concession": "confirmation"},
            ["8-7", "withdraw B", "confirm yes=9 no=6"],
            ["B withdraws", "A alone: 9 yes, 6 no"],
        ),
    ],
)
def test_the_history_names_what_happened(names: str, rules: dict[str, Any], lines: list[str], said: list[str]) -> None:
    night = told(toy(15, names, rules={"concession": True, "eliminate_after": 3} | rules), *lines, particles=100)
    assert night.history()["event"].tolist()[-len(said) :] == said


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "No round has been held; 117 votes elect if all 175 members vote."),
        (["98-67"], "Pope is 12 votes short of 110."),
        (["109-56"], "Pope is 1 vote short of 110."),
        (["110-55"], "Pope has 110 votes, and 110 elect."),
        (["60-105"], "Vitorino is 5 votes short of 110."),
        (["Pope=98 valid=165"], "Pope is 12 votes short of 110."),
    ],
)
@quiet
def test_needed(geneva: Scenario, lines: list[str], words: str) -> None:
    assert told(geneva, *lines, particles=200).needed() == words


def test_needed_is_rough_where_little_is_known(geneva: Scenario) -> None:
    night = told(geneva, "Pope=98", particles=2000)
    valid = night.forecast().tallies.query("round == 1")["valid"].median()
    assert (
        night.needed() == f"Pope is about {-(-2 * valid // 3) - 98:.0f} votes short of about {-(-2 * valid // 3):.0f}."
    )
    assert told(geneva, "valid=165", particles=200).needed().endswith(" short of 110.")


def test_what_next(geneva: Scenario) -> None:
    night = told(geneva.with_rules("strict"), "85-80", particles=2000)
    upcoming, out = night.what_next(), night.forecast().all_outcomes
    assert upcoming.number == 2
    assert upcoming.held.value == 1.0
    assert upcoming.decides.value == pytest.approx((out.rounds == 2).mean())
    assert upcoming.elects.value == pytest.approx(((out.rounds == 2) & (out.winner == 0)).mean())
    second = out.votes[out.starts + 1]
    table = upcoming.table()
    assert table["probability"].sum() == pytest.approx(1.0)
    assert table.loc[86, "probability"] == pytest.approx((second[:, 0] == 86).mean())
    shares = upcoming.tally().loc["Pope"]
    assert shares["votes 50 %"] == np.quantile(second[:, 0], 0.5, method="inverted_cdf")
    assert 0 < shares["share 10 %"] < shares["share 50 %"] < shares["share 90 %"] < 1


def test_where_the_favourite_changes(geneva: Scenario) -> None:
    upcoming = told(geneva.with_rules("strict"), "82-82", particles=3000).what_next("Pope")
    turn = upcoming.turning_point()
    table = upcoming.table()
    lead = (table["Pope"] - table["Vitorino"]) * table["probability"]
    assert turn is not None
    assert lead[lead.index < turn].sum() < 0 < lead[lead.index >= turn].sum()
    near = (
        lead[(lead.index > turn - 12) & (lead.index < turn)].sum(),
        lead[(lead.index >= turn) & (lead.index < turn + 12)].sum(),
    )
    assert near[0] < 0 < near[1]
    assert f"Pope is the favourite from {turn} votes on." in str(upcoming)
    other = told(geneva.with_rules("strict"), "82-82", particles=600).what_next("Vitorino")
    assert other.turning_point() is not None
    sure = told(geneva, "105-60", particles=1000).what_next("Vitorino")
    assert sure.turning_point() is None


def test_what_next_counts_the_elections_that_hold_it(geneva: Scenario) -> None:
    """After a tally the trailing one may concede: what follows is told of the elections that go on."""
    night = told(geneva, NOON, particles=3000)
    upcoming, out = night.what_next(), night.forecast().all_outcomes
    held = out.rounds >= 2
    assert upcoming.held.value == held.mean() < 0.9
    assert upcoming.decides.value == (out.rounds[held] == 2).mean()
    assert upcoming.elects.value == ((out.rounds == 2) & (out.winner == 0))[held].mean()
    assert upcoming.table()["probability"].sum() == pytest.approx(1.0)
    rows = (out.starts + 1)[held]
    share = np.sort(out.votes[rows, 0] / out.valid[rows])
    points = [share[int(np.ceil(q * share.size - 1e-9)) - 1] for q in (0.1, 0.5, 0.9)]
    assert upcoming.tally().loc["Pope", ["share 10 %", "share 50 %", "share 90 %"]].tolist() == points
    assert upcoming.table()["probability"].idxmax() == np.bincount(out.votes[rows, 0]).argmax()


def test_of_a_round_that_nobody_holds_nothing_is_known() -> None:
    upcoming = told(toy(15, rules="until-two-thirds", behaviour=SURE), "8-7").what_next("A")
    assert str(upcoming) == "No further round is expected."
    assert (upcoming.held.value, upcoming.held.runs) == (0.0, 400)
    for chance in (upcoming.decides, upcoming.elects, upcoming.alone):
        assert (chance.value, chance.mc_error, chance.runs) == (0.0, 1.0, 0)
        assert chance.span == ""
    assert upcoming.turning_point() is None
    assert upcoming.tally().empty
    assert upcoming.table().empty


def test_what_next_after_three(june: Scenario) -> None:
    upcoming = told(june, THREE, particles=1000).what_next()
    assert upcoming.name == "Vitorino"
    assert upcoming.tally().index.tolist() == list(june.names)
    with pytest.raises(IomsimError, match="no candidate named 'Bush'"):
        told(june, particles=50).what_next("Bush")


def test_learned(geneva: Scenario) -> None:
    table = told(geneva, NOON, particles=4000).learned()
    level = table.loc["net level of Pope (log-odds)"]
    assert level["now mean"] > level["prior mean"] + 0.3
    assert level["now sd"] < 0.75 * level["prior sd"]
    campaigns = table[table.index.str.startswith("effect of")]
    assert campaigns["prior mean"].to_numpy() == pytest.approx(1.0, abs=0.03)
    assert (campaigns["now sd"] > 0.7 * campaigns["prior sd"]).all()  # it cannot tell the sponsors apart
    assert table.loc["the contest is fluid", "now mean"] == pytest.approx(0.7, abs=0.04)  # one tally says nothing of it
    assert "cannot tell" in report.CAVEAT
    common = table.loc["common shock towards Pope (log-odds)"]
    assert (common["prior mean"], common["prior sd"]) == pytest.approx((0.0, 0.30), abs=0.02)  # that of a difference


def test_the_history_tells_odds_and_chance_of_every_step(geneva: Scenario) -> None:
    night = told(geneva, NOON, "go on", "104-61")
    table = night.history()
    assert table["odds"].tolist() == [belief.state.surprise for belief in night._beliefs]
    assert table["chance"].tolist() == [belief.state.chance for belief in night._beliefs]
    assert table["chance"].iloc[1] < table["odds"].iloc[1] < 1
    forecasts = [told(geneva, *lines).forecast() for lines in ([], [NOON], [NOON, "go on"], [NOON, "go on", "104-61"])]
    assert table["rounds"].tolist() == [fc.median_rounds()[0] for fc in forecasts]
    assert table["spill"].tolist() == [fc.spill().value for fc in forecasts]


def test_who_is_out_takes_no_papers_away(june: Scenario) -> None:
    night = told(june, THREE, "eliminate Isaacs", "Vitorino=82 Thompson=61", particles=200)
    assert set(night.state.valid[-1]) == {143}
    second = night.forecast().tallies.query("round == 2")
    assert set(second["valid"]) == {143}
    assert set(second["candidate"]) == {"Vitorino", "Thompson"}


@quiet
def test_refusals_are_learned_from(geneva: Scenario) -> None:
    night = told(geneva, NOON, particles=1500)
    assert night.learned().loc[READINESS, "now mean"] == pytest.approx(1.1 / 5.9, abs=0.01)
    night.go_on()
    assert night.learned().loc[READINESS, "now mean"] == pytest.approx(1.1 / 6.9, abs=0.01)
    night.tell("82-82")  # in a tie nobody is asked
    night.go_on()
    assert night.learned().loc[READINESS, "now mean"] == pytest.approx(1.1 / 6.9, abs=0.01)
    assert READINESS not in told(geneva.with_rules("strict"), particles=50).learned().index


@quiet
def test_a_deadlock_shows_what_kind_of_contest_it_is(geneva: Scenario) -> None:
    night = told(geneva.with_rules("strict"), "98-67", "98-67", "99-66", particles=1000)
    assert night.learned().loc["the contest is fluid", "now mean"] < 0.1


@quiet
def test_it_shows_itself(geneva: Scenario) -> None:
    night = told(geneva, NOON)
    assert repr(night).splitlines()[0] == "IOM Director General, Geneva, 15 May 2023: Pope 98, Vitorino 67"
    assert "nothing announced yet" in repr(night_of(geneva, 50, seed=1))
    html = night._repr_html_()
    assert "Pope is 12 votes short of 110." in html
    assert "<table" in html
    hostile = toy(9, names="AB", title="<b>")
    assert "<b>:" not in night_of(hostile, 50, seed=1)._repr_html_()


# -- elections one can count on one hand -------------------------------------------------------------


@pytest.mark.parametrize(
    ("papers", "parts", "lines", "ends"),
    [
        ("AAAABB", {}, ["4-2"], ("A", "majority", 1)),
        ("AAABBB", {"rules": "strict"}, ["3-3"], ("no winner", "open", 40)),
        ("AAABB", {"rules": "until-two-thirds", "behaviour": SURE}, ["3-2"], ("A", "acclamation", 1)),
        ("AAABBB", {"names": "ABC", "rules": {"name": "x", "eliminate_after": 1, "max_rounds": 4}},
         ["3-3-0", "3-3"], ("no winner", "open", 4)),
        ("AAAB--", {}, ["3-1"], ("A", "majority", 1)),
        ("AAABxx", {"rules": {"name": "x", "base": "entitled", "concession": True}}, ["3-1"], ("A", "majority", 1)),
        ("AAAB--", {"rules": {"name": "x", "base": "entitled", "concession": False}}, ["3-1"],
         ("no winner", "open", 40)),
    ],
)  # fmt: skip
def test_who_wins_and_when(papers: str, parts: dict[str, Any], lines: list[str], ends: tuple[str, str, int]) -> None:
    frozen = {"openness_fluid": 0, "openness_entrenched": 0, "openness_inf": 0}
    race = elect(papers, **parts | {"behaviour": frozen | parts.get("behaviour", {})})
    runs = told(race, *lines, particles=60).forecast().runs
    assert set(zip(runs["winner"], runs["ending"], runs["rounds"], strict=True)) == {ends}
