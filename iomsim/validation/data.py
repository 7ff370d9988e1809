"""The two files of past contests, read and checked row by row, as tables and as contests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar, get_args

import pandas as pd
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
)

from iomsim.election_day.tally import SILENT
from iomsim.errors import FileError, IomsimError, ScenarioError, advice, listed, quote, quote_path, unknown
from iomsim.files import as_meant, read_bytes
from iomsim.model.evidence import shipped_folders, shipped_text
from iomsim.model.lines import PAPER_WORDS
from iomsim.model.quantities import Line, Text
from iomsim.model.tables import MOST_BYTES, MOST_ROWS, records, text_of
from iomsim.model.toml import parsed
from iomsim.rules.bar import BASES, Bar
from iomsim.rules.procedure import AFTER, WITHDRAWALS, Procedure
from iomsim.rules.short_form import NOTHING
from iomsim.validation.contest import Contest
from iomsim.validation.rounds import RoundTally, main_candidates, rules_of, votes_to_win

Kind = Literal["round", "two-seat", "yes-no", "single", "partial"]

KINDS: tuple[str, ...] = get_args(Kind)
"""A vote between candidates for one seat; for several seats at once; on the leader alone; a formality after
the others withdrew; one of which only some tallies are known."""

GRADES = ("verified", "cited", "inferred", "recalled", "assumed")
"""How well a tally is known, best first: read in two texts or in the body's own; read in the one named; worked out;
remembered; taken to have been so."""

MISSING = ("", "nan", "na", "n/a", "<na>", "nat", "null")
"""What stands for an empty cell, in any case."""

_COUNTS = (
    *("year", "candidates_first_round", "rounds_total", "days", "electorate_size", "eliminate_after"),
    *("max_two_way", "simple_majority_from", "round", "votes", "voters_entitled", "votes_cast_or_valid"),
    *("majority_required", "seats"),
)

DECIMAL = r"[0-9]?\.[0-9]{2,20}"
"""A share as a decimal."""

# -- the rows ------------------------------------------------------------------------------------


def _bar(cell: str) -> Bar:
    """Return the votes that elect; a rounded decimal is the simple fraction that it stands for.

    Examples
    --------
    >>> print(*map(_bar, ("0.6667", "0.75", "0.66", "2/3", ">1/2")))
    2/3 3/4 33/50 2/3 >1/2
    """
    text, digits = cell, len(cell.partition(".")[2])
    if re.fullmatch(DECIMAL, cell):
        with suppress(ValueError):
            simple = Fraction(cell).limit_denominator(6)
            text = str(simple) if round(float(simple), digits) == float(cell) else str(Fraction(cell))
    try:
        return Bar.of(text)
    except ScenarioError as error:
        raise ValueError(f"must be a bar such as 2/3, 0.6667 or >1/2, got {quote(cell)} ({error})") from None


def _knob(cell: str, info: ValidationInfo) -> str | None:
    return None if cell == NOTHING[info.field_name or ""] else cell


def _day(cell: str) -> date:
    try:
        return date.fromisoformat(cell[:10])
    except ValueError:
        raise ValueError(f"must be a date such as 2023-05-15, got {quote(cell)}") from None


def _phases(cell: str) -> list[Any]:
    """Return the phases that a cell lists, as the rules of a scenario file would.

    Examples
    --------
    >>> _phases("[{ ballots = 3 }, { keep = 2 }]")
    [{'ballots': 3}, {'keep': 2}]
    """
    with suppress(FileError):
        found = parsed(f"phases = {cell}", "the cell")
        if found.keys() == {"phases"} and isinstance(found["phases"], list):
            return found["phases"]
    example = "[{ name = 'all', ballots = 3 }, { name = 'two', keep = 2 }]"
    raise ValueError(f"must list phases as the rules of a scenario do, such as {example}, got {quote(cell)}")


LARGEST, LONGEST_VOTE = 1_000_000, 1_000
"""Votes, members and other numbers of a contest at most, and its rounds."""

Count = Annotated[int, Field(ge=0, le=LARGEST)]
Number = Annotated[int, Field(ge=1, le=LARGEST)]
Year = Annotated[int, Field(ge=1, le=9999)]
Rounds = Annotated[int, Field(ge=1, le=LONGEST_VOTE)]
Threshold = Annotated[Bar, PlainValidator(_bar)]
Phases = Annotated[list[Any], PlainValidator(_phases)]
Knob = Annotated[int | None, Field(ge=1, le=LONGEST_VOTE), BeforeValidator(_knob)]
Day = Annotated[date, BeforeValidator(_day)]
Flag = Annotated[bool, BeforeValidator(lambda cell: cell.removesuffix(".0"))]


class _Row(BaseModel):
    """A row of a file, which knows where it stands; FILLED are columns that need not be there."""

    FILLED: ClassVar[tuple[str, ...]] = ()

    _where: str = PrivateAttr()
    _cells: dict[str, str] = PrivateAttr()

    def error(self, text: str) -> FileError:
        """Return an error that names the file and the line."""
        return FileError(f"{self._where}: {text}")

    @classmethod
    def of(cls, where: str, cells: dict[str, str]) -> Self:
        """Return the row of these cells, or raise the first thing that is wrong with it."""
        stripped = {column: cell.strip() for column, cell in cells.items()}
        known = {column: cell for column, cell in stripped.items() if cell.casefold() not in MISSING}
        try:
            row = cls.model_validate(known)
        except ValidationError as error:
            raise FileError(f"{where}: {cls._sentence(error.errors()[0])}") from None
        row._where, row._cells = where, cells
        return row

    def record(self) -> dict[str, Any]:
        """Return the cells of the file as they were understood, and what it need not say."""
        columns = {field.alias or name: name for name, field in type(self).model_fields.items()}
        known = {column: getattr(self, name) for column, name in columns.items()}
        return {column: known[column] for column in (*self._cells, *(c for c in columns if c in self.FILLED))}

    @classmethod
    def columns(cls) -> list[str]:
        """Return the columns that a file may have."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def _sentence(cls, problem: Any) -> str:
        column, got = problem["loc"][0], problem["input"]
        match problem["type"]:
            case "missing":
                return f"{column} is empty"
            case "value_error":
                return f"{column} {problem['ctx']['error']}"
            case "literal_error":
                kind = "kind of round" if column == "kind" else column
                return f"no {kind} named {quote(got)}; {advice(got, OPTIONS[column])}"
            case "bool_parsing":
                return f"{column} must be 1 or 0, got {quote(got)}"
        least = 0 if column in ("votes", "votes_cast_or_valid") else 1
        if problem["type"] in ("less_than_equal", "int_parsing_size"):
            most = problem.get("ctx", {}).get("le", LARGEST)
            return f"{column} must be a whole number of at most {most}, got {quote(got)}"
        return f"{column} must be a whole number of at least {least}, got {quote(got)}"


