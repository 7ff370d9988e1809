"""The past rounds that were most like a given tally, and what came of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import pandas as pd

from iomsim._version import VERSION
from iomsim.errors import AnnouncementError, unknown, whole_number
from iomsim.forecasting.result import Result
from iomsim.house_style import capital, count, number, number_of, percent, series
from iomsim.rules.bar import Bar
from iomsim.validation.contest import Contest
from iomsim.validation.courses import (
    bar_in,
    end_of,
    first_between,
    led_by,
    next_between,
    over_at,
    share_of_first,
    withdrew,
    won,
)
from iomsim.validation.rounds import MAX_CANDIDATES, STRAY_SHARE, RoundTally

FIRST, ANY = "first", "any"
"""Which rounds are compared: of each contest the first between so many, or any."""

SLOPE = 4.0
"""Log-odds that a share of one half moves by per share: what puts the distance to the bar on the scale of log-odds."""

FEW = 3
"""So many rounds are told to be few."""

FAR = 0.5
"""Log-odds from which on the most similar round is told not to be similar: 62 against 50 per cent."""


# -- how far two rounds are from each other ----------------------------------------------------------


def _weighed(one: Sequence[int], other: Sequence[int]) -> list[tuple[int, int, float]]:
    """Return all pairs of candidates, each with the product of their mean shares."""
    shares = [(a / sum(one) + b / sum(other)) / 2 for a, b in zip(one, other, strict=True)]
    return [(i, j, shares[i] * shares[j]) for i, j in combinations(range(len(shares)), 2)]


def apart(one: Sequence[int], other: Sequence[int]) -> float:
    """Return how far two tallies are from each other, in log-odds.

    The root mean square, over all pairs of candidates, of the difference of the log-odds between them; pairs weigh as
    the product of their shares.  For two candidates that is the difference of the log-odds of the shares.

    Parameters
    ----------
    one, other : sequence of int
        Votes, most first.  None counts as half a vote.

    Examples
    --------
    >>> round(apart((98, 67), (113, 78)), 4), round(math.log(98 / 67) - math.log(113 / 78), 4)
    (0.0096, 0.0096)
    >>> round(apart((65, 51, 27), (130, 102, 54)), 9)
    0.0
    """
    a, b = ([math.log(max(votes, 0.5)) for votes in tally] for tally in (one, other))
    pairs = _weighed(one, other)
    squares = sum(weight * (a[i] - a[j] - b[i] + b[j]) ** 2 for i, j, weight in pairs)
    return math.sqrt(squares / sum(weight for *_, weight in pairs))


def luck(one: Sequence[int], other: Sequence[int]) -> float:
    """Return how far two tallies would be from each other by luck, if every member voted by the same chances.

    Examples
    --------
    >>> round(luck((98, 67), (113, 78)), 2), round(luck((98, 67), (21, 14)), 2)
    (0.22, 0.38)
    """
    weights = sum(weight for *_, weight in _weighed(one, other))
    return math.sqrt((len(one) - 1) * (1 / sum(one) + 1 / sum(other)) / weights)


# -- finding them --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """The tally that is asked about.

    Attributes
    ----------
    votes : tuple of int
        As given, most first.
    main : tuple of int
        Those that count: more than 2 % of the votes.
    valid : int
        Valid papers.
    bar : Bar or None
        What elects; None if it does not matter.
    rounds : str
        Which rounds are compared.
    """

    votes: tuple[int, ...]
    main: tuple[int, ...]
    valid: int
    bar: Bar | None = None
    rounds: str = FIRST

    @classmethod
    def of(cls, votes: Sequence[Any], valid: int | None, bar: Any, rounds: str) -> Asked:
        """Read and check what was asked."""
        given = votes[0] if len(votes) == 1 and isinstance(votes[0], list | tuple) else votes
        if len(given) < 2:
            raise AnnouncementError(f"a tally has two votes or more, such as like(98, 67); got {list(given)}")
        if len(given) > MAX_CANDIDATES:
            raise AnnouncementError(f"a tally has at most {MAX_CANDIDATES} votes, got {len(given)}")
        counts = sorted((whole_number("votes", one, 0) for one in given), reverse=True)
        total = sum(counts)
        if not counts[1]:
            raise AnnouncementError(f"two or more must have votes, got {'-'.join(map(str, counts))}")
        if rounds not in (FIRST, ANY):
            raise unknown("choice of rounds", rounds, (FIRST, ANY))
        if valid is not None and bar is None:
            raise AnnouncementError("valid papers matter for the bar only; give it too, such as bar='2/3'")
        if valid is not None and whole_number("valid", valid, 1) < total:
            raise AnnouncementError(f"the votes add up to {total}, more than the {valid} valid papers")
        main = tuple(one for one in counts if one > STRAY_SHARE * total)
        main = main if len(main) > 1 else tuple(counts[:2])
        return cls(tuple(counts), main, valid or total, None if bar is None else Bar.of(bar), rounds)

    @property
    def share(self) -> float:
        """The leader's share of those that count."""
        return self.main[0] / sum(self.main)

    @property
    def short(self) -> float | None:
        """The votes that the leader was short of, as a share of the papers; None if no bar was given."""
        return None if self.bar is None else (int(self.bar.needed(self.valid)) - self.main[0]) / self.valid


