"""What is typed on the day, read and checked."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any

import numpy as np
import pytest

import iomsim as iom
from iomsim.election_day.clocks import moment_of
from iomsim.election_day.tally import tally_of
from iomsim.errors import AnnouncementError, IomsimError
from iomsim.model.events import EVENTS, KINDS_OF_EVENTS, checked, event_of, events_digest, in_words, say

TWO, THREE = ("Pope", "Vitorino"), ("António Vitorino", "Laura Thompson", "Isaacs")
OPENS = datetime(2023, 5, 15, 10)


def told(event: str, **parts: Any) -> dict[str, Any]:
    tally = ("votes", "valid", "at")
    whole = {"announce": tally, "inconclusive": tally, "correct": tally, "confirm": ("yes", "no", "at")}
    keys = (whole | {"adjourn": ("until",)}).get(event, ("at",) if event in ("go on", "undo") else ("name", "at"))
    return {"event": event, **dict.fromkeys(keys), **parts}


LINES = [
    ("announce Pope=98 Vitorino=67 at 12:20", told("announce", votes={"Pope": 98, "Vitorino": 67}, at="12:20")),
    ("Pope=98 Vitorino=67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("pope 98, VITORINO 67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("98-67 at 12:20", told("announce", votes={"Pope": 98, "Vitorino": 67}, at="12:20")),
    ("98\N{EN DASH}67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("98 to 67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("Pope at least 90 valid=165", told("announce", votes={"Pope": "at least 90"}, valid=165)),
    ("Pope>=90 at Tuesday 10:30", told("announce", votes={"Pope": "at least 90"}, at="Tuesday 10:30")),
    ("tally Vitorino <= 70", told("announce", votes={"Vitorino": "at most 70"})),
    ("valid=165", told("announce", votes={}, valid=165)),
    ("withdraw Vitorino at 16:30", told("withdraw", name="Vitorino", at="16:30")),
    ("Withdraws vitorino", told("withdraw", name="Vitorino")),
    ("eliminate Pope", told("eliminate", name="Pope")),
    ("confirm yes=86 no=57 at 18:00", told("confirm", yes=86, no=57, at="18:00")),
    ("confirm 86 57", told("confirm", yes=86, no=57)),
    ("confirm 86-57", told("confirm", yes=86, no=57)),
    ("go on at 15:00", told("go on", at="15:00")),
    ("goes on", told("go on")),
    ("adjourn until 15:00", told("adjourn", until="15:00")),
    ("adjourned until 2023-05-16 10:00", told("adjourn", until="2023-05-16 10:00")),
    ("undo", told("undo")),
    ("Pope 95 Vitorino 67; 3 others", told("announce", votes={"Pope": 95, "Vitorino": 67}, others=3)),
    ("98-67; 4 abstentions, 2 blank", told("announce", votes={"Pope": 98, "Vitorino": 67}, abstentions=4, blank=2)),
    ("Pope 98, 165 valid papers", told("announce", votes={"Pope": 98}, valid=165)),
    ("98-67, spoilt: 1, present 171", told("announce", votes={"Pope": 98, "Vitorino": 67}, invalid=1, present=171)),
    ("98-67 (110 needed)", told("announce", votes={"Pope": 98, "Vitorino": 67}, needed=110)),
    ("Round 2: 98-67 at 12:20", told("announce", votes={"Pope": 98, "Vitorino": 67}, round=2, at="12:20")),
    ("Pope elected", told("elect", name="Pope")),
    ("Pope is elected at 12:20", told("elect", name="Pope", at="12:20")),
    ("elected pope", told("elect", name="Pope")),
    ("Vitorino withdraws at 16:30", told("withdraw", name="Vitorino", at="16:30")),
    ("Vitorino has withdrawn", told("withdraw", name="Vitorino")),
    ("Vitorino is out.", told("eliminate", name="Vitorino")),
    ("110 yes, 40 no", told("confirm", yes=110, no=40)),
    ("confirm yes 86 no 57, 5 abstentions", told("confirm", yes=86, no=57, abstentions=5)),
    ("no result", told("inconclusive", votes={})),
    ("round 1 without result at 12:20", told("inconclusive", votes={}, round=1, at="12:20")),
    ("nobody is elected; valid 133", told("inconclusive", votes={}, valid=133)),
    ("correct round 1: Pope 99, Vitorino 66", told("correct", round=1, votes={"Pope": 99, "Vitorino": 66})),
    ("Round 1 corrected: 99-66", told("correct", round=1, votes={"Pope": 99, "Vitorino": 66})),
    ("correction of round 3: yes=86 no=57", {"event": "correct", "round": 3, "yes": 86, "no": 57, "at": None}),
]


@pytest.mark.parametrize(("line", "event"), LINES)
def test_a_line_says_an_event(line: str, event: dict[str, Any]) -> None:
    assert event_of(line, TWO) == event


@pytest.mark.parametrize(("line", "event"), LINES)
def test_an_event_is_written_as_a_line_that_says_it(line: str, event: dict[str, Any]) -> None:
    assert event_of(say(event), TWO) == event


def test_names_of_several_words() -> None:
    event = event_of("António Vitorino=65 Laura Thompson 51, Isaacs at most 27 at 13:00", THREE)
    assert event["votes"] == {"António Vitorino": 65, "Laura Thompson": 51, "Isaacs": "at most 27"}
    assert event_of("withdraw laura thompson", THREE)["name"] == "Laura Thompson"
    assert event_of("65-51-27", THREE)["votes"] == dict(zip(THREE, (65, 51, 27), strict=True))


WRITE = "; write for instance 'announce Pope=98 Vitorino=67 at 12:20'"
KINDS = f"there are {', '.join(EVENTS)}, such as 'announce Pope=98 Vitorino=67 at 12:20'"
NEW = "; count papers for anybody else as others, or start a new election day from a scenario in which {!r} stands"
REFUSED = [
    ("", f"cannot read ''; {KINDS}"),
    ("hello", f"cannot read 'hello'; {KINDS}"),
    ("both withdraw", f"cannot read 'both withdraw'; {KINDS}"),
    ("Popp=98", "no candidate named 'Popp'; did you mean 'Pope'?"),
    ("98 for Popp", "no candidate named 'Popp'; did you mean 'Pope'?"),
    ("Pope=98 Haque=67", "no candidate named 'Haque'; there are Pope, Vitorino" + NEW.format("Haque")),
    ("Haque is elected", "no candidate named 'Haque'; there are Pope, Vitorino" + NEW.format("Haque")),
    ("Pope 98, abstenions 6", "no candidate named 'abstenions'; did you mean 'abstentions'?"),
    ("98", "cannot read '98'" + WRITE),
    ("Pope 57%", "cannot read '57%'" + WRITE),
    ("Pope=98 and so on", "cannot read 'and so on'" + WRITE),
    ("Pope 98 and maybe Vitorino 67", "cannot read 'and maybe' before 'Vitorino'" + WRITE),
    ("Pope 98 of 165", "cannot read 'of 165'" + WRITE),
    ("Pope 98.5", "cannot read '.5'" + WRITE),
    ("announce Pope=many", "cannot read 'many'" + WRITE),
    ("Pope 98, Vitorino", "a number is missing at the end of 'Pope 98, Vitorino'" + WRITE),
    ("Pope 98, valid at least 150", "cannot read 'at least 150'" + WRITE),
    ("98-67-3", "3 numbers for 2 candidates; write whose they are"),
    ("at 12:20", "cannot read 'at 12:20'" + WRITE),
    ("withdraw", "who? write for instance 'withdraw Vitorino at 16:30'"),
    ("withdraw Bush", "no candidate named 'Bush'; there are Pope, Vitorino" + NEW.format("Bush")),
    ("withdraw Pope today", "cannot read 'today' after 'withdraw Pope'"),
    ("confirm yes", "a number is missing at the end of 'yes'; write for instance 'confirm yes=110 no=40 at 18:00'"),
    ("yes 110", "a vote on one alone has yes and no; write for instance 'confirm yes=110 no=40 at 18:00'"),
    ("adjourn", "cannot read 'adjourn'; write for instance 'adjourn until 15:00'"),
    ("undo until 15:00", "cannot read 'until 15:00' after 'undo'"),
    ("undo it", "cannot read 'it' after 'undo'"),
    ("Pope 98 " * 130, "a line has at most 1000 characters, got 1040"),
    ("correct 99-66", "which round? write for instance 'correct round 1: Pope=99 Vitorino=66'"),
]


@pytest.mark.parametrize(("line", "sentence"), REFUSED)
def test_what_cannot_be_read_is_refused(line: str, sentence: str) -> None:
    with pytest.raises(IomsimError) as error:
        event_of(line, TWO)
    assert str(error.value) == sentence


# -- as papers write them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "France: 1,098, Japan: 967",
        "France 1098; Japan 967",
        "France 1 098 votes, Japan 967 votes.",
        "France 1\N{NARROW NO-BREAK SPACE}098 \N{EN DASH} Japan 967",
        "France got 1.098 votes and Japan 967",
        "1,098 votes for France, 967 for Japan",
        "Japan (967), France (1'098)",
        "1098\N{EM DASH}967",
        "1,098 \N{MINUS SIGN} 967",
        "1098, 967",
        "FRANCE=1098 against JAPAN=967",
    ],
)
def test_signs_and_thousands_as_papers_write_them(line: str) -> None:
    assert event_of(line, ("France", "Japan"))["votes"] == {"France": 1098, "Japan": 967}


@pytest.mark.parametrize(
    ("line", "votes", "papers"),
    [
        ("France 98 165 valid", {"France": 98}, {"valid": 165}),
        ("France 98 Japan 67 165 valid 171 present", {"France": 98, "Japan": 67}, {"valid": 165, "present": 171}),
        ("165 valid; 2 for others; France at least 90", {"France": "at least 90"}, {"valid": 165, "others": 2}),
        ("at most 70 for Japan", {"Japan": "at most 70"}, {"valid": None}),
    ],
)
def test_a_number_belongs_to_what_makes_sense_of_the_whole_line(
    line: str, votes: dict[str, Any], papers: dict[str, Any]
) -> None:
    event = event_of(line, ("France", "Japan"))
    assert event["votes"] == votes
    assert {key: event[key] for key in papers} == papers


FIELDS = [
    ("Milan-Cortina 2026", "Stockholm-Åre 2026"),
    ("Milan", "Milan 2026", "Milan 2026 plus"),
    ("Smith, John", "Smith", "John 3"),
    ("Man at Arms", "Man", "Arms at 12:20"),
    ("A-B", "A", "B"),
    ("A=1", "A", "1 B"),
    ('The "Rock"', "Rock", "<b>"),
    ("Côte d'Ivoire", "Cote", "Łódź"),
    ("Perez", "Pérez", "Peréz"),
    ("Valid Papers", "Other", "At Last"),
    ("Withdraw Now", "Out of Africa", "Undo-It"),
    ("Team #1", "Team #11", "Team"),
    ("200 Club", "Club", "2nd Club"),
    ("Nein; danke", "Ja: bitte", "To be or not to be"),
    ("Ελλάδα", "東京", "ẞeta"),
    ("U.S.", "Dr. No", "Martin King Jr."),
]
"""Candidates whose names hold what is also written between names and numbers."""

STYLES: dict[str, Any] = {
    "as the library says it": None,
    "equals": lambda names, votes: " ".join(f"{n}={v}" for n, v in zip(names, votes, strict=True)),
    "colons": lambda names, votes: ", ".join(f"{n}: {v}" for n, v in zip(names, votes, strict=True)),
    "semicolons": lambda names, votes: "; ".join(f"{n} {v}" for n, v in zip(names, votes, strict=True)),
    "votes": lambda names, votes: " and ".join(f"{n} {v} votes" for n, v in zip(names, votes, strict=True)),
    "capitals": lambda names, votes: ", ".join(f"{n} {v}" for n, v in zip(map(str.upper, names), votes, strict=True)),
    "for": lambda names, votes: "; ".join(f"{v} for {n}" for n, v in zip(names, votes, strict=True)),
    "dashes": lambda names, votes: " \N{EN DASH} ".join(f"{n}: {v}" for n, v in zip(names, votes, strict=True)),
    "got": lambda names, votes: ", ".join(f"{n} got {v:,} votes" for n, v in zip(names, votes, strict=True)) + ".",
    "numbers alone": lambda names, votes: "\N{EM DASH}".join(map(str, votes)),
    "numbers alone, with thousands": lambda names, votes: " to ".join(f"{v:,}" for v in votes),
}


@pytest.mark.parametrize("names", FIELDS)
@pytest.mark.parametrize("style", STYLES)
def test_every_tally_in_every_style_reads_back_as_the_same_event(names: tuple[str, ...], style: str) -> None:
    rng = np.random.default_rng(zlib.crc32(f"{names} {style}".encode()))
    for _ in range(25):
        votes = [int(v) for v in rng.integers(0, rng.choice([10, 200, 2500]), len(names))]
        event = told("announce", votes=dict(zip(names, votes, strict=True)), abstentions=7, at="12:20")
        inside = [
            f'"{name}"'.replace('The "Rock"', 'The ""Rock""') if set(name) & set("=<>") else name for name in names
        ]
        line = say(event) if STYLES[style] is None else f"{STYLES[style](inside, votes)}; 7 abstentions at 12:20"
        assert event_of(line.replace("votes.;", "votes;"), names) == event, line


@pytest.mark.parametrize("names", FIELDS)
def test_every_event_of_every_name_reads_back(names: tuple[str, ...]) -> None:
    for name in names:
        for kind in ("elect", "withdraw", "eliminate"):
            event = told(kind, name=name, at="Tuesday 12:20")
            assert event_of(say(event), names) == event
            if not set(name) & set("=<>"):
                assert event_of(f"{in_words(event)} at Tuesday 12:20", names) == event


@pytest.mark.parametrize(
    "typed", ["stockholm-are 2026", "Stockholm\N{EN DASH}Åre 2026", "STOCKHOLM-A\N{COMBINING RING ABOVE}RE 2026"]
)
def test_names_without_their_accents(typed: str) -> None:
    assert event_of(f"{typed} 34", FIELDS[0])["votes"] == {"Stockholm-Åre 2026": 34}


def test_accents_that_tell_candidates_apart_are_asked_for() -> None:
    assert event_of("Perez 3 PÉREZ 4 peréz 5", FIELDS[8])["votes"] == {"Perez": 3, "Pérez": 4, "Peréz": 5}
    with pytest.raises(IomsimError, match="no candidate named 'Pèrez'; did you mean"):
        event_of("Pèrez 3", FIELDS[8])


@pytest.mark.parametrize("end", ["", ".", " .", ";"])
@pytest.mark.parametrize("name", ["U.S.", "Dr. No", "Bó Jr."])
def test_the_full_stop_of_a_name_at_the_end_of_a_line_stays(name: str, end: str) -> None:
    names = ("U.S.", "Dr. No", "Bó Jr.")
    assert event_of(f"elected: {name}{end}", names) == told("elect", name=name)
    assert event_of(f"withdraws: {name.replace('ó', 'o')}{end}", names) == told("withdraw", name=name)
    line = f"{', '.join(f'11 for {other}' for other in names if other != name)}, 9 for {name}{end}"
    assert event_of(line, names)["votes"] == {other: 9 if other == name else 11 for other in names}


def test_part_of_a_longer_word_is_no_name() -> None:
    for line, wrong in [("Popes 98", "Popes"), ("Pope-Smith 98", "Pope-Smith"), ("Pope's 98", "Pope's")]:
        with pytest.raises(IomsimError, match=f"^no candidate named '?\"?{wrong}"):
            event_of(line, TWO)


def test_every_example_can_be_read() -> None:
    assert [event_of(line, TWO)["event"] for line in EVENTS.values()] == list(EVENTS)


def test_events_in_words() -> None:
    words = [in_words(event) for _, event in LINES if event["event"] != "undo"]
    assert {"Pope 98, Vitorino 67", "Pope at least 90, 165 valid papers", "Vitorino withdraws"} < set(words)
    assert {"Pope is out", "86 yes, 57 no", "voting goes on", "adjourned until 15:00"} < set(words)
    assert {"Pope is elected", "a round without result (133 valid papers)", "a round without result"} < set(words)
    assert {"the correction of round 1 to Pope 99, Vitorino 66", "Pope 95, Vitorino 67, 3 for others"} < set(words)


def test_the_digest_names_the_events() -> None:
    events = [event for _, event in LINES]
    assert events_digest(events[:2]) == events_digest(events[:2])
    assert len({events_digest(events[:n]) for n in range(6)}) == 6
    other = told("announce", votes={"Pope": 99, "Vitorino": 67}, at="12:20")
    assert events_digest([other]) != events_digest(events[:1])


# -- what an event may tell --------------------------------------------------------------------------


@pytest.mark.parametrize("event", [event for _, event in LINES])
def test_what_a_line_says_an_event_may_tell(event: dict[str, Any]) -> None:
    assert checked(event, TWO) == event
    assert checked(checked(event)) == event


def test_every_kind_of_event_is_known() -> None:
    assert set(KINDS_OF_EVENTS) == set(EVENTS)


@pytest.mark.parametrize(
    ("value", "figure"),
    [(98, 98), ("98", 98), (np.int64(98), 98), (" at most 60 ", "at most 60"), ("<=60", "at most 60"), (None, None)],
)
def test_figures_are_numbers_or_bounds(value: Any, figure: Any) -> None:
    assert checked({"event": "announce", "votes": {"Pope": value}}) == {"event": "announce", "votes": {"Pope": figure}}


VOTES = "votes for Pope must be a whole number or 'at least 90', got "
AN_EVENT = [
    ({"votes": {"Pope": True}}, f"{VOTES}True"),
    ({"votes": {"Pope": 98.0}}, f"{VOTES}98.0"),
    ({"votes": {"Pope": -1}}, f"{VOTES}-1"),
    ({"votes": {"Pope": []}}, f"{VOTES}[]"),
    ({"votes": {"Pope": "٩"}}, f"{VOTES}'٩'"),
    ({"votes": {"Pope": 10**5000}}, f"{VOTES}a very long number"),
    ({"votes": {"Pope": "9" * 5000}}, f"{VOTES}'{'9' * 75}...'"),
    ({"votes": {"x" * 5000: -1}}, f"votes for '{'x' * 75}...' must be a whole number or 'at least 90', got -1"),
    ({"votes": {5: "x"}}, "votes for 5 must be a whole number or 'at least 90', got 'x'"),
    ({"votes": ["Pope"]}, "votes must be a table of votes by candidate, got ['Pope']"),
    ({"valid": True}, "valid must be a whole number of papers, got True"),
    ({"present": 1.5}, "present must be a whole number of members, got 1.5"),
    ({"needed": 10**10}, "needed must be a whole number of papers, got 10000000000"),
    ({"round": 0}, "round must be a whole number of at least 1, got 0"),
    ({"at": 12}, "no time 12; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
    ({"blanc": 3}, "unknown 'blanc' in 'announce'; did you mean 'blank'?"),
    ({"blank": -1, "others": "x"}, "others must be a whole number of papers, got 'x'; blank must be a whole number of "
     "papers, got -1"),
    ({"event": "dance"}, f"no event 'dance'; there are {', '.join(EVENTS)}"),
    ({"event": ["announce"]}, f"no event ['announce']; there are {', '.join(EVENTS)}"),
    ({"event": "withdraw", "name": 5}, "name must be that of a candidate, got 5"),
    ({"event": "withdraw"}, "'name' is missing in 'withdraw'; write for instance 'withdraw Vitorino at 16:30'"),
    ({"event": "withdraw", "name": "Pope", "votes": {}}, "unknown 'votes' in 'withdraw'; there are at, name"),
    ({"event": "adjourn", "until": None}, "no time None; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
    ({"event": "adjourn", "until": "15:00", "at": "12:00"}, "unknown 'at' in 'adjourn'; there is until"),
    ({"event": "confirm", "yes": 86}, "a vote on one alone has yes and no; write for instance "
     "'confirm yes=110 no=40 at 18:00'"),
    ({"event": "confirm", "yes": 86, "no": -1}, "no must be a whole number of at least 0, got -1"),
    ({"event": "correct", "votes": {}}, "which round? write for instance 'correct round 1: Pope=99 Vitorino=66'"),
    ({"event": "correct", "round": 1, "votes": {}, "yes": 5, "no": 3}, "a round has votes by candidate, or yes and no; "
     "tell what it had"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "sentence"), AN_EVENT, ids=range(len(AN_EVENT)))
def test_nothing_else_is_an_event(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnnouncementError) as error:
        checked({"event": "announce", **parts})
    assert str(error.value) == sentence


def test_a_line_is_a_text() -> None:
    with pytest.raises(AnnouncementError, match=r"^a line is a text such as 'announce Pope=98 .*', got 98$"):
        event_of(98, TWO)  # type: ignore[arg-type]


def test_who_is_named_must_stand_in_the_scenario() -> None:
    with pytest.raises(IomsimError, match="no candidate named 'Popp'; did you mean 'Pope'"):
        checked({"event": "elect", "name": "Popp"}, TWO)
    with pytest.raises(IomsimError, match="no candidate named 'abstention'; did you mean 'abstentions'"):
        checked({"event": "announce", "votes": {"Pope": 98, "abstention": 6}}, TWO)
    assert checked({"event": "elect", "name": "Popp"})


# -- tallies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "valid", "low", "high", "papers"),
    [
        ({"A": 98, "B": 67}, None, [98, 67], [98, 67], 165),
        ({"A": 98}, None, [98, 0], [98, 77], None),
        ({"A": 98}, 165, [98, 67], [98, 67], 165),
        ({"A": "at least 90"}, 165, [90, 0], [165, 75], 165),
        ({"A": "at most 90"}, 165, [0, 75], [90, 165], 165),
        ({"A": "at least 90", "B": ">=80"}, None, [90, 80], [95, 85], None),
        ({"A": None}, 165, [0, 0], [165, 165], 165),
        ({"A": np.int64(98), "B": "67"}, np.int64(165), [98, 67], [98, 67], 165),
        ({}, 0, [0, 0], [0, 0], 0),
        ({"A": 98, "B": 67}, 170, [98, 67], [98, 67], 170),
        ({"A": "at most 60", "B": 50}, 120, [60, 50], [60, 50], 120),
    ],
)
def test_bounds_follow_from_what_is_known(
    votes: dict[str, Any], valid: Any, low: list[int], high: list[int], papers: int | None
) -> None:
    tally = tally_of(votes, valid, ("A", "B"), np.array([True, True]), 175)
    assert (tally.low.tolist(), tally.high.tolist(), tally.valid) == (low, high, papers)


@pytest.mark.parametrize(
    ("votes", "told", "valid", "others", "present", "high"),
    [
        ({"A": 127, "B": 62}, {"valid": 191}, 191, 2, None, [127, 62]),
        ({"A": 127, "B": 62}, {"others": 2}, 191, 2, None, [127, 62]),
        ({"A": 127, "B": 62}, {"others": 2, "valid": 191, "present": 192}, 191, 2, 192, [127, 62]),
        ({"A": 114, "B": 51}, {"abstentions": 6}, 165, 0, 171, [114, 51]),
        ({"A": 114, "B": 51}, {"abstentions": 3, "blank": 2, "invalid": 1}, 165, 0, 171, [114, 51]),
        ({"A": 114, "B": 51}, {"present": 171}, 165, 0, 171, [114, 51]),
        ({"A": 114}, {"present": 171, "blank": 4, "others": 3}, None, 3, 171, [114, 50]),
        ({"A": 114}, {"valid": 165, "others": 3}, 165, 3, None, [114, 48]),
        ({"A": "at most 60", "B": 50}, {"valid": 120}, 120, 10, None, [60, 50]),
        ({}, {"present": 171, "blank": 4}, None, 0, 171, [167, 167]),
    ],
)
def test_papers_that_are_for_nobody_who_stands(
    votes: dict[str, Any], told: dict[str, int], valid: int | None, others: int, present: int | None, high: list[int]
) -> None:
    papers = dict(told)
    tally = tally_of(votes, papers.pop("valid", None), ("A", "B"), np.array([True, True]), 193, papers)
    assert (tally.valid, tally.others, tally.present, tally.high.tolist()) == (valid, others, present, high)
    assert tally.counted == (None if valid is None else valid - others)


@pytest.mark.parametrize(
    ("votes", "told", "sentence"),
    [
        ({"A": 98, "B": 67}, {"others": 2, "valid": 165},
         "the votes and 2 papers for others add up to 167, but 165 valid papers were announced"),
        ({"A": 98, "B": 67}, {"others": 2, "valid": 170},
         "the votes and 2 papers for others add up to 167, but 170 valid papers were announced"),
        ({"A": 98, "B": 67}, {"present": 160}, "165 votes are more than the 160 members present"),
        ({"A": 98, "B": 67}, {"valid": 168, "present": 171, "blank": 4},
         "168 papers are more than the 171 members present, less 4 without a valid paper"),
        ({"A": 98, "B": 67}, {"abstentions": 11},
         "165 votes are more than the 175 members with a vote, less 11 without a valid paper"),
        ({"A": 98, "B": 67}, {"present": 176}, "176 members present are more than the 175 members with a vote"),
        ({"A": 98}, {"others": -1}, "others must be a whole number of papers, got -1"),
        ({"A": 98}, {"present": "all"}, "present must be a whole number of members, got 'all'"),
        ({"A": 98}, {"blank": True}, "blank must be a whole number of papers, got True"),
    ],
)  # fmt: skip
def test_papers_that_cannot_be(votes: dict[str, Any], told: dict[str, Any], sentence: str) -> None:
    papers = dict(told)
    with pytest.raises(IomsimError) as error:
        tally_of(votes, papers.pop("valid", None), ("A", "B"), np.array([True, True]), 175, papers)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("votes", "valid", "sentence"),
    [
        ({"D": 90}, None, "no candidate named 'D'; there are A, B, C" + NEW.format("D")),
        ({"abstained": 6}, None, "no candidate named 'abstained'; did you mean 'abstentions'?"),
        ({"C": 1}, None, "C does not stand any more and cannot get votes"),
        ({"A": 176}, None, "A cannot have 176 votes: only 175 members have a vote"),
        ({"A": "9x"}, None, "votes for A must be a whole number or 'at least 90', got '9x'"),
        ({"A": -1}, None, "votes for A must be a whole number or 'at least 90', got -1"),
        ({"A": 98.5}, None, "votes for A must be a whole number or 'at least 90', got 98.5"),
        ({"A": True}, None, "votes for A must be a whole number or 'at least 90', got True"),
        ({"A": 100, "B": 80}, None, "180 votes are more than the 175 members with a vote"),
        ({"A": 98, "B": 67}, 160, "the votes add up to 165, but 160 valid papers were announced"),
        ({"A": 98}, 90, "the votes add up to at least 98, but 90 valid papers were announced"),
        ({"A": 98}, 176, "176 papers are more than the 175 members with a vote"),
        ({"A": 98}, "165", "valid must be a whole number of papers, got '165'"),
        ({"A": 98}, -1, "valid must be a whole number of papers, got -1"),
        ({}, None, "nothing was announced; give votes by candidate, or valid=, or say that the round was inconclusive"),
        (
            {"A": None},
            None,
            "nothing was announced; give votes by candidate, or valid=, or say that the round was inconclusive",
        ),
    ],
)
def test_tallies_that_cannot_be(votes: dict[str, Any], valid: Any, sentence: str) -> None:
    with pytest.raises(IomsimError) as error:
        tally_of(votes, valid, ("A", "B", "C"), np.array([True, True, False]), 175)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("votes", "valid", "told", "others", "counted", "low"),
    [
        ({"A": 98, "B": 60}, None, {}, None, 158, 60),
        ({"A": 98, "B": 60}, None, {"others": 0}, 0, 158, 60),
        ({"A": 98, "B": 60}, 165, {}, 7, 158, 60),
        ({"A": 98}, 165, {}, None, None, 0),
        ({"A": 98}, 165, {"others": 3}, 3, 162, 64),
        ({"A": "at least 98", "B": "at least 60"}, 165, {}, None, None, 60),
        ({}, 165, {}, None, None, 0),
    ],
)
def test_of_papers_for_nobody_who_stands_no_more_is_known_than_was_told(
    votes: dict[str, Any], valid: int | None, told: dict[str, int], others: int | None, counted: int | None, low: int
) -> None:
    """Where a scenario expects some; the last figure is the fewest votes that B can have."""
    tally = tally_of(votes, valid, ("A", "B"), np.array([True, True]), 175, told, strays=True)
    assert (tally.others, tally.counted, tally.low[1]) == (others, counted, low)
    assert tally.valid == (165 if valid else 158 if others == 0 else None)
    assert tally.high[1] <= 175 - tally.low[0]


# -- moments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "last", "minute"),
    [
        ("12:20", None, 740),
        ("12:20", 700, 740),
        ("10:30", 1440 + 600, 1440 + 630),
        ("Tuesday 10:30", None, 1440 + 630),
        ("tue 10:30", 740, 1440 + 630),
        ("Monday 12:20", 740, 740),
        ("Monday 12:20", 2000, 7 * 1440 + 740),
        ("2023-05-16 10:30", None, 1440 + 630),
        ("2023-05-16T10:30:00", None, 1440 + 630),
        ("2023-05-16", None, 1440),
        (datetime(2023, 5, 16, 10, 30), None, 1440 + 630),
    ],
)
def test_moments(at: Any, last: float | None, minute: float) -> None:
    assert moment_of(at, OPENS, last) == minute


@pytest.mark.parametrize(
    ("at", "last", "sentence"),
    [
        ("09:59", None, "Monday 09:59 is before the opening on Monday 10:00"),
        ("11:00", 740, "Monday 11:00 is before the last event on Monday 12:20; write the date for another day"),
        ("noon", None, "no time 'noon'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ("Someday 10:00", None, "no time 'Someday 10:00'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ("25:00", None, "no time '25:00'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ("2023-05-15T12:00+02:00", None, "times are local, without an offset; got '2023-05-15T12:00+02:00'"),
    ],
)  # fmt: skip
def test_moments_that_cannot_be(at: Any, last: float | None, sentence: str) -> None:
    with pytest.raises(IomsimError) as error:
        moment_of(at, OPENS, last)
    assert str(error.value) == sentence


# -- typed in a hurry, and told back -------------------------------------------------------------------


@pytest.fixture(scope="module")
def geneva() -> iom.Scenario:
    return iom.load("geneva-2023")


@pytest.mark.parametrize("written", ["12:20", "12.20", "12h20", "12:20:00", "Mon 12:20", "Monday 12h20"])
def test_hours_as_they_are_written_in_geneva(written: str) -> None:
    assert moment_of(written, OPENS, None) == 740


def test_an_hour_of_one_digit() -> None:
    assert moment_of("Tue 9:05", OPENS, 740.0) == 24 * 60 + 545


@pytest.mark.parametrize("written", ["12:20+02:00", "12", "24:00", "12:60", "12:20 pm", "noon", "1220"])
def test_what_is_no_hour(written: str) -> None:
    with pytest.raises(AnnouncementError, match=r"no time '.*'; write '12:20'"):
        moment_of(written, OPENS, None)


@pytest.mark.parametrize(("line", "twice"), [("Pope=98 Pope=97", "Pope"), ("Pope=98 valid=165 valid=160", "valid")])
def test_nothing_is_announced_twice_in_a_line(line: str, twice: str) -> None:
    with pytest.raises(AnnouncementError, match=f"^{twice} stands twice in '{line}'; write it once$"):
        event_of(line, ["Pope", "Vitorino"])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Pope at least 90, Vitorino at most 70", "Pope at least 90, Vitorino at most 70."),
        ("Vitorino at most 80", "Vitorino at most 80."),
        ("Pope=98 valid=165", "Pope 98, Vitorino 67."),
        ("Pope at least 90", "Pope at least 90."),
        ("valid=165", "165 valid papers."),
        ("Vitorino at most 80 valid=165", "Pope at least 85, Vitorino at most 80."),
    ],
)
def test_a_report_tells_all_that_was_announced(geneva: iom.Scenario, line: str, told: str) -> None:
    night = iom.live(geneva, particles=200, seed=1)
    assert str(night.tell(line)).startswith(told)
    assert night.history()["event"].iloc[-1] == told[:-1]


def test_nobody_is_short_of_votes_when_it_is_over(geneva: iom.Scenario) -> None:
    night = iom.live(geneva, particles=200, seed=1)
    night.tell("98-67 at 12:20")
    night.withdraw("Vitorino")
    assert night.needed() == "The election is over, and no votes are needed."
    night.undo()
    assert night.needed() == "Pope is 12 votes short of 110."
