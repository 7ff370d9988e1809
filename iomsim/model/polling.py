"""Members that were asked: the chance of each to vote for each candidate, and how much the answers are trusted."""

from __future__ import annotations

import math
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import AfterValidator, model_validator

from iomsim.engine import polls
from iomsim.errors import ScenarioError, UnknownNameError, advice, quote
from iomsim.house_style import number_of
from iomsim.model.ledger import without_effect
from iomsim.model.names import finder
from iomsim.model.quantities import LEAN, RANGE, FrozenDict, FrozenModel, Name, Number, Probability, default
from iomsim.typing import Flags, Floats, Longs

EXACT = 1e-6
"""How far the chances of a member may add up to something else than 1."""

Chances = Annotated[dict[Name, Number], AfterValidator(FrozenDict)]


class Polling(FrozenModel):
    """A poll of members: chances to vote for each candidate in the first round, if present.

    The systematic lean of a member that was asked is ``(1 - trust) * lean + trust * polled``, and the pulls of sponsors
    on it are multiplied by ``1 - trust``.  With `trust` 1 its mean chance over everything that a run draws once (shared
    shocks, hidden conviction) is the one polled; in a single run it still moves with these.  Chances below 0.001 and
    above 0.999 count as these: nobody is certain of a secret vote.

    Examples
    --------
    >>> Polling(chances={"Brazil": {"Pope": 0.42, "Vitorino": 0.58}})
    Polling: one member was asked, trusted 1
    """

    trust: Probability = default(
        1.0, 1.0, 1.0, "probability", "trust in the poll of members", "as it was polled", acts=LEAN
    )
    """How much the answers are believed.  0: not at all, 1: they are all that counts."""
    chances: Annotated[dict[Name, Chances], AfterValidator(FrozenDict)] = FrozenDict()
    """By member (name or id) and candidate; those of a member add up to 1."""

    @model_validator(mode="after")
    def _chances(self) -> Self:
        for member, chances in self.chances.items():
            check_chances(member, chances)
        return self

    def __repr__(self) -> str:
        """Return how many were asked."""
        asked = f"{number_of(len(self.chances), 'member')} {'was' if len(self.chances) == 1 else 'were'} asked"
        return f"Polling: {asked}, trusted {self.trust.value:g}"

    __str__ = __repr__

    def table(self, members: pd.DataFrame, names: tuple[str, ...]) -> Floats:
        """Return the chances of all members as the engine takes them, shape ``(K, N)``: 0 where a member was not asked.

        Raises
        ------
        UnknownNameError, ScenarioError
            If a member or a candidate is not known, or a member is there twice.
        """
        out, find = np.zeros((len(names), len(members))), finder(members)
        for member, chances in self.chances.items():
            try:
                row = find(member)
            except UnknownNameError as error:
                raise UnknownNameError(f"the poll: {error}") from None
            for name in chances:
                if name not in names:
                    what = f"the poll gives {member} a chance for {quote(name)}, who does not stand"
                    raise ScenarioError(f"{what}; {advice(name, names)}")
            if out[:, row].any():
                raise ScenarioError(f"the poll has {members['name'][row]} twice; give it once")
            out[:, row] = polls.clipped(np.array([chances.get(name, 0.0) for name in names]))
        return out


def evidence(
    polling: Polling | None, members: pd.DataFrame, names: tuple[str, ...], pins: Longs, votes: Flags
) -> list[dict[str, Any]]:
    """Return a row of the evidence for every polled chance; of two candidates that for the first says it all."""
    if polling is None:
        return []
    used, out, find = polling.table(members, names), [], finder(members)
    for member, chances in polling.chances.items():
        row = find(member)
        for k, name in enumerate(names[: 1 if len(names) == 2 else None]):
            chance, counts = chances.get(name, 0.0), used[k, row]
            notes = [f"counts as {counts:.3f}"] if abs(chance - counts) > EXACT else []
            said = f"Chance of {members['name'][row]} to vote for {name}, as polled"
            idle = without_effect(row, names, pins, votes)
            out.append(
                {
                    "parameter": f"polled chance of {members['name'][row]} for {name}",
                    **dict.fromkeys(RANGE, chance),
                    "unit": "probability",
                    "grade": "assumed",
                    "source": "the poll",
                    "statement": "; ".join(filter(None, [said, *notes, idle])) + ".",
                }
            )
    return out


def check_chances(member: str, chances: dict[str, float]) -> None:
    """Refuse chances that are none, or do not add up to 1."""
    for name, chance in chances.items():
        if not 0 <= chance <= 1 or not math.isfinite(chance):
            cure = f"; write {chance / 100:g} for {chance:g} %" if 1 < chance <= 100 else ""
            raise ScenarioError(f"the chance of {member} for {name} must be between 0 and 1, got {chance:g}{cure}")
    total = sum(chances.values())
    if abs(total - 1) > EXACT:
        raise ScenarioError(f"the polled chances of {member} must add up to 1, got {total:.6g}")
