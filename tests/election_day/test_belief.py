"""What is believed under several readings of the rules: what is ruled out, what is shared, what is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import same, toy

import iomsim as iom
from iomsim.election_day.belief import lots, sampled
from iomsim.election_day.conditioning import resample_within
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.predict import plan_of, reading_uniforms
from iomsim.election_day.state import nights_matter
from iomsim.errors import AnnouncementError
from iomsim.model.scenario import Scenario

pytestmark = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")

FIVE = {
    "until-two-thirds": 0.55,
    "four-rounds": 0.20,
    "withdrawal-then-vote": 0.15,
    "strict": 0.05,
    "one-two-way": 0.05,
}
EVEN = {"A": 12, "B": 10}
OWN: dict[str, dict[str, Any]] = {
    "all stay": {"threshold": ">1/2"},
    "the last leaves": {"threshold": ">1/2", "phases": [{"drop": 1}]},
}


def two(weights: dict[str, float] | None = None, **parts: Any) -> Scenario:
    return toy(25, **parts).with_readings(weights or FIVE)


def three(weight: float = 0.5) -> Scenario:
    readings = [{"rules": {"name": name, **rules}, "weight": w}
                for (name, rules), w in zip(OWN.items(), (weight, 1 - weight), strict=True)]  # fmt: skip
    return toy(15, "ABC")._with(rules=None, readings=readings)


def told(race: Scenario, *lines: str, particles: int = 400, assumptions: int | str = 40, seed: int = 5) -> ElectionDay:
    night = iom.live(race, particles, seed, assumptions=assumptions)
    for line in lines:
        night.tell(line)
    return night


def possible(night: ElectionDay) -> list[str]:
    """Return the readings that are left."""
    return [night.belief.plans[r].rules.name for r in night.belief.alive]


# -- what is ruled out ---------------------------------------------------------------------------------


def test_every_round_between_two_rules_out_who_forbids_it() -> None:
    night = told(two())
    left = []
    for _ in range(4):
        report = night.announce(EVEN)
        left.append(set(possible(night)))
    assert left == [
        set(FIVE),
        set(FIVE) - {"one-two-way"},
        set(FIVE) - {"one-two-way"},
        set(FIVE) - {"one-two-way", "four-rounds"},
    ]
    assert "Four rounds between two have been held, which rules four-rounds out." in str(report)


def test_what_a_reading_does_not_foresee_rules_it_out_if_another_does() -> None:
    night = told(two(), "A=12 B=10")
    report = night.withdraw("B")
    assert "strict" not in possible(night)
    assert "B has withdrawn, which rules strict out" in str(report)
    alone = told(two({"strict": 0.5, "four-rounds": 0.5}, behaviour={}), "A=12 B=10", "withdraw A")
    assert len(possible(alone)) == 2  # who leads does not withdraw, whatever the reading: it is a fact
    assert alone.belief.weights == pytest.approx([0.5, 0.5])


def test_what_no_reading_allows_is_refused_as_the_weightiest_says() -> None:
    night = told(two(), "A=12 B=10")
    before = night.belief
    with pytest.raises(AnnouncementError, match="26 votes are more than the 25 members"):
        night.announce(A=13, B=13)
    assert night.belief is before
    with pytest.raises(AnnouncementError, match="more than one candidate stands"):
        told(two({"until-two-thirds": 0.6, "strict": 0.4}), "A=12 B=10").confirm(yes=12, no=10)


def test_a_vote_on_one_alone_rules_out_who_holds_ballots() -> None:
    night = told(two(), "A=12 B=10", "withdraw B")
    report = night.confirm(yes=20, no=2)
    assert possible(night) == ["withdrawal-then-vote"]
    assert "withdrawal-then-vote is left." in str(report)
    assert night.forecast().certain


def test_some_readings_may_be_over_and_others_not() -> None:
    night = told(two({"until-two-thirds": 0.7, "withdrawal-then-vote": 0.3}), "A=12 B=10")
    report = night.withdraw("B")
    fc = night.forecast()
    assert not fc.certain
    assert fc.out == ("B",)
    assert "Under until-two-thirds it is over (70 in 100); otherwise it goes on." in str(report)
    ended = fc.all_outcomes.rounds == 1
    assert ended.mean() == pytest.approx(0.7, abs=0.03)
    assert set(fc.all_outcomes.ending[ended]) == {1}
    night.elect("A")
    assert night.belief.over
    assert night.forecast().win_probability()["probability"]["A"] == 1.0


def test_who_stands_may_depend_on_the_reading() -> None:
    night = told(three(), "A=6 B=5 C=3")
    assert [sorted(np.flatnonzero(night.belief.at(r).standing)) for r in range(2)] == [[0, 1, 2], [0, 1]]
    night.announce(A=7)
    assert len(night.belief.halls) == 2
    assert len(possible(night)) == 2
    out = night.forecast().all_outcomes
    assert set((out.votes[out.starts + 1] >= 0).sum(axis=1)) == {2, 3}
    night.undo()
    night.announce(A=6, B=5, C=3)
    assert possible(night) == ["all stay"]


def test_a_question_is_asked_if_a_reading_turns_on_it() -> None:
    night = told(three(), "A=6 B=4 C=4")
    with pytest.raises(AnnouncementError, match="whether B or C is out"):
        night.go_on()
    night.announce(A=6, B=4, C=4)  # all three have votes: nobody is out
    assert possible(night) == ["all stay"]
    night.undo()
    night.eliminate("C")
    assert possible(night) == ["the last leaves"]


# -- what is shared, and what is drawn ------------------------------------------------------------------


def test_readings_share_particles_and_weigh_them() -> None:
    night = told(two(), "A=12 B=10", "A=12 B=10", particles=2000)
    belief = night.belief
    assert len(belief.halls) == 1
    first = belief.at(0)
    for state in belief.possible:
        assert state.particles.draws is first.particles.draws
        assert state.votes is first.votes
        assert state.clocks is first.clocks
    refused = belief.at(0).particles.log_weight - belief.at(3).particles.log_weight
    a, b = (night.plan.values[f"behaviour.concede_{x}"] for x in "ab")
    own = first.particles.draw
    expected = 1 - (a[own] / (a[own] + b[own]) if np.ndim(a) else a / (a + b[own]))
    assert np.exp(refused) * FIVE["strict"] / FIVE["until-two-thirds"] == pytest.approx(expected)


def test_only_what_tells_readings_apart_moves_their_weights() -> None:
    night = told(two(), "A=12 B=10", particles=300)
    assert dict(zip(FIVE, night.belief.weights, strict=True)) == pytest.approx(FIVE)


def test_a_day_is_replayed_undone_and_corrected_with_the_same_bits(tmp_path: Path) -> None:
    lines = ["A=12 B=10 at 11:30", "go on", "A=13 B=9", "inconclusive"]
    path = tmp_path / "day.log"
    night = iom.live(two(), 300, 7, path, assumptions=30)
    for line in lines:
        night.tell(line)
    again = iom.replay(path)
    assert again.assumptions == 30
    assert same(again.forecast().all_outcomes, night.forecast().all_outcomes)
    kept = night.forecast()
    night.tell("A=12 B=10")
    night.undo()
    assert same(night.forecast().all_outcomes, kept.all_outcomes)
    night.correct(1, A=11, B=13)
    at_once = told(two(), "A=11 B=13 at 11:30", *lines[1:], particles=300, assumptions=30, seed=7)
    assert same(night.forecast().all_outcomes, at_once.forecast().all_outcomes)


def test_a_day_on_fixed_assumptions_has_one_reading_and_one_draw() -> None:
    race = two()
    night = told(race, "A=12 B=10", assumptions="fixed")
    plain = told(race.with_rules("until-two-thirds"), "A=12 B=10", assumptions="fixed")
    assert night.draws is None
    assert not night.belief.several
    assert same(night.forecast().all_outcomes, plain.forecast().all_outcomes)


def test_runs_follow_draws_in_proportion_to_their_posterior() -> None:
    night = told(two(), "A=12 B=10", "A=12 B=10", particles=4000, assumptions=40)
    fc = night.forecast()
    assert fc.draws is not None
    assert night.draws is not None
    path = next(iter(night.draws.values))
    mine = fc.draws.values[path][fc.all_outcomes.draw]
    weights = night.belief.draw_weights(40)
    assert mine.mean() == pytest.approx(float(weights @ night.draws.values[path]), rel=0.05)
    followed = np.bincount(fc.draws.reading[fc.all_outcomes.draw], minlength=5) / 4000
    assert followed == pytest.approx(night.belief.weights, abs=0.02)


def test_the_table_of_readings_is_of_those_that_are_left() -> None:
    night = told(two(), "A=12 B=10", "A=12 B=10", particles=2000)
    table = night.forecast().rule_sets()
    assert set(table.index) == set(possible(night))


def test_what_was_learnt_is_told() -> None:
    night = told(two(), "A=12 B=10", "A=12 B=10", particles=1000)
    table = night.learned()
    assert table.loc["the rules: one-two-way", "now mean"] == 0.0
    assert table.loc["the rules: until-two-thirds", "prior mean"] == pytest.approx(0.55)
    assert table.loc["secrecy", "prior sd"] > 0
    fixed = told(two(), "A=12 B=10", assumptions="fixed").learned()
    assert not any(name.startswith("the rules") or name == "secrecy" for name in fixed.index)


def test_lots_hold_draws_together_and_split_those_of_many_particles() -> None:
    draw = np.repeat([0, 1, 2], [2, 9, 1])
    lot, source = lots(draw, np.zeros(12, dtype=np.intp), count=4, most=1)
    assert source.tolist() == [0, 1, 2, 3, 1, 1, 1]
    assert (source[lot] == draw).all()
    assert np.bincount(lot).tolist() == [2, 3, 1, 0, 2, 2, 2]
    apart, source = lots(np.array([0, 0, 1]), np.array([0, 1, 1]), count=2, most=5)
    assert apart.tolist() == [0, 2, 3]
    assert source.tolist() == [0, 1, 0, 1]


def test_within_a_group_it_is_drawn_by_weight() -> None:
    rng = np.random.default_rng(3)
    group, weight = np.repeat([0, 1, 2], [400, 400, 2]), np.r_[np.tile([1.0, 3.0], 200), np.ones(400), 0.0, 0.0]
    place, mean = resample_within(rng, group, weight)
    assert (group[place] == group).all()
    assert (weight[place[:400]] == 3).mean() == pytest.approx(0.75, abs=0.01)
    assert sorted(place[400:800]) == list(range(400, 800))
    assert np.unique(mean).tolist() == [0.0, 1.0, 2.0]


PACE = {"opens": "2023-05-15T10:00:00", "round_minutes": {"value": 70, "low": 30, "high": 160}}


def test_a_time_teaches_about_the_pace_and_nothing_about_votes() -> None:
    race = toy(25, clock=PACE)
    night, silent = (told(race, line, particles=4000, assumptions=50) for line in ("A=12 B=10 at 11:40", "A=12 B=10"))
    assert night.draws is not None
    minutes, secrecy = (night.draws.values[path] for path in ("clock.round_minutes", "behaviour.secrecy"))
    clock, votes = night.belief.draw_weights(50, clock=True), night.belief.draw_weights(50)
    assert clock @ minutes < minutes.mean() - 10
    assert votes == pytest.approx(silent.belief.draw_weights(50))
    assert silent.belief.draw_weights(50, clock=True) == pytest.approx(1 / 50)
    table = night.learned()
    assert table.loc["minutes a round", "now mean"] == pytest.approx(clock @ minutes)
    assert table.loc["secrecy", "now mean"] == pytest.approx(votes @ secrecy)


def test_runs_follow_a_draw_of_the_pace_with_their_clock() -> None:
    night = told(toy(25, clock=PACE), "A=12 B=10 at 11:40", particles=4000, assumptions=50)
    fc = night.forecast()
    assert fc.draws is not None
    assert night.draws is not None
    minutes = fc.draws.values["clock.round_minutes"][fc.all_outcomes.draw]
    weights = night.belief.draw_weights(50, clock=True)
    assert minutes.mean() == pytest.approx(float(weights @ night.draws.values["clock.round_minutes"]), rel=0.03)
    out = fc.all_outcomes
    second = (out.rounds == 2) & (out.ending == 0)
    assert np.corrcoef(minutes[second], out.minute[second])[0, 1] > 0.3  # slow draws take long


def test_where_nights_matter_clocks_stay_with_their_particles() -> None:
    behaviour = {"overnight": {"value": 0.3, "low": 0.1, "high": 0.5}}
    race = toy(25, clock=PACE | {"formalities": 400}, behaviour=behaviour)
    night = told(race, "A=12 B=10", particles=1000, assumptions=50)
    assert not nights_matter(night.belief.plan, night.state.particles)
    night.tell("A=12 B=10")
    assert nights_matter(night.belief.plan, night.state.particles)
    before = night.belief.draw_weights(50)
    night.adjourn(until="Tuesday 10:00")
    assert night.belief.draw_weights(50) != pytest.approx(before)


def test_before_the_vote_the_readings_are_those_of_the_draws() -> None:
    race = two()
    night = told(race, particles=1000, assumptions=40)
    assert night.draws is not None
    found = sampled(np.random.default_rng(1), night.belief, reading_uniforms(5, night.draws), night.draws.reading)
    again = sampled(np.random.default_rng(1), night.belief, reading_uniforms(5, night.draws))
    assert night.draws is not None
    assert (found.reading == night.draws.reading).all()
    assert (again.reading[:40] == found.reading).mean() > 0.9  # they are drawn alike from what is believed
    assert (found.draw == np.arange(1000) % 40).all()
    assert plan_of(race, night.draws).readings == tuple(part.rules for part in race.readings)


def test_few_draws_left_are_said_to_be_few() -> None:
    race = toy(60, behaviour={"absent": {"value": 0.2, "low": 0.05, "high": 0.5}})
    report = str(told(race, "A=20 B=14 valid=34", particles=2000, assumptions=60).tell("A=20 B=14 valid=34"))
    assert "draws of the assumptions still carry weight" in report
