"""Registrations: what is in the file, that nothing in it can be changed unseen, and that it is scored as written."""

from __future__ import annotations

import hashlib
import random
import re
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import elect, slow_but, toy

import iomsim as iom
from iomsim import files
from iomsim.errors import FileError, IomsimError
from iomsim.registered import sealed
from iomsim.registered.register import HEAD, _parts, _time
from iomsim.rules.procedure import ENDINGS

EVE = datetime(2023, 5, 14, 18, tzinfo=UTC)
PARTS = ("forecast", "tables", "law", "assumptions", "scenario")

ODD = iom.loads(
    'title = "It\'s \'\'\' a \\"test\\" \\u200f"\nabout = "checksum = 1\\n# == law ==\\n# == seal ==\\n"\n'
    "electorate.size = 9\n"
    'candidates = [{name = "A \'\'\'"}, {name = "B=1, \\"2\\""}]'
)
"""Names and texts that look like something else."""

RACES = {
    "two": toy(),
    "three": toy(names="ABC", rules="until-two-thirds"),
    "five, four rounds": toy(size=21, names="ABCDE", rules="four-rounds"),
    "readings": toy().with_readings({"strict": 0.3, "four-rounds": 0.7}),
    "deadline": toy(size=30, clock={"opens": "2023-05-15T10:00:00", "deadline": "2023-05-15T17:00:00"}),
    "stuck": toy(size=30, behaviour=dict.fromkeys(("openness_fluid", "openness_entrenched", "openness_inf"), 0)),
    "fails": elect("AAABBB", rules="four-rounds"),
    "at night": toy(
        clock={"opens": "2023-05-15T20:00:00", "sittings": [["20:00", "02:00"]], "timezone": "America/New_York"}
    ),
    "odd": ODD,
}


def registered(race: Any, path: Path, **options: Any) -> iom.Registration:
    known = {"runs": 300, "seed": 4, "at": EVE} if isinstance(race, iom.Scenario) else {"at": EVE}
    return iom.register(race, path, progress=False, **{**known, **options})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> iom.Registration:
    return registered(RACES["three"], tmp_path_factory.mktemp("told") / "three.toml")


@pytest.fixture
def text(told: iom.Registration) -> str:
    return told.path.read_text(encoding="utf-8")


# -- what is in it -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "assumptions"), [*((name, 20) for name in RACES), ("readings", "fixed"), ("deadline", "fixed")]
)
def test_the_law_is_that_of_the_forecast(name: str, assumptions: Any, tmp_path: Path) -> None:
    race = RACES[name]
    fc = iom.forecast(race, 300, 4, assumptions=assumptions, progress=False)
    found = registered(race, tmp_path / "x.toml", assumptions=assumptions)
    law = found.law
    chances = fc.chances()["probability"]
    assert list(law.outcomes) == chances.index.tolist()
    assert law.winner == pytest.approx(chances.to_numpy())
    assert law.next_day_chance == pytest.approx(fc.spill().value)
    assert np.average(np.arange(law.rounds.size), weights=law.rounds) == pytest.approx(fc.runs["rounds"].mean())
    ended = fc.runs["ended_at"].dropna()
    assert law.ended.weights.sum() == len(ended)
    moments = [law.moment(minute) for minute in np.repeat(law.ended.values, law.ended.weights)]
    assert moments == sorted(ended.dt.to_pydatetime().tolist())
    assert law.ending == pytest.approx(fc.endings()["probability"].groupby("ending").sum()[list(ENDINGS)].to_numpy())
    assert found.table()["probability"].to_numpy() == pytest.approx(law.winner, abs=1e-6)
    tally = fc.tallies.query("round == 1").groupby("candidate", observed=True)["share"].mean()
    for candidate, shares in law.shares.items():
        assert np.average(shares.values, weights=shares.weights) == pytest.approx(100 * tally[candidate], abs=0.13)


