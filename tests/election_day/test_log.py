"""Logs, read whole before anything is played and never half written; past days, none older than the forecast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from command import iomsim
from toys import night_of, toy

import iomsim as iom
from iomsim.election_day import election_day, log as log_of_a_day
from iomsim.election_day.log import MOST_EVENTS, Logged, past_day, past_days, read, seconds_to_play
from iomsim.errors import AnnouncementError, FileError, IomsimError, UnknownNameError
from iomsim.model.events import event_of

DAYS = past_days()
NOON = {"event": "announce", "votes": {"A": 5, "B": 4}, "at": "11:00"}


@cache
def small() -> bytes:
    """Return the log of a small day with one event."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "day.log"
        night_of(toy(9), particles=20, seed=1, log=path).apply(NOON)
        return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "day.log"
    path.write_bytes(small())
    return path


def rewrite(path: Path, events: list[Any], **header: Any) -> None:
    """Write another log, with something else in its header."""
    first = json.loads(path.read_text(encoding="utf-8").split("\n")[0]) | header
    told = [{key: value for key, value in first.items() if value != "left out"}, *events]
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in told]
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def nothing_is_played(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(*_: Any, **__: Any) -> None:
        pytest.fail("something was played")

    monkeypatch.setattr(election_day, "ElectionDay", play)


# -- what is read ------------------------------------------------------------------------------------

DEEP, LONG = '{"event": "announce", "votes": ' + "[" * 20_000, '{"event": "announce", "valid": ' + "9" * 5_000 + "}"


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"seed": "one"}, "line 1: seed must be a whole number of at least 0, got 'one'"),
        ({"seed": 1.0}, "line 1: seed must be a whole number of at least 0, got 1.0"),
        ({"seed": True}, "line 1: seed must be a whole number of at least 0, got True"),
        ({"particles": 2.5}, "line 1: particles must be a whole number from 2 to 1 000 000 000, got 2.5"),
        ({"particles": 1}, "line 1: particles must be a whole number from 2 to 1 000 000 000, got 1"),
        ({"particles": 10**12}, "line 1: particles must be a whole number from 2 to 1 000 000 000, got 1000000000000"),
        ({"particles": 10**8}, "tells 1 event for 100 000 000 particles, which may take 32 minutes to play again"),
        ({"assumptions": 10**9}, "line 1: assumptions must be a whole number from 1 to 100 000, got 1000000000"),
        ({"assumptions": 0}, "line 1: assumptions must be a whole number from 1 to 100 000, got 0"),
        ({"assumptions": "some"}, "line 1: assumptions must be a whole number or 'fixed', got 'some'"),
        ({"assumptions": "left out"}, "line 1: 'assumptions' is missing"),
        ({"scenario": 5}, "line 1: scenario must be a text, got 5"),
        ({"scenario": "electorate = 5"}, "line 1: electorate must be "),
        ({"scenario": "x ="}, "line 1 is not valid TOML: "),
        ({"version": None}, "line 1: version must be a text, got None"),
        ({"format": 0}, "line 1: format must be a whole number from 1 to 3, got 0"),
        ({"format": "left out"}, "is no log of an election day: it does not begin with the format, the seed and "),
        ({"color": 1}, "line 1: unknown key 'color'; "),
    ],
)
@pytest.mark.usefixtures("nothing_is_played")
def test_what_a_log_begins_with_is_checked(path: Path, header: dict[str, Any], sentence: str) -> None:
    rewrite(path, [NOON], **header)
    with pytest.raises(IomsimError) as error:
        iom.replay(path)
    assert sentence in str(error.value).replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"event": "dance"}, "line 3: no event 'dance'; there are announce, inconclusive, "),
        ({}, "line 3: no event None; "),
        ([], "line 3: an event is a table, such as "),
        ({"event": "withdraw"}, "line 3: 'name' is missing in 'withdraw'; write for instance 'withdraw Vitorino at "),
        ({"event": "withdraw", "name": "C"}, "line 3: no candidate named 'C'; there are A, B"),
        ({"event": "announce", "votes": {"C": 5}}, "line 3: no candidate named 'C'; there are A, B"),
        ({"event": "announce", "votes": {"A": 4.5}}, "line 3: votes for A must be a whole number or 'at least 90', "),
        ('{"event": "announce", "votes": {"A": 5, "A": 6}}', "line 3: 'A' stands twice; write it once"),
        ('{"event": "announce", "valid": NaN}', "line 3: NaN is no number"),
        pytest.param(LONG, "no log of an election day: line 3 is no table in JSON", id="long"),
        ('{"event": "anno', "is damaged or is no log of an election day: line 3 is no table in JSON"),
        pytest.param(DEEP, "no log of an election day: line 3 is no table in JSON", id="deep"),
    ],
)
@pytest.mark.usefixtures("nothing_is_played")
def test_a_log_is_read_whole_before_anything_is_played(path: Path, event: Any, sentence: str) -> None:
    rewrite(path, [NOON, event])
    with pytest.raises(FileError) as error:
        iom.replay(path)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"event": "announce", "votes": {"A": 10}}, "line 4: A cannot have 10 votes: only 9 members have a vote"),
        ({"event": "confirm", "yes": 1, "no": 2, "round": 7}, "line 4: the coming round is round 2, not 7"),
        ({"event": "withdraw", "name": "A", "at": "10:30"}, "line 4: Monday 10:30 is before the last event on "),
        ({"event": "adjourn", "until": "2099-01-01 10:00"}, "line 4: '2099-01-01 10:00' is more than a year after "),
    ],
)
def test_what_cannot_have_happened_is_named_by_its_line(path: Path, event: dict[str, Any], sentence: str) -> None:
    rewrite(path, [NOON, "", event])
    with pytest.raises(AnnouncementError) as error:
        iom.replay(path)
    assert sentence in str(error.value)


