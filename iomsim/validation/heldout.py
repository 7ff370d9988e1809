"""The held-out case: what was said of 15 May 2023, and what it earned.

On the morning of that Monday Amy Pope had 98 votes and António Vitorino 67, twelve short of two
thirds for her; he withdrew after the break and she was acclaimed the same afternoon.  No number of
the model was chosen by looking at this, and nothing is ever fitted to it.  One case says little: it
can embarrass a forecast, not prove it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from iomsim.election_day.election_day import Night, live
from iomsim.engine.outcomes import Outcomes
from iomsim.forecasting.estimates import in_100, wilson
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.run import forecast
from iomsim.model.catalogue import load
from iomsim.rules.ruleset import ENDINGS
from iomsim.validation.baselines import rivals
from iomsim.validation.contest import Contest
from iomsim.validation.contests import contest, contests
from iomsim.validation.prediction import SCORES, Outlook, scored
from iomsim.validation.replay import outlook_from, outlook_of
from iomsim.validation.rounds import Sequel

CASE, RACE = "IOM2023-DG", "geneva-2023"

COUNTED = "12:20"
"""When the first count was over: "end of the morning" in the agencies' words."""

WHEN = BEFORE, AFTER = "on 14 May", "after 98-67"

EVENTS = ("Pope wins", "decided in round 1", "Pope acclaimed after round 1", "over on Monday")


@dataclass(frozen=True, repr=False, eq=False)
class HeldOut:
    """What was said of 15 May 2023, before the vote and after the first tally.

    Attributes
    ----------
    contest : Contest
        What happened.
    before : Forecast
        The forecast of 14 May.
    night : Night
        The live update with the first tally announced.
    rest : Outcomes
        Its worlds, played on.
    """

    contest: Contest
    before: Forecast
    night: Night
    rest: Outcomes

    def table(self) -> pd.DataFrame:
        """Return the chances given to what happened.

        Returns
        -------
        DataFrame
            By event: the probability on 14 May and after the first tally, each with its 95 % Monte
            Carlo interval.
        """
        fc = self.before
        late = 24 * 60 * (fc.next_day - fc.opening_date.date()).days
        rows = {}
        for when, out in ((BEFORE, fc.all_outcomes), (AFTER, self.rest)):
            for event, hits in _events(out, self._winner, late).items():
                low, high = wilson(hits, out.size)
                rows[(when, event)] = {"probability": hits / out.size, "low": float(low), "high": float(high)}
        return pd.DataFrame.from_dict(rows, orient="index").unstack(0).swaplevel(axis=1)[[*WHEN]].loc[[*EVENTS]]

    @property
    def percentile(self) -> float:
        """Share of the forecasts of 14 May in which Pope had fewer of the first round's votes."""
        shares = self._outlook_before.shares
        assert shares is not None
        return float(np.mean(shares < self._share) + np.mean(shares == self._share) / 2)

    def scores(self) -> pd.DataFrame:
        """Return the proper scores: of 14 May, and after the first tally beside the rivals.

        Returns
        -------
        DataFrame
            By score; lower is better.  The rivals speak only once there is a tally.  There was no
            second round, so no next share to score.
        """
        names = self.contest.candidates
        school = [one for one in contests() if not one.held_out]
        position, after = self.contest.position(1), self.contest.sequel(1)
        first = Sequel(self._share, 1, after.winner, after.ending)
        columns = {BEFORE: scored(self._outlook_before, names, first)}
        columns[AFTER] = scored(outlook_of(self.night, position.candidates), position.candidates, after)
        columns |= {name: scored(rival(position), position.candidates, after) for name, rival in rivals(school).items()}
        return pd.DataFrame(columns).reindex([*SCORES]).rename_axis("score")

    def sentence(self) -> str:
        """Return what the forecast had given to what happened."""
        table = self.table()
        before, after = ({event: in_100(table.loc[event, (when, "probability")]) for event in EVENTS} for when in WHEN)
        wins, first, how, monday = EVENTS
        return (
            f"Held out: on 14 May the model gave Pope {before[wins]} in 100, a decision in the first round "
            f"{before[first]}, the way it happened (acclaimed after one round) {before[how]}, and an end on Monday "
            f"{before[monday]}. Her {100 * self._share:.0f} % of the first votes lay at the "
            f"{100 * self.percentile:.0f}th percentile of the forecast. After 98-67 it gave her {after[wins]}, a "
            f"withdrawal at once {after[first]} and an end on Monday {after[monday]}. One case proves nothing."
        )

    def __repr__(self) -> str:
        """Return the sentence, the chances and the scores."""
        return f"{self.sentence()}\n\n{self.table().round(3).to_string()}\n\n{self.scores().round(3).to_string()}"

    def _repr_html_(self) -> str:
        tables = self.table().round(3).to_html(border=0) + self.scores().round(3).to_html(border=0)
        return f"<div><p>{escape(self.sentence())}</p>{tables}</div>"

    # -- inside ------------------------------------------------------------------------------

    @property
    def _winner(self) -> int:
        return self.before.race.names.index(str(self.contest.winner))

    @property
    def _share(self) -> float:
        share = self.contest.rounds[0].share(str(self.contest.winner))
        assert share is not None
        return share

    @property
    def _outlook_before(self) -> Outlook:
        names = self.before.race.names
        return outlook_from(self.before.all_outcomes, 0, [names.index(name) for name in self.contest.candidates])


def _events(out: Outcomes, winner: int, late: int) -> dict[str, int]:
    """Count the runs in which what happened happens."""
    hers, first = out.winner == winner, (out.rounds == 1) & (out.winner >= 0)
    acclaimed = out.ending == ENDINGS.index("acclamation")
    monday = (out.minute >= 0) & (out.minute < late)
    hits = (hers, first, hers & first & acclaimed, monday)
    return {event: int(np.count_nonzero(hit)) for event, hit in zip(EVENTS, hits, strict=True)}


def held_out(runs: int = 20_000, particles: int = 10_000, seed: int = 2023) -> HeldOut:
    """Return what the shipped forecast gave to 15 May 2023, before the vote and after the first tally.

    Parameters
    ----------
    runs : int, default 20 000
        Runs of the forecast of 14 May.
    particles : int, default 10 000
        Possible worlds of the live update.
    seed : int, default 2023
        Addresses both.

    Examples
    --------
    >>> held = held_out(runs=500, particles=300)
    >>> held.contest.held_out, held.table().index[0]
    (True, 'Pope wins')
    """
    race = load(RACE)
    night = live(race, particles, seed)
    case = contest(CASE)
    night.announce(case.rounds[0].votes, at=COUNTED)
    before = forecast(race, runs, seed, progress=False)
    return HeldOut(case, before, night, night.play_on())
