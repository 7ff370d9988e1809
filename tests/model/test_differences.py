"""What differs between two scenarios, in words."""

from __future__ import annotations

from typing import Any

import pytest

import iomsim as iom
from iomsim.model.differences import differences


def test_readings_of_the_rules_differ_in_weight_or_in_number() -> None:
    race = iom.load("geneva-2023")
    weights = {part.name: part.weight for part in race.readings}
    shifted = weights | {"strict": 0.01, "one-two-way": 0.09}
    assert differences(race, race.with_rules("four-rounds")) == ["rules four-rounds instead of five readings"]
    assert differences(race.with_rules("strict"), race) == ["rules five readings instead of strict"]
    assert differences(race, race.with_rules("until-two-thirds")) == ["rules until-two-thirds instead of five readings"]
    assert differences(race, race.with_readings(shifted)) == ["other weights of the readings of the rules"]
    assert differences(race, race.with_readings(weights)) == []


@pytest.mark.parametrize("weights", ["strict", None, ["strict"]])
def test_readings_without_weights_are_refused(weights: Any) -> None:
    with pytest.raises(iom.IomsimError, match="give the weights of the readings by name"):
        iom.load("minimal").with_readings(weights)
