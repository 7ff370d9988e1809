"""Past contests: what was known when, what followed, and the scenarios they make."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from contest_files import election, own, tally, write

import iomsim as iom
from iomsim.engine.simulate import simulate
from iomsim.errors import AnnouncementError, ScenarioError, UnknownNameError
from iomsim.rules.procedure import ENDINGS, Procedure
from iomsim.rules.short_form import from_short_form
from iomsim.validation.data import contest, contests
from iomsim.validation.rounds import Aftermath
from iomsim.validation.segments import MAX_ROUNDS, Segment, segments
from iomsim.validation.synthetic import synthetic_contests

SHIPPED = {one.id: one for one in contests()}


# -- what happened -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ending", "winner", "decided", "points"),
    [
        ("UNSC2006-GRULAC", "open", "Panama", 47, 22),  # a compromise on an outsider
        ("UNSC2007-EEG", "confirmed", "Croatia", 3, 2),
        ("UNSC2010-WEOG", "confirmed", "Portugal", 3, 1),
        ("UNSC2012-WEOG", "majority", "Luxembourg", 2, 0),
        ("UNSC2016-WEOG", "confirmed", "Italy", 6, 4),
        ("WHO2017", "majority", "Tedros", 3, 2),
        ("IOM2018-DG", "acclamation", "Vitorino", 4, 3),
        ("IOM2019-DDG", "failed", None, 6, 1),
        ("AU2016", "failed", None, 4, 1),  # the leader alone, who needed two thirds of all members
        ("AU2025", "confirmed", "Youssouf", 7, 6),
        ("OAS2005", "confirmed", "Insulza", 6, 5),  # the other withdrew, and a vote followed
        ("UNESCO2009", "majority", "Bokova", 5, 4),
        ("IOC2012", "majority", "London", 4, 3),
        ("IOM2023-DG", "acclamation", "Pope", 1, 1),
    ],
)
def test_how_contests_ended_in_the_words_of_the_model(
    name: str, ending: str, winner: str | None, decided: int, points: int
) -> None:
    one = SHIPPED[name]
    assert (one.ending, one.winner, one.decided_round) == (ending, winner, decided)
    assert len(one.points) == points


def test_nothing_is_forecast_after_a_round_that_says_why() -> None:
    why = {known.round: SHIPPED["UNSC2016-WEOG"].unused(known) for known in SHIPPED["UNSC2016-WEOG"].rounds}
    assert why == {1: "two seats at once", 2: "", 3: "", 4: "", 5: "", 6: "a formality after a withdrawal"}
    assert SHIPPED["UNSC2012-WEOG"].why_none == "round 1: two seats at once, round 2: it elected"
    for one in SHIPPED.values():
        assert all(bool(one.unused(known)) != (known.round in one.points) for known in one.rounds)


@pytest.mark.parametrize(
    ("name", "round_", "aftermath"),
    [
        ("UNSC2007-EEG", 1, Aftermath(106 / 187, 2, "Croatia", "confirmed")),
        ("UNSC2007-EEG", 2, Aftermath(None, 1, "Croatia", "confirmed")),
        ("UNSC2019-EEG", 1, Aftermath(132 / 190, 1, "Estonia", "majority")),
        ("UNSC2006-GRULAC", 47, Aftermath(None, 0, None, "open")),
        ("UNSC2006-GRULAC", 3, Aftermath(None, 44, None, "open")),
        ("UNSC2006-GRULAC", 40, Aftermath(100 / 182, 7, None, "open")),  # two strays are not counted
        ("WHO2017", 1, Aftermath(121 / 183, 2, "Tedros", "majority")),
        ("IOM2018-DG", 3, Aftermath(77 / 143, 1, "Vitorino", "acclamation")),
        ("IOM2019-DDG", 5, Aftermath(None, 1, None, "failed")),  # the next was a yes/no round
        ("IOM2023-DG", 1, Aftermath(None, 0, "Pope", "acclamation")),  # the other withdrew at once
        ("UNESCO2009", 4, Aftermath(27 / 58, 1, "Bokova", "majority")),
    ],
)
def test_what_followed(name: str, round_: int, aftermath: Aftermath) -> None:
    assert SHIPPED[name].aftermath(round_) == aftermath
    assert aftermath.over_next == (aftermath.to_come <= 1)


def test_a_position_knows_nothing_of_later_rounds() -> None:
    whole = SHIPPED["UNSC2006-GRULAC"]
    for round_ in whole.points:
        cut = replace(whole, rounds=tuple(known for known in whole.rounds if known.round <= round_))
        assert cut.situation(round_) == whole.situation(round_)
    assert whole.situation(7).candidates == ("Guatemala", "Venezuela")
    assert whole.situation(7).votes == (96, 89)  # strays pooled out
    assert whole.situation(3).tallies == ((109, 76), (114, 74), (116, 70))


def test_who_may_meet_again_for_the_first_time() -> None:
    """After the first round, or after another field; not where nobody knows what was before."""
    late, field = SHIPPED["UNSC2011-EEG"], SHIPPED["UNSC2016-WEOG"]
    assert [late.situation(round_).first for round_ in (9, 10)] == [False, False]  # rounds 1-8 are unknown
    assert [field.situation(round_).first for round_ in (2, 3)] == [True, False]  # two seats at once before
    assert SHIPPED["UNSC2006-GRULAC"].situation(1).first


def test_only_consecutive_rounds_between_the_same_make_transitions() -> None:
    pairs = {(t.before.round, t.after.round) for t in SHIPPED["UNSC2006-GRULAC"].transitions}
    assert (3, 6) not in pairs
    assert {(1, 2), (2, 3), (6, 7), (15, 16), (40, 41)} <= pairs
    first = {name: [t.first for t in SHIPPED[name].transitions] for name in ("UNSC2007-EEG", "UNSC2016-WEOG")}
    assert first == {"UNSC2007-EEG": [True], "UNSC2016-WEOG": [True, False, False]}
    assert SHIPPED["IOM2018-DG"].transitions == ()
    total = sum(len(one.transitions) for one in SHIPPED.values())
    assert total == 56


def test_votes_needed_follow_the_rules() -> None:
    assert SHIPPED["UNSC2006-GRULAC"].needed(1, 185) == 124
    who = SHIPPED["WHO2017"]
    assert (who.needed(2, 183), who.needed(3, 183)) == (122, 92)


def test_an_unknown_contest_or_round_is_named() -> None:
    with pytest.raises(UnknownNameError, match="no contest named 'UNSC2006'; did you mean"):
        contest("UNSC2006")
    with pytest.raises(AnnouncementError, match="UNSC2007-EEG has no tally to forecast from in round 3; it has 1, 2"):
        SHIPPED["UNSC2007-EEG"].situation(3)


# -- from one's own folder -----------------------------------------------------------------------


def test_geneva_2023_is_held_out_in_every_folder(tmp_path: Path) -> None:
    lines = tally(1, {"Pope": 98, "Vitorino": 67}, id_="mine")
    told = election("mine", "withdrawal", "Pope", year=2023, size=171).replace("mine,Body", "mine,IOM Council")
    assert contests(write(tmp_path, [told], lines))[0].held_out
    told = told.replace("2023", "2022")
    assert not contests(write(tmp_path, [told], lines))[0].held_out


def test_a_majority_is_more_than_half(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 29, "B": 29}, 2: {"A": 30, "B": 28}}, share=">1/2", size=58)
    assert one.needed(1, 58) == 30
    assert one.points == (1,)
    assert one.scenario.rules.needed(58) == 30


def test_two_thirds_of_all_members_are_seen_by_the_rounds_that_went_on(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 8, "B": 4}, 2: {"A": 10, "B": 2}}, size=15)
    assert one.rules.base == "entitled"  # eight of twelve would have been two thirds
    assert one.points == (1,)
    assert one.scenario.rules.base == "entitled"
    assert own(tmp_path, {1: {"A": 7, "B": 5}, 2: {"A": 10, "B": 2}}, size=15).rules.base == "valid"


def test_a_winner_from_outside_leaves_the_contest_unresolved(tmp_path: Path) -> None:
    one = own(
        tmp_path,
        {1: {"A": 50, "B": 45}, 2: {"A": 51, "B": 44}, 3: {"Z": 90, "B": 3}},
        {3: "single"},
        winner="Z",
        how="compromise",
    )
    assert (one.ending, one.decided_round, one.points) == ("open", 2, (1, 2))
    assert one.aftermath(1).winner is None


def test_the_last_round_need_not_be_known(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 50, "B": 45}}, how="withdrawal", total=2)
    assert (one.decided_round, one.points) == (1, (1,))
    one = own(tmp_path, {1: {"A": 50, "B": 45}}, how="majority", total=4)
    assert (one.decided_round, one.aftermath(1).to_come) == (4, 3)


def test_a_contest_without_two_candidates_makes_no_scenario(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 90}}, how="acclamation")
    assert one.points == ()
    with pytest.raises(ScenarioError, match="X has no tally of two candidates or more"):
        one.scenario  # noqa: B018 - asking is what is refused


# -- as a scenario -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, one in SHIPPED.items() if one.candidates])
def test_every_shipped_contest_is_a_scenario_without_sponsors(name: str) -> None:
    one, race = SHIPPED[name], SHIPPED[name].scenario
    assert race.names == one.candidates
    assert len(race.members) == one.size
    assert race.sponsors == ()
    assert race.body == one.body
    assert race.rules.nameless == one.rules.nameless
    assert {candidate.appeal.value for candidate in race.candidates} == {0.0}


def test_the_world_health_assembly_needs_more_than_half_from_round_three() -> None:
    rules = SHIPPED["WHO2017"].scenario.rules
    assert [rules.needed(183, round_, 3) for round_ in (1, 2, 3)] == [122, 122, 92]
    assert standing(rules, 3) == [3, 2, 2, 2]  # the last leaves after the first round


def standing(rules: Procedure, candidates: int) -> list[int]:
    """Return how many stand in the first four rounds, if none decides."""
    return [stage.standing for stage in islice(rules.stages(candidates), 4)]


def test_before_the_first_round_every_share_is_about_equally_likely() -> None:
    fc = iom.forecast(SHIPPED["UNSC2020-AF"].scenario.with_rules(max_rounds=1), runs=4000, seed=1, progress=False)
    shares = fc.tallies.query("candidate == 'Kenya'")["share"].to_numpy()
    counts = np.histogram(shares, 5, (0, 1))[0] / shares.size
    assert counts == pytest.approx(np.full(5, 0.2), abs=0.03)


def test_tallies_are_a_table() -> None:
    table = SHIPPED["UNSC2020-AF"].tallies
    assert table.loc[2, "votes"].tolist() == [129, 62]
    assert "Djibouti" in SHIPPED["UNSC2020-AF"]._repr_html_()
    assert repr(SHIPPED["UNSC2020-AF"]) == "UNSC2020-AF (1: 113-78, 2: 129-62): majority, Kenya"


# -- segments -----------------------------------------------------------------------------------


def shape(name: str) -> list[tuple[list[int], int, int]]:
    return [
        ([known.round for known in part.rounds], part.before, part.non_concessions) for part in segments(SHIPPED[name])
    ]


def test_known_rounds_in_a_row_are_one_segment() -> None:
    assert shape("UNSC2007-EEG") == [([1, 2], 0, 0)]
    assert shape("WHO2017") == [([1, 2, 3], 0, 0)]  # one leaves, nobody comes
    assert shape("UNSC2016-WEOG") == [([2, 3, 4, 5], 0, 0)]  # after two seats at once
    assert shape("UNSC2011-EEG") == [([9, 10, 11], 8, 7), ([16], 15, 14)]
    assert shape("UNSC2006-GRULAC")[1:3] == [([6, 7], 5, 5), (list(range(10, 17)), 9, 8)]  # the tie asked nobody
    assert shape("IOM2019-DDG") == [([5], 4, 0)]  # five stood until then


def test_every_known_round_is_in_one_segment() -> None:
    for one in SHIPPED.values():
        found = [known.round for part in segments(one) for known in part.rounds]
        assert found == [known.round for known in one.ordinary]


def test_a_deadlock_starts_afresh_now_and_then(tmp_path: Path) -> None:
    one = own(tmp_path, {r: {"A": 55, "B": 45} for r in range(1, MAX_ROUNDS + 6)}, how="compromise", winner="Z")
    first, second = segments(one)
    assert (len(first.rounds), second.start, second.why) == (MAX_ROUNDS, MAX_ROUNDS + 1, f"{MAX_ROUNDS} rounds before")


def test_a_newcomer_starts_a_segment(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 50, "B": 45}, 2: {"A": 40, "B": 30, "C": 25}, 3: {"A": 70, "C": 27}})
    assert [(part.start, part.why, part.names) for part in segments(one)] == [
        (1, "", ("A", "B")),
        (2, "other candidates before", ("A", "B", "C")),
    ]


def segment_at(name: str, start: int) -> Segment:
    return next(part for part in segments(SHIPPED[name]) if part.start == start)


def test_a_restart_is_as_far_on_as_the_rounds_before() -> None:
    part = segment_at("UNSC2011-EEG", 9)
    b, race = iom.Behaviour(), part.scenario()
    omega = 0.10 + (0.55 - 0.10) * 0.65**8  # before round 10
    assert race.behaviour.openness_fluid.value == pytest.approx(omega)
    assert race.behaviour.concede_b.value == b.concede_b.value + 7
    still = np.prod([1 - (0.10 + 0.45 * 0.65**k) for k in range(8)])  # who has not thought again in rounds 2 to 9
    assert race.behaviour.momentum_fluid.value == pytest.approx(3.0 * still)
    assert segment_at("UNSC2020-AF", 1).scenario().behaviour.momentum_fluid.value == 3.0
    who = segment_at("WHO2017", 1)
    late = replace(who, rounds=who.rounds[1:], names=("Tedros", "Nabarro"))
    assert [late.rules.needed(183, round_) for round_ in (1, 2)] == [122, 92]  # counted from round 2
    assert votes_of(segment_at("IOM2019-DDG", 5).rules, 2) == ["choice", "yes-no"]
    knobs = {"eliminate_after": 1, "max_two_way": 10, "concession": True}
    ten = replace(part, contest=replace(part.contest, rules=from_short_form(knobs)))
    assert ten.contest.two_way_from == 2
    assert votes_of(ten.rules, 2) == ["choice"] * (10 - 7) + ["yes-no"]  # rounds 2 to 8 were between two
    assert standing(segment_at("IOM2018-DG", 3).rules, 3) == [3, 2, 2, 2]


def test_rounds_for_two_seats_are_no_ballots_of_the_rules(tmp_path: Path) -> None:
    """Of three who are left after two such rounds the last leaves after the second round for one seat."""
    field = {"A": 60, "B": 55, "C": 45, "D": 40}
    rounds = {1: field, 2: field, 3: {"A": 40, "B": 35, "C": 25}}
    contest = own(tmp_path, rounds, {1: "two-seat", 2: "two-seat"}, start=4)
    rules = from_short_form({"eliminate_after": 2}, contest.rules)
    [part] = segments(replace(contest, rules=rules))
    assert standing(part.rules, 3) == [3, 3, 2, 2]


def votes_of(rules: Procedure, candidates: int) -> list[str]:
    """Return what is voted on, round by round, until the rules end it."""
    return [rules.phases[stage.phase].vote for stage in rules.stages(candidates)]


def test_the_level_of_a_segment_is_centred_on_its_first_tally() -> None:
    race = segment_at("UNSC2020-AF", 1).scenario()
    gap = race.candidates[0].appeal.value - race.candidates[1].appeal.value
    assert gap == pytest.approx(np.log(113.5 / 78.5))
    assert race.behaviour.common_sd.value == pytest.approx(np.sqrt(0.5))


def test_a_segment_misses_as_many_papers_as_its_first_tally() -> None:
    b = segment_at("IOM2018-DG", 1).scenario().behaviour
    away, silent = b.absent.value, b.abstain.value
    assert away + (1 - away) * silent == pytest.approx(1 - 143 / 171)
    assert away / (1 - 143 / 171) == pytest.approx(0.05 / (0.05 + 0.95 * 0.018))  # as the model splits them


# -- simulated contests ----------------------------------------------------------------------------


def test_synthetic_contests_are_the_runs_told_as_records() -> None:
    told = synthetic_contests(40, seed=3, size=30, candidates=3)
    race = told[0].race(("A", "B", "C"), common_sd=0.4)
    out = simulate(race.plan, {}, 40, 3)
    for run, one in enumerate(told):
        rows = out.votes[out.starts[run] :][: out.rounds[run]]
        assert [known.tally for known in one.rounds] == [tuple(row[row >= 0].tolist()) for row in rows]
        assert (one.decided_round, one.ending) == (out.rounds[run], ENDINGS[out.ending[run]])
        assert one.winner == (None if out.winner[run] < 0 else "ABC"[out.winner[run]])
        withdrew = one.ending == "acclamation"
        assert one.rounds_total == one.decided_round + withdrew  # a formality follows a withdrawal
        assert (one.decided_round in one.points) == withdrew
    assert {one.ending for one in told} >= {"acclamation", "majority"}
    assert all(one.synthetic and not one.held_out for one in told)
