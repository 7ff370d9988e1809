"""Help that is made from what fields say of themselves: nothing goes untold, and Tab completes the names."""

from __future__ import annotations

import pickle
from inspect import signature

import pytest

import iomsim as iom
from iomsim.model.components import SHORTHANDS
from iomsim.model.docs import attributes_of
from iomsim.model.quantities import meaning
from iomsim.rules.procedure import PARTS
from iomsim.rules.short_form import KNOBS

RACE = iom.load("geneva-2023")

NAMES = {
    "with_behaviour": {"low", "high", *iom.Behaviour.model_fields, *SHORTHANDS},
    "with_clock": {"low", "high", *iom.Clock.model_fields},
    "with_rules": {"name", *PARTS, *KNOBS},
    "with_pressure": {"low", "high", "Washington", "Brussels"},
    "scaled": {"Washington", "Brussels"},
    "with_pinned": {"Pope", "Vitorino"},
}
OF_A_RACE = ("with_pressure", "scaled", "with_pinned")


def told(doc: str) -> set[str]:
    """Return the parameters that a docstring tells."""
    section = doc.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    heads = [line.partition(" : ")[0] for line in section.splitlines() if not line.startswith(" ")]
    return {name for head in heads for name in head.split(", ")}


@pytest.mark.parametrize("method", NAMES)
def test_help_and_signature_have_all_names_that_a_method_takes(method: str) -> None:
    bound = getattr(RACE, method)
    assert set(signature(bound).parameters) == NAMES[method]
    assert told(bound.__doc__) == NAMES[method]
    of_class = getattr(iom.Scenario, method)
    if method not in OF_A_RACE:
        assert set(signature(of_class).parameters) == {"self"} | NAMES[method]
        assert told(of_class.__doc__) == NAMES[method]
    else:
        assert "Washington" not in signature(of_class).parameters


def test_help_says_unit_bounds_and_what_the_race_has() -> None:
    said = " ".join(RACE.with_pressure(Washington=0.9).with_pressure.__doc__.split())
    assert "Between 0 and 1e6; now 0.9 (0.48 to 1.71) log-odds. It backs Pope." in said
    said = " ".join(iom.Scenario.with_behaviour.__doc__.split())
    assert "Between 0 and 1; default 0.4 (0.2 to 0.6) fraction." in said
    said = " ".join(RACE.with_clock(deadline="2023-05-16T18:00").with_clock.__doc__.split())
    assert "now 70 (50 to 90) minutes" in said
    assert "Now 2023-05-16 18:00:00." in said


def test_what_python_takes_for_no_keyword_stays_behind_the_stars() -> None:
    sponsors = [{"name": name, "backs": "A", "strength": 1.0} for name in ("European Union", "class", "low", "Oslo")]
    race = iom.loads(iom.dumps(iom.load("minimal")))
    race = type(race).model_validate({**dict(race), "sponsors": sponsors})
    assert [str(p) for p in signature(race.with_pressure).parameters.values()][2:] == [
        "Oslo=unchanged",
        "**strengths: 'Setting'",
    ]
    assert told(race.with_pressure.__doc__) >= {"European Union", "class", "Oslo"}
    assert race.with_pressure(**{"European Union": 2.0}).sponsor("European Union").strength.value == 2.0


def test_methods_with_names_are_methods_still() -> None:
    changed = pickle.loads(pickle.dumps(RACE.with_pressure))(Washington=0.9)
    assert changed == RACE.with_pressure(Washington=0.9)
    assert RACE.with_behaviour.__self__ is RACE
    with pytest.raises(iom.UnknownNameError, match="did you mean 'secrecy'"):
        RACE.with_behaviour(secrecyy=0.5)


@pytest.mark.slow  # starts a shell
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("race.with_pressure(", {"Washington=", "Brussels=", "low=", "high="}),
        ("race.with_behaviour(sec", {"secrecy="}),
        ("race.with_clock(ro", {"round_log_sd=", "round_minutes=", "rounds_a_day="}),
        ("race.with_rules('strict', el", {"eliminate_after="}),
    ],
)
def test_tab_completes_the_names_in_a_notebook(typed: str, completed: set[str]) -> None:
    from IPython.core.completer import IPCompleter, provisionalcompleter

    completer = IPCompleter(namespace={"race": RACE})
    with provisionalcompleter():
        found = {one.text for one in completer.completions(typed, len(typed)) if one.text.endswith("=")}
    assert found == completed


@pytest.mark.parametrize("kind", [iom.Behaviour, iom.Clock, iom.Sponsor, iom.Candidate, iom.Tie, iom.Scenario])
def test_every_field_says_what_it_means_in_the_help_of_its_class(kind: type) -> None:
    fields = kind.model_fields  # type: ignore[attr-defined]
    assert [key for key, field in fields.items() if not meaning(field).endswith((".", '"'))] == []
    assert [one.name for one in attributes_of(kind.__doc__)] == list(fields)


def test_the_table_of_parameters_has_each_with_words_and_a_place() -> None:
    table = iom.parameters()
    fields = [f"behaviour.{key}" for key in iom.Behaviour.model_fields]
    assert set(fields) <= set(table.index)
    assert table.index.is_unique
    assert (table[["label", "meaning", "possible", "acts", "source"]] != "").all(axis=None)
    known = table["value"].notna()
    assert sorted(table.index[~known]) == ["level.CANDIDATE", "sponsors.SPONSOR.strength", "ties.TIE.log_odds"]
    assert (table.loc[known, "low"] <= table.loc[known, "high"]).all()
    assert table.loc["sponsors.SPONSOR.strength", ["unit", "grade", "source"]].tolist() == [
        "log-odds", "", "each scenario states it",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["geneva-2023", "iom-2018", "minimal"])
def test_the_table_of_a_race_is_that_of_its_parameters(name: str) -> None:
    race = iom.load(name)
    table = iom.parameters(race)
    assert {path: q.value for path, q in race.parameters().items()} == table["value"].to_dict()
    assert (table[["meaning", "acts"]] != "").all(axis=None)