Row = TypeVar("Row", bound=_Row)

OPTIONS = {"kind": KINDS, "grade": GRADES, "base": BASES, "withdrawal": WITHDRAWALS, "after": AFTER}
"""What may stand in a column of words."""


class ElectionRow(_Row):
    """A row of elections.csv."""

    FILLED: ClassVar[tuple[str, ...]] = ("electorate_size", "rounds_total", "held_out")

    election_id: Line
    body: Line = ""
    reading: Line = ""
    year: Year | None = None
    candidates_first_round: Number | None = None
    rounds_total: Rounds | None = None
    days: Number | None = None
    decided_how: Text = ""
    winner: Line | None = None
    threshold_share: Threshold | None = None
    base: Literal["valid", "present", "entitled"] | None = None
    withdrawal: Literal["none", "acclamation", "vote"] | None = None
    phases: Phases | None = None
    after: Literal["fail", "suspend", "repeat"] | None = None
    repeat_from: Line | None = None
    electorate_size: Number | None = None
    simple_majority_from: Knob = None
    eliminate_after: Knob = None
    max_two_way: Knob = None
    held_out: Flag = False
    label: Line = Field("", alias="class")
    note: Text = ""
    source_url: Text = ""

    def model_post_init(self, context: Any) -> None:
        """Take the words for nobody as no winner, and a body's id in any capitals."""
        if self.winner and self.winner.casefold() in ("none", "nobody"):
            self.winner = None
        if self.body.casefold() in shipped_folders("bodies"):
            self.body = self.body.casefold()

    def rules(self) -> Procedure:
        """Return the rules of its body, changed by what the row says.

        Raises
        ------
        FileError
            If they make no procedure.
        """
        parts = ("base", "withdrawal", "phases", "after", "repeat_from", *NOTHING)
        stated = {"threshold": self.threshold_share} | {part: getattr(self, part) for part in parts}
        if self.body not in (there := shipped_folders("bodies")) and self.threshold_share is None:
            raise self.error(
                f"threshold_share is empty, and no rules are known of a body {quote(self.body)}; {listed(there)}"
            )
        try:
            return rules_of(self.election_id, self.body, self.reading, **stated)
        except IomsimError as error:
            raise self.error(str(error)) from None


