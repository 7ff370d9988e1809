"""What sets one scenario apart from another, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from iomsim.engine import paths
from iomsim.house_style import capital, number, number_of, series
from iomsim.model.clock import Clock
from iomsim.model.components import Sponsor, Tie
from iomsim.model.electorate import Electorate, rows
from iomsim.model.ledger import NAMES
from iomsim.model.parameters import describe_parameter
from iomsim.model.quantities import Quantity, in_digits
from iomsim.model.scenario import Scenario
from iomsim.model.turnout import ABSENT, TURNOUT, mean_present
from iomsim.rules.procedure import COMPARED

MOST_NAMED = 3
"""Changes named one by one in a sentence; more are counted."""


OFTEN = 0.05
"""Share of the runs from which on it is said that a swing finds fewer members than it asks for."""


def differences(a: Scenario, b: Scenario) -> list[str]:
    """Return what sets `b` apart from `a`, a phrase each; empty if no result can differ.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> differences(race, race.with_pressure(Washington=0.9, Brussels=0))
    ["Washington's strength at 0.9 instead of 0.6", "without Brussels's pressure"]
    >>> differences(race, race.with_rules("four-rounds"))
    ['rules four-rounds instead of five readings']
    >>> differences(race, race.with_pressure(Washington=0.6, low=0.5))
    ["Washington's strength at 0.6 (0.5 to 1.14) instead of 0.6 (0.32 to 1.14)"]
    """
    parts = (_parameters, _level, _things, _swings, _rules, _electorate, _clock, _ledger, _polling)
    told = [change for part in parts for change in part(a, b)]
    if not told and a._level_key != b._level_key:
        told.append("the level stated anew" if b.held is None else "a level that was stated for other assumptions")
    return told


def phrase(changes: list[str]) -> str:
    """Return the changes as the beginning of a sentence.

    Examples
    --------
    >>> phrase(["without Brussels's pressure", "secrecy at 0 instead of 0.4"])
    "With secrecy at 0 instead of 0.4, and without Brussels's pressure,"
    >>> phrase(["without Brussels's pressure"]), phrase([])
    ("Without Brussels's pressure", 'With nothing changed,')
    """
    if not changes:
        return "With nothing changed,"
    if len(changes) > MOST_NAMED:
        return f"With {number(len(changes))} changes,"
    plus = [change for change in changes if not change.startswith("without ")]
    minus = [change.removeprefix("without ") for change in changes if change.startswith("without ")]
    parts = [f"with {series(plus)}"] * bool(plus) + [f"without {series(minus)}"] * bool(minus)
    return capital(", and ".join(parts)) + ("," if plus or len(minus) > 1 else "")


def _parameters(a: Scenario, b: Scenario) -> list[str]:
    """Return the parameters that both have, with other values, or with other ranges around the same."""
    old, new = a.parameters(), b.parameters()
    off = {paths.strength(sponsor.name): f"without {sponsor.name}'s pressure" for sponsor in b.sponsors}
    out = []
    for path, before in old.items():
        after = new.get(path, before)
        if path == ABSENT and after.value != before.value and after.source.startswith(TURNOUT):
            out.append(f"turnout {' instead of '.join(in_digits(mean_present(b.plan), mean_present(a.plan)))}")
        elif after.value != before.value:
            said = " instead of ".join(in_digits(after.value, before.value))
            out.append(off[path] if path in off and not after.value else f"{describe_parameter(b, path)} at {said}")
        elif (after.low, after.high) != (before.low, before.high):
            said = " instead of ".join(_believed(after, before))
            out.append(f"{describe_parameter(b, path)} at {said}")
    return out


def _believed(*quantities: Quantity) -> list[str]:
    """Return values with their ranges."""
    said = in_digits(*(x for q in quantities for x in (q.value, q.low, q.high)))
    rows = zip(quantities, said[::3], said[1::3], said[2::3], strict=True)
    return [f"{value} ({low} to {high})" if q.low < q.high else f"{value} for sure" for q, value, low, high in rows]


def _level(a: Scenario, b: Scenario) -> list[str]:
    """Return levels that only one of them states."""
    stated = [f"{name}'s first-round level stated as {b.level[name].value:g}" for name in b.level.keys() - a.level]
    return sorted(stated) + sorted(f"without {name}'s first-round level" for name in a.level.keys() - b.level)


def _things(a: Scenario, b: Scenario) -> list[str]:
    """Return sponsors and ties that only one of them has, or that differ in whom they concern."""
    out = []
    for old, new in ((a.sponsors, b.sponsors), (a.ties, b.ties)):
        before, after = ({thing.name: thing for thing in things} for things in (old, new))
        out += [_told(thing) for name, thing in after.items() if name not in before]
        out += [f"without {_told(thing)}" for name, thing in before.items() if name not in after]
        both = [(thing, after[name]) for name, thing in before.items() if name in after]
        out += [f"{_told(now)}, aimed otherwise" for was, now in both if _aim(was) != _aim(now)]
    if [s.name for s in a.sponsors] != [s.name for s in b.sponsors] and len(a.sponsors) == len(b.sponsors) and not out:
        out.append("the sponsors in another order")
    return out


def _swings(a: Scenario, b: Scenario) -> list[str]:
    """Return swings that only one of them has."""
    old, new = ([(swing.count, swing.who, swing.to) for swing in race.swings] for race in (a, b))
    if old == new:
        return []
    more, less = Counter(new) - Counter(old), Counter(old) - Counter(new)
    out = [_swung(b, i) for i, swing in enumerate(b.swings) if more[swing.count, swing.who, swing.to]]
    out += [f"without {swing.name}" for swing in a.swings if less[swing.count, swing.who, swing.to]]
    return list(dict.fromkeys(out)) or ["the swings in another order"]


def _swung(race: Scenario, number: int) -> str:
    """Return a swing in words; where fewer than asked for are left to go over in many runs, with how many do."""
    swing, gone = race.swings[number], race._gone_over[number]
    short = float((gone < swing.count).mean())
    if short < OFTEN:
        return swing.name
    where = "every run" if short == 1 else f"{min(99, round(100 * short))} of 100 runs"
    return f"{swing.name} ({gone.mean():.1f} on average, as fewer are left in {where})"


def _told(thing: Sponsor | Tie) -> str:
    """Return a sponsor or a tie in words."""
    return f"{thing.name}'s pressure for {thing.backs}" if isinstance(thing, Sponsor) else thing._label("log_odds")


def _aim(thing: object) -> tuple[object, ...]:
    """Return whom a sponsor or a tie concerns, whatever the numbers."""
    exposure = getattr(thing, "exposure", None)
    selectors = tuple(exposure) if exposure is not None else getattr(thing, "who", None)
    return selectors, getattr(thing, "backs", None), getattr(thing, "candidate", None)


def _rules(a: Scenario, b: Scenario) -> list[str]:
    old, new = a.rules, b.rules
    if a.readings != b.readings and (len(a.readings) > 1 or len(b.readings) > 1):
        return _readings(a, b)
    if old == new:
        return []
    changed = [part for part in COMPARED if getattr(new, part) != getattr(old, part)]
    if old.name.removesuffix(", changed") != new.name.removesuffix(", changed"):
        return [f"rules {new.name} instead of {old.name}"]
    if "phases" in changed:
        changed = ["phases", *(part for part in changed if part not in ("phases", "after", "repeat_from"))]
    return [
        "other phases of the rules"
        if part == "phases"
        else f"{part.replace('_', ' ')} {_word(getattr(new, part))} instead of {_word(getattr(old, part))}"
        for part in changed
        if part != "name"
    ]


def _readings(a: Scenario, b: Scenario) -> list[str]:
    """Return what differs where at least one of two scenarios has several readings of the rules."""
    weights = [{part.name: part.weight for part in race.readings} or {race.rules.name: 1.0} for race in (a, b)]
    if weights[0] == weights[1]:  # grades and sources decide nothing
        same = [part.rules for part in a.readings] == [part.rules for part in b.readings]
        return [] if same else ["other phases of the rules"]
    if weights[0].keys() == weights[1].keys():
        return ["other weights of the readings of the rules"]
    names = [next(iter(told)) if len(told) == 1 else f"{number(len(told))} readings" for told in weights]
    return [f"rules {names[1]} instead of {names[0]}"]


def _word(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "nothing" if value in (None, "") else str(value)


def _electorate(a: Scenario, b: Scenario) -> list[str]:
    old, new = a.electorate, b.electorate
    out = []
    for name in dict.fromkeys([*old.pinned, *new.pinned]):
        before, after = _names(old, old.pinned.get(name, ())), _names(new, new.pinned.get(name, ()))
        out += _moved(after, before, "", f" won over to {name}")
        out += _moved(before, after, "without ", f" pinned to {name}")
    before, after = _names(old, old.without_vote), _names(new, new.without_vote)
    out += _moved(after, before, "", " without a vote") + _moved(before, after, "a vote for ")
    rest: dict[str, object] = {"pinned": {}, "without_vote": ()}
    if old.model_copy(update=rest) != new.model_copy(update=rest):
        out.append("another electorate")
    return out


def _names(electorate: Electorate, who: Iterable[str]) -> list[str]:
    """Return members' names, whether they were written as names or as ids."""
    frame = electorate.frame
    return list(frame["name"].iloc[rows(frame, tuple(who))])