@pytest.mark.usefixtures("nothing_is_played")
def test_what_would_take_long_is_not_played_unless_it_is_asked_for(path: Path) -> None:
    rewrite(path, [NOON] * (MOST_EVENTS + 1))
    with pytest.raises(FileError, match=r"tells 2.001 events; a day has at most 2.000"):
        iom.replay(path)
    rewrite(path, [NOON] * 1000, particles=20_000)
    with pytest.raises(FileError, match=r"tells 1.000 events for 20.000 particles, which may take .* minutes to play "):
        iom.replay(path)
    rewrite(path, [NOON], particles=10**6)
    with pytest.raises(
        FileError, match=r"may take 1 minute to play again; replay\(path, patient=True\) does, or iomsim"
    ):
        iom.replay(path)


@pytest.mark.usefixtures("nothing_is_played")
def test_very_many_draws_of_the_assumptions_take_long_too(path: Path) -> None:
    rewrite(path, [NOON], assumptions=100_000, scenario=iom.dumps(toy(40)))
    with pytest.raises(
        FileError, match=r"1 event for 20 particles on 100.000 draws of the assumptions, which may take "
    ):
        iom.replay(path)


def test_who_is_patient_plays_it_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_of_a_day, "PATIENCE", 0.0)
    with pytest.raises(FileError, match="patient=True"):
        iom.replay(path)
    assert len(iom.replay(path, patient=True).events) == 1
    assert (iomsim("replay", path), iomsim("replay", path, "--patient")) == (2, 0)


def test_corrections_are_counted_with_what_is_played_again() -> None:
    tallies = [{"event": "announce", "votes": {}}] * 20
    plain = Logged(toy(9), 1000, 1, "fixed", tuple(tallies))
    first = Logged(toy(9), 1000, 1, "fixed", (*tallies, {"event": "correct", "round": 1}))
    last = Logged(toy(9), 1000, 1, "fixed", (*tallies, {"event": "correct", "round": 20}))
    assert seconds_to_play(plain) < seconds_to_play(last) < seconds_to_play(first)


def test_a_day_has_only_so_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(election_day, "MOST_EVENTS", 1)
    day = night_of(toy(9), particles=20, seed=1)
    day.apply(NOON)
    with pytest.raises(AnnouncementError, match="a day has at most 1 event"):
        day.tell("B withdraws")
    assert day.undo()


def test_editors_may_have_saved_it(path: Path) -> None:
    """With a mark at the beginning, other ends of lines, spaces, empty lines."""
    plain = path.read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n \n"))
    assert iom.replay(path).events == [NOON]
    path.write_bytes(plain + "é".encode("cp1252"))
    with pytest.raises(FileError, match="is not UTF-8; save it as UTF-8"):
        iom.replay(path)
    with pytest.raises(FileError, match="cannot read the log"):
        iom.replay(path.parent)


def test_logs_of_older_versions_have_no_draws(path: Path) -> None:
    rewrite(path, [NOON], format=2, assumptions="left out")
    assert iom.replay(path).assumptions == "fixed"


def test_figures_are_written_down_as_they_are_said(tmp_path: Path) -> None:
    day = night_of(toy(9), particles=20, seed=1, log=tmp_path / "day.log")
    day.apply({"event": "announce", "votes": {"A": ">=3", "B": "4"}, "valid": 8.0})
    assert day.events == [{"event": "announce", "votes": {"A": "at least 3", "B": 4}, "valid": 8}]
    assert read(tmp_path / "day.log")[0].events == tuple(day.events)