class TallyRow(_Row):
    """A row of tallies.csv."""

    FILLED: ClassVar[tuple[str, ...]] = ("seats", "kind")

    election_id: Line
    body: Line = ""
    office: Text = ""
    date: Day | None = None
    round: Rounds
    candidate: Line
    votes: Count
    voters_entitled: Number | None = None
    votes_cast_or_valid: Count | None = None
    majority_required: Number | None = None
    rule: Text = ""
    secret: Flag = True
    note: Text = ""
    seats: Number | None = None
    kind: Kind | None = None
    grade: Literal["verified", "cited", "inferred", "recalled", "assumed"] | None = None
    source_url: Text = ""

    @property
    def papers(self) -> str:
        """What is counted in place of votes, if the candidate is none but "Abstentions" or "Blank"; else nothing."""
        found = (key for words, key in PAPER_WORDS.items() if re.fullmatch(words, self.candidate, re.IGNORECASE))
        return next(found, "")


# -- reading -------------------------------------------------------------------------------------


class Tables(NamedTuple):
    """Past contests: one row per election, and one per election, round and candidate."""

    elections: pd.DataFrame
    tallies: pd.DataFrame


Record = tuple[ElectionRow, list[list[TallyRow]]]
"""A contest as it stands in the files: its row, and the rows of every round."""


def tables(folder: str | Path | None = None) -> Tables:
    """Return past elections by repeated secret vote, and their announced tallies.

    Parameters
    ----------
    folder : str or Path, optional
        A folder with your own ``elections.csv`` and ``tallies.csv``, in the format of the shipped ones; default
        the shipped contests.  They must have the columns `election_id`, `decided_how`, `winner` and `body` or
        `threshold_share`; and `election_id`, `round`, `candidate` and `votes`.  Other columns are those of the
        shipped files; one that says nothing is refused.

        A `body` of :func:`iomsim.bodies`, by its id, brings its rules (of its `reading`, if one is named); what the
        columns `threshold_share`, `base`, `withdrawal`, `phases` (as in the rules of a scenario), `after` and
        `repeat_from`, or the knobs `simple_majority_from`, `eliminate_after` and `max_two_way` say differs from them.
        Any other body is a label, and its rules are what these columns say.

        A `candidate` may also be "Others" (papers for names that do not stand, which count in the base), "Blank",
        "Invalid", "Abstentions" or "Present": papers and members without a vote for anybody.

    Returns
    -------
    Tables
        `elections`, one row per contest, and `tallies`, one row per contest, round and candidate, ordered by
        contest and round.  What was not announced is missing.  Where the files do not say it, a round fills one
        of `seats` (2 if its kind is "two-seat"), its `kind` (one of KINDS) is "yes-no" where one may vote No, and
        "round" elsewhere; rules that no column states do not hold; and no contest is `held_out`.

    Raises
    ------
    FileError
        For the first thing that is wrong: file, line, what was got and what would work.

    Examples
    --------
    >>> elections, tallies = tables()
    >>> len(elections)
    35
    >>> tallies.query("election_id == 'UNSC2020-AF'")[["round", "candidate", "votes"]].values.tolist()
    [[1, 'Kenya', 113], [1, 'Djibouti', 78], [2, 'Kenya', 129], [2, 'Djibouti', 62]]
    """
    return _tables(_records(folder))


def _tables(records: list[Record]) -> Tables:
    tallies = [row for _, rounds in records for rows in rounds for row in rows]
    return Tables(_frame([election for election, _ in records]), _frame(tallies))


def _frame(rows: Sequence[_Row]) -> pd.DataFrame:
    frame = pd.DataFrame([row.record() for row in rows])
    for column in frame.columns.intersection(list(_COUNTS)):
        frame[column] = frame[column].astype("Int64" if frame[column].isna().any() else "int64")
    if "date" in frame:
        frame["date"] = pd.to_datetime(frame["date"])
    return frame


