"""Rules as plain words: a sentence for each phase, and the whole."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from iomsim.house_style import capital, number, number_of, ordinal
from iomsim.rules.bar import Bar

SHARES = {
    Fraction(1, 2): "half",
    Fraction(1, 3): "one third",
    Fraction(2, 3): "two thirds",
    Fraction(3, 5): "three fifths",
    Fraction(1, 4): "one quarter",
    Fraction(3, 4): "three quarters",
}
BASE_WORDS = {"valid": "the votes cast", "present": "the members present", "entitled": "all members with a vote"}
ENDS = {"fail": "the election fails", "suspend": "the election is suspended"}

EXTRA = "a tie over who leaves is decided by an extra ballot"
BARRED = "members barred while their candidate stands do not vote"


class Told(NamedTuple):
    """A phase as it is told: the parts of a :class:`~iomsim.Phase`, with the bar and the base that are in force.

    `own` says whether the bars are the phase's; `cut` whether its field or `keep` puts anybody out, `again` whether
    anybody comes back, `among` how many then stand, `since` from which ballot on the last leaves; `number` is its
    place in the procedure.
    """

    standing: int
    field: str
    keep: int | None
    ballots: int | None
    drop: int
    down_to: int
    vote: str
    bars: tuple[Bar, ...]
    base: str
    extra: bool
    barred: bool
    own: bool = False
    cut: bool = False
    again: bool = False
    among: int = 0
    since: int = 1
    number: int = 0

    @property
    def need(self) -> tuple[tuple[Bar, ...], str]:
        """What elects."""
        return self.bars, self.base

    @property
    def plain(self) -> bool:
        """Whether it is nothing but ballots between those who stand."""
        return self.vote == "choice" and not (self.cut or self.again or self.drop)

    @property
    def endless(self) -> bool:
        """Whether the last leaves after each of its ballots, for as long as it is held."""
        return bool(self.drop) and self.ballots is None and self.keep is None and self.down_to < self.standing


def rules_in_words(
    phases: Sequence[Told], withdrawal: str, after: str | None, repeat_from: int | None, candidates: int
) -> str:
    """Return the parts of a procedure as sentences, for as many candidates as stand.

    `repeat_from` is the number of the phase with which it begins again.
    """
    shown, back = _told(phases, candidates, repeat_from)
    bars, base = shown[0].need
    out = [f"{bar_in_words(bars[0], base)} elect{_later(bars)}", *_phases(phases, shown, after, back, (bars, base))]
    fewest = 1 if repeat_from is None else min(phase.standing for phase in phases[repeat_from:])
    if fewest > 2:
        out.append(f"with fewer than {number(fewest)} the election fails")
    if withdrawal != "none":
        alone = "then stands alone in one more ballot, of yes or no, which decides"
        then = "is then acclaimed" if withdrawal == "acclamation" else alone
        out.append(f"of two, the one behind may withdraw, and the other {then}")
    return " ".join(f"{capital(sentence)}." for sentence in out)


def phase_in_words(phase: Told) -> str:
    """Return a single phase as a sentence; what elects is told if it is the phase's own."""
    shown = _told_of(phase, max(16, phase.standing), voted=True)
    return " ".join(f"{capital(sentence)}." for sentence in _phases([phase], shown))


def bar_in_words(bar: Bar, base: str) -> str:
    """Return the votes that elect in words.

    Examples
    --------
    >>> bar_in_words(Bar.of("2/3"), "valid"), bar_in_words(Bar.of("most"), "valid")
    ('two thirds of the votes cast', 'more votes than anybody else')
    """
    if bar.value is None:
        return "more votes than anybody else"
    if bar.kind == "count":
        return f"{bar.value} votes"
    share = "all" if bar.value == 1 else SHARES.get(bar.value, str(bar.value))
    return f"{'more than ' * (bar.kind == 'more than')}{share} of {BASE_WORDS[base]}"


# -- what matters to so many candidates ------------------------------------------------------------


def _told(phases: Sequence[Told], candidates: int, repeat_from: int | None) -> tuple[list[Told], Told | None]:
    """Return the phases that may be held with so many, alike ones as one, and that with which it begins again."""
    out: list[Told] = []
    stand, voted = candidates, False
    for place, phase in enumerate(phases):
        for told in _told_of(phase, stand, voted, candidates):
            out.append(told._replace(number=place))
            stand, voted = _left(told), True
    if repeat_from is None:
        return _merged(out, None), None
    again = [
        told._replace(number=place)
        for place, phase in enumerate(phases)
        for told in _told_of(phase, stand, True, candidates)
        if place >= repeat_from
    ]
    if not again:
        return _merged(out, None), None
    back = again[0]
    merged = _merged(out, back.number)
    if merged[-1].number == back.number and merged[-1]._replace(cut=False).plain and back.plain:
        return _merged([*merged[:-1], merged[-1]._replace(ballots=None)], None), None
    return merged, back


