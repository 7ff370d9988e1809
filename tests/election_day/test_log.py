"""Past days: every event can be announced to the scenario of its eve, and none is older than the forecast."""

from __future__ import annotations

import pytest

import iomsim as iom
from iomsim.election_day.log import past_day
from iomsim.errors import UnknownNameError
from iomsim.model.events import event_of
from iomsim.model.evidence import shipped_names

DAYS = shipped_names("days", ".toml")


@pytest.mark.parametrize("name", DAYS)
def test_a_day_can_be_played_to_its_end(name: str) -> None:
    known = past_day(name)
    race = iom.load(known.scenario)
    night = iom.live(race, particles=400, seed=1)
    for event in known.events:
        assert event.grade in ("verified", "inferred", "recalled", "assumed")
        assert event.note
        assert event.source
        night.apply(event_of(event.say, race.names))
    assert night.forecast().answer().startswith("It is over")
    assert race.as_of is not None
    assert race.as_of < race.clock.opens.date()


def test_the_days_of_2018_and_2023_are_shipped() -> None:
    assert DAYS == ["2018", "2023"]
    with pytest.raises(UnknownNameError, match="did you mean '2023'"):
        past_day("2033")


def test_nothing_of_the_day_is_in_the_forecast_of_its_eve() -> None:
    """The first tally of 2023 and the registered voters are hindsight: no number of the scenario or its facts."""
    race = iom.load("geneva-2023")
    used = {part.strip() for q in race.parameters().values() for part in q.source.split(",")} | set(race.facts)
    facts = iom.facts()
    told = " ".join(facts.loc[sorted(used & set(facts.index)), "statement"])
    assert "98" not in told
    assert "67" not in told
    assert (facts.loc[sorted(used & set(facts.index)), "as_of"] <= "2023-05-14").all()