def _records(folder: str | Path | None) -> list[Record]:
    """Read and check both files, and fill in what they need not say."""
    elections = {row.election_id: row for row in _rows(folder, ElectionRow, "elections.csv", ("election_id",))}
    by_election: dict[str, list[TallyRow]] = {name: [] for name in elections}
    for row in _rows(folder, TallyRow, "tallies.csv", ("election_id", "round", "candidate")):
        if row.election_id not in by_election:
            raise row.error(
                f"no election named {quote(row.election_id)} in elections.csv; {advice(row.election_id, elections)}"
            )
        by_election[row.election_id].append(row)
    records = []
    for name, rows in by_election.items():
        rows.sort(key=lambda row: row.round)
        records.append((elections[name], [list(lines) for _, lines in groupby(rows, lambda row: row.round)]))
        _complete(*records[-1])
    return records


def _rows(folder: str | Path | None, model: type[Row], file: str, key: Sequence[str]) -> list[Row]:
    needed = [*key, *(name for name, field in model.model_fields.items() if field.is_required())]
    needed += ["decided_how", "winner"] if model is ElectionRow else []
    lines = _lines(_text(folder, file), file, list(dict.fromkeys(needed)), model.columns())
    found = [model.of(where, cells) for where, cells in lines]
    seen = set()
    for row in found:
        names = tuple(str(getattr(row, column)) for column in key)
        if names in seen:
            raise row.error(f"{', '.join(names)} stands here a second time")
        seen.add(names)
    return found


def _text(folder: str | Path | None, file: str) -> str:
    if folder is None:
        return shipped_text("history", Path(file).stem, ".csv", "table")
    path = Path(folder) / file
    return text_of(read_bytes(path, most=MOST_BYTES), quote_path(path))


