"""Lines as papers and communiques write them: candidates' names first, then the numbers that belong to them.

A line is read from left to right.  Where a candidate's name stands it is taken as one, the longest first, whatever
digits, commas or little words it is made of; only then come the words for papers, and the rest.  Where a number may
be read in two ways, as in ``France 98 165 valid``, the way in which the whole line makes sense is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from iomsim.errors import AnnouncementError, UnknownNameError, nearest, quote, unknown

EXAMPLE = "announce Pope=98 Vitorino=67 at 12:20"

PAPERS = {
    "valid": "valid papers",
    "others": "for others",
    "blank": "blank",
    "invalid": "invalid",
    "abstentions": "abstaining",
    "present": "present",
    "needed": "needed",
}
"""What may be told of a round beside the votes, each as one tells it.

All valid papers, and those of them that name nobody who stands; papers, and members present, that count as no valid
paper (blank, invalid, abstaining); all members present; and the votes that elect.
"""

UNIT = r"(?:\s+(?:ballot\s+papers?|papers?|votes?|ballots?))?"
PAPER_WORDS = {
    rf"valid{UNIT}": "valid",
    rf"(?:for\s+)?(?:others?(?:\s+names?)?|strays?|scattered|scattering|write-ins?){UNIT}": "others",
    rf"blanks?{UNIT}": "blank",
    rf"(?:invalid|void|spoil(?:ed|t)|null|rejected){UNIT}": "invalid",
    r"abstentions?|abstain(?:ed|ing|s)?": "abstentions",
    r"(?:members\s+)?present(?:\s+members)?": "present",
    r"(?:votes\s+)?needed|(?:votes\s+)?required(?:\s+majority)?": "needed",
}
"""Words that take a number, and which of `PAPERS` they mean."""

ANSWER_WORDS = {r"yes|ayes?|in\s+favou?r": "yes", r"no|noes|nays?": "no"}
"""Words for the answers to a leader alone."""

APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
DASHES = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"
DASH = f"[{DASHES}]"
ALIKE = str.maketrans(dict.fromkeys(DASHES, "-") | {APOSTROPHE: "'", "ø": "o", "ł": "l", "đ": "d"})
"""What is written for one another, and does not come apart into a letter and its accent."""


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


THOUSANDS = _pattern(rf"\d{{1,3}}(?P<mark>[,.' {APOSTROPHE}])\d{{3}}(?:(?P=mark)\d{{3}})*(?![\w%])")
DIGITS = _pattern(r"\d+(?![\w%])")
BOUNDS = {"at least": _pattern(r"(?:>=|≥|at\s+least\b)\s*"), "at most": _pattern(r"(?:<=|≤|at\s+most\b)\s*")}
SIGN = _pattern(rf"\s*(?:[=:(]|{DASH})\s*|\s+(?:got|gets|has|had|with|received|receives|obtained|polled)\s+|\s*")
COUNTED = _pattern(r"(?:\s+(?:votes?|papers?|ballots?)\b)?\)?")
WHOSE = _pattern(r"\s*(?:(?P<for>for|to)\b|[:=])?\s*")
BETWEEN = _pattern(rf"\s+|[,;|/&()]|\.(?=\s)|{DASH}(?=\s|\d)|(?:and|against|to|vs\.?|versus|with)\b")
TO = _pattern(rf"(?:\s+votes?)?(?:\s*(?:{DASH}|[:/])\s*|\s+(?:to|against|vs\.?|versus)\s+|\s*[,;]\s+|\s+)(?=\d)")
PHRASE = _pattern(r"[^\d=<>:;,(]*")
LOOSE_END = _pattern(rf"(?:\s+(?:got|gets|has|had|with|received|at\s+least|at\s+most))?[{DASHES}\s]*$")
COUNTED_AT = _pattern(r"[=<>:(]*\s*\d")
AT = _pattern(r"at\s+(?!least\b|most\b)(?P<time>\S.*)")


LONGEST = 1000
"""Characters that a line may have."""


class Counts(NamedTuple):
    """What a line counts: votes by candidate, numbers by what they count, and when it was."""

    votes: dict[str, Any]
    papers: dict[str, int]
    at: str | None


class Item(NamedTuple):
    """One count of a line: votes for a candidate, papers of a kind, or (`kind` "at") the time."""

    kind: str
    name: str
    value: Any


# -- names ---------------------------------------------------------------------------------------


def exactly(text: str) -> str:
    """Return a text without its capitals."""
    return unicodedata.normalize("NFC", text).casefold()


def roughly(text: str) -> str:
    """Return a text without capitals, accents and kinds of dashes.

    Examples
    --------
    >>> roughly("Stockholm-Åre"), roughly("Łódź")
    ('stockholm-are', 'lodz')
    """
    apart = unicodedata.normalize("NFKD", text).casefold().translate(ALIKE)
    return "".join(c for c in apart if not unicodedata.combining(c))


def quoted(name: str) -> str:
    """Return a name as a line may always hold it: in quotes where it could be taken for something else.

    Examples
    --------
    >>> print(quoted("António Vitorino"), quoted("Expo 2030"), quoted("A=1"))
    António Vitorino Expo 2030 "A=1"
    """
    return name if name[0].isalpha() and not SIGNS.search(name) else _in_quotes(name)


SIGNS = re.compile(r'[=<>:;,"#]')
"""Names that hold one of these are written in quotes."""

SIGNS_OF_COUNTS = re.compile(r'[=<>]|^"')
"""Names that hold one of these are read in quotes only: without them a line could say two things."""


def _in_quotes(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


ENDS = " .;"
"""What a line may end with."""


def _without_end(text: str, names: Sequence[str]) -> str:
    """Return a line without the full stop or semicolon at its end, unless they belong to a name.

    Examples
    --------
    >>> _without_end("elected: U.S.", ["U.S.", "Chad"]), _without_end("elected: Chad.", ["U.S.", "Chad"])
    ('elected: U.S.', 'elected: Chad')
    """
    bare = text.rstrip(ENDS)
    for name in names:
        whole = text[: len(bare) + len(name) - len(name.rstrip(ENDS))]
        if whole != bare and any(fold(whole).endswith(fold(name)) for fold in (exactly, roughly)):
            return whole
    return bare


def newcomer(name: str, names: Sequence[str], words: Sequence[str] = ()) -> UnknownNameError:
    """Return the error for a name that does not stand: a slip of the pen, or somebody new.

    Examples
    --------
    >>> print(newcomer("Popp", ["Pope", "Vitorino"]))
    no candidate named 'Popp'; did you mean 'Pope'?
    >>> print(newcomer("Bush", ["Pope", "Vitorino"]))
    no candidate named 'Bush'; there are Pope, Vitorino; count papers for anybody else as others, or start a new \
