"""The parts of the particle filter: shocks, moves, guiding, surprise, and who has been seen."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from laws import exact
from laws.test_posterior import CASES, FAR, RUNS, errors_apart, past, room, told
from numpy.typing import NDArray
from toys import PRESENT, STILL, elect, night_of, play, proportion, slow_but, toy

import iomsim as iom
from iomsim.election_day import moves
from iomsim.election_day.between_rounds import needed_last, shared_by_lot, surviving
from iomsim.election_day.conditioning import resample, weights
from iomsim.election_day.election_day import CLOCK, FORECAST, STEP
from iomsim.election_day.moves import guide, normals, regress, unpack
from iomsim.election_day.propagate import Expected, Moments, still_away, surprise
from iomsim.election_day.state import (
    ObservedRound,
    Particles,
    draw_shocks,
    entry_of,
    initial_state,
    intention_probabilities,
    odds_of_all,
    resampled,
)
from iomsim.election_day.tally import Tally
from iomsim.engine import laws
from iomsim.engine.plan import draw
from iomsim.rules.procedure import Stage, Step
from iomsim.typing import Floats

pytestmark = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")

# -- shocks ------------------------------------------------------------------------------------------


def test_a_difference_of_two_shocks_has_the_sd_of_a_round() -> None:
    plan = toy(9, "ABC", behaviour={"round_sd": 0.4}).plan
    eta = draw_shocks(np.random.default_rng(1), plan, 400_000)
    assert eta.shape == (3, 400_000)
    assert (eta[0] - eta[1]).std() == pytest.approx(0.4, rel=0.01)
    share = np.mean(np.abs(eta[2]) > 3 * eta[2].std())
    assert share == pytest.approx(0.0117, abs=0.001)  # of Student's t with 5 degrees of freedom; normal: 0.0027


# -- moves -------------------------------------------------------------------------------------------


def quantities(particles: Particles) -> dict[str, Floats]:
    d = particles.draws
    told = {
        "fluid": d.fluid,
        "appeal": d.appeal[0] - d.appeal[1],
        "campaign": d.campaign[0],
        "region": d.region[0, 0] - d.region[0, 1],
        "conviction": d.conviction[1:].mean(axis=0),
    }
    return {name: np.asarray(x, dtype=float) for name, x in told.items()}


def drift(sweeps: int) -> tuple[float, str]:
    """Return what the moves change most in a posterior that was right before, in standard errors."""
    case = CASES["two rounds"]
    race, count = room(), 8000
    night = told(race, case[1], count)
    even = resampled(np.random.default_rng(1), night.plan, night.state)
    particles = moves.rejuvenate(np.random.default_rng(2), night.plan, even.particles, sweeps)
    sifted = past(race, RUNS)
    right = sifted.story(2, case[2](sifted))
    return max((errors_apart(right[name], x, count / 2), name) for name, x in quantities(particles).items())


@pytest.mark.slow
def test_moves_leave_the_posterior_where_it_is() -> None:
    assert drift(sweeps=25)[0] < FAR


def always(rng: Any, new: Any, old: Any) -> NDArray[np.bool_]:
    return np.ones(new.shape[1], dtype=bool)


LIES: dict[str, tuple[str, Any]] = {
    "every common move is taken": ("accepted", lambda f: always),
    "proposals spread": ("pcn", lambda f: lambda rng, x, step: x + np.float32(step) * (f(rng, x, 1.0))),
    "members move as they like": ("log_round_probability", lambda f: lambda *a: 0.0 * f(*a)),
}


@pytest.mark.slow
@pytest.mark.parametrize("lie", slow_but(LIES, "members move as they like"))
def test_and_wrong_moves_are_seen(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, wrong = LIES[lie]
    monkeypatch.setattr(moves, name, wrong(getattr(moves, name)))
    if name == "log_round_probability":
        monkeypatch.setattr(
            moves, "log_path_probability", lambda plan, draws, odds, rounds: np.zeros(rounds[0].intention.shape)
        )
    assert drift(sweeps=25)[0] > FAR


def test_moves_move() -> None:
    night = told(room(), ["A=8 B=5", "A=7 B=6"], 500)
    before = resampled(np.random.default_rng(1), night.plan, night.state).particles
    after = moves.rejuvenate(np.random.default_rng(2), night.plan, before, 5)
    for name, x in quantities(after).items():
        assert np.mean(x != quantities(before)[name]) > (0.05 if name == "fluid" else 0.6), name
    assert np.mean(after.rounds[1].shocks != before.rounds[1].shocks) > 0.5
    assert np.array_equal(after.intention, before.intention)
    pinned = after.draws.conviction[0]
    assert np.std(pinned) == pytest.approx(1.0, abs=0.15)  # a pinned member shows nothing


# -- resampling --------------------------------------------------------------------------------------


def test_copies_of_a_world_go_different_ways() -> None:
    night = told(iom.load("geneva-2023"), ["98-67", "90-75"], 600)
    keys = night.state.particles.draws.keys
    assert np.unique(keys).size == keys.size
    assert np.unique(night.state.clocks.keys).size == keys.size


def test_worlds_are_taken_in_proportion_to_their_weights() -> None:
    log_weight = np.log(np.arange(1.0, 101.0))
    counts = np.bincount(resample(log_weight, 0.4), minlength=100)
    expected = 100 * weights(log_weight)
    assert (np.abs(counts - expected) < 1).all()
    assert np.array_equal(resample(np.array([0.0, -np.inf, 0.0]), 0.9), [0, 2, 2])


def test_no_two_uses_share_their_numbers() -> None:
    night = night_of(toy(5), particles=10, seed=1)
    first = {night._rng(number, use).random() for number in range(4) for use in (STEP, CLOCK, FORECAST)}
    assert len(first) == 12


# -- who has been seen -------------------------------------------------------------------------------


def test_who_has_voted_once_is_there() -> None:
    race = toy(25, behaviour=STILL | {"absent": 0.3, "abstain": 0.3, "openness_fluid": 0, "openness_entrenched": 0})
    night = told(race, ["valid=13", "valid=14", "valid=13"], 400)
    states = [belief.state for belief in night._beliefs[1:]]
    steps = [state.particles for state in states]
    assert min(state.effective_size for state in states) > 200  # a guard: nobody was resampled
    for before, now in pairwise(steps):
        assert (before.seen <= now.seen).all()
        assert not (now.draws.absent & now.seen).any()
    assert (steps[-1].seen.sum(axis=0) > steps[0].seen.sum(axis=0)).all()
    assert np.array_equal(states[-1].valid.mean(axis=1), [13, 14, 13])


def test_who_was_never_seen_is_the_likelier_away_the_more_rounds_were_held() -> None:
    """Bayes: absent with 0.2, or present and without a valid paper with 0.3 in each of two rounds."""
    race = elect("Affff", behaviour={"absent": 0.2, "abstain": 0.3, "conviction": 1.0})
    night = told(race, ["valid=4", "valid=3"], 500)
    particles, plan = night.state.particles, race.plan
    away = still_away(plan, particles)
    assert set(away[particles.seen]) == {0.0}
    assert away[~particles.seen] == pytest.approx(0.2 / (0.2 + 0.8 * 0.3**2))
    assert still_away(plan, replace(particles, rounds=particles.rounds[:1]))[~particles.seen] == pytest.approx(
        0.2 / 0.44
    )
    assert still_away(plan, replace(particles, rounds=())).tolist() == [[0.0], *[[0.2]] * 4]
    present = told(race.with_rules(base="present"), ["valid=4", "valid=3"], 500)  # their number says what elects
    stays = still_away(present.plan, present.state.particles)
    assert stays == pytest.approx(present.state.particles.draws.absent.astype(float), abs=1e-5)


def test_all_who_lost_their_candidate_are_counted_where_they_must_think_again() -> None:
    """Two of four withdraw after the same round."""
    race = toy(30, "ABCD", behaviour=PRESENT | {"openness_fluid": 0, "openness_entrenched": 0, "openness_inf": 0})
    night = told(race, ["A=13 B=9 C=3 D=5", "withdraw C", "withdraw D"], 300)
    entry = entry_of(race.plan, night.state)
    assert (entry.runs.departed.T == [False, False, True, True]).all()
    assert (entry.runs.counts.T == [13, 9, 3, 5]).all()
    assert [(entry.intention == k).sum() for k in range(4)] == [300 * count for count in (13, 9, 3, 5)]
    second = night.forecast().tallies.query("round == 2").groupby("run")["votes"].sum()
    assert (second == 30).all()


def test_a_round_before_a_withdrawal_counts_towards_the_next_elimination() -> None:
    """Whether or not the tally leaves open if it elected."""
    race = toy(12, "ABCD", behaviour=PRESENT, rules={"name": "strict", "eliminate_after": 2})
    for line, pending in (("A=5 B=3 C=2 D=2", False), ("A at least 7", True)):
        night = told(race, [line], 400)
        assert night.state.pending is pending
        night.tell("withdraw D")
        assert (night.state.stage, night.state.pending) == (Stage(0, 1, 3), False)
        assert race.rules.next_stage(night.state.stage, in_race=3).stage == Stage(
            2, 0, 2
        )  # one leaves after the second


def test_sixteen_may_stand_and_everybody_is_somewhere() -> None:
    """There are 256 ways from one to another, and one number more for the absent."""
    names = "ABCDEFGHIJKLMNOP"
    race = toy(40, names, behaviour={"absent": 0.1, "abstain": 0.0}, rules={"name": "strict", "eliminate_after": 9})
    night = night_of(race, particles=200, seed=1)
    night.announce({name: 3 if name in "AB" else 2 for name in names})
    night.withdraw("P")
    night.withdraw("C")
    night.announce({name: 5 if name in "AB" else 2 for name in names if name not in "CP"})
    flow, present = night.state.flows[-1], night.state.present
    assert (flow.sum(axis=(0, 1)) == present).all()
    assert (flow[:, [2, 15]] == 0).all()
    assert (flow[[2, 15]].sum(axis=1) >= 2).all()
    out = night.forecast().all_outcomes
    assert (out.votes[out.starts + 1][:, [2, 15]] == -1).all()
    assert 15 not in out.winner


def test_who_has_lost_a_candidate_chooses_without_the_last_tally() -> None:
    """By hand: three members who lean alike and do not hide anything, one of whom was for C."""
    known = PRESENT | {"conviction": 0, "common_sd": 0, "region_sd": 0, "fluid": 1, "openness_fluid": 0.4}
    race = toy(3, "ABC", behaviour=known | {"momentum_fluid": 2.0, "momentum_field": 0.25})
    plan, shock = race.plan, np.array([[0.3], [-0.2], [0.1]])
    draws = draw(plan, 1, 0, 1)
    before = np.array([[0], [1], [2]], dtype=np.uint8)
    last, night = np.array([[6.0], [3.0], [2.0]]), np.array([False])
    after_elimination, all_stand = (
        ObservedRound(2, np.array(who), True, np.zeros(3, dtype=bool), before, shock, last, night)
        for who in ([True, True, False], [True, True, True])
    )

    def by_hand(pull: list[float]) -> Floats:
        weights_ = np.exp(pull)
        return np.asarray(weights_ / weights_.sum())

    odds = odds_of_all(plan, draws)
    found = intention_probabilities(plan, draws, odds, after_elimination, before)[:, :, 0].T
    shares = 0.5 * np.log([6.0, 3.0, 2.0]) + shock[:, 0]
    two = np.append(by_hand(shares[:2].tolist()), 0)
    assert found[0] == pytest.approx(0.4 * two + 0.6 * np.array([1, 0, 0]), rel=1e-5)
    assert found[1] == pytest.approx(0.4 * two + 0.6 * np.array([0, 1, 0]), rel=1e-5)
    assert found[2] == pytest.approx(np.append(by_hand([0.3, -0.2]), 0), rel=1e-5)
    found = intention_probabilities(plan, draws, odds, all_stand, before)[:, :, 0].T
    assert found[2] == pytest.approx(0.4 * by_hand(shares.tolist()) + 0.6 * np.array([0, 0, 1]), rel=1e-5)
    found = intention_probabilities(plan, draws, odds, replace(all_stand, crowded=False), before)[:, :, 0].T
    shares = 2.0 * np.log([6.0, 3.0, 2.0]) + shock[:, 0]
    assert found[2] == pytest.approx(0.4 * by_hand(shares.tolist()) + 0.6 * np.array([0, 0, 1]), rel=1e-5)


def test_the_state_knows_how_many_stood_in_the_last_round() -> None:
    race = toy(12, "ABC", behaviour=PRESENT, rules={"name": "strict", "eliminate_after": 1})
    night = night_of(race, particles=200, seed=1)
    seen = [(night.state.crowded, entry_of(race.plan, night.state).runs.crowded.any())]
    for line in ("A=5 B=4 C=3", "A=7 B=5"):
        night.tell(line)
        seen.append((night.state.crowded, entry_of(race.plan, night.state).runs.crowded.all()))
    assert seen == [(False, False), (True, True), (False, False)]


def test_after_a_leader_alone_has_failed_the_last_choice_pulls() -> None:
    """Not the yes votes of the ballot in between, in which one candidate alone could be named."""
    phases = [
        {"name": "choice", "ballots": 1},
        {"name": "alone", "vote": "yes-no", "ballots": 1},
        {"name": "again", "ballots": 1},
    ]
    race = toy(9, "ABC", behaviour=PRESENT, rules={"name": "mine", "phases": phases, "after": "fail"})
    night = told(race, ["A=4 B=3 C=2", "confirm yes=4 no=5"], 200)
    assert night.state.last_choice[:, 0].tolist() == [4, 3, 2]
    assert night.state.crowded
    runs = entry_of(race.plan, night.state).runs
    assert (runs.votes.T == [4, 3, 2]).all()
    assert runs.crowded.all()
    night.tell("A=5 B=3 C=1")
    assert (night.state.particles.rounds[-1].last_votes.T == [4, 3, 2]).all()


@pytest.mark.parametrize(("line", "others"), [("withdraw B", (3.0, 1.0)), ("eliminate B", (2.2, 7.8))])
def test_whether_the_other_withdrew_says_who_comes_over(line: str, others: tuple[float, float]) -> None:
    rules = {"name": "mine", "concession": True, "after_concession": "confirmation", "max_two_way": 1}
    race = toy(20, behaviour=PRESENT, rules=rules)
    night = told(race, ["A=12 B=8", line], 20_000)
    passed = float((night.forecast().all_outcomes.winner == 0).mean())
    assert proportion(round(20_000 * passed), 20_000, exact.confirmation(12, 8, 0.97, *others)) < 4


# -- guiding -----------------------------------------------------------------------------------------


def test_guiding_moves_the_shared_draws_and_nothing_else() -> None:
    plan = iom.load("geneva-2023").plan
    draws = draw(plan, 1, 0, 500)
    assert np.array_equal(normals(unpack(draws, normals(draws))), normals(draws))
    share = 0.5 + 0.1 * (draws.appeal[0] - draws.appeal[1])
    mean = np.stack([165 * share, 165 * (1 - share)])
    tally = Tally(("A", "B"), np.array([120, 45]), np.array([120, 45]), 165)
    moved, log_ratio = guide(draws, Moments(mean, mean, mean), tally)
    assert (moved.appeal[0] - moved.appeal[1]).mean() > 1.0
    assert np.array_equal(moved.conviction, draws.conviction)
    x, y = normals(draws), normals(moved)
    slope = (y - x)[len(draws.campaign)]
    assert np.abs((y - x)[0]).max() < 0.1 * np.abs(slope).max()  # the campaigns have nothing to do with it here
    assert np.std(log_ratio) > 0


def test_the_fit_is_least_squares() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((3, 5000))
    y = np.array([[1.0, -2.0, 0.0], [0.5, 0.0, 3.0]]) @ x + [[4.0], [5.0]] + 0.1 * rng.standard_normal((2, 5000))
    slope, middle, rest = regress(x, y)
    assert slope == pytest.approx(np.array([[1.0, -2.0, 0.0], [0.5, 0.0, 3.0]]), abs=0.01)
    assert middle == pytest.approx([4.0, 5.0], abs=0.01)
    assert rest == pytest.approx(0.01 * np.eye(2), abs=0.001)


@pytest.mark.parametrize(("line", "least"), [("98-67", 0.6), ("Pope at least 90", 0.35), ("Pope at least 60", 0.8)])
def test_most_worlds_count_after_a_usual_announcement(line: str, least: float) -> None:
    assert told(iom.load("geneva-2023"), [line], 1500).effective_size > least * 1500


# -- surprise ----------------------------------------------------------------------------------------


def certain_law(mean: list[float]) -> Moments:
    """Return sums with the moments of 100 papers, the same in both of two particles."""
    middle = np.repeat(np.array(mean)[:, None], 2, axis=1)
    return Moments(middle, middle * (1 - middle / 100), 0.0 * middle)


def odds(votes: list[tuple[int, int]], valid: int | None) -> tuple[float, str]:
    low, high = np.array(votes).T
    papers = Moments(np.full(2, 100.0), np.full(2, 4.0), np.zeros(2))
    expected = Expected(certain_law([50.0, 30.0, 20.0]), papers)
    return surprise(Tally(("A", "B", "C"), low, high, valid), expected, np.array([0.5, 0.5]))


def test_of_three_the_rarest_counts_twice() -> None:
    """Fifty expected, sd 5: sixty or more, and as far out below, is 0.0574; of three candidates two are free."""
    alone, _ = odds([(60, 60), (0, 100), (0, 100)], None)
    assert alone == pytest.approx(0.0574, abs=0.0005)
    all_three, what = odds([(60, 60), (24, 24), (16, 16)], 100)
    assert all_three == pytest.approx(2 * alone)
    assert what == "a tally this far out"


def test_bounds_are_one_sided() -> None:
    assert odds([(60, 100), (0, 100), (0, 100)], None)[0] == pytest.approx(0.0287, abs=0.0005)
    assert odds([(0, 60), (0, 100), (0, 100)], None)[0] == pytest.approx(0.982, abs=0.001)


@pytest.mark.parametrize(("valid", "what"), [(90, "so few valid papers"), (110, "so many valid papers")])
def test_papers_may_be_rarer_than_votes(valid: int, what: str) -> None:
    rare, said = odds([(50, 50), (30, 30), (valid - 80, valid - 80)], valid)
    assert (rare < 1e-5, said) == (True, what)


@pytest.mark.parametrize(("level", "odds"), [(0.1, 0.2), (0.5, 1.0), (0.9, 0.2)])
def test_a_yes_no_answer_is_far_out_on_either_side(level: float, odds: float) -> None:
    night = told(iom.load("geneva-2023").with_rules("one-two-way"), ["98-67", "eliminate Vitorino"], 1500)
    asked = night.forecast().tallies.query("round == 2")
    assert (asked["kind"] == "yes/no").all()
    yes = round(165 * float(asked["share"].quantile(level)))
    night.confirm(yes, 165 - yes)
    assert night.state.surprise == pytest.approx(odds, abs=0.05)


def test_the_chance_of_a_tally_is_that_of_its_elections() -> None:
    """Guided particles are weighed, and the weights say how often the model had foreseen just this."""
    race = toy(60, behaviour=PRESENT | {"common_sd": 1.5}, rules={"name": "strict", "max_rounds": 1})
    out = play(race, 60_000, seed=8)
    for votes in (34, 20):
        often = float((out.votes[:, 0] == votes).mean())
        assert often * 60_000 > 700  # a guard: known to four in a hundred
        assert told(race, [f"A={votes} B={60 - votes}"], 4000).state.chance == pytest.approx(often, rel=0.15)


def test_in_a_tie_nobody_concedes_and_the_lot_decides_who_is_out() -> None:
    """Of eight equals five to three leads if nobody concedes, and four to four by lot."""
    race = toy(8, behaviour=STILL, rules={"name": "mine", "concession": True, "max_two_way": 1})
    night = told(race, ["valid=8", "eliminate B"], 20_000)
    votes, w = night.state.votes[-1][0], weights(night.state.particles.log_weight)
    tie, lead = 70 / 2, 56 * (1 - 1.1 / 5.9)  # of 256 tallies, as many as agree with it
    assert set(votes[w > 0]) == {4, 5}
    assert w[votes == 4].sum() == pytest.approx(tie / (tie + lead), abs=0.02)


def test_a_tie_is_no_refusal_to_concede() -> None:
    race = toy(8, rules={"name": "mine", "concession": True})
    assert set(told(race, ["4-4", "go on"], 50).state.non_concessions) == {0}
    assert set(told(race, ["4-4", "5-3", "go on"], 50).state.non_concessions) == {1}


def test_nothing_known_is_no_surprise() -> None:
    assert odds([(0, 100), (0, 100), (0, 100)], None)[0] == pytest.approx(1.0)


# -- lots --------------------------------------------------------------------------------------------


def test_lots_share_the_first_and_the_last_place() -> None:
    votes = np.array([[5, 4, 3, 7], [4, 4, 3, 2], [4, 5, 3, 2], [-1, -1, -1, -1]], dtype=np.int16)
    standing = np.array([True, True, True, False])
    third = 1 / 3
    state = replace(initial_state(elect("Affff", "ABCD").plan, 4, 1), votes=votes[None], standing=standing)
    assert shared_by_lot(laws.leads, state) == pytest.approx(
        np.array([[1, 0, third, 1], [0, 0, third, 0], [0, 1, third, 0], [0, 0, 0, 0]])
    )
    assert shared_by_lot(laws.trails, state) == pytest.approx(
        np.array([[0, 0.5, third, 0], [0.5, 0.5, third, 0.5], [0.5, 0, third, 0.5], [0, 0, 0, 0]])
    )


def test_lots_share_the_places_that_are_left() -> None:
    """One is ahead and three are level: for two places each of them has a third, for three places two thirds."""
    votes = np.array([[5], [3], [3], [3]], dtype=np.int16)
    standing = np.ones(4, dtype=bool)
    state = replace(initial_state(elect("Affff", "ABCD").plan, 1, 1), votes=votes[None], standing=standing)
    for places, chance in ((1, 0), (2, 1 / 3), (3, 2 / 3), (4, 1)):
        kept = surviving(state, Step(Stage(1, 0, places)), places)
        assert kept[:, 0].tolist() == pytest.approx([1, chance, chance, chance])


# -- before the first round --------------------------------------------------------------------------


def test_the_absent_stand_somewhere_too() -> None:
    plan = toy(9, behaviour={"absent": 1.0, "conviction": 1.0}).plan
    draws = draw(plan, 1, 0, 100)
    odds = odds_of_all(plan, draws)
    assert draws.absent.all()
    assert (odds > 0).all()
    everybody = replace(draws, absent=np.zeros_like(draws.absent))
    assert np.array_equal(odds, odds_of_all(plan, everybody))
    assert PRESENT["absent"] == 0


@pytest.mark.slow
def test_members_barred_while_their_candidate_stands_do_not_vote() -> None:
    """Eight of 21 are barred: the chance of a tally is that of the elections that have it, the bars are of the rest."""
    barred = {"A": ["M1", "M2", "M3", "M4"], "B": ["M5", "M6"], "C": ["M7", "M8"]}
    electorate = {"size": 21, "pinned": {"A": ["M1", "M2"]}, "barred": barred}
    bars = {}
    for base in ("valid", "present", "entitled"):
        rules = {"name": "mine", "threshold": ">1/2", "base": base, "phases": [{"drop": 1, "barred": True}]}
        race = toy(21, "ABC", electorate=electorate, rules=rules)
        night = night_of(race, particles=4000, seed=1)
        night.announce(A=4, B=4, C=3)
        w = weights(night.state.particles.log_weight)
        bars[base] = np.unique(needed_last(race.plan, night.state)[w > 0]).tolist()
        out = play(race, 40_000, seed=3)
        first = (out.votes[out.starts] == [4, 4, 3]).all(axis=1)
        assert night.state.chance == pytest.approx(first.mean(), rel=0.2)
        assert out.valid[out.starts].max() == 13
    assert bars["valid"] == [6]
    assert bars["present"] == [6, 7]
    assert bars["entitled"] == [7]


BARRED = {
    "electorate": {"size": 21, "barred": {"A": ["M1", "M2", "M3", "M4"], "B": ["M5", "M6"], "C": ["M7", "M8"]}},
    "rules": {
        "name": "mine", "threshold": ">1/2", "base": "present", "phases": [{"drop": 1, "down_to": 1, "barred": True}],
    },
}  # fmt: skip


def test_they_vote_again_when_their_candidate_is_out() -> None:
    night = told(toy(21, "ABC", **BARRED), ["A=5 B=5 C=3", "A=7 B=7"], 200)
    assert night.state.entitled == (13, 15)


def test_whether_they_are_there_is_not_seen() -> None:
    """Of who may not vote, no paper says nothing; the others are the likelier away."""
    race = toy(21, "ABC", behaviour={"absent": 0.3, "abstain": 0.3}, **BARRED).with_rules(base="valid")
    particles = told(race, ["A=3 B=2 C=1"], 2000).state.particles
    away = still_away(race.plan, particles)
    assert away[:8] == pytest.approx(0.3)
    assert away[8:][~particles.seen[8:]] == pytest.approx(0.3 / (0.3 + 0.7 * 0.3))
    assert particles.draws.absent[:8].mean() == pytest.approx(0.3, abs=0.03)


def test_who_is_elected_without_figures_has_the_votes_of_those_who_may_vote() -> None:
    """Seven of thirteen, not eleven of 21."""
    night = told(toy(21, "ABC", behaviour=PRESENT, **BARRED), ["A is elected"], 2000)
    assert night.state.votes[-1][0].min() == 7