def _lines(text: str, file: str, needed: Sequence[str], known: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where every line stands and its cells by column; blank lines are left out."""
    found = records(text, file)
    header = [column.strip() for column in next(found, (1, []))[1]]
    lines: list[tuple[str, list[str]]] = []
    for number, row in found:
        if any(cell.strip() for cell in row):
            lines.append((f"{file}, line {number}", list(map(as_meant, row))))
        if len(lines) > MOST_ROWS:
            raise FileError(f"{file} has more than {MOST_ROWS} rows, the most that are read")
    for column in needed:
        if column not in header:
            raise FileError(f"{file} has no column {quote(column)}; {advice(column, header)}")
    for column in header:
        if column not in known:
            raise FileError(f"{file} has a column {quote(column)}, which says nothing; {advice(column, known)}")
        if header.count(column) > 1:
            raise FileError(f"{file} has two columns {quote(column)}")
    if not lines:
        raise FileError(f"{file} has a header but no rows")
    for where, row in lines:
        if len(row) != len(header):
            raise FileError(f"{where}: {len(row)} cells, but the header has {len(header)}")
        yield where, dict(zip(header, row, strict=True))


# -- checking ------------------------------------------------------------------------------------


def _complete(election: ElectionRow, rounds: list[list[TallyRow]]) -> None:
    """Check the tallies of one contest against each other, and fill in what the files need not say."""
    entitled = [row.voters_entitled or 0 for rows in rounds for row in rows]
    election.electorate_size = election.electorate_size or max(entitled, default=0) or None
    for rows in rounds:
        _check_round(rows, election.electorate_size)
    dated = [(rows[0], day) for rows in rounds if (day := _common(rows, "date"))]
    for (_, before), (row, day) in pairwise(dated):
        if day < before:
            raise row.error(f"this round is dated {day}, before an earlier one ({before})")
    last = rounds[-1][0].round if rounds else None
    election.rounds_total = election.rounds_total or last
    for column in ("electorate_size", "rounds_total"):
        if getattr(election, column) is None:
            raise election.error(f"{column} is empty, and there are no tallies to take it from")
    if last and election.rounds_total and election.rounds_total < last:
        raise election.error(f"rounds_total is {election.rounds_total}, but tallies.csv has round {last}")
    rules = election.rules()
    if last == election.rounds_total and rounds[-1][0].kind == "round":
        _check_winner(election, rules, rounds)


def _check_round(rows: list[TallyRow], size: int | None) -> None:
    """Refuse a round that cannot have been, and fill in its seats and its kind."""
    number, votes = rows[0].round, {row.candidate: row.votes for row in rows if not row.papers}
    papers = {row.papers: row.votes for row in rows if row.papers}
    for column in ("date", "seats", "kind", "majority_required"):
        _common(rows, column)
    if not votes:
        raise rows[0].error(f"round {number} has papers without a candidate only, and no votes")
    valid, kind, row = _common(rows, "votes_cast_or_valid"), _common(rows, "kind"), rows[-1]
    entitled = _common(rows, "voters_entitled") or size
    seats = _common(rows, "seats") or (2 if kind == "two-seat" else 1)
    if not entitled:
        raise row.error("neither voters_entitled nor electorate_size says how many members there are")
    total = sum(votes.values()) + papers.get("others", 0)
    most = max(total, valid or 0) + sum(papers.get(key, 0) for key in SILENT)
    if max(votes.values()) > entitled or most > seats * entitled:
        hint = "; if several seats were filled at once, say so in a column seats" if seats == 1 else ""
        what = "papers" if papers else "votes"
        raise row.error(f"round {number} has more votes than members: {most} {what}, {entitled} members{hint}")
    present, handed_in = papers.get("present"), max(total, valid or 0)
    if present is not None and present < handed_in / seats:
        raise row.error(
            f"{present} members are said to be present in round {number}, fewer than its {handed_in} papers; "
            "who is present without voting stands under 'Abstentions'"
        )
    if valid is not None and total > seats * valid:
        raise row.error(f"the tallies of round {number} add up to {total}, more than the {valid} valid papers")
    against = {"no", "against"} & {name.casefold() for name in votes}
    if number > 1 and not kind and not against and len(main_candidates(votes)) == 1:
        raise row.error(
            f"nearly all votes of round {number} are one candidate's; a column kind must say whether it was a 'round', "
            "'single' (a formality after a withdrawal), 'yes-no' or 'partial' (other tallies not known)"
        )
    for row in rows:
        row.seats, row.kind = seats, kind or ("two-seat" if seats > 1 else "yes-no" if against else "round")


def _common(rows: list[TallyRow], column: str) -> Any:
    """Return what the rows of a round say in a column; they may be silent but must not differ."""
    known = [(row, value) for row in rows if (value := getattr(row, column)) is not None]
    for row, value in known:
        if value != known[0][1]:
            raise row.error(f"{column} is {value} here and {known[0][1]} elsewhere in round {row.round}")
    return known[0][1] if known else None


def _check_winner(election: ElectionRow, rules: Procedure, rounds: list[list[TallyRow]]) -> None:
    """Refuse a winner who stood, while somebody else had the votes in the last round."""
    last = _round_tally(rounds[-1])
    first, stood = last.field[0], {row.candidate for rows in rounds for row in rows}
    need = last.needed or max(rules.threshold[0].needed(last.base), rules.threshold[0].needed(sum(last.tally)))
    if election.winner in stood - {first} and max(last.tally) >= need:
        raise election.error(
            f"the winner is {election.winner}, but {first} had the votes in round {rounds[-1][0].round}, the last"
        )


# -- as contests ---------------------------------------------------------------------------------


def contest(id: str, folder: str | Path | None = None) -> Contest:
    """Return one past contest by its id.

    Parameters
    ----------
    id : str
        An `election_id` of :func:`iomsim.history`.
    folder : str or Path, optional
        Where your own two files lie; default the shipped contests.

    Raises
    ------
    UnknownNameError
        If there is no such contest; the nearest name is given.
    FileError
        If the files cannot be read.

    Examples
    --------
    >>> [t.before.tally + t.after.tally for t in contest("UNSC2014-WEOG").transitions]
    [(120, 73, 132, 60)]
    """
    found = {one.id: one for one in contests(folder)}
    if id not in found:
        raise unknown("contest", id, found)
    return found[id]


def contests(folder: str | Path | None = None) -> tuple[Contest, ...]:
    """Return all past contests of a folder, by default the shipped ones.

    A contest that is held out among the shipped ones is held out in every folder, also under another id if body
    and year are the same.

    Raises
    ------
    FileError
        If the files cannot be read.

    Examples
    --------
    >>> [one.id for one in contests() if one.held_out]
    ['IOM2023-DG']
    """
    return _shipped() if folder is None else _contests(_records(folder))


def read(folder: str | Path | None = None) -> tuple[Tables, tuple[Contest, ...]]:
    """Return both files as :func:`tables` and as :func:`contests`, read once."""
    records = _records(folder)
    return _tables(records), _shipped() if folder is None else _contests(records)


def _contests(records: list[Record]) -> tuple[Contest, ...]:
    held_out = [one for one in _shipped() if one.held_out]
    return tuple(_contest(*record, held_out) for record in records)


@cache
def _shipped() -> tuple[Contest, ...]:
    return tuple(_contest(*record, []) for record in _records(None))


def _contest(row: ElectionRow, lines: list[list[TallyRow]], held_out: list[Contest]) -> Contest:
    rounds = tuple(map(_round_tally, lines))
    rules, total = row.rules(), row.rounds_total or 1
    ending = _ending(rounds, rules, total, row.decided_how, row.winner)
    year = row.year or next((known.date.year for known in rounds if known.date), None)
    decided, size = _decided_round(rounds, total, ending), row.electorate_size or 0
    started = row.candidates_first_round or (len(rounds[0].field) if rounds else 2)
    same = any(row.election_id == one.id or _alike(one, row.body, year, rounds) for one in held_out)
    return Contest(
        id=row.election_id,
        body=row.body,
        year=year,
        size=size,
        rules=rules if row.base else _based(rules, rounds, decided, size, started),
        started=started,
        rounds=rounds,
        rounds_total=total,
        decided_round=decided,
        decided_how=row.decided_how,
        ending=ending,
        winner=row.winner,
        held_out=row.held_out or same,
        label=row.label,
        note=row.note,
    )


def _alike(one: Contest, body: str, year: int | None, rounds: tuple[RoundTally, ...]) -> bool:
    """Say whether a contest is this one under another name: of the same body and year, or with the same tallies."""
    tallies = [(known.round, *sorted(known.tally)) for known in rounds]
    told = [(known.round, *sorted(known.tally)) for known in one.rounds]
    return year == one.year and (body == one.body or (bool(told) and tallies[: len(told)] == told))


def _round_tally(rows: list[TallyRow]) -> RoundTally:
    voted, papers = [row for row in rows if not row.papers], {row.papers: row.votes for row in rows if row.papers}
    return RoundTally(
        round=rows[0].round,
        candidates=tuple(row.candidate for row in voted),
        tally=tuple(row.votes for row in voted),
        valid=_common(rows, "votes_cast_or_valid") or papers.pop("valid", None),
        needed=_common(rows, "majority_required") or papers.pop("needed", None),
        date=_common(rows, "date"),
        kind=str(rows[0].kind),
        papers=tuple(papers.items()),
        grade=max((row.grade or "" for row in voted), key=lambda grade: (*GRADES, "").index(grade)),
    )


def _based(rules: Procedure, rounds: tuple[RoundTally, ...], decided: int, size: int, started: int) -> Procedure:
    """Return the rules on the base that fits the votes needed and the rounds that went on, if theirs does not."""
    bases = dict.fromkeys([rules.base, "valid", "entitled"])
    candidates = [rules.with_(base=base, name=rules.name) for base in bases]
    return next((one for one in candidates if _fits(one, rounds, decided, size, started)), rules)


def _fits(rules: Procedure, rounds: tuple[RoundTally, ...], decided: int, size: int, started: int) -> bool:
    """Say whether the rules agree with the votes needed and let inconclusive rounds be inconclusive."""
    ordinary = [known for known in rounds if known.kind == "round"]
    needs = [(known, votes_to_win(rules, known.round, known.base, size, started)) for known in ordinary]
    stated = all(known.needed is None or abs(known.needed - need) <= 1 for known, need in needs)
    return stated and all(max(known.tally) < need for known, need in needs if known.round < decided)


def _ending(rounds: tuple[RoundTally, ...], rules: Procedure, total: int, how: str, winner: str | None) -> str:
    """Put into the model's words how a contest ended."""
    confirmed = bool(rounds) and rounds[-1].kind == "yes-no"
    if winner is None:
        return "failed" if confirmed or re.search("fail|suspend", how.casefold()) else "open"
    stood = {name for known in rounds if known.kind not in ("single", "partial") for name in known.field}
    if winner not in stood:
        return "open"
    if not confirmed and re.search("withdr|acclam|compromise|conce", how.casefold()):
        voted_on = rules.withdrawal == "vote" and any(known.kind == "single" for known in rounds)
        return "confirmed" if voted_on else "acclamation"
    return "confirmed" if confirmed else "majority"


def _decided_round(rounds: tuple[RoundTally, ...], total: int, ending: str) -> int:
    """Return the last round before a formality, or the last of all."""
    for known in rounds:
        if known.kind == "single" and ending != "confirmed":
            return known.round - 1
    last_known = bool(rounds) and rounds[-1].round == total
    return total if ending != "acclamation" or last_known else total - 1