election day from a scenario in which 'Bush' stands
    """
    if nearest(name, names) is not None:
        return unknown("candidate", name, names)
    meant = [word for pattern, word in PAPER_WORDS.items() if words and _pattern(pattern).fullmatch(name)]
    if meant or nearest(name, words) is not None:
        word = meant[0] if meant else nearest(name, words)
        return UnknownNameError(f"no candidate named {quote(name)}; did you mean {quote(word)}?")
    anew = f"start a new election day from a scenario in which {quote(name)} stands"
    return UnknownNameError(f"{unknown('candidate', name, names)}; count papers for anybody else as others, or {anew}")


# -- a line --------------------------------------------------------------------------------------


class Line:
    """A line in which the candidates' names are known.

    Parameters
    ----------
    text : str
        What was typed.
    names : sequence of str
        The candidates.

    Raises
    ------
    AnnouncementError
        If it is none, or too long to be one.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        if not isinstance(text, str):
            raise AnnouncementError(f"a line is a text such as {quote(EXAMPLE)}, got {quote(text)}")
        if len(text) > LONGEST:
            raise AnnouncementError(f"a line has at most {LONGEST} characters, got {len(text)}")
        self.text = _without_end(" ".join(unicodedata.normalize("NFC", text).split()), names)
        self.names = tuple(names)
        rough = [roughly(name) for name in names]
        spellings = [(_in_quotes(exactly(name)), name, exactly) for name in names]
        spellings += [(exactly(name), name, exactly) for name in names if not SIGNS_OF_COUNTS.search(name)]
        spellings += [
            (r, name, roughly)
            for r, name in zip(rough, names, strict=True)
            if rough.count(r) == 1 and not SIGNS_OF_COUNTS.search(name)
        ]
        self._spellings = sorted(spellings, key=lambda spelling: -len(spelling[0]))
        self._folded = {fold: _folded(self.text, fold) for fold in (exactly, roughly)}
        self._way, self._wanted = 0, ""

    def names_at(self, place: int) -> Iterator[tuple[str, int]]:
        """Yield the candidates whose names stand at a place, and where they end; the longest first."""
        found: set[tuple[str, int]] = set()
        for spelling, name, fold in self._spellings:
            text, starts, ends = self._folded[fold]
            if place >= len(starts) or not text.startswith(spelling, starts[place]):
                continue
            end = ends.get(starts[place] + len(spelling), 0)
            if end and (name, end) not in found and self._is_whole(place, end):
                found.add((name, end))
                yield name, end

    def _is_whole(self, start: int, end: int) -> bool:
        """Return whether what stands between two places is no part of a longer word."""
        before, first, last, after = (self.text[i : i + 1] for i in (start - 1, start, end - 1, end))
        if (start and before.isalnum() and first.isalnum()) or (after.isalnum() and last.isdigit()):
            return False
        goes_on = after.isalpha() or (after in (*DASHES, "'", APOSTROPHE) and self.text[end + 1 : end + 2].isalpha())
        return not (last.isalnum() and after and goes_on)

    def name(self, place: int, example: str) -> tuple[str, int]:
        """Return the candidate whose name stands at a place, and where it ends.

        Raises
        ------
        AnnouncementError, UnknownNameError
            If there is none; `example` is a line that shows how it is written.
        """
        place = _end(BLANK, self.text, place)
        for found in self.names_at(place):
            return found
        typed = re.split(r"\s+at\s+", self.text[place:], maxsplit=1)[0].strip(" :;,")
        if not typed:
            raise AnnouncementError(f"who? write for instance {quote(example)}")
        raise newcomer(typed, self.names)

    def when(self, place: int) -> str | None:
        """Return the time that stands from a place to the end; None at the end of the line.

        Raises
        ------
        AnnouncementError
            If something else stands there.
        """
        rest = self.text[place:].strip(" ,;")
        found = AT.fullmatch(rest)
        if rest and found is None:
            raise AnnouncementError(f"cannot read {quote(rest)} after {quote(self.text[:place].strip())}")
        return found["time"] if found else None

    # -- counts -----------------------------------------------------------------------------

    def counts(
        self, place: int, standing: Sequence[str], words: Mapping[str, str], least: int = 1, example: str = EXAMPLE
    ) -> Counts:
        """Return what the line counts from a place on.

        Parameters
        ----------
        place : int
            Where to begin.
        standing : sequence of str
            To whom or to what bare numbers belong, such as 98-67.
        words : mapping
            Patterns of the words that take a number, and what they mean.
        least : int
            How many counts there must be.
        example : str
            A line that shows how it is written.

        Raises
        ------
        AnnouncementError, UnknownNameError
            If it cannot be read.
        """
        found = Counts({}, {}, None)
        items = self._items(place, standing, words, example)
        if len(items) < least or (least and items[0].kind == "at"):
            raise AnnouncementError(
                f"cannot read {quote(self.text[place:].strip())}; write for instance {quote(example)}"
            )
        for kind, name, value in items:
            into = found.votes if kind == "votes" else found.papers
            if kind == "at":
                found = found._replace(at=value)
            elif name in into:
                raise AnnouncementError(f"{name} stands twice in {quote(self.text[place:].strip())}; write it once")
            else:
                into[name] = value
        return found

    def _items(self, start: int, standing: Sequence[str], words: Mapping[str, str], example: str) -> list[Item]:
        kinds = [(_pattern(rf"(?:{pattern})(?![\w%])"), word) for pattern, word in words.items()]
        dead: set[int] = set()
        self._way, self._wanted = start, "count"

        def read(place: int) -> list[Item] | None:
            """Return the counts from a place to the end; None if there is no way to read them."""
            for begin in self._begins(place) if place not in dead else ():
                if begin == len(self.text):
                    return []
                for item, end in self._counts_at(begin, kinds):
                    rest = read(end)
                    if rest is not None:
                        return [item, *rest]
            dead.add(place)
            self._stuck(place, "count")
            return None

        found = read(start)
        begin = _end(BLANK, self.text, start)
        for numbers, end in () if found is not None or any(self.names_at(begin)) else self._bare(begin):
            rest = read(end)
            if rest is not None and len(numbers) != len(standing):
                many = f"{len(numbers)} numbers for {len(standing)} candidates"
                raise AnnouncementError(f"{many}; write whose they are")
            if rest is not None:
                return [*(Item("votes", *pair) for pair in zip(standing, numbers, strict=True)), *rest]
        if found is None:
            raise self._unreadable(start, list(words.values()), example)
        return found

    def _begins(self, place: int) -> Iterator[int]:
        """Yield where the next count may begin: here, and after each thing that may stand between counts."""
        yield place
        while (found := BETWEEN.match(self.text, place)) is not None:
            place = found.end()
            yield place

    def _counts_at(self, place: int, kinds: Sequence[tuple[re.Pattern[str], str]]) -> Iterator[tuple[Item, int]]:
        """Yield the counts that may stand at a place, and where they end."""
        for name, end in self.names_at(place):
            yield from self._after("votes", name, end)
        for pattern, word in kinds:
            if (found := pattern.match(self.text, place)) is not None:
                yield from self._after("papers", word, found.end())
        for value, end in self._numbers(place):
            yield from self._before(value, end, kinds)
        if (found := AT.match(self.text, place)) is not None:
            yield Item("at", "at", found["time"].strip()), len(self.text)

    def _after(self, kind: str, name: str, place: int) -> Iterator[tuple[Item, int]]:
        """Yield the counts whose numbers stand after what they count: `France: 98 votes`."""
        begin = _end(SIGN, self.text, place)
        self._stuck(begin, "number")
        for value, end in self._numbers(begin):
            if kind == "votes" or isinstance(value, int):
                yield Item(kind, name, value), _end(COUNTED, self.text, end)

    def _before(
        self, value: Any, place: int, kinds: Sequence[tuple[re.Pattern[str], str]]
    ) -> Iterator[tuple[Item, int]]:
        """Yield the counts whose numbers stand before what they count: `98 votes for France`, `6 abstentions`."""
        found = WHOSE.match(self.text, _end(COUNTED, self.text, place))
        whose = found.end() if found else place
        for name, end in self.names_at(whose):
            yield Item("votes", name, value), end
        for begin in (_end(BLANK, self.text, place), whose):
            for pattern, word in kinds if isinstance(value, int) else ():
                if (paper := pattern.match(self.text, begin)) is not None:
                    yield Item("papers", word, value), paper.end()
        if found and found["for"]:
            self._stuck(whose, "name")

    def _numbers(self, place: int) -> Iterator[tuple[Any, int]]:
        """Yield the numbers that may stand at a place, with their thousands first, and where they end."""
        bound = next((words for words, pattern in BOUNDS.items() if pattern.match(self.text, place)), "")
        place = _end(BOUNDS[bound], self.text, place) if bound else place
        for pattern in (THOUSANDS, DIGITS):
            if (found := pattern.match(self.text, place)) is not None:
                yield f"{bound} {_count(found)}" if bound else _count(found), found.end()

    def _bare(self, place: int) -> list[tuple[list[int], int]]:
        """Return the numbers without names that stand at a place, such as 98-67, and where they end; most first."""
        found: list[tuple[list[int], int]] = []
        while (number := THOUSANDS.match(self.text, place) or DIGITS.match(self.text, place)) is not None:
            found.append(([*(found[-1][0] if found else []), _count(number)], _end(COUNTED, self.text, number.end())))
            place = _end(TO, self.text, number.end())
            if place == number.end():
                break
        return found[:0:-1]

    # -- what is in the way -----------------------------------------------------------------

    def _stuck(self, place: int, wanted: str) -> None:
        """Remember the furthest place at which something was wanted that is not there."""
        if place > self._way:
            self._way, self._wanted = place, wanted

    def _unreadable(self, start: int, words: Sequence[str], example: str) -> AnnouncementError | UnknownNameError:
        """Return the error that points at what is in the way, never at a candidate that is written correctly."""
        begin, write = _end(APART, self.text, self._way), f"write for instance {quote(example)}"
        rest = self.text[begin:]
        if not rest:
            return AnnouncementError(f"a number is missing at the end of {quote(self.text[start:].strip())}; {write}")
        known = ((begin + i, name) for i in range(1, len(rest)) for name, _ in self.names_at(begin + i))
        place, name = next(known, (len(self.text), ""))
        phrase = rest[: _end(PHRASE, rest, 0)]
        typed, counted = LOOSE_END.sub("", phrase), COUNTED_AT.match(rest, len(phrase)) is not None
        like_a_name = not typed.islower() or nearest(typed, [*self.names, *words]) is not None
        wanted = self._wanted == "name" or (self._wanted == "count" and counted)
        if wanted and begin + len(typed) <= place and re.search(r"[^\W\d_]", typed) and like_a_name:
            return newcomer(typed, self.names, words)
        way = self.text[begin:place].strip(" ,;")
        return AnnouncementError(f"cannot read {quote(way)}{f' before {quote(name)}' if name else ''}; {write}")