def _told_of(phase: Told, stand: int, voted: bool, candidates: int = 0) -> list[Told]:
    """Return a phase with what it does when so many stand; none if it is not held then.

    One without an end in which the last leaves is told as two: while there are more than it leaves, and then.
    """
    asked = candidates if phase.field == "all" and voted and candidates else stand
    if asked < phase.standing:
        return []
    kept = {"all but the last": max(asked - 1, 1)}.get(phase.field, min(asked, phase.keep or asked))
    told = phase._replace(
        cut=voted and kept < asked,
        again=phase.field == "all" and voted and (asked > stand or not candidates),
        among=kept if voted else asked,
        standing=phase.standing if phase.standing > 2 else 1,
    )
    told = told._replace(keep=told.keep if told.cut else None, drop=told.drop if asked > told.down_to else 0)
    if told.drop and told.ballots is None and told.standing <= told.down_to and told.down_to > 1 and not told.cut:
        rest = told._replace(drop=0, among=told.down_to, again=False)
        return [told._replace(standing=told.down_to + 1), rest]
    return [told]


def _left(phase: Told) -> int:
    """Return how many stand after a phase, if nobody withdraws."""
    stand = phase.among
    if phase.ballots is None:
        return min(stand, phase.standing - 1) if phase.standing > 1 else stand
    for _ in range(phase.ballots):
        if stand < phase.standing:
            break
        stand = max(min(stand, phase.down_to), stand - phase.drop)
    return stand


def _merged(phases: list[Told], back: int | None) -> list[Told]:
    """Put together phases that follow one another and are told as one, but not that with which it begins again."""
    out: list[Told] = []
    for phase in phases:
        last = out[-1] if out else None
        if last is None or not _alike(last, phase) or phase.number == back:
            out.append(phase)
        elif phase.plain:
            more = None if last.ballots is None or phase.ballots is None else last.ballots + phase.ballots
            out[-1] = last._replace(ballots=more)
        elif phase.endless and phase.field == "all but the last" and last.ballots:
            out[-1] = phase._replace(since=last.ballots, field="remaining", cut=False, number=last.number)
        else:
            out.append(phase)
    return out


def _alike(last: Told, phase: Told) -> bool:
    """Return whether two phases can be told as one, apart from who leaves in the second."""
    same = (last.need, last.standing, last.barred) == (phase.need, phase.standing, phase.barred)
    return same and last.plain and not (last.own and len(last.bars) > 1)


# -- words -----------------------------------------------------------------------------------------


def _phases(
    phases: Sequence[Told], shown: list[Told], after: str | None = None, back: Told | None = None, said: Any = None
) -> list[str]:
    """Return a sentence for each group of phases that are held while so many stand, and what holds for all.

    The votes that elect are told where they are not those `said` already.
    """
    cuts = [phase for phase in shown if phase.cut or phase.drop]
    extra, barred = bool(cuts) and all(phase.extra for phase in cuts), all(phase.barred for phase in shown)
    end = _end(shown[-1], after, back, shown[0])
    shown = [phase._replace(extra=phase.extra and not extra, barred=phase.barred and not barred) for phase in shown]
    limits = {phase.standing for phase in (*phases, *shown) if phase.ballots is None}
    before, out = None, []
    for _, members in groupby(shown, lambda phase: phase.standing):
        group = list(members)
        head, parts = _head(group[0], before, limits), list[str]()
        if head.endswith("most votes"):
            group[0] = group[0]._replace(keep=None, cut=False)
        for phase in group:
            parts.append(_phase(phase, phase.need != said, first=not parts))
            said = phase.need if phase.vote == "choice" else said
        comma = " " if parts[0].startswith("there ") else ", "
        out.append((head + comma if head else "") + "; then ".join(parts))
        before = group[-1]
    out[-1] += end
    return [*out, *[EXTRA] * extra, *[BARRED] * barred]


