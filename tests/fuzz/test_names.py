"""Names made of pieces that do harm somewhere: refused in a sentence, or the same names everywhere, and harmless."""

from __future__ import annotations

import random

import pandas as pd
from fuzz.harness import SHORT, each, lengths, rng, survives
from weapons import NO_NAMES, ROLES, WEAPONS, is_harmless, is_table, mixed, named, steers, told

import iomsim as iom
from iomsim.charts.text import short
from iomsim.files import csv_text
from iomsim.model.scenario import Scenario, build

PIECES = (
    *(
        "<",
        ">",
        "&",
        '"',
        "'",
        "`",
        "\\",
        "/",
        "..",
        "$",
        "{",
        "}",
        "%s",
        "=",
        "+",
        "-",
        "@",
        ";",
        ",",
        ":",
        "#",
        "[",
        "]",
    ),
    *("<script>", "]]>", "-->", "\\frac{", "{0}", "://", " and ", " not ", "'''", "\n", "\r", "\t", "\x1b[0m", "|"),
    *("\u200f", "\u200d", "\u00ad", "\ufeff", "\u0301", "\U0001f600", "\u0635", "\u4e00", "\ud800", "\0", "\u202e"),
    *(" ", "a", "B", "1"),
)


def name(chance: random.Random) -> str:
    """Return a few pieces, or a weapon with a piece in it."""
    pieces = [chance.choice(PIECES) for _ in range(chance.randint(1, 6))]
    if chance.random() < 0.5:
        pieces.insert(chance.randrange(len(pieces) + 1), chance.choice((*WEAPONS, *NO_NAMES)))
    return "".join(pieces)


def views(race: Scenario) -> None:
    """Look at a race in every way that plays nothing."""
    is_harmless(race._repr_html_())
    for text in (str(race), race._repr_html_(), iom.dumps(race), *map(short, race.names)):
        assert not steers(text)
    for table in (race.members, race.evidence()):
        assert table.columns.is_unique
        is_table(csv_text(table))


def case(number: int) -> None:
    chance = rng("names", number)
    names = mixed(number) | {role: name(chance) for role in chance.sample(ROLES, chance.choice((1, 1, 2, 3)))}
    race = survives(lambda: build(named(**names)))
    if race is None:
        return
    assert dict(zip(ROLES, told(race), strict=True)) == names
    again = survives(lambda: iom.loads(iom.dumps(race)))
    assert again == race
    assert again.hash == race.hash
    survives(lambda: views(race))
    first = race.electorate.frame["name"][0]
    swung = survives(lambda: race.swing(1, [first], names["candidate"]))
    heard = pd.DataFrame({"member": [first], "candidate": [names["candidate"]], "kind": ["public"]})
    pledged = survives(lambda: race.with_pledges(heard))
    for changed in (swung, pledged):
        assert changed is not None
        assert survives(lambda changed=changed: iom.loads(iom.dumps(changed))) == changed
        views(changed)


@lengths(SHORT // 4)
def test_names_of_pieces(numbers: range) -> None:
    each(numbers, case)