def _moved(these: Iterable[str], those: Iterable[str], before: str, after: str = "") -> list[str]:
    """Return who is among these but not among those, with the words before and after."""
    known = set(those)
    found = [name for name in these if name not in known]
    who = series(found) if len(found) <= MOST_NAMED else number_of(len(found), "member")
    return [f"{before}{who}{after}"] if found else []


def _ledger(a: Scenario, b: Scenario) -> list[str]:
    """Return pledges that only one of them has."""
    before, after = _heard(a), _heard(b)
    gained = [pledge for pledge in after if pledge not in before]
    lost = [pledge for pledge in before if pledge not in after]
    return [_pledges(gained)] * bool(gained) + [f"without {_pledges(lost)}"] * bool(lost)


def _heard(race: Scenario) -> list[tuple[str, str, str]]:
    """Return the pledges that count, as member, candidate and kind."""
    frame = race.electorate.frame
    known = [(frame["name"][entry.row], entry.pledge.candidate, entry.pledge.kind) for entry in race._entries]
    return list(dict.fromkeys(known))


def _pledges(heard: list[tuple[str, str, str]]) -> str:
    """Return pledges in words."""
    if len(heard) == 1:
        member, candidate, kind = heard[0]
        return f"{NAMES[kind]} of {member} to {candidate}"
    names = list(dict.fromkeys(candidate for _, candidate, _ in heard))
    many = [sum(candidate == name for _, candidate, _ in heard) for name in names]
    return series([f"{number_of(n, 'pledge')} to {name}" for n, name in zip(many, names, strict=True)])


def _polling(a: Scenario, b: Scenario) -> list[str]:
    """Return what members said of whom only one of them knows, or that said something else."""
    before, after = (dict(race.polling.chances) if race.polling else {} for race in (a, b))
    out = []
    for these, those, words in ((after, before, "a poll of "), (before, after, "without a poll of ")):
        out += _moved(these, those, words)
    both = [name for name in before if name in after and before[name] != after[name]]
    return out + _moved(both, (), "other answers of ")


def _clock(a: Scenario, b: Scenario) -> list[str]:
    keys = [key for key in Clock.model_fields if not isinstance(getattr(a.clock, key), Quantity)]
    changed = [key for key in keys if getattr(a.clock, key) != getattr(b.clock, key)]
    return [f"another clock ({', '.join(changed)})"] if changed else []