def _head(first: Told, before: Told | None, limits: set[int]) -> str:
    """Return when a group of phases is held."""
    if first.standing > 1:
        return f"with {number(first.standing)}{' or more' * (first.standing + 1 not in limits)}"
    if before is None:
        return ""
    if first.keep:
        return f"between the {number(first.keep)} with most votes"
    if first.again:
        return "after that"
    if first.among == 2:
        return "between two"
    return f"with {number(first.among)} or fewer" if before.ballots is None else "after that"


def _phase(phase: Told, told: bool, first: bool) -> str:
    """Return what a phase does, and the votes that elect if they are to be `told`; a clause if it is the `first`."""
    aside = (f" ({EXTRA})" if phase.extra and (phase.cut or phase.drop) else "") + f" ({BARRED})" * phase.barred
    if phase.vote == "yes-no":
        return _alone(phase) + aside
    leaves = _leaves_always(phase)
    held = (_leaves(phase) if leaves else _ballots(phase)) + aside
    if not told or not phase.bars:
        return _clause(phase, held) if first and not leaves else held
    elect = f"{bar_in_words(phase.bars[0], phase.base)} elect"
    later = _later(phase.bars, "of them")
    return f"{elect}{later}, and {held}" if leaves else f"in {held}, {elect}{later}" if later else f"{elect}, in {held}"


def _clause(phase: Told, held: str) -> str:
    """Return that ballots are held, as a clause."""
    if phase.ballots is None:
        return held.replace("ballots", "ballots go on", 1).replace(", without limit", " without limit")
    return f"there {'is' if phase.ballots == 1 else 'are'} {held}"


def _alone(phase: Told) -> str:
    tries = f" in one of {number(phase.ballots or 1)} ballots" if (phase.ballots or 1) > 1 else ""
    if not phase.bars:
        return f"the leader stands alone in a vote of yes or no{tries}"
    most = phase.bars[-1].value is None
    needed = bar_in_words(phase.bars[-1], phase.base).replace("of the votes cast", "of yes and no")
    needed = "more yes than no" if most else needed
    return f"the leader stands alone and needs {needed}{tries}"


def _leaves_always(phase: Told) -> bool:
    return phase.drop > 0 and phase.ballots is None and not phase.keep and not phase.again


def _leaves(phase: Told) -> str:
    """Return that the last leaves after each ballot."""
    first = phase._replace(drop=1) if phase.cut else phase
    more = f", and {'another' if phase.drop == 1 else f'{number(phase.drop)} more'}" if phase.cut else ""
    since = f" from the {ordinal(phase.since)} on" if phase.since > 1 else ""
    return f"{_last(first)}{more} after each inconclusive ballot{since}{_while(phase)}"


def _ballots(phase: Told) -> str:
    """Return the ballots of a phase: how many, between whom, and who leaves."""
    whom = " without the last" if phase.cut else ""
    if phase.keep:
        whom = f" {'between' if phase.keep > 1 else 'on'} the {number(phase.keep)} with most votes"
    whom = " with everybody again" if phase.again else whom
    held = "ballots" if phase.ballots is None else number_of(phase.ballots, "ballot")
    limit = f"{',' * bool(whom)} without limit" if phase.ballots is None else ""
    each = "which" if phase.ballots == 1 else "each of which"
    leaves = f", after {each} {_last(phase)}{_while(phase)}" if phase.drop else ""
    return f"{held}{whom}{limit}{leaves}"


def _last(phase: Told) -> str:
    return "the last leaves" if phase.drop == 1 else f"the last {number(phase.drop)} leave"


def _while(phase: Told) -> str:
    return f" while more than {number(phase.down_to)} stand" if phase.down_to >= phase.standing else ""


def _later(bars: Sequence[Bar], ballots: str = "ballot") -> str:
    """Return what elects in later ballots, where it is something else."""
    changes = [(place, bar) for place, bar in enumerate(bars, start=1) if place > 1 and bar != bars[place - 2]]
    words = {place: bar_in_words(bar, "valid").removesuffix(" of the votes cast") for place, bar in changes}
    return "".join(f", and from the {ordinal(place)} {ballots} on {said}" for place, said in words.items())


def _end(last: Told, after: str | None, back: Told | None, first: Told) -> str:
    """Return what follows the last phase."""
    if after in ENDS:
        few = last.ballots is None and last.standing > 1
        return f"; {f'with fewer than {number(last.standing)}' if few else 'otherwise'} {ENDS[after or '']}"
    if back is None:
        return ""
    if first.number == back.number:
        return f"; then it begins again{' with everybody' * back.again}"
    return f"; and so on from the {'vote on the leader' if back.vote == 'yes-no' else _ballots(back._replace(drop=0))}"