def test_a_swing_in_a_log_is_refused_as_on_the_day(path: Path) -> None:
    race = toy(9).swing(2, "all", "B")
    rewrite(path, [NOON], scenario=iom.dumps(race))
    with pytest.raises(IomsimError, match="replay takes a scenario without swings"):
        iom.replay(path)


# -- what is written ---------------------------------------------------------------------------------


@contextmanager
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the disk be full."""

    def refuse(path: Path, *_: Any, **__: Any) -> None:
        raise FileError(f"cannot write {str(path)!r}: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(log_of_a_day, "write_whole", refuse)
        yield


@pytest.mark.parametrize("line", ["B withdraws", "undo", "correct round 1: 6-3", "go on"])
def test_what_cannot_be_logged_has_not_happened(path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    day = iom.replay(path, path)
    belief, history, before = day.belief, day.history(), path.read_bytes()
    with full(monkeypatch), pytest.raises(IomsimError) as error:
        day.tell(line)
    if line != "go on":  # which the rules do not know
        assert str(error.value).startswith("cannot write ")
        assert "nothing has changed: day.log_to(another file), or day.log_to(None), goes on" in str(error.value)
    assert day.belief is belief
    assert day.events == [NOON]
    assert day.history().equals(history)
    assert path.read_bytes() == before
    with full(monkeypatch):
        day.log_to(None)
        if line != "go on":
            day.tell(line)


def test_the_log_moves_to_another_file_and_back(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = iom.replay(path, path)
    other = tmp_path / "other.log"
    with full(monkeypatch), pytest.raises(FileError, match="cannot write"):
        day.log_to(other)
    day.tell("B withdraws")  # is logged where it was
    assert len(iom.replay(path).events) == 2
    day.log_to(other)
    day.undo()
    assert (len(iom.replay(path).events), len(iom.replay(other).events)) == (2, 1)
    day.log_to(None)
    day.tell("A=6 B=3")
    assert len(iom.replay(other).events) == 1
    day.log_to(other)
    assert iom.replay(other).events == day.events


def test_nothing_of_others_is_written_over(path: Path, tmp_path: Path) -> None:
    mine = tmp_path / "scenario.toml"
    mine.write_text("title = 'mine'", encoding="utf-8")
    day = iom.replay(path)
    with pytest.raises(FileError, match="exists already"):
        day.log_to(mine)
    with pytest.raises(FileError, match="exists already"):
        iom.replay(path, log=mine)
    assert mine.read_text(encoding="utf-8") == "title = 'mine'"


def test_two_days_do_not_write_one_log(path: Path) -> None:
    one, two = iom.replay(path, path), iom.replay(path, path)
    one.tell("B withdraws")
    with pytest.raises(FileError, match=r"somebody else has written to '.*day.log'; log to another file; nothing has "):
        two.tell("A withdraws")
    assert two.events == [NOON]
    assert iom.replay(path).events == one.events
    path.unlink()  # a log that is gone is written anew
    one.undo()
    assert iom.replay(path).events == [NOON]


# -- past days ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DAYS)
def test_a_day_can_be_played_to_its_end(name: str) -> None:
    known = past_day(name)
    race = iom.load(known.scenario)
    night = iom.live(race, particles=400, seed=1)
    for event in known.events:
        assert event.grade in ("verified", "inferred", "recalled", "assumed")
        assert event.note
        assert event.source
        night.apply(event_of(event.say, race.names))
    assert night.forecast().answer().startswith("It is over")
    assert race.as_of is not None
    assert race.as_of < race.clock.opens.date()


def test_the_days_of_2018_and_2023_are_shipped() -> None:
    assert DAYS == ["2018", "2023"]
    with pytest.raises(UnknownNameError, match="did you mean '2023'"):
        past_day("2033")


def test_nothing_of_the_day_is_in_the_forecast_of_its_eve() -> None:
    """The first tally of 2023 and the registered voters are hindsight: no number of the scenario or its facts."""
    race = iom.load("geneva-2023")
    used = {part.strip() for q in race.parameters().values() for part in q.source.split(",")} | set(race.facts)
    facts = iom.facts()
    told = " ".join(facts.loc[sorted(used & set(facts.index)), "statement"])
    assert "98" not in told
    assert "67" not in told
    assert (facts.loc[sorted(used & set(facts.index)), "as_of"] <= "2023-05-14").all()
