"""The record of past contests: which there are, and what came of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from iomsim._version import VERSION
from iomsim.errors import IomsimError, quote, unknown, whole_number
from iomsim.forecasting.result import Result
from iomsim.house_style import capital, count, number, percent, series
from iomsim.model.bodies import body as body_of
from iomsim.rules.bar import Bar
from iomsim.rules.procedure import ENDINGS
from iomsim.validation.contest import Contest
from iomsim.validation.courses import ENDS, courses, end_of, grade_of
from iomsim.validation.data import GRADES, read
from iomsim.validation.similar import FIRST, Alike, Asked, similar

ENOUGH = 10
"""Contests from which on a share of them is told beside the counts."""

# -- questions to many contests ----------------------------------------------------------------------


class Question(NamedTuple):
    """What is asked of many contests: the column of :meth:`History.each` that answers, and of which of them.

    `unit` is that of what is measured, empty for what is counted; `scale` turns the column into it.
    """

    column: str
    unit: str = ""
    of: str = ""
    scale: float = 1.0


NOBODY = "nobody of those who stood won"
WON_FIRST = "leader of the first ballot won"
WON_TWO = "leader of the first ballot between two won"
WON_OPEN = "the same where that ballot elected nobody"
BEHIND = "that leader was behind in a later ballot"
OVER_NEXT = "over by the ballot after that"
TOWARDS = "the first move was towards that leader"
WITHDREW = "one of two withdrew"
ROUNDS = "rounds"
LED_WITH = "share of the leader of the first ballot between two"
MOVE = "size of the first move between two"
AFTER = "withdrew after so many ballots between two"
FROM = "share of the one who withdrew"

QUESTIONS = {
    NOBODY: Question("nobody"),
    WON_FIRST: Question("first_leader_won"),
    WON_TWO: Question("two_leader_won"),
    WON_OPEN: Question("two_leader_won", of="two_left_open"),
    BEHIND: Question("overtaken"),
    OVER_NEXT: Question("over_next"),
    TOWARDS: Question("moved_up"),
    WITHDREW: Question("gave_up", of="two_left_open"),
    ROUNDS: Question("rounds", "rounds"),
    LED_WITH: Question("two_share", "%", scale=100),
    MOVE: Question("size", "points"),
    AFTER: Question("withdrew_after_two", "ballots"),
    FROM: Question("withdrew_share", "%", scale=100),
}
"""All questions, in the order of the table."""

GROUPS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "body": lambda each: each["body"],
    "body_kind": lambda each: each["body_kind"],
    "kind": lambda each: each["kind"],
    "bar": lambda each: each["bar"],
    "candidates": lambda each: each["candidates"].map(lambda many: str(many) if many < 4 else "4+"),
    "ending": lambda each: each["ending"],
    "grade": lambda each: each["grade"],
    "decade": lambda each: each["year"].map(lambda year: None if pd.isna(year) else f"{year // 10}0s"),
}
"""What contests can be grouped by."""


def groups_of(each: pd.DataFrame, group: str) -> pd.Series:
    """Return the group of each contest, by what they are grouped by; "unknown" where it is not known.

    Raises
    ------
    UnknownNameError
        If contests cannot be grouped by that.
    """
    if group not in GROUPS:
        raise unknown("group", group, GROUPS)
    names = GROUPS[group](each)
    return names.astype("object").where(names.notna() & (names != ""), "unknown").astype(str)


def _values(each: pd.DataFrame, question: Question) -> pd.Series:
    """Return the answers of the contests for which a question arises and the answer is known."""
    known = each.assign(
        moved_up=(each["move"] > 0).astype("boolean").mask(each["move"].isna()),
        size=each["move"].abs(),
        nobody=each["ending"].isin(["failed", "open"]).astype("boolean"),
        gave_up=each["withdrew"].notna().astype("boolean"),
    )
    known = known[known[question.of].fillna(False)] if question.of else known
    return known[question.column].dropna()


def answers(each: pd.DataFrame) -> pd.DataFrame:
    """Return what contests answer: see :meth:`History.table`."""
    rows = {}
    for name, question in QUESTIONS.items():
        values = _values(each, question)
        row: dict[str, Any] = {"of": len(values), "unit": question.unit}
        if not question.unit:
            row |= {"count": int(values.sum()), "share": float(values.mean()) if len(values) else None}
        elif len(values):
            scaled = question.scale * values.astype(float)
            row |= {"median": scaled.median(), "least": scaled.min(), "most": scaled.max()}
        rows[name] = row
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*_ANSWER]).rename_axis("question")
    return table.astype(_ANSWER)


_ANSWER = {"count": "Int64", "of": "int64", "share": "float64"}
_ANSWER |= dict.fromkeys(("median", "least", "most"), "float64") | {"unit": "object"}

# -- the record ------------------------------------------------------------------------------------


class Filter(NamedTuple):
    """What contests are picked by: in words, and which fit."""

    words: str
    fits: Callable[[Contest], bool]


@dataclass(frozen=True, repr=False, eq=False)
class History(Result):
    """Past contests by repeated secret vote: their tables, what came of them, and which were like a given tally.

    It unpacks into its two tables: ``elections, tallies = iom.history()``.

    Attributes
    ----------
    contests : tuple of Contest
        Those that are left of the record.
    elections, tallies : DataFrame
        One row per contest; one row per contest, round and candidate, ordered by contest and round.
    filters : tuple of str
        What they were picked by, in words.
    record : tuple of Contest
        All contests of the folder.

    Examples
    --------
    >>> import iomsim as iom
    >>> past = iom.history()
    >>> elections, tallies = past
    >>> len(elections) == len(past.contests)
    True
    >>> recent = past.filter(candidates=2, years=(2019, 2020))
    >>> recent.each()[["two_leader", "rounds", "winner"]].values.tolist()
    [['Estonia', 2, 'Estonia'], ['Kenya', 2, 'Kenya']]
    """

    contests: tuple[Contest, ...]
    elections: pd.DataFrame
    tallies: pd.DataFrame
    filters: tuple[str, ...] = ()
    record: tuple[Contest, ...] = ()

    SHOWN = 40

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Give the two tables, the elections first."""
        return iter((self.elections, self.tallies))

    # -- filters --------------------------------------------------------------------------------

    def filter(
        self,
        *,
        body: str | Sequence[str] | None = None,
        years: Any = None,
        candidates: Any = None,
        rounds: Any = None,
        size: Any = None,
        bar: Any = None,
        kind: str | Sequence[str] | None = None,
        ending: str | Sequence[str] | None = None,
        grade: str | Sequence[str] | None = None,
        held_out: bool | None = None,
        contest: str | Sequence[str] | None = None,
    ) -> History:
        """Return the contests that fit; filters can be chained.

        Parameters
        ----------
        body : str or sequence of str, optional
            Who voted: the id of a shipped body ("unsc"), its name, or what the file says; upper and lower case are the
            same.
        years, candidates, rounds, size : int, str or pair, optional
            When; how many stood in the first ballot; how many rounds were held; how many members there were.  A number,
            "3+", "2-4", or a pair of the least and the most, of which one may be None.
        bar : str, optional
            What elects in the first ballot: "2/3" or ">1/2".
        kind : str or sequence of str, optional
            The kind of rule, as :meth:`each` calls it.
        ending : str or sequence of str, optional
            How it ended: "majority"; "withdrawal", whether the one left was acclaimed or voted on; "confirmed" alone,
            as the rules have it; "failed" by the rules; "open", nobody of those who stood; or in the model's words.
        grade : str or sequence of str, optional
            How surely the tallies are known: "verified", "cited" ...; that of a contest is the worst of its rows.
        held_out : bool, optional
            Only those that are, or are not, kept for scoring.
        contest : str or sequence of str, optional
            Only these, by id.

        Returns
        -------
        History
            Empty if nothing fits; its sentence says so.

        Raises
        ------
        UnknownNameError
            If a name does not occur anywhere in the record; the nearest one is given.
        IomsimError
            If a number or a range cannot be understood.

        Examples
        --------
        >>> import iomsim as iom
        >>> len(iom.history().filter(body="IOM", candidates="3+").contests)
        2
        >>> iom.history().filter(ending="widthdrawal")
        Traceback (most recent call last):
        iomsim.errors.UnknownNameError: no ending named 'widthdrawal'; did you mean 'withdrawal'?
        >>> print(iom.history().filter(years=(1900, 1950)).sentence())
        No contest of the record fits: years 1900 to 1950.
        """
        parts = [
            self._named("body", body, _body_names),
            _spanned("years", years, lambda one: one.year),
            _spanned("candidates", candidates, lambda one: one.started),
            _spanned("rounds", rounds, lambda one: one.rounds_total),
            _spanned("size", size, lambda one: one.size),
            None if bar is None else _barred(Bar.of(bar)),
            self._named("kind", kind, lambda one: [one.kind]),
            self._named("ending", ending, lambda one: [end_of(one), one.ending], [*ENDS, *ENDINGS]),
            self._named("grade", grade, lambda one: [grade_of(one)], GRADES),
            None if held_out is None else _kept(held_out),
            self._named("contest", contest, lambda one: [one.id]),
        ]
        chosen = [part for part in parts if part is not None]
        left = tuple(one for one in self.contests if all(part.fits(one) for part in chosen))
        ids = [one.id for one in left]
        elections, tallies = (table[table["election_id"].isin(ids)].reset_index(drop=True) for table in self)
        told = (*self.filters, *(part.words for part in chosen))
        return replace(self, contests=left, elections=elections, tallies=tallies, filters=told)

    def _named(
        self, what: str, wanted: Any, names: Callable[[Contest], Sequence[str]], known: Sequence[str] = ()
    ) -> Filter | None:
        """Return a filter by names that occur in the record, or are known otherwise."""
        if wanted is None:
            return None
        asked = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
        if not asked:
            raise IomsimError(f"{what} is an empty list; leave it out to pick all")
        have = [name for name in dict.fromkeys([*(n for one in self.record for n in names(one)), *known]) if name]
        folded = {name.casefold(): name for name in reversed(have)}
        for name in asked:
            if str(name).casefold() not in folded:
                raise unknown(what, name, have)
        folds = {str(name).casefold() for name in asked}
        words = f"{what} {series([folded[fold] for fold in sorted(folds)], 'or')}"
        return Filter(words, lambda one: not folds.isdisjoint(name.casefold() for name in names(one)))

    # -- what came of them -------------------------------------------------------------------------

    def each(self) -> pd.DataFrame:
        """Return one row per contest: what it was and what came of it.

        Returns
        -------
        DataFrame
            By contest: `body`, `body_kind` (who votes there), `year`, `members`, `candidates` of the first ballot,
            `kind` and `bar` of the rules, `grade` (the worst of its tallies), `rounds`; `first_leader`, `first_share`
            and `first_leader_won` of the first known ballot for one seat; of the first between two, if it is known,
            `two_from` (its round), `two_leader`, `two_share`, `two_leader_won` and `two_left_open` (it elected
            nobody); if it did not elect, `two_ballots` (from it to the one that decided), `over_next` (over by the
            one after it), `next_share` and `move` (points) of its leader if the same two stood again, and `overtaken`
            (the leader was behind in a later one); `withdrew`, `withdrew_after` (the round; `withdrew_after_two`:
            counted between two) and `withdrew_share` of one of two who gave up in the end; `ending` (see
            :meth:`filter`) and `how` in the file's, `winner`, `held_out`.  What is not known is missing; a ballot
            with two at the top has no leader.
        """
        return self._each.copy()

    @cached_property
    def _each(self) -> pd.DataFrame:
        return courses(self.contests)

    def table(self) -> pd.DataFrame:
        """Return what an analyst asks of the record, each number with that of the contests it comes from.

        Returns
        -------
        DataFrame
            By question: the `count` of contests, and their `share` `of` those for which it arises and is known; or the
            `median`, the `least` and the `most` over these, in `unit`.

        Examples
        --------
        >>> import iomsim as iom
        >>> past = iom.history().filter(body="UNSC", candidates=2, years=(2006, 2020))
        >>> past.table().loc["leader of the first ballot won", ["count", "of"]].tolist()
        [5, 6]
        """
        return answers(self._each)

    def by(self, group: str) -> pd.DataFrame:
        """Return the same by group.

        Parameters
        ----------
        group : {"body", "body_kind", "kind", "bar", "candidates", "ending", "grade", "decade"}
            What contests are grouped by.

        Returns
        -------
        DataFrame
            By group: how many `contests`, and per question two columns: `count` or `median`, and `of` how many.

        Raises
        ------
        UnknownNameError
            If contests cannot be grouped by that.

        Examples
        --------
        >>> import iomsim as iom
        >>> past = iom.history().filter(body="UNSC", years=(2007, 2020), candidates="2-3", rounds="1-6")
        >>> past.by("candidates")["leader of the first ballot between two won"].values.tolist()
        [[5, 5], [3, 4]]
        """
        names = groups_of(self._each, group)
        found = {str(name): answers(part) for name, part in self._each.groupby(names)}
        keys = {name: "median" if question.unit else "count" for name, question in QUESTIONS.items()}
        columns = [("contests", "count"), *((name, part) for name, key in keys.items() for part in (key, "of"))]
        sizes = names.value_counts()
        rows = {
            name: [int(sizes[name]), *(table.at[question, part] for question, part in columns[1:])]
            for name, table in found.items()
        }
        index = pd.MultiIndex.from_tuples(columns, names=["question", ""])
        table = pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name=group), columns=index)
        return table.astype({column: "float64" if column[1] == "median" else "int64" for column in columns})

    def like(
        self,
        *votes: Any,
        n: int = 5,
        bar: Any = None,
        valid: int | None = None,
        rounds: str = FIRST,
        held_out: bool = False,
        without: str | Sequence[str] = (),
    ) -> Alike:
        """Return the past rounds most like a tally, and what came of them.

        How far two rounds are from each other is the difference of the log-odds between two candidates, the first
        with the first, the second with the second; with three or more the root mean square over all pairs, weighted
        by the product of their shares.  With `bar` it counts too how far the leader was from being elected: the
        difference of the votes that the two were short of, as shares of the papers, times four (the slope of the
        log-odds at one half); both are added up as the sides of a right angle.

        Parameters
        ----------
        *votes : int
            The tally, in any order: ``like(98, 67)``.  Those with at most 2 % of the votes are left out.
        n : int, default 5
            How many rounds, one of each contest.
        bar : str, optional
            What elects: "2/3", ">1/2" or a count.  By default it does not matter.
        valid : int, optional
            Valid papers, of which `bar` is taken; default the sum of the votes.
        rounds : {"first", "any"}
            Of each contest the first ballot between so many; or any announced one, the most similar of each contest.
        held_out : bool, default False
            Whether contests that are kept for scoring may be found; they are marked.
        without : str or sequence of str, optional
            Contests that must not be found, such as the one that is asked about.

        Returns
        -------
        Alike

        Raises
        ------
        AnnouncementError
            If there are not two votes or more, there are more than valid papers, or `valid` is given without `bar`.
        IomsimError
            If they are not whole numbers.
        UnknownNameError
            If a contest to be left out does not exist.

        Examples
        --------
        >>> import iomsim as iom
        >>> found = iom.history().like(98, 67, n=3)
        >>> found.table()[["tally", "winner", "rounds_after"]].values.tolist()
        [['113-77', 'Kazakhstan', 1], ['113-78', 'Kenya', 1], ['113-78', 'Portugal', 0]]
        """
        asked = Asked.of(votes, valid, bar, rounds)
        whole_number("n", n, 1)
        left_out = [without] if isinstance(without, str) else list(without)
        ids = [one.id for one in self.record]
        for name in left_out:
            if name not in ids:
                raise unknown("contest", name, ids)
        kept = [one for one in self.contests if one.id not in left_out]
        hidden = [] if held_out else [one.id for one in kept if one.held_out]
        found = similar([one for one in kept if one.id not in hidden], asked)
        return Alike(asked, n, tuple(found), (*left_out, *hidden), self.provenance)

    # -- words -----------------------------------------------------------------------------------------

    def sentence(self) -> str:
        """Return what the record says: who won, how long it took, who withdrew."""
        if not self.contests:
            return f"No contest of the record fits: {'; '.join(self.filters)}."
        table, each = self.table(), self._each
        years = [str(year) for year in sorted(set(each["year"].dropna()))]
        bodies = [name for name in each["body"].unique() if name]
        of = (
            f" of {number(len(bodies))} bodies"
            if len(bodies) > 1
            else "".join(f" of {_body_names(self.contests[0])[-1]}" for _ in bodies)
        )
        when = f", {' to '.join(dict.fromkeys([years[0], years[-1]]))}" if years else ""
        picked = f" ({'; '.join(self.filters)})" if self.filters else ""
        told = [self._winners(table), self._lengths(table), self._moves(table), self._withdrawals(table)]
        return " ".join(filter(None, [f"{count(len(each), 'contest')}{of}{when}{picked}.", *told]))

    def _winners(self, table: pd.DataFrame) -> str:
        nobody = table.at[NOBODY, "count"]
        told = [f"Nobody of those who stood won in {_of(table, NOBODY)}"] if nobody else []
        if table.at[WON_FIRST, "of"]:
            told += [f"the leader of the first ballot won {_of(table, WON_FIRST)}"]
        if table.at[WON_OPEN, "of"]:
            told += [f"where a first ballot between two elected nobody, its leader won {_of(table, WON_OPEN)}"]
        return capital(f"{'; '.join(told)}.") if told else ""

    def _lengths(self, table: pd.DataFrame) -> str:
        rounds = table.loc[ROUNDS]
        told = (
            f"They took {_so_many(rounds['median'], 'round')} at the median ({rounds['least']:g} to {rounds['most']:g})"
        )
        told = f"It took {count(int(rounds['most']), 'round')}" if rounds["of"] == 1 else told
        over = f"; {_of(table, OVER_NEXT)} were over by the ballot after the first between two"
        return f"{told}{over if table.at[OVER_NEXT, 'of'] > 1 else ''}."

    def _moves(self, table: pd.DataFrame) -> str:
        move = table.loc[MOVE]
        if not move["of"]:
            return ""
        towards = table.at[TOWARDS, "count"]
        if move["of"] == 1:
            told = f"The first move between two was {move['median']:.1f} points"
            return f"{told}, {'towards' if towards else 'not towards'} the leader."
        told = f"The first move between two was {move['median']:.1f} points at the median of {move['of']:d}"
        told += f", in {towards:d} towards the leader"
        return told + (f"; {_of(table, BEHIND)} leaders were behind later." if table.at[BEHIND, "of"] else ".")

    def _withdrawals(self, table: pd.DataFrame) -> str:
        many = table.at[WITHDREW, "count"]
        if not table.at[WITHDREW, "of"]:
            return ""
        if not many:
            return f"One of two withdrew in none of {table.at[WITHDREW, 'of']:d}."
        after, share = table.loc[AFTER], table.loc[FROM]
        with_ = f"{share['least']:.0f} to {share['most']:.0f}" if many > 1 else f"{share['most']:.0f}"
        when = f"after {_so_many(after['median'], 'ballot')} between them at the median, " if after["of"] > 1 else ""
        return f"One of two withdrew in {_of(table, WITHDREW)}, {when}with {percent(with_)} of the votes."

    # -- showing ---------------------------------------------------------------------------------------

    def stamp(self) -> str:
        """Return what is needed to make this again, in one line."""
        p = self.provenance
        return " · ".join(
            [f"iomsim {VERSION}", f"record {p['record']}", count(p["contests"], "contest"), *self.filters]
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, hash of the two tables, contests, and filters."""
        digest = sha256("\n".join(table.to_csv(index=False) for table in self).encode()).hexdigest()[:12]
        return {
            "version": VERSION,
            "record": digest,
            "contests": len(self.contests),
            "filters": list(self.filters),
        }

    def answers(self, group: str | None = None) -> pd.DataFrame:
        """Return :meth:`table` in words, or with a group :meth:`by` that, a column for each group.

        Raises
        ------
        UnknownNameError
            If contests cannot be grouped by that.

        Examples
        --------
        >>> import iomsim as iom
        >>> past = iom.history().filter(body="UNSC", years=(2007, 2020), candidates="2-3", rounds="1-6")
        >>> past.answers("candidates").loc["leader of the first ballot between two won"].tolist()
        ['5 of 5', '3 of 4']
        """
        names = pd.Series("answer", self._each.index) if group is None else groups_of(self._each, group)
        tables = {str(name): answers(part) for name, part in self._each.groupby(names)}
        told = {name: [_told(answer) for _, answer in table.iterrows()] for name, table in tables.items()}
        shown = pd.DataFrame(told, index=pd.Index(list(QUESTIONS), name="question"))
        return shown[(shown != "").any(axis=1)]

    def _head(self) -> pd.DataFrame:
        return self.answers()


def _so_many(median: float, thing: str) -> str:
    return f"{median:g} {thing}{'' if median == 1 else 's'}"


def _of(table: pd.DataFrame, question: str) -> str:
    return f"{table.at[question, 'count']:d} of {table.at[question, 'of']:d}"


def _told(answer: pd.Series) -> str:
    """Return an answer in words, "" if there is none; of few contests there is no percentage."""
    if not answer["of"]:
        return ""
    if not answer["unit"]:
        share = f" ({percent(100 * answer['share'])})" if answer["of"] >= ENOUGH else ""
        return f"{answer['count']:d} of {answer['of']:d}{share}"
    decimals = 0 if answer["unit"] in ("rounds", "ballots") else 1
    middle, low, high = f"{answer['median']:g}", *(f"{answer[end]:.{decimals}f}" for end in ("least", "most"))
    middle = middle if not decimals else f"{answer['median']:.1f}"
    unit = answer["unit"][: -1 if middle == "1" else None]
    return f"{middle} {unit} ({low} to {high}; of {answer['of']:d})"


def history(folder: str | Path | None = None) -> History:
    """Return past elections by repeated secret vote: their tables, what came of them, which were like a tally.

    Parameters
    ----------
    folder : str or Path, optional
        A folder with your own ``elections.csv`` and ``tallies.csv``, in the format of the shipped ones (see
        :func:`iomsim.validation.data.tables`); default the shipped contests.

    Returns
    -------
    History
        Contests, tables, filters, summaries; it unpacks into the two tables, one row per contest, and one per contest,
        round and candidate.

    Raises
    ------
    FileError
        For the first thing that is wrong: file, line, what was got and what would work.

    Examples
    --------
    >>> elections, tallies = history()
    >>> len(elections)
    35
    >>> tallies.query("election_id == 'UNSC2020-AF'")[["round", "candidate", "votes"]].values.tolist()
    [[1, 'Kenya', 113], [1, 'Djibouti', 78], [2, 'Kenya', 129], [2, 'Djibouti', 62]]
    """
    (elections, tallies), found = read(folder)
    return History(found, elections, tallies, record=found)


# -- what contests are picked by ---------------------------------------------------------------------


def _body_names(one: Contest) -> list[str]:
    """Return what the body of a contest is called: its id, and its name if it is one that is shipped."""
    return [one.body, *([body_of(one.body).name] if one.body_kind else [])]


def _barred(bar: Bar) -> Filter:
    return Filter(f"bar {bar}", lambda one: one.rules.threshold[0] == bar)


def _kept(held_out: bool) -> Filter:
    if not isinstance(held_out, bool):
        raise IomsimError(f"held_out must be True or False, got {quote(held_out)}")
    return Filter(f"{'' if held_out else 'not '}held out", lambda one: one.held_out == held_out)


def _spanned(what: str, wanted: Any, value: Callable[[Contest], int | None]) -> Filter | None:
    """Return a filter by a number: exactly, at least, or from one to another."""
    if wanted is None:
        return None
    low, high = _ends(what, wanted)
    if low > high:
        raise IomsimError(f"{what} must go from the least to the most, got {quote(wanted)}")
    said = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    said = f"{low:g} or more" if math.isinf(high) else f"at most {high:g}" if math.isinf(low) else said
    return Filter(f"{what} {said}", lambda one: (number := value(one)) is not None and low <= number <= high)


def _ends(what: str, wanted: Any) -> tuple[float, float]:
    """Return the least and the most that were asked for.

    Examples
    --------
    >>> [_ends("candidates", wanted) for wanted in (2, "3+", "2-4", (2000, 2015), (None, 3))]
    [(2, 2), (3, inf), (2, 4), (2000, 2015), (-inf, 3)]
    """
    match wanted:
        case bool():
            pass
        case Integral():
            return int(wanted), int(wanted)
        case str() if found := re.fullmatch(r"\s*(\d+)\s*(\+|-\s*(\d+))?\s*", wanted):
            low, sign, high = found.groups()
            return int(low), math.inf if sign == "+" else int(high or low)
        case (None | Integral() as low, None | Integral() as high) if bool not in {type(low), type(high)}:
            return (-math.inf if low is None else int(low)), (math.inf if high is None else int(high))
    raise IomsimError(f"{what} must be a number, '3+', '2-4' or a pair such as (2, 4), got {quote(wanted)}")