@pytest.mark.parametrize("name", slow_but([*RACES, "minimal", "iom-2018"], "readings", "odd", "iom-2018"))
def test_the_scenario_in_the_file_is_the_one_that_was_forecast(name: str, tmp_path: Path) -> None:
    race = RACES[name] if name in RACES else iom.load(name)
    found = registered(race, tmp_path / "x.toml", runs=50)
    text = tomllib.loads(found.path.read_text(encoding="utf-8"))["scenario"]["text"]
    assert iom.loads(text).hash == race.hash == found.content["scenario_hash"] == found.race.hash
    again = iom.forecast(iom.loads(text), found.runs, found.seed, progress=False)
    assert again.chances()["probability"].to_numpy() == pytest.approx(found.law.winner)


def test_a_forecast_that_was_saved_gives_the_same_file(tmp_path: Path) -> None:
    race = RACES["readings"]
    one = registered(race, tmp_path / "one.toml")
    iom.forecast(race, 300, 4, progress=False).save(tmp_path / "saved")
    other = registered(iom.open_forecast(tmp_path / "saved"), tmp_path / "other.toml")
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.checksum == other.checksum


def test_only_the_time_differs(tmp_path: Path) -> None:
    one, other = (registered(toy(), tmp_path / f"{d}.toml", at=EVE + timedelta(days=d)) for d in (0, 1))
    lines = [found.path.read_text(encoding="utf-8").splitlines() for found in (one, other)]
    differ = [a.split(" = ")[0] for a, b in zip(*lines, strict=True) if a != b]
    assert differ == ["registered", "parts", "checksum"]


def test_the_time_is_utc_and_says_where_it_is_from(tmp_path: Path) -> None:
    west = datetime(2023, 5, 14, 13, 30, 59, 5, tzinfo=timezone(timedelta(hours=-5)))
    given = registered(toy(), tmp_path / "given.toml", at=west)
    assert given.registered == datetime(2023, 5, 14, 18, 30, 59, tzinfo=UTC)
    assert "registered = 2023-05-14T18:30:59Z\n" in given.path.read_text(encoding="utf-8")
    assert given.content["time_is"].startswith("given")
    naive = registered(toy(), tmp_path / "naive.toml", at=datetime(2023, 5, 14, 18))
    assert naive.registered == EVE
    now = registered(toy(), tmp_path / "now.toml", at=None)
    assert abs(now.registered - datetime.now(UTC)) < timedelta(minutes=5)
    assert now.content["time_is"] == "the machine's clock"


def test_hindsight_is_told_by_the_clock_of_the_seat(tmp_path: Path) -> None:
    race = RACES["at night"]  # opens at midnight, UTC
    opened = datetime(2023, 5, 16, 0, 0, tzinfo=UTC)
    before, after = (
        registered(race, tmp_path / f"{m}.toml", at=opened + timedelta(minutes=m), runs=50) for m in (-1, 0)
    )
    assert before.opened == opened
    assert (before.hindsight, after.hindsight) == (False, True)
    assert "hindsight" in after.sentence()
    assert "hindsight" not in before.sentence()


def test_geneva_says_what_is_not_known(tmp_path: Path) -> None:
    found = registered(iom.load("geneva-2023"), tmp_path / "x.toml", runs=400)
    said = " ".join(found.not_known)
    for part in (
        "Pope's first-round level 0.5 (0.44 to 0.56) share [assumed]",
        "Washington's strength",
        "until-two-thirds 55, four-rounds 20",
        "Recalled from memory and not read in a source: Fifteen members are major non-NATO allies",
        "facts are inferred",
        "400 runs",
        "compromise candidate",
    ):
        assert part in said
    assert "three or more" not in said
    rows = tomllib.loads(found.path.read_text(encoding="utf-8"))["assumptions"]
    assert {row["id"] for row in rows["facts"]} > {"members-175", "tight-race"}
    assert {row["parameter"] for row in rows["parameters"]} == set(found.race.evidence().index)


def test_what_is_not_known_of_others(tmp_path: Path) -> None:
    three = " ".join(registered(RACES["three"], tmp_path / "3.toml", assumptions="fixed").not_known)
    assert "never among three or more" in three
    assert "best guesses alone" in three
    assert "Nothing is known of single members: the 15" in three
    race = iom.loads(
        'candidates = [{ name = "A" }, { name = "B" }]\n'
        'electorate.table = [{ name = "x", aid = 1 }, { name = "y", aid = nan }, { name = "z", aid = 3 }]\n'
        'sponsors = [{ name = "W", backs = "A", strength = 1.0, exposure = { "log1p(aid)" = 1.0 } }]'
    )
    assert "ot known for 1 of 3 members, who count as the mean of the others: y." in " ".join(
        registered(race, tmp_path / "aid.toml").not_known
    )