def similar(contests: Sequence[Contest], asked: Asked) -> list[dict[str, Any]]:
    """Return of each contest the round that is compared, the most similar contest first."""
    found = [row for one in contests if (row := _nearest(one, asked)) is not None]
    return sorted(found, key=lambda row: (row["distance"], -(row["year"] or 0), row["contest"]))


def _nearest(one: Contest, asked: Asked) -> dict[str, Any] | None:
    """Return the round of a contest that is compared; None if none is between so many."""
    many = len(asked.main)
    if asked.rounds == FIRST:
        first = first_between(one, many)
        known = [first] if first is not None else []
    else:
        known = [a for a in one.ordinary if len(a.field) == many]
    rows = [_row(one, a, asked) for a in known]
    return min(rows, key=lambda row: row["distance"]) if rows else None


def _row(one: Contest, known: RoundTally, asked: Asked) -> dict[str, Any]:
    tally = known.among(known.field).tally
    by_shares = apart(asked.main, tally)
    needed = known.needed or one.needed(known.round, known.base)
    short = (needed - tally[0]) / known.base
    by_bar = 0.0 if asked.short is None else SLOPE * (short - asked.short)
    share, then, out = share_of_first(known) or 0.0, next_between(one, known), withdrew(one)
    return {
        "contest": one.id,
        "year": one.year,
        "round": known.round,
        "leader": led_by(known),
        "tally": "-".join(map(str, tally)),
        "share": share,
        "distance": math.hypot(by_shares, by_bar),
        "points": 100 * (share - asked.share),
        "errors": by_shares / luck(asked.main, tally),
        "bar": bar_in(one, known.round),
        "short": short,
        "rounds_after": max(over_at(one) - known.round, 0),
        "next_share": None if then is None else then.share(known.field[0]),
        "ending": end_of(one),
        "withdrew": out[0] if out else None,
        "how": one.decided_how or one.ending,
        "winner": one.winner,
        "leader_won": won(one, known),
        "held_out": one.held_out,
    }


