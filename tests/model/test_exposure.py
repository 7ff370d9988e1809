"""Exposure: terms over yes/no columns and over numbers, by hand for a handful of members."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.model.exposure import TRANSFORMS, Column, column_of, missing, term

FIVE = pd.DataFrame(
    {
        "name": ["A", "B", "C", "D", "E"],
        "nato": [1, 0, 0, 1, 0],
        "aid": [0.0, 1.0, 3.0, np.nan, -2.0],
        "part": [0.25, 1.5, -0.5, 0.75, np.nan],
        "one": [1, 1, 1, 1, 1],
        "visa": ["free", "90", "free", "e-visa", "free"],
    }
)


def race(exposure: Any, frame: pd.DataFrame = FIVE) -> iom.Scenario:
    rows = frame.astype(object).to_dict("records")
    return iom.Scenario.model_validate(
        {
            "electorate": {"table": rows},
            "candidates": [{"name": "X"}, {"name": "Y"}],
            "sponsors": [{"name": "W", "backs": "X", "strength": 1.0, "exposure": exposure}],
        }
    )


# -- by hand -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("log1p(aid)", [0.0, np.log(2.0), np.log(4.0), np.nan, 0.0]),
        ("rank(aid)", [2.0, 3.0, 4.0, np.nan, 1.0]),
        ("share(part)", [0.25, 1.0, 0.0, 0.75, np.nan]),
        ("none(aid)", [0.0, 1.0, 3.0, np.nan, -2.0]),
    ],
)
def test_transforms_by_hand(key: str, known: list[float]) -> None:
    wanted = np.array(known) / np.nanmean(known)
    np.testing.assert_allclose(term(FIVE, key), np.where(np.isnan(wanted), 1.0, wanted), rtol=1e-15)
    assert missing(FIVE, key).tolist() == np.isnan(known).tolist()


def test_ties_share_their_rank() -> None:
    table = pd.DataFrame({"name": ["A", "B", "C"], "x": [5.0, 7.0, 5.0]})
    np.testing.assert_allclose(term(table, "rank(x)"), np.array([1.5, 3.0, 1.5]) / 2.0)


def test_the_exposure_of_five_members_by_hand() -> None:
    """Weights 2 for the alliance, 0.5 for aid: (2 + 0, 0.5 a, 0.5 b, 2 + 0.5, 0), over their mean."""
    mean = (np.log(2.0) + np.log(4.0)) / 4.0
    sums = np.array([2.0, 0.5 * np.log(2.0) / mean, 0.5 * np.log(4.0) / mean, 2.5, 0.0])
    found = race({"nato": 2.0, "log1p(aid)": 0.5}).exposure[0]
    np.testing.assert_allclose(found, sums / sums.mean(), rtol=1e-14)
    assert found.mean() == pytest.approx(1.0)


def test_more_aid_more_pull() -> None:
    table = FIVE.assign(aid=[0.3, 0.1, 4.0, 0.9, 90.0])
    order = table["aid"].to_numpy().argsort()
    for transform in TRANSFORMS:
        x = race({"not nato": 0.0, f"{transform}(aid)": 1.0}, table).exposure[0]
        steps = np.diff(x[order])
        assert (steps >= 0).all(), transform
        assert (steps > 0).all() or transform == "share"


def test_a_column_of_ones_is_a_constant() -> None:
    for key in ("none(one)", "share(one)", "log1p(one)", "rank(one)"):
        np.testing.assert_allclose(race({"nato": 1.0, key: 0.7}).exposure, race({"nato": 1.0, "all": 0.7}).exposure)


def test_the_unit_of_a_column_does_not_matter() -> None:
    cents = FIVE.assign(part=FIVE["part"].clip(0, 1), percent=100 * FIVE["part"].clip(0, 1))
    np.testing.assert_allclose(term(cents, "none(percent)"), term(cents, "share(part)"))


def test_a_selector_is_not_scaled() -> None:
    assert term(FIVE, "nato").tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]
    assert term(FIVE, "none(nato)").tolist() == [2.5, 0.0, 0.0, 2.5, 0.0]


def test_a_column_alone_means_its_numbers_unless_they_are_yes_and_no() -> None:
    table = FIVE.assign(aid=[3.0, 1.0, 40.0, 9.0, 900.0])
    assert column_of("aid", table) == Column("aid", "none")
    assert column_of("nato", table) is None
    assert column_of("not nato and visa=free", table) is None
    np.testing.assert_allclose(race({"aid": 1.0}, table).exposure, race({"none(aid)": 1.0}, table).exposure)


def test_a_column_whose_name_looks_like_a_term() -> None:
    table = FIVE.assign(**{"log1p(aid)": [0, 1, 0, 1, 0]})
    assert term(table, "log1p(aid)").tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]


# -- weights are parameters ----------------------------------------------------------------------------------------


def test_weights_of_measured_terms_are_drawn_and_moved() -> None:
    wide = {"value": 0.5, "low": 0.1, "high": 1.5, "unit": "weight"}
    base = race({"nato": 1.0, "log1p(aid)": wide})
    path = "sponsors.W.exposure.log1p(aid)"
    assert base.parameters()[path].value == 0.5
    moved = base.with_parameters({path: 1.5})
    assert moved.exposure[0][2] > base.exposure[0][2]
    fc = iom.forecast(base, runs=400, seed=1, assumptions=40, progress=False)
    drawn = fc.assumptions[path]
    assert drawn.min() < 0.2
    assert drawn.max() > 1.0
    assert fc.draws is not None
    x = fc.draws.plan(base).exposure[0]
    assert (
        np.diff(x[2][drawn.to_numpy().argsort()]) >= 0.0
    ).all()  # the more the aid counts, the more who has most of it


def test_labels_name_the_column() -> None:
    labels = {p.path: p.label for p in race({"nato": 1.0, "log1p(aid)": 1.0})._parameters.values()}
    assert labels["sponsors.W.exposure.log1p(aid)"] == "W's pull by aid"
    assert labels["sponsors.W.exposure.nato"] == "exposure of 'nato' to W"


# -- as files write them -------------------------------------------------------------------------------------------

ENTRY = {"column": "aid", "transform": "log1p", "weight": 0.5}


@pytest.mark.parametrize(
    "exposure",
    [
        {"nato": 2.0, "log1p(aid)": 0.5},
        {"nato": 2.0, "money": ENTRY},
        {"nato": {"value": 2.0}, "aid": {"transform": "log1p", "weight": {"value": 0.5}}},
        [{"who": "nato", "weight": 2.0}, ENTRY],
    ],
)
def test_the_same_terms_in_other_words(exposure: Any) -> None:
    one = race({"nato": 2.0, "log1p(aid)": 0.5})
    assert race(exposure) == one
    assert iom.loads(iom.dumps(race(exposure))) == one


@pytest.mark.parametrize(
    ("exposure", "said"),
    [
        ({"log1p(ait)": 1.0}, "sponsor 'W': no column 'ait' in the member table; did you mean 'aid'?"),
        ({"log1p(visa)": 1.0}, "column 'visa' holds texts such as 'free', and log1p takes numbers"),
        ({"log(aid)": 1.0}, "sponsor 'W': no transform 'log'; did you mean 'log1p'?"),
        ({"visa": 1.0}, "column 'visa' is not a yes/no column; write visa=X for some value X"),
        ({"nato": 3.0, "share(gone)": 1.0}, "column 'gone' has no value for any member"),
        ({"nato": 3.0, "none(low)": 1.0}, "none(low) has mean -1.4 over the members, which must be above 0; write"),
        ({"share(percent)": 1.0}, "column 'percent' holds numbers such as 50, and share takes shares between 0 and 1"),
        ({"aid": 1.0}, "the exposure of E to W is negative; weights must add up to 0 or more"),
        ([{**ENTRY, "transform": "log"}], "no transform 'log'; did you mean 'log1p'?"),
        ([{**ENTRY, "colum": "aid"}], "unknown key 'colum' in a term of an exposure; did you mean 'column'?"),
        ([{"column": "aid"}], "a term of an exposure has no weight: {'column': 'aid'}"),
        ([ENTRY, ENTRY], "two terms of an exposure are 'log1p(aid)'; leave one out"),
        ([{**ENTRY, "who": "nato"}], "a term of an exposure is a selector (who) or a column, got both"),
        ([{"weight": 1.0}], "a term of an exposure names no column and no selector (who)"),
        (["nato"], "a term of an exposure must be a table such as"),
    ],
)  # fmt: skip
def test_terms_that_are_refused(exposure: Any, said: str) -> None:
    from iomsim.model.scenario import build

    frame = FIVE.assign(gone=np.nan, percent=[10.0, 20.0, 50.0, 90.0, 100.0], low=[-1.0, 0.0, -3.0, -2.0, -1.0])
    with pytest.raises(iom.ScenarioError) as error:
        build(
            {
                "electorate": {"table": frame.astype(object).to_dict("records")},
                "candidates": [{"name": "X"}, {"name": "Y"}],
                "sponsors": [{"name": "W", "backs": "X", "strength": 1.0, "exposure": exposure}],
            }
        )
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_not_known_is_said() -> None:
    said = race({"nato": 1.0, "share(part)": 1.0}).evidence().loc["sponsors.W.exposure.share(part)", "statement"]
    assert said.endswith("Not known for 1 of 5 members, who count as the mean of the others: E.")
    assert "Not known" not in race({"nato": 1.0}).evidence().loc["sponsors.W.exposure.nato", "statement"]


def test_the_schema_of_files_has_terms_as_tables() -> None:
    exposure = iom.schema()["$defs"]["Sponsor"]["properties"]["exposure"]
    by_key, listed = exposure["anyOf"]
    assert listed["items"]["properties"]["transform"]["enum"] == list(TRANSFORMS)
    assert by_key["additionalProperties"]["anyOf"][1] == listed["items"]