def test_an_election_day_is_registered_with_what_was_announced(tmp_path: Path) -> None:
    day = iom.live(iom.load("minimal"), 500, 1, assumptions=20)
    day.tell("A=70 B=75")
    fc = day.forecast()
    found = registered(fc, tmp_path / "day.toml")
    assert found.content["announced"] == ["A 70, B 75"]
    assert found.law.announced == 1
    assert found.law.rounds[0] == 0
    score = iom.score(found, winner="B", rounds=2, first=[40, 120])
    assert score.table().loc["next tally, CRPS"].notna().sum() == 2
    tally = fc.tallies.query("round == 2 and candidate == 'A' and kind == 'ballot'")["share"]
    shares = found.law.shares["A"]
    assert np.average(shares.values, weights=shares.weights) == pytest.approx(100 * tally.mean(), abs=0.13)
    to_come = fc.runs["rounds"] - 1
    below = np.array([(to_come <= r).mean() for r in range(10)])
    wanted = ((below - (np.arange(10) >= 1)) ** 2).sum()
    assert score.table().loc["rounds, RPS", "forecast"] == pytest.approx(wanted)
    with pytest.raises(IomsimError, match="rounds must be a whole number of at least 1"):
        iom.score(found, winner="B", rounds=0)
    with pytest.raises(IomsimError, match="no tally can have come after the registration if one round were held"):
        iom.score(found, winner="B", rounds=1, first=[40, 120])


def test_what_is_over_is_not_registered(tmp_path: Path) -> None:
    day = iom.live(elect("AAAAAAABB"), 50, 1, assumptions="fixed")
    day.tell("A=7 B=2")
    with pytest.raises(IomsimError, match="nothing is left to forecast"):
        registered(day.forecast(), tmp_path / "x.toml")
    assert not list(tmp_path.iterdir())