TYPES = {
    "year": "Int64", "round": "int64", "leader": "object", "tally": "object", "share": "float64", "distance":
    "float64", "points": "float64", "errors": "float64", "bar": "object", "short": "float64", "rounds_after": "int64",
    "next_share": "float64", "ending": "object", "withdrew": "object", "how": "object", "winner": "object",
    "leader_won": "boolean", "held_out": "bool",
}  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class Alike(Result):
    """The past rounds that were most like a tally, and what came of them; from :meth:`iomsim.History.like`.

    Attributes
    ----------
    asked : Asked
        The tally.
    n : int
        How many rounds were asked for.
    found : tuple of dict
        Those that can be compared, the most similar first: one of each contest.
    left_out : tuple of str
        Contests that were not looked at because they are held out.
    record : dict
        Which record: its provenance.
    """

    asked: Asked
    n: int
    found: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...]
    record: dict[str, Any]

    def table(self) -> pd.DataFrame:
        """Return the most similar rounds, the nearest first.

        Returns
        -------
        DataFrame
            By contest: `year`, `round`, its `leader` (missing if two were level) with the `share` of the main
            candidates' votes, the `tally`; `distance` in log-odds (see :meth:`iomsim.History.like`), `points` that
            the leader's share is above the one asked about, and `errors`, by how many sampling errors the shares
            differ (below 1: luck alone makes equal electorates differ so much); `bar` and how far the leader was
            `short` of it, as a share of the papers (below 0: over it); then `rounds_after` it until the one that
            decided, the leader's `next_share` if the same stood again, `ending` (see
            :data:`iomsim.validation.courses.ENDS`), who `withdrew` of two in the end, `how` in the file's, `winner`,
            `leader_won`; and `held_out`.
        """
        chosen = self.found[: self.n]
        table = pd.DataFrame(list(chosen), columns=["contest", *TYPES])
        return table.astype(TYPES).set_index("contest")

    @cached_property
    def _table(self) -> pd.DataFrame:
        return self.table()

    # -- words ------------------------------------------------------------------------------------------

    def sentence(self) -> str:
        """Return what came of them, and how similar they are."""
        if not self.found:
            return f"No {self.rounds_told()} is known in the contests that were looked at{self._hidden()}."
        parts = [self._came(), self._nearest_told(), *self._otherwise(), *self._doubts()]
        return " ".join(parts)

    def rounds_told(self, many: bool = False) -> str:
        """Return what is compared, in words."""
        so_many = number(len(self.asked.main))
        what = "first ballot" if self.asked.rounds == FIRST else "ballot"
        return f"{what}{'s' * many} between {so_many}"

    def _came(self) -> str:
        """Return how many of the leaders won, and how soon."""
        table, led = self._table, self._table["leader_won"].dropna()
        shares = _span(100 * table["share"])
        bars = table["bar"].unique()
        need = f", {bar_told(bars[0])} needed" if len(bars) == 1 else ""
        who = f"Of the {number(len(table))} most similar {self.rounds_told(True)}" if len(table) > 1 else (
            f"In the most similar {self.rounds_told()}"
        )  # fmt: skip
        leaders = f" ({'leader' if len(led) == len(table) else 'first'} {shares}{need})"
        next_ = int((table["rounds_after"] <= 1).sum())
        if len(table) == 1:
            result = "was tied" if not len(led) else f"the leader {'won' if led.iloc[0] else 'did not win'}"
            return f"{who}{leaders} {result}."
        wins = f"the leader won {_many(int(led.sum()))}"
        tied = len(table) - len(led)
        wins += f" of the {number(len(led))} in which one led alone" if tied else ""
        over = f"{_many(next_)} {'was' if next_ == 1 else 'were'} over by the next round"
        return f"{who}{leaders} {wins}; {over}."

    def _nearest_told(self) -> str:
        first = self._table.iloc[0]
        same = first["tally"] == "-".join(map(str, self.asked.main))
        away = f"{first['distance']:.2f} in log-odds away" if first["distance"] >= 0.005 else "with equal shares"
        away = "the very same tally" if same else away
        errors = f", {first['errors']:.1f} sampling errors" if first["errors"] >= 1 else ""
        return f"Nearest is {told(first)}, {away}{errors}: {outcome(first)}."

    def _otherwise(self) -> list[str]:
        """Return the first of the others whose leader did not win, or won although the nearest did not."""
        table = self._table
        other = table.iloc[1:][(table["leader_won"].iloc[1:] != table["leader_won"].iloc[0]).fillna(True).to_numpy()]
        return [f"It went otherwise in {told(row)}: {outcome(row)}." for _, row in other.head(1).iterrows()]

    def _doubts(self) -> list[str]:
        table, asked = self._table, self.asked
        strays = len(asked.votes) - len(asked.main)
        said = []
        if asked.main[0] == asked.main[1]:
            said += ["The tally asked about is tied: the shares are compared, nobody leads it."]
        if strays:
            said += [f"{capital(number(strays))} with at most {percent(100 * STRAY_SHARE)} of the votes left out."]
        if len(table) < self.n:
            said += [f"The record has only {number(len(table))} such {'round' if len(table) == 1 else 'rounds'}."]
        if len(table) <= FEW:
            said += ["That is too few to tell a chance from."]
        if table["distance"].iloc[0] > FAR:
            said += ["Even the nearest is not similar."]
        marked = list(table.index[table["held_out"]])
        said += [f"{series(marked)} {'is' if len(marked) == 1 else 'are'} held out for scoring."] if marked else []
        return said

    def _hidden(self) -> str:
        return f" ({series(self.left_out)} is held out)" if self.left_out else ""

    # -- showing ----------------------------------------------------------------------------------------

    def stamp(self) -> str:
        """Return what is needed to find the same again, in one line."""
        p = self.record
        hidden = f" without {series(self.left_out)}" if self.left_out else ""
        return f"iomsim {VERSION} · record {p['record']} · {count(p['contests'], 'contest')}{hidden}"

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, record, contests, and the tally asked about."""
        return self.record | {"like": list(self.asked.votes)}

    def _head(self) -> pd.DataFrame:
        shown = ["year", "round", "tally", "share", "distance", "errors", "bar", "rounds_after", "how", "winner"]
        shown += ["leader_won", "next_share", *["held_out"] * bool(self._table["held_out"].any())]
        return self._table[shown].round(3)


def _many(value: int) -> str:
    return number(value) if value else "none"


def _span(values: pd.Series) -> str:
    low, high = (f"{end:.0f}" for end in (values.min(), values.max()))
    return percent(low if low == high else f"{low} to {high}")


def bar_told(bar: str) -> str:
    """Return what elects, in a few words.

    Examples
    --------
    >>> bar_told("2/3"), bar_told(">1/2"), bar_told("3/4")
    ('two thirds', 'more than half', '3/4')
    """
    return {"2/3": "two thirds", ">1/2": "more than half"}.get(bar, bar)


def told(row: pd.Series) -> str:
    """Return a round in a few words: which contest, who led, with which tally."""
    leader = f"{row['leader']} " if isinstance(row["leader"], str) else ""
    return f"{row.name} ({leader}{row['tally']})"


def outcome(row: pd.Series) -> str:
    """Return what came of a round.

    Examples
    --------
    >>> outcome(pd.Series({"rounds_after": 1, "ending": "majority", "winner": "Kenya", "how": "majority"}))
    'Kenya won in the next round'
    >>> outcome(pd.Series({"rounds_after": 46, "ending": "open", "winner": "Panama", "how": "compromise candidate"}))
    'Panama, who had not stood, was elected after 46 more rounds'
    """
    after, who = int(row["rounds_after"]), row["winner"]
    later = f"after {number_of(after, 'more round')}"
    match row["ending"]:
        case "open" if who:
            return f"{who}, who had not stood, was elected {later}"
        case "open":
            return f"it was still open {later}"
        case "failed":
            return f"it failed {later}, nobody won"
        case "withdrawal":
            who_left = row["withdrew"] if isinstance(row["withdrew"], str) else "the other"
            return f"{who} won, {who_left} withdrew {later if after else 'at once'}"
        case "confirmed":
            return f"{who} was confirmed alone {later}"
    return f"{who} won {'at once' if not after else 'in the next round' if after == 1 else later}"
