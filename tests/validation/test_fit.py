"""The fit: its likelihood against counts and the live update, its posterior against known truths."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from toys import ALPHA, STILL, play, proportion, slow_but, toy

import iomsim as iom
from iomsim.errors import IomsimError, UnknownNameError
from iomsim.model.bodies import readings
from iomsim.model.components import Behaviour
from iomsim.validation.data import contests
from iomsim.validation.fit import Normal, _mixture, body_kind
from iomsim.validation.likelihood import (
    ConcessionRecord,
    TallySeries,
    _log_density,
    _moments,
    concession_log_likelihood,
    concession_record,
    log_likelihood,
    series_log_likelihood,
    tally_log_likelihood,
    tally_series,
)
from iomsim.validation.priors import LAWS, chosen, from_scores, priors
from iomsim.validation.synthetic import synthetic_contests

SHIPPED = {one.id: one for one in contests()}


def theta(size: int = 1, **changes: float) -> SimpleNamespace:
    base = Behaviour()
    values = {key: np.full(size, changes.get(key, getattr(base, key).value)) for key in LAWS}
    return SimpleNamespace(**values, conviction=1.8, secrecy=0.4, away=changes.get("away", 0.0))


def moves(*votes: int, size: int, before: int = 0) -> TallySeries:
    return TallySeries(np.array([[v, size - v] for v in votes], dtype=float), size, before)


# -- the likelihood of tallies -------------------------------------------------------------------


def chances_of_the_second(first: int, size: int, **changes: float) -> np.ndarray:
    return np.array(
        [np.exp(tally_log_likelihood([moves(first, v, size=size)], theta(**changes)))[0] for v in range(size + 1)]
    )


def test_the_chances_of_the_next_tally_add_up() -> None:
    assert chances_of_the_second(33, 60).sum() == pytest.approx(1.0, abs=1e-3)


@pytest.fixture(scope="module")
def counted() -> np.ndarray:
    """Tallies of three rounds of 60 members, none missing, of the runs that begin with 33 votes."""
    still = {"common_sd": 0.6, "region_sd": 0, "absent": 0, "abstain": 0}
    race = toy(60, behaviour=still, rules={"name": "strict", "threshold": "1", "max_rounds": 3}, appeal=0.2)
    out = play(race, 150_000, seed=5)
    held = out.rounds == 3
    rows = out.votes[:, 0][out.starts[held][:, None] + np.arange(3)].astype(int)
    return rows[rows[:, 0] == 33]


def law_of_second(first: int, size: int, **changes: float) -> np.ndarray:
    law = chances_of_the_second(first, size, **changes)
    return law / law.sum()


def fits(values: np.ndarray, law: np.ndarray) -> float:
    expected = law * len(values)
    keep = expected > 8
    seen = np.bincount(values, minlength=len(law))
    table = [np.append(x[keep], x[~keep].sum()) for x in (seen, expected)]
    return float(stats.chisquare(table[0], table[1] * table[0].sum() / table[1].sum()).pvalue)


def test_the_second_tally_has_the_law_that_simulation_shows(counted: np.ndarray) -> None:
    assert len(counted) > 4000
    assert fits(counted[:, 1], law_of_second(33, 60)) > ALPHA


@pytest.mark.parametrize("lie", [{"openness_fluid": 0.4}, {"momentum_fluid": 2.0}, {"fluid": 0.5}, {"round_sd": 0.5}])
def test_the_check_of_the_law_sees_a_wrong_parameter(counted: np.ndarray, lie: dict[str, float]) -> None:
    assert fits(counted[:, 1], law_of_second(33, 60, **lie)) < ALPHA


@pytest.mark.slow
def test_the_third_tally_has_the_moments_that_simulation_shows(counted: np.ndarray) -> None:
    """Over the two later rounds at once, on a grid wide enough to hold nearly all."""
    grid = np.arange(18, 52)
    law = np.array([[np.exp(tally_log_likelihood([moves(33, a, b, size=60)], theta()))[0] for b in grid] for a in grid])
    assert law.sum() == pytest.approx(1.0, abs=0.01)
    law /= law.sum()
    second, third = law.sum(axis=1) @ grid, law.sum(axis=0) @ grid
    n = len(counted)
    assert abs(counted[:, 1].mean() - second) < 4 * counted[:, 1].std() / np.sqrt(n)
    assert abs(counted[:, 2].mean() - third) < 4 * counted[:, 2].std() / np.sqrt(n)
    together = grid @ law @ grid - second * third
    assert np.cov(counted[:, 1], counted[:, 2])[0, 1] == pytest.approx(together, rel=0.06)
    assert counted[:, 2].std() == pytest.approx(np.sqrt(law.sum(axis=0) @ grid**2 - third**2), rel=0.04)


def test_the_live_update_learns_the_same_of_the_regime() -> None:
    """The live update makes none of the approximations."""
    race = toy(90, behaviour=STILL | {"conviction": 1.8, "common_sd": 0.8, "round_sd": 0.15}, appeal=0.2)
    night = iom.live(race, particles=6000, seed=3, assumptions="fixed")
    tallies = (49, 52, 52)
    for votes in tallies:
        night.announce(A=votes, B=90 - votes)
    now = float(night.learned().loc["the contest is fluid", "now mean"])
    parts = [series_log_likelihood(moves(*tallies, size=90), theta(), regime)[0] for regime in ("fluid", "entrenched")]
    odds = 0.7 / 0.3 * np.exp(parts[0] - parts[1])
    assert now == pytest.approx(odds / (1 + odds), abs=0.05)
    assert abs(odds / (1 + odds) - 0.7) > 0.15  # there was something to learn


def test_the_moments_of_two_rounds_by_hand() -> None:
    """A half, then 0.7, of whom 0.3 have not thought again; a shock of 0.05; all 100 vote, or 80 of them."""
    again = (0.7 - 0.3 * 0.5) / 0.7  # of those who think again, all convictions alike
    means = [np.array([[0.5]]), np.array([[again]])]
    products = [[means[0] ** 2], [means[0] * means[1], means[1] ** 2]]
    shock = np.array([[0.05 / (0.7 * again * (1 - again))]])
    mixed = [np.array([[1.0]]), np.array([[0.7]])]
    mean, spread = _moments(means, products, mixed, shock, np.array([100.0, 80.0]), 100.0)
    assert [float(x[0, 0]) for x in mean] == pytest.approx([50.0, 56.0])
    rounding = 1 / 12
    expected = [25 + rounding, 80 * 0.3 * 0.25, 80 * 0.7 * 0.3 + rounding + (80 * 0.05) ** 2]
    assert [float(x[0, 0]) for row in spread for x in row] == pytest.approx(expected)


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_the_density_is_that_of_scipy(rounds: int) -> None:
    """The joint density over that of the first gap, the level being one of two."""
    rng = np.random.default_rng(rounds)
    roots = rng.standard_normal((2, rounds, rounds))
    spread, gap = roots @ np.swapaxes(roots, 1, 2) + np.eye(rounds), rng.standard_normal((2, rounds))
    listed = [[spread[None, :, r, s] for s in range(r + 1)] for r in range(rounds)]
    got = _log_density([gap[None, :, r] for r in range(rounds)], listed)
    both = [stats.multivariate_normal.pdf(g, cov=c) for g, c in zip(gap, spread, strict=True)]
    first = [stats.norm.pdf(g[0], scale=np.sqrt(c[0, 0])) for g, c in zip(gap, spread, strict=True)]
    assert got == pytest.approx([np.log(sum(both) / sum(first))])


def test_nobody_thinking_again_means_the_same_tally() -> None:
    frozen = theta(openness_fluid=0.0, openness_entrenched=0.0, openness_inf=0.0)
    same, other = (tally_log_likelihood([moves(33, v, size=60)], frozen)[0] for v in (33, 36))
    assert same > np.log(0.9)
    assert other < -20


def test_who_votes_is_drawn_anew_from_those_present() -> None:
    """Frozen intentions of 100 members, of whom 80 vote each time, against plain simulation."""
    rng = np.random.default_rng(2)
    p = rng.random(400_000)
    p = p[rng.binomial(80, p) == 40]
    again = rng.hypergeometric(80, 20, 80, p.size)  # of the first 80, so many vote again
    moved = rng.hypergeometric(40, 40, again) + rng.binomial(80 - again, p) - 40
    frozen, grid = theta(openness_fluid=0.0, openness_entrenched=0.0, openness_inf=0.0), np.arange(20, 61)
    parts = [TallySeries(np.array([[40.0, 40.0], [v, 80.0 - v]]), 100) for v in grid]
    law = np.exp([tally_log_likelihood([part], frozen)[0] for part in parts])
    assert law.sum() == pytest.approx(1.0, abs=1e-3)
    assert law @ (grid - 40.0) ** 2 == pytest.approx(np.mean(moved**2.0), rel=0.05)


def test_who_is_away_for_good_is_not_drawn() -> None:
    part = TallySeries(np.array([[40.0, 40.0], [45.0, 45.0]]), 100)
    assert [part.present(away) for away in (0.0, 0.25, 0.75)] == [100, 95, 90]  # ninety were seen


def test_the_regime_of_a_contest_is_one() -> None:
    quick, slow = moves(100, 125, size=180), moves(100, 101, 100, 101, size=180)
    t = theta()
    one = tally_log_likelihood([quick, slow], t)[0]
    apart = tally_log_likelihood([quick], t)[0] + tally_log_likelihood([slow], t)[0]
    assert one < apart - 0.3  # one regime for both is less likely than one for each


def test_far_into_a_deadlock_the_same_tally_pulls_no_more() -> None:
    """What tallies do to those who think again they have done before: no drift in the mean."""
    t = theta(openness_inf=0.3, decay=1.0, openness_fluid=0.3, openness_entrenched=0.3, fluid=1.0, round_sd=0.0)
    grid = np.arange(80, 150)
    for before, drifts in ((0, True), (40, False)):
        law = np.exp([tally_log_likelihood([moves(110, v, size=180, before=before)], t)[0] for v in grid])
        assert (law @ grid / law.sum() - 110 > 2) == drifts


# -- what it looks at ----------------------------------------------------------------------------


def test_the_shipped_moves() -> None:
    found = {
        name: [(part.votes[:, 0].tolist(), part.before) for part in tally_series(one)] for name, one in SHIPPED.items()
    }
    assert found["UNSC2016-WEOG"] == [([99, 96, 96, 95], 0)]
    assert found["WHO2017"] == [([121, 133], 1)]  # the two that were left
    assert found["IOM2018-DG"] == found["UNSC2010-WEOG"] == []
    assert found["UNSC2006-GRULAC"][:2] == [([109, 114, 116], 0), ([93, 96], 5)]
    assert sum(len(votes) - 1 for parts in found.values() for votes, _ in parts) == 53


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("UNSC2006-GRULAC", ConcessionRecord(46, False)),  # 47 rounds, one a tie, and then an outsider
        ("UNSC2007-EEG", ConcessionRecord(1, True)),
        ("UNSC2010-WEOG", ConcessionRecord(0, True)),
        ("UNSC2011-EEG", ConcessionRecord(14, True)),
        ("UNSC2012-WEOG", ConcessionRecord(0, False)),
        ("UNSC2014-WEOG", ConcessionRecord(1, False)),
        ("IOM2018-DG", ConcessionRecord(0, True)),
        ("IOM2019-DDG", ConcessionRecord(1, False)),
        ("UNSC2020-AF", ConcessionRecord(1, False)),
    ],
)
def test_the_shipped_concessions(name: str, record: ConcessionRecord) -> None:
    assert concession_record(SHIPPED[name]) == record


def test_a_concession_before_a_vote_on_the_other_is_one() -> None:
    """Of 80 contests of the Security Council, told as records tell them: the record has the law of an urn."""
    rule = readings("unsc")["rule-93"]
    told = synthetic_contests(80, Behaviour(**dict(Behaviour()) | {"concede_a": 3.0}), seed=3, rules=rule, size=150)
    records = [concession_record(one) for one in told]
    assert [one.conceded for one in records] == [one.rounds[-1].kind == "single" for one in told]
    assert sum(one.conceded for one in records) > 20
    for one, record in zip(told, records, strict=True):
        between = [a for a in one.ordinary if not a.tied and a.round < one.rounds_total]
        assert record.non_concessions + record.conceded == len(between)


def test_where_nobody_may_withdraw_nobody_refused_to() -> None:
    one = SHIPPED["UNSC2014-WEOG"]
    assert concession_record(one) == ConcessionRecord(1, False)
    forbidden = replace(one, rules=one.rules.with_(withdrawal="none"))
    assert concession_record(forbidden) == ConcessionRecord(0, False)


def test_readiness_to_concede_is_beta_integrated_out() -> None:
    h = np.linspace(0.0005, 0.9995, 1000)
    weight = stats.beta.pdf(h, 1.1, 4.8)
    for non_concessions, conceded in ((0, True), (3, True), (5, False)):
        whole = np.trapezoid(weight * (1 - h) ** non_concessions * h**conceded, h)
        found = concession_log_likelihood(ConcessionRecord(non_concessions, conceded), theta())
        assert np.exp(found) == pytest.approx([whole], rel=2e-2)


def test_concessions_have_the_law_of_the_kernel() -> None:
    frozen = {"openness_fluid": 0.0, "openness_entrenched": 0.0, "openness_inf": 0.0}
    race = toy(5, behaviour=STILL | frozen, rules={"name": "until-two-thirds", "max_rounds": 3})
    out = play(race, 20_000, seed=2)
    first = out.votes[out.starts]
    open_ = first.max(axis=1) < 4  # 3 to 2: frozen for ever
    for non_concessions in (0, 1, 2):
        hits = int(((out.ending == 1) & (out.rounds == non_concessions + 1) & open_).sum())
        expected = float(np.exp(concession_log_likelihood(ConcessionRecord(non_concessions, True), theta()))[0])
        assert proportion(hits, int(open_.sum()), expected) < 4


# -- the posterior -------------------------------------------------------------------------------


def silent() -> iom.Contest:
    """Return a contest that says nothing: decided in its only round."""
    one = SHIPPED["UNSC2012-WEOG"]
    return replace(one, rounds=one.rounds[1:])


def test_from_nothing_the_posterior_is_the_prior() -> None:
    learned = iom.fit([silent()], draws=2000)
    table = learned.table()
    assert table["contraction"].abs().max() < 0.1
    assert (table["pinned down"] == "no").all()
    for key, law in learned.laws.items():
        assert learned.quantile(key, 0.5)[0] == pytest.approx(float(law.median()), rel=0.1)


def test_the_posterior_of_one_parameter_is_bayes_on_a_grid() -> None:
    pair = [SHIPPED["UNSC2016-AP"], SHIPPED["UNSC2016-WEOG"]]
    learned = iom.fit(pair, ["fluid"], draws=1500)
    grid = np.linspace(0.0005, 0.9995, 400)
    t = SimpleNamespace(**vars(theta(400)) | {"fluid": grid})
    weight = stats.beta.pdf(grid, 2, 2) * np.exp(log_likelihood(pair, t).sum(axis=0))
    weight /= weight.sum()
    mean = weight @ grid
    row = learned.table().loc["fluid"]
    assert row["mean"] == pytest.approx(mean, abs=0.01)
    assert row["sd"] == pytest.approx(np.sqrt(weight @ (grid - mean) ** 2), abs=0.01)
    assert row["below default"] == pytest.approx(weight[grid < 0.7].sum(), abs=0.02)


@pytest.mark.slow
def test_the_proposal_is_a_density() -> None:
    """Relative to the prior its mean under the prior is one: otherwise every weight would be off."""
    z = np.random.default_rng(1).standard_normal((200_000, 2))
    tilted, plain = np.array([[0.8, 0.0], [0.2, 0.6]]), np.eye(2)
    stages = [
        [Normal(0.75, np.array([0.5, -0.3]), tilted)],
        [Normal(0.5, np.zeros(2), plain), Normal(0.2, np.array([0.3, 0.4]), tilted)],
    ]
    assert np.exp(_mixture(z, stages)).mean() == pytest.approx(1.0, abs=0.01)
    assert np.exp(_mixture(z, [])) == pytest.approx(np.ones(len(z)))


@pytest.mark.slow
def test_leaving_a_contest_out_is_fitting_without_it() -> None:
    keys, out = ["fluid", "floor"], SHIPPED["UNSC2016-WEOG"]
    some = [SHIPPED[name] for name in ("UNSC2007-EEG", "UNSC2011-EEG", "UNSC2014-WEOG", "UNSC2016-AP")]
    whole = iom.fit([*some, out], keys, draws=1500).without(out)
    direct = iom.fit(some, keys, draws=1500, seed=9)
    assert [one.id for one in whole.contests] == [one.id for one in direct.contests]
    gap = (whole.table()["mean"] - direct.table()["mean"]).abs() / direct.table()["sd"]
    assert gap.max() < 0.12


def test_a_prior_of_ones_own_counts() -> None:
    sure = iom.fit([SHIPPED["UNSC2020-AF"]], ["fluid"], prior={"fluid": stats.beta(900, 100)}, draws=500)
    assert sure.table().loc["fluid", "mean"] == pytest.approx(0.9, abs=0.01)


@pytest.mark.slow
def test_the_held_out_case_never_enters() -> None:
    learned = iom.fit(contests(), ["concession"], draws=200)
    assert "IOM2023-DG" not in [one.id for one in learned.contests]
    assert len(learned.contests) == 34
    with pytest.raises(IomsimError, match="no contest to learn from; those held out are never used"):
        iom.fit([one for one in contests() if one.held_out])


@pytest.fixture(scope="module")
def learned() -> iom.Fit:
    return iom.fit(parameters=["concession", "fluid"], draws=2000)


@pytest.mark.slow
def test_what_was_not_fitted_stays(learned: iom.Fit) -> None:
    base = Behaviour()
    assert learned.behaviour.momentum_fluid == base.momentum_fluid
    assert list(learned.posterior) == ["concede_a", "concede_b", "fluid"]
    assert len(learned.posterior) == 4000


@pytest.mark.slow
def test_the_posterior_draws_have_the_moments_of_the_table(learned: iom.Fit) -> None:
    table = learned.table()
    assert learned.posterior.mean().to_numpy() == pytest.approx(table["mean"].to_numpy(dtype=float), rel=0.02)
    assert learned.posterior.std().to_numpy() == pytest.approx(table["sd"].to_numpy(dtype=float), rel=0.05)
    assert learned.posterior.quantile(0.1).to_numpy() == pytest.approx(
        table["value_low"].to_numpy(dtype=float), rel=0.03
    )
    taken = 1 - (table["sd"] / table["prior_sd"]) ** 2
    assert table["contraction"].to_numpy(dtype=float) == pytest.approx(taken.to_numpy(dtype=float))


@pytest.mark.slow
def test_a_scenario_with_fitted_values_says_where_they_come_from(learned: iom.Fit) -> None:
    race = learned.scenario(iom.load("geneva-2023"))
    q = race.behaviour.concede_b
    row = learned.table().loc["concede_b"]
    assert (q.value, q.low, q.high) == (row["mean"], row["value_low"], row["value_high"])
    assert q.grade == "inferred"
    assert "fitted to 34 past contests" in q.source
    assert race.behaviour.momentum_fluid == iom.load("geneva-2023").behaviour.momentum_fluid
    assert "fitted to 34" in race.evidence().loc["behaviour.fluid", "source"]
    assert iom.loads(iom.dumps(race)) == race


@pytest.mark.slow
def test_the_fit_shows_itself(learned: iom.Fit) -> None:
    assert learned.sentence().startswith("By 34 contests, pinned down: ")
    assert " ".join(learned.sentence().split()) in " ".join(repr(learned).split())
    assert "<table" in learned._repr_html_()
    pairs = learned.trade_offs(least=0.0)
    assert len(pairs) == 3
    z = learned.scores[:, :2]
    draws = np.random.default_rng(1).choice(len(z), 20_000, p=learned.weights)
    known = pairs.set_index(["parameter", "and"])["correlation"]
    assert known["concede_b", "concede_a"] == pytest.approx(np.corrcoef(z[draws].T)[0, 1], abs=0.05)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_posterior() -> None:
    one, two = (iom.fit(parameters=["concession"], draws=200, seed=4).table() for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"parameters": ["momentun"]}, "no parameter that can be fitted named 'momentun'; did you mean 'momentum'"),
        ({"parameters": []}, "no parameter to fit"),
        ({"parameters": ["fluid"], "prior": {"decay": stats.beta(2, 2)}}, "no parameter to be fitted named 'decay'"),
        ({"parameters": ["fluid"], "prior": {"fluid": 0.5}}, "the prior of fluid must be a frozen law"),
        ({"parameters": ["fluid"], "prior": {"fluid": stats.norm(0.5, 1)}}, "the prior of fluid reaches -4.25"),
        ({"draws": 10}, "draws must be a whole number of at least 100"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises((IomsimError, UnknownNameError), match=words):
        iom.fit(**arguments)  # type: ignore[arg-type]


def test_short_names_mean_fields() -> None:
    assert chosen("openness") == ("openness_fluid", "openness_entrenched")
    assert chosen(["momentum", "momentum_fluid"]) == ("momentum_fluid", "momentum_entrenched")
    assert chosen(None) == tuple(LAWS)


# -- it finds what was put in --------------------------------------------------------------------


def made(truth: dict[str, float], number: int, seed: int, size: int = 175) -> list[iom.Contest]:
    behaviour = Behaviour(**dict(Behaviour()) | truth)
    told = synthetic_contests(number, behaviour, seed=seed, size=size)
    return [replace(one, rounds=one.rounds[:8]) for one in told]


@pytest.mark.slow
@pytest.mark.parametrize("fluid", slow_but([0.15, 0.85], 0.85))
def test_many_contests_find_the_regime(fluid: float) -> None:
    row = iom.fit(made({"fluid": fluid}, 45, seed=3), ["fluid"], draws=120).table().loc["fluid"]
    assert row["pinned down"] == "yes"
    assert abs(row["mean"] - fluid) < 3 * row["sd"]
    assert row["sd"] < 0.1


@pytest.mark.slow
def test_known_parameters_are_recovered_with_the_coverage_that_was_promised() -> None:
    """Truths from the prior, ten contests each: their ranks in the posterior are uniform."""
    keys = ["fluid", "openness_fluid", "openness_inf", "momentum_fluid", "concede_b"]
    laws, rng = priors(keys), np.random.default_rng(17)
    ranks = []
    for seed in range(50):
        truth = {key: float(v[0]) for key, v in from_scores(laws, rng.standard_normal((1, len(keys)))).items()}
        learned = iom.fit(made(truth, 12, seed=200 + seed), keys, draws=700, seed=seed)
        ranks.append([float(learned.weights @ (learned.values[key].to_numpy() < truth[key])) for key in keys])
    for key, u in zip(keys, np.array(ranks).T, strict=True):
        assert stats.kstest(u, "uniform").pvalue > 1e-3, key
        covered = int(((u > 0.1) & (u < 0.9)).sum())
        assert stats.binomtest(covered, len(u), 0.8).pvalue > 1e-3, key


# -- one contest, and one kind of body, at a time --------------------------------------------------


def of_kind(kind: str, truth: dict[str, float], number: int, seed: int) -> list[iom.Contest]:
    return [replace(one, id=f"{kind}-{one.id}", body=BODY[kind]) for one in made(truth, number, seed)]


BODY = {"world assembly": "who", "board": "iaea", "persons": "ioc"}


@pytest.fixture(scope="module")
def two_kinds() -> iom.Fit:
    """Boards that move, and a world assembly that freezes; of persons one contest that says nothing."""
    told = of_kind("board", {"fluid": 0.97}, 16, 1) + of_kind("world assembly", {"fluid": 0.05}, 16, 2)
    return iom.fit(
        [*told, replace(silent(), body=BODY["persons"])], ["fluid", "concession"], draws=1500, progress=False
    )


@pytest.mark.slow
def test_kinds_that_differ_are_told_apart_and_only_in_what_differs(two_kinds: iom.Fit) -> None:
    by = two_kinds.by_kind()
    assert list(by.index.get_level_values("kind").unique()) == ["board", "world assembly", "persons"]
    word = by["word"]
    assert word["fluid", "board"] == "higher"
    assert word["fluid", "world assembly"] == "lower"
    assert word["concede_a", "board"] == "not told apart"
    assert (word.xs("persons", level="kind") == "cannot tell").all()
    assert "fluid higher in boards, fluid lower in world assemblies" in two_kinds.sentence()


@pytest.mark.slow
def test_only_is_fitting_to_one_kind(two_kinds: iom.Fit) -> None:
    boards = two_kinds.only("board")
    assert {body_kind(one) for one in boards.contests} == {"board"}
    direct = iom.fit(boards.contests, ["fluid", "concession"], draws=600, seed=9, progress=False)
    gap = (boards.table()["mean"] - direct.table()["mean"]).abs() / direct.table()["sd"]
    assert gap.max() < 0.2
    row = two_kinds.by_kind().loc[("fluid", "board")]
    assert (row["mean"], row["contests"]) == (boards.table().loc["fluid", "mean"], 16)
    assert [row["value_low"], row["value_high"]] == boards.quantile("fluid", 0.1, 0.9)
    assert row["effective"] == boards.effective
    with pytest.raises(UnknownNameError, match="no kind of body among the contests named 'boards'; did you mean"):
        two_kinds.only("boards")


@pytest.mark.slow
def test_kinds_that_do_not_differ_are_not_told_apart() -> None:
    alike = [one for seed, kind in enumerate(BODY) for one in of_kind(kind, {}, 10, seed)]
    learned = iom.fit(alike, ["fluid", "concession"], draws=600, progress=False)
    assert not learned.by_kind()["word"].isin(["higher", "lower"]).any()
    assert "Kinds of bodies cannot be told apart." in learned.sentence()


@pytest.mark.slow
def test_one_contest_tells_no_kinds_apart() -> None:
    """Quick boards, but for one slow contest of persons: without it nothing is known of persons."""
    slow = of_kind("persons", {"fluid": 0.0, "openness_entrenched": 0.02}, 12, 2)
    told = of_kind("board", {"fluid": 1.0}, 12, 1)
    some: dict[str, Any] = {"prior": {"fluid": stats.beta(0.2, 0.2)}, "draws": 400, "progress": False}
    one = max(slow, key=lambda one: len(one.rounds))
    learned = iom.fit([*told, one], ["fluid"], **some)
    assert learned.by_kind().loc[("fluid", "persons"), "above"] < 0.0125
    assert learned.by_kind().loc[("fluid", "persons"), "word"] == "not told apart"
    assert iom.fit([*told, *slow], ["fluid"], **some).by_kind().loc[("fluid", "persons"), "word"] == "lower"


@pytest.mark.slow
def test_too_few_draws_cannot_tell(two_kinds: iom.Fit) -> None:
    few = iom.fit(two_kinds.contests, ["fluid", "concession"], draws=100, progress=False)
    by = few.by_kind()
    assert (by["word"][by["effective"] < 200] == "cannot tell").all()
    assert (by["effective"] < 200).any()


@pytest.mark.slow
def test_one_kind_has_nothing_beside_it(two_kinds: iom.Fit) -> None:
    alone = two_kinds.only("board")
    by = alone.by_kind()
    assert (by["word"] == "cannot tell").all()
    assert by["above"].isna().all()
    assert "Kinds" not in alone.sentence()


@pytest.mark.slow
def test_where_nobody_may_withdraw_nothing_is_said_of_concessions(learned: iom.Fit) -> None:
    word = learned.by_kind().loc["concede_a", "word"]
    assert word[["board", "persons"]].tolist() == ["cannot tell", "cannot tell"]


@pytest.mark.slow
def test_what_is_left_out_is_foreseen_from_the_others_alone(two_kinds: iom.Fit) -> None:
    """Against a fit that never saw it: the mean of its likelihood over that posterior."""
    out = two_kinds.contests[3]
    row = two_kinds.left_out().loc[out.id]
    direct = iom.fit([one for one in two_kinds.contests if one.id != out.id], list(two_kinds.laws), draws=600, seed=5)
    values = {key: np.array(x) for key, x in direct.values.items()}
    t = SimpleNamespace(**vars(theta(len(direct.scores))) | values)
    t.away = 0.7454
    foreseen = np.log(direct.weights @ np.exp(log_likelihood([out], t)[0]))
    assert row["fitted"] == pytest.approx(foreseen, abs=0.05)
    assert row["gain"] == row["fitted"] - row["default"]
    assert row["kind"] == "board"


@pytest.mark.slow
def test_a_right_fit_foresees_better_than_a_wrong_default() -> None:
    told = made({"fluid": 0.05}, 25, seed=6)
    wrong = Behaviour(**dict(Behaviour()) | {"fluid": 0.95})
    gain = iom.fit(told, ["fluid"], base=wrong, draws=200, progress=False)
    assert gain.left_out()["gain"].sum() > 10
    assert "are foreseen better than by the defaults" in gain.sentence()
    right = Behaviour(**dict(Behaviour()) | {"fluid": 0.05})
    assert "are foreseen as well as by the defaults" in iom.fit(told, ["fluid"], base=right, draws=200).sentence()


def test_a_default_is_contradicted_only_if_no_single_contest_does_it() -> None:
    """One contest that moved a great deal, against many that say nothing, is not enough."""
    quick = next(one for one in made({"fluid": 1.0}, 30, seed=8) if len(one.rounds) == 3)
    frozen, even = Behaviour(**dict(Behaviour()) | {"fluid": 0.05}), {"fluid": stats.beta(1, 1)}
    some = {"base": frozen, "prior": even, "draws": 400, "progress": False}
    row = iom.fit([quick, silent()], ["fluid"], **some).table().loc["fluid"]
    assert row["below default"] < 0.025
    assert not row["disagrees"]
    assert row["leans on"] == quick.id
    many = iom.fit(made({"fluid": 1.0}, 12, seed=8), ["fluid"], **some)
    assert many.table().loc["fluid", "disagrees"]
    assert "contradicted: fluid (default 0.05, fitted 0." in many.sentence()


@pytest.mark.slow
def test_what_a_fit_leans_on_is_what_moves_it_most(two_kinds: iom.Fit) -> None:
    row = two_kinds.table().loc["concede_a"]
    moved = {one.id: two_kinds.without(one).table().loc["concede_a", "mean"] for one in two_kinds.contests}
    furthest = max(moved, key=lambda name: abs(moved[name] - row["mean"]))
    assert row["leans on"] == furthest
    assert row["moves"] == pytest.approx((moved[furthest] - row["mean"]) / row["sd"])