# -- the file ----------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileError, match="exists already and is not overwritten"):
        registered(toy(), path)
    (tmp_path / "loose.toml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError, match="exists"):
        registered(toy(), tmp_path / "loose.toml")
    assert path.read_text(encoding="utf-8") == "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["loose.toml", "x.toml"]


def test_what_comes_up_meanwhile_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.toml"
    real = files.os.fsync
    monkeypatch.setattr(files.os, "fsync", lambda handle: (path.write_text("first", encoding="utf-8"), real(handle)))
    with pytest.raises(FileError, match="exists"):
        registered(toy(), path)
    assert path.read_text(encoding="utf-8") == "first"
    assert [one.name for one in tmp_path.iterdir()] == ["x.toml"]


def test_half_a_file_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(FileError, match=r"cannot write '.*x\.toml': No space left on device"):
        registered(toy(), tmp_path / "x.toml")
    assert not list(tmp_path.iterdir())


def test_where_files_have_one_name_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", refuse)
    registered(toy(), tmp_path / "x.toml")
    assert [one.name for one in tmp_path.iterdir()] == ["x.toml"]


@pytest.mark.parametrize(
    ("race", "options", "said"),
    [
        ("geneva-2023", {}, "register takes a Scenario or a Forecast, got str"),
        (None, {"at": "yesterday"}, "at is the time of registration, a datetime, got 'yesterday'"),
        (None, {"runs": 0}, "runs must be a whole number of at least 1, got 0"),
        (None, {"assumptions": "many"}, "assumptions must be a number of draws, or 'fixed', got 'many'"),
    ],
)
def test_what_makes_no_sense_is_refused(race: Any, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(IomsimError) as refused:
        iom.register(race or toy(), tmp_path / "x.toml", progress=False, **options)
    assert str(refused.value) == said
    assert not list(tmp_path.iterdir())


def test_a_forecast_is_made_already(tmp_path: Path) -> None:
    fc = iom.forecast(toy(), 50, 1, progress=False)
    with pytest.raises(IomsimError, match="the forecast is made already; leave out runs and seed, or give the"):
        iom.register(fc, tmp_path / "x.toml", runs=5, seed=1)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read '.*none\.toml': No such file or directory"):
        iom.registration(tmp_path / "none.toml")
    with pytest.raises(FileError, match="cannot read"):
        iom.registration(tmp_path)
    with pytest.raises(FileError, match="cannot write"):
        registered(toy(), tmp_path / "no" / "folder.toml")


# -- the seal ----------------------------------------------------------------------------------------------


def test_the_checksum_is_that_of_all_lines_but_the_last(told: iom.Registration) -> None:
    body, _, last = told.path.read_bytes().removesuffix(b"\n").rpartition(b"\n")
    assert hashlib.sha256(body + b"\n").hexdigest() == told.checksum
    assert last == f'checksum = "{told.checksum}"'.encode()
    said = subprocess.run(f"sed '$d' '{told.path}' | sha256sum", shell=True, capture_output=True, text=True, check=True)
    assert said.stdout.split()[0] == told.checksum
    assert told.short == told.checksum[:12]


def refused(raw: bytes, path: Path) -> str:
    """Return the sentence with which bytes are refused as a registration."""
    path.write_bytes(raw)
    with pytest.raises(FileError) as error:
        iom.registration(path)
    said = str(error.value)
    assert "\n" not in said
    return said


def test_the_first_part_that_does_not_agree_is_named(text: str, tmp_path: Path) -> None:
    starts = [text.index(f"# == {name} ==") for name in (*PARTS, "seal")]
    for name, start, end in zip(PARTS, starts, starts[1:], strict=False):
        place = text.index("=", start + 20 + len(name), end)
        for changed in (text[:place] + text[place + 1 :], f"{text[:place]}#{text[place:]}"):
            said = refused(changed.encode(), tmp_path / "x.toml")
            assert said.endswith(
                f"was changed after it was sealed: the first part that does not agree with its hash is {name!r}"
            )
    both = text.replace("seed = 4", "seed = 5").replace("max_rounds", "max_round")
    assert "'forecast'" in refused(both.encode(), tmp_path / "x.toml")
    # the comment at the top belongs to the first part
    assert "'forecast'" in refused(text.replace("# A reg", "# a reg").encode(), tmp_path / "x.toml")


def test_the_seal_itself(text: str, told: iom.Registration, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    other = "0" * 64
    assert f"its checksum says {other[:12]}, and the content has {told.short}" in refused(
        text.replace(told.checksum, other).encode(), path
    )
    assert "only its line ends were" in refused(text.removesuffix("\n").encode(), path)
    assert "is not the checksum" in refused(text.encode() + b"# more\n", path)
    assert "only its line ends were" in refused(text.replace("\n", "\r\n").encode(), path)
    assert "only its line ends were" in refused(text.encode() + b"\n", path)
    assert "a line '# == seal ==' is missing" in refused(text[: len(text) // 2].encode(), path)
    assert "a line '# == seal ==' is missing" in refused(b"", path)
    assert "a line '# == seal ==' is missing" in refused(b"\x89PNG\x00\xff", path)


HIDDEN = [
    "\N{ZERO WIDTH SPACE}",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "\N{NO-BREAK SPACE}",
    "\N{BYTE ORDER MARK}",
    "\N{COMBINING ACUTE ACCENT}",
]


@pytest.mark.parametrize("sign", HIDDEN)
def test_signs_that_nobody_sees_are_seen(sign: str, text: str, tmp_path: Path) -> None:
    for place in (0, text.index("title") + 9, text.index("# == law"), len(text) // 2, len(text) - 70, len(text)):
        refused((text[:place] + sign + text[place:]).encode(), tmp_path / "x.toml")


def test_every_byte_counts(text: str, tmp_path: Path) -> None:
    raw, rng = text.encode(), random.Random(7)
    for _ in range(300):
        place, kind = rng.randrange(len(raw)), rng.randrange(4)
        byte = bytes([rng.choice([b for b in range(256) if b != raw[place]])])
        changed = [
            raw[:place] + byte + raw[place + 1 :],
            raw[:place] + raw[place + 1 :],
            raw[:place] + byte + raw[place:],
            raw[:place],
        ][kind]
        refused(changed, tmp_path / "x.toml")


def resealed(text: str) -> bytes:
    """Return a text with hashes and checksum made anew, as a forger would."""
    head, rest = HEAD, text
    parts = {}
    for name in PARTS:
        _, _, rest = rest.partition(f"# == {name} ==\n")
        parts[name] = rest.partition("\n\n# == ")[0]
    return sealed.sealed(head, parts).encode()


def test_a_forger_can_make_the_seal_anew(text: str, told: iom.Registration, tmp_path: Path) -> None:
    """What a hash cannot prove: that is why it is published."""
    assert resealed(text) == text.encode()
    path = tmp_path / "x.toml"
    path.write_bytes(resealed(text.replace("registered = 2023-05-14T18:00:00Z", "registered = 2022-01-01T00:00:00Z")))
    assert iom.registration(path).registered.year == 2022
    assert iom.registration(path).checksum != told.checksum


def keys(table: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every key of a document, those of its lists too."""
    for key, value in table.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from keys(value, (*path, key))
        elif isinstance(value, list):
            for i, part in enumerate(value[:2]):
                if isinstance(part, dict):
                    yield from keys(part, (*path, key, i))


FORGED = [
    ("runs = 300", "runs = 301"),
    ("runs = 300", 'runs = "300"'),
    ("runs = 300", "runs = true"),
    ("runs = 300", "runs = -1"),
    ("format = 1", "format = 2"),
    ("format = 1", "forma = 1"),
    ('scenario_hash = "', 'scenario_hash = "f'),
    ("[law]", "[la]"),
    ("[scenario]", "[scenari]"),
    ('winner = "B"', 'winner = "Z"'),
    ('ending = "majority"', 'ending = "by lot"'),
    ("most_rounds = 40", "most_rounds = 1"),
    ("announced = 0", "announced = 0.5"),
    ("opens = 2023-05-15T10:00:00", "opens = 2023-05-16T10:00:00"),
    ("opens = 2023-05-15T10:00:00", "opens = 10"),
    ('timezone = "Europe/Zurich"', 'timezone = "Europe/Zuric"'),
    ('timezone = "Europe/Zurich"', 'timezone = "../../etc/passwd"'),
    ("latest = 2023", "latest = 1999"),
    ("not_known = [", "not_known = [1,"),
    ("registered = 2023-05-14T18:00:00Z", "registered = 2023-05-14"),
    ('candidate = "C"', 'candidate = "D"'),
    ('name = "A"', 'name = "Q"'),
    ("most_rounds = 40", "most_rounds = 1000000000000"),
    ("entitled = ", "entitled = 9999999"),
    ("next_day = 2023", "next_day = 2033"),
    ("latest = 2023", "latest = 2123"),
    ("mc_error = ", "error = "),
    ('answer = "', 'answer = "\\u001b'),
    ("registered = 2023-05-14T18:00:00Z", 'registered = "2023-05-14T18:00:00Z"'),
]


@pytest.mark.parametrize(("said", "instead"), FORGED)
def test_what_is_sealed_but_makes_no_sense_is_refused(said: str, instead: str, text: str, tmp_path: Path) -> None:
    assert said in text
    told = refused(resealed(text.replace(said, instead)), tmp_path / "x.toml")
    assert "sealed, but not as iomsim writes a registration" in told or "this version reads format 1" in told


def test_counts_that_do_not_add_up_are_refused(text: str, tmp_path: Path) -> None:
    for block in re.findall(r"\[\[law\.(?:ways|ended|next_tally)\]\]\n(?:.*\n)*?\w+ = '''\n(?:.*\n)*?'''", text):
        number = re.search(r"'''\n(\S+) (\d+)", block)
        assert number
        more = block.replace(number[0], f"'''\n{number[1]} {int(number[2]) + 1}", 1)
        if "next_tally" in block:
            more = block.replace(number[0], f"'''\n101.5 {number[2]}", 1)
        for changed in (
            more,
            block.replace(number[0], f"'''\n{number[1]} -1", 1),
            block.replace(number[0], "'''\nx", 1),
        ):
            assert "sealed, but" in refused(resealed(text.replace(block, changed)), tmp_path / "x.toml")


def test_the_tables_cannot_say_something_else_than_the_law(text: str, tmp_path: Path) -> None:
    row = re.search(r'winner = "A", probability = ([0-9.]+)', text)
    assert row
    changed = text.replace(row[0], row[0].replace(row[1], f"{float(row[1]) + 0.01:.6f}"), 1)
    assert "its table of who wins is not what its law comes to" in refused(resealed(changed), tmp_path / "x.toml")


def test_there_is_one_row_for_each_outcome(text: str, tmp_path: Path) -> None:
    more = text.replace("who_wins = [\n", 'who_wins = [\n    { winner = "Q", probability = 0.0, mc_error = 0.0 },\n')
    assert "has not a row for each outcome" in refused(resealed(more), tmp_path / "x.toml")


def test_all_outcomes_have_a_range_or_none(text: str, tmp_path: Path) -> None:
    row = re.search(r'winner = "A", probability = [0-9.]+(, low = [0-9.]+, high = [0-9.]+)?', text)
    assert row
    bare = row[0].removesuffix(row[1] or "")
    changed = text.replace(row[0], bare if row[1] else f"{bare}, low = 0.1, high = 0.9", 1)
    assert "some outcomes have a range, and others none" in refused(resealed(changed), tmp_path / "x.toml")


def test_shares_are_of_no_more_runs_than_there_are(text: str, tmp_path: Path) -> None:
    block = re.search(r"(\[\[law\.next_tally\]\]\n.*\nruns = '''\n\S+) \d+", text)
    assert block
    changed = text.replace(block[0], f"{block[1]} 300", 1)
    assert "the shares add up to more than 300 runs" in refused(resealed(changed), tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("said", "instead"),
    [("opens = 2023-05-15T10:00:00", "opens = 2023-05-15T09:00:00"), ('"A",\n    "B",', '"B",\n    "A",')],
    ids=["opens", "order"],
)
def test_the_scenario_is_that_of_the_law(said: str, instead: str, text: str, tmp_path: Path) -> None:
    above, law = text.split("[law]\n")
    assert said in law
    changed = f"{above}[law]\n{law.replace(said, instead, 1)}"
    assert "its scenario is not that of its law" in refused(resealed(changed), tmp_path / "x.toml")


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))]
)  # thirty of each kind
def test_whatever_a_forger_writes_is_fine_or_refused_in_a_sentence(seed: int, text: str, tmp_path: Path) -> None:
    rng, path = random.Random(seed), tmp_path / "x.toml"
    lines = text[: text.index("# == scenario")].splitlines(keepends=True)
    rest = text[text.index("# == scenario") :]
    plain = [i for i, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    refusals = []
    for _ in range(30):
        changed, i = list(lines), rng.choice(plain)
        key, _, value = changed[i].partition(" = ")
        odd = rng.choice(
            ["", "1", "-1", "1e999", "nan", '"x"', "[]", "{}", "true", "2023-05-15", "'''\n'''", value[::-1]]
        )
        changed[i] = rng.choice(
            [f"{key} = {odd}\n", "", changed[i] * 2, f"x{changed[i]}", changed[i].replace("0", "9")]
        )
        path.write_bytes(resealed("".join(changed) + rest))
        try:
            found = iom.registration(path)
            iom.score(found, winner="A", rounds=2, ended="Monday 16:00").post_mortem()
        except IomsimError as error:
            refusals.append(str(error))
    assert refusals
    assert not [said for said in refusals if "\n" in said or str(path) not in said]


def test_another_version_reads_it(text: str, tmp_path: Path) -> None:
    """A later version may count other things into the hash of a scenario; it scores all the same."""
    path = tmp_path / "x.toml"
    old = re.sub(r'version = "[^"]*"', 'version = "9.9"', text, count=1).replace(
        'scenario_hash = "', 'scenario_hash = "f'
    )
    path.write_bytes(resealed(old))
    assert iom.score(path, winner="A", rounds=2).table().loc["winner, log", "forecast"] > 0


def test_the_text_of_a_file_can_be_made_without_one() -> None:
    fc = iom.forecast(ODD, 50, 1, progress=False)
    parts = _parts(fc, *_time(EVE))
    assert tuple(parts) == PARTS
    assert sealed.unseal(sealed.sealed(HEAD, parts).encode(), "x")