def comment_at(text: str, names: Sequence[str]) -> int:
    """Return where a comment begins in what was typed: at the first # that is part of no candidate's name.

    Examples
    --------
    >>> comment_at("Team #1 98 # rumoured", ["Team #1", "Team #2"])
    11
    """
    names = sorted((name for name in names if "#" in name), key=len, reverse=True)
    place = 0
    while place < len(text) and text[place] != "#":
        inside = next((name for name in names if exactly(text[place : place + len(name)]) == exactly(name)), " ")
        place += len(inside)
    return place


BLANK, APART = re.compile(r"\s*"), re.compile(r"[\s,;]*")


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    """Return where a pattern ends that begins at a place; the place itself if it does not."""
    found = pattern.match(text, place)
    return found.end() if found else place


def _count(found: re.Match[str]) -> int:
    return int(re.sub(r"\D", "", found[0]))


def _folded(text: str, fold: Callable[[str], str]) -> tuple[str, list[int], dict[int, int]]:
    """Return a text folded letter by letter, where in it every letter begins, and after which letter one is."""
    parts = [fold(c) for c in text]
    starts, ends, place = [], {}, 0
    for i, part in enumerate(parts):
        starts.append(place)
        place += len(part)
        ends[place] = i + 1
    return "".join(parts), starts, ends
