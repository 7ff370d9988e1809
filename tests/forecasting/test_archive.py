"""A forecast in a file: the same bits, without pickle, and no damage goes unseen."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import elect, neutral, same, slow_but, unsure

import iomsim as iom
from iomsim.engine import simulate
from iomsim.forecasting import archive, checks, run
from iomsim.forecasting.arrays import digest
from iomsim.forecasting.tables import sides_columns
from iomsim.model.leanings import leanings

TABLES = ("win_probability", "rounds", "endings", "decided_at", "rule_sets")


def make(race: iom.Scenario, runs: int = 300, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=4, progress=False, **options)


def live() -> iom.Forecast:
    night = iom.live(iom.load("minimal"), particles=300, seed=3)
    night.announce(A=80, B=85)
    return night.forecast()


def alone() -> iom.Forecast:
    """Return a forecast of who is elected before the first round, for the other has withdrawn."""
    night = iom.live(neutral(), particles=60, seed=3, assumptions=5)
    night.withdraw("A")
    return night.forecast()


MAKERS = {
    "geneva": lambda: make(iom.load("geneva-2023")),
    "three": lambda: make(iom.load("iom-2018"), 100),
    "counts only": lambda: make(neutral(), keep="summary"),
    "whole cycles": lambda: make(unsure(names="ABC"), 100, assumptions=20),
    "fixed": lambda: make(unsure(), assumptions="fixed"),
    "nobody": lambda: make(elect("AAABBB", rules={"name": "strict", "max_rounds": 3}), 20),
    "own rules": lambda: make(neutral().with_rules("four-rounds", threshold="3/5", max_two_way=2), 100),
    "election day": live,
    "alone": alone,
}


@pytest.fixture(scope="module")
def forecasts() -> dict[str, iom.Forecast]:
    return {name: made() for name, made in MAKERS.items()}


@pytest.fixture(params=slow_but(MAKERS, "geneva", "counts only", "fixed", "nobody", "election day", "alone"))
def fc(request: pytest.FixtureRequest, forecasts: dict[str, iom.Forecast]) -> iom.Forecast:
    return forecasts[request.param]


@pytest.fixture
def saved(forecasts: dict[str, iom.Forecast], tmp_path: Path) -> Path:
    forecasts["nobody"].save(tmp_path / "fc.npz")
    return tmp_path / "fc.npz"


# -- there and back ---------------------------------------------------------------------------------------


def test_what_is_read_is_what_was_saved(fc: iom.Forecast, tmp_path: Path) -> None:
    fc.save(tmp_path / "fc.npz")
    again = iom.open_forecast(tmp_path / "fc.npz")
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(again, table)(), getattr(fc, table)(), check_exact=True)
    assert (again.outcomes is None) == (fc.outcomes is None)
    if fc.outcomes is not None and again.outcomes is not None:
        assert same(again.outcomes, fc.outcomes)
        pd.testing.assert_frame_equal(again.runs, fc.runs)
        pd.testing.assert_frame_equal(again.tallies, fc.tallies)
    assert (again.draws is None) == (fc.draws is None)
    if fc.draws is not None and again.draws is not None:
        pd.testing.assert_frame_equal(again.assumptions, fc.assumptions, check_exact=True)
        assert again.draws.readings == fc.draws.readings
        assert {path: list(x) for path, x in again.draws.parameters.items()} == {
            path: list(x) for path, x in fc.draws.parameters.items()
        }
    assert again.summary.draws == fc.summary.draws
    assert same(again.summary.examples, fc.summary.examples)
    for key in ("shares", "flows", "voting"):
        assert np.array_equal(getattr(again.summary, key), getattr(fc.summary, key))
    pd.testing.assert_frame_equal(again.summary.ends, fc.summary.ends)


def test_what_was_said_is_said_again(fc: iom.Forecast, tmp_path: Path) -> None:
    fc.save(str(tmp_path / "fc.npz"))
    again = iom.open_forecast(str(tmp_path / "fc.npz"))
    assert again.answer() == fc.answer()
    assert again.stamp() == fc.stamp()
    assert again.provenance == fc.provenance
    assert repr(again) == repr(fc)
    for key in ("seed", "version", "stopped", "announced", "events", "certain", "reached"):
        assert getattr(again, key) == getattr(fc, key), key
    assert again.race.hash == fc.race.hash
    assert repr(again.race) == repr(fc.race)
    assert again.spill("2023-12-24") == fc.spill("2023-12-24")


def test_a_saved_forecast_can_be_saved_again(fc: iom.Forecast, tmp_path: Path) -> None:
    fc.save(tmp_path / "one.npz")
    iom.open_forecast(tmp_path / "one.npz").save(tmp_path / "two.npz")
    assert contents(tmp_path / "one.npz") == contents(tmp_path / "two.npz")


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_why_it_stopped_and_what_was_announced_survive(tmp_path: Path) -> None:
    night = iom.live(neutral(), particles=100, seed=3, assumptions=20)
    night.announce(A=80, B=85, at="12:20")
    night.withdraw("A")
    why = "the 95\u202f% half-width of José reached 0.0050 <= 0.005"
    told = replace(night.forecast(), version="0.0.1", stopped=why, reached=740.5)
    told.save(tmp_path / "fc.npz")
    again = iom.open_forecast(tmp_path / "fc.npz")
    assert (again.version, again.stopped, again.announced) == ("0.0.1", why, 1)
    assert (again.events, again.certain, again.reached) == (tuple(night.events), True, 740.5)


def test_words_that_could_not_be_read_again_are_not_saved(forecasts: dict[str, iom.Forecast], tmp_path: Path) -> None:
    told = replace(forecasts["fixed"], stopped="\x1b[2J")
    with pytest.raises(iom.IomsimError, match=r"cannot save .* it says nothing that can be about its 'stopped'"):
        told.save(tmp_path / "fc.npz")
    assert not list(tmp_path.iterdir())


def test_rule_sets_are_kept_and_not_played_again(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "by_readings", lambda fc: pytest.fail("played again"))
    monkeypatch.setattr(simulate, "iter_spans", lambda *_: pytest.fail("played again"))
    assert len(iom.open_forecast(saved).rule_sets()) == 6  # the five readings and its own


def test_the_members_travel_inside(forecasts: dict[str, iom.Forecast], tmp_path: Path) -> None:
    """Another version may ship other members; the file must not depend on them."""
    forecasts["geneva"].save(tmp_path / "fc.npz")
    scenario = iom.open_forecast(tmp_path / "fc.npz").race
    assert scenario.electorate.members is None
    assert len(scenario.members) == 175
    pd.testing.assert_frame_equal(scenario.members, forecasts["geneva"].race.members)


def test_what_is_read_cannot_be_changed(saved: Path) -> None:
    again = iom.open_forecast(saved)
    assert again.outcomes is not None
    for array in (again.outcomes.votes, again.summary.shares):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_there_is_no_pickle_in_it(fc: iom.Forecast, tmp_path: Path) -> None:
    fc.save(tmp_path / "fc.npz")
    with np.load(tmp_path / "fc.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


# -- damage -------------------------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(iom.FileError) as error:
        iom.open_forecast(path)
    said = str(error.value)
    assert str(path) in said
    assert "\n" not in said
    assert "pickle" not in said
    return said


def rewritten(path: Path, **changes: Any) -> Path:
    """Write the arrays of a file anew, with some of them changed (or left out: None)."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays = {name: array for name, array in (arrays | changes).items() if array is not None}
    np.savez(path, **arrays)
    return path


def meta_of(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return json.loads(bytes(file["meta"]))


def as_meta(meta: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)


def test_any_flipped_byte_is_seen_or_harmless(saved: Path, forecasts: dict[str, iom.Forecast]) -> None:
    """Bytes such as the time stamp in the archive's directory mean nothing; all others are seen."""
    whole, refused = bytearray(saved.read_bytes()), 0
    places = np.random.default_rng(1).integers(0, len(whole), 150)
    for place in places:
        spoilt = whole.copy()
        spoilt[place] ^= 1 << int(place % 8)
        saved.write_bytes(spoilt)
        try:
            again = iom.open_forecast(saved)
        except iom.FileError:
            refused += 1
        else:
            assert again.outcomes is not None
            assert forecasts["nobody"].outcomes is not None
            assert same(again.outcomes, forecasts["nobody"].outcomes)
            assert again.answer() == forecasts["nobody"].answer()
    assert refused > 75


def test_a_change_that_the_archive_itself_does_not_see(saved: Path) -> None:
    with np.load(saved) as file:
        votes = file["outcomes.votes"].copy()
    votes[0, 0] += 1
    assert "content does not match its checksum" in refusal(rewritten(saved, **{"outcomes.votes": votes}))


@pytest.mark.slow
def test_a_change_in_any_array_is_seen(saved: Path) -> None:
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files if name != "digest"}
    whole = saved.read_bytes()
    alike = [name for name in arrays if name.startswith(("assumptions.", "played."))]
    for name, array in arrays.items():
        if array.size and name not in alike[1:-1]:
            other = array.copy()
            other.flat[-1] = other.flat[-1] + 1 if other.dtype.kind == "f" else other.flat[-1] ^ 1
            refusal(rewritten(saved, **{name: other}))
            saved.write_bytes(whole)
    refusal(rewritten(saved, extra=np.arange(3)))


def test_a_change_of_the_words_is_seen_too(saved: Path) -> None:
    meta = meta_of(saved) | {"seed": 5}
    assert "content does not match its checksum" in refusal(rewritten(saved, meta=as_meta(meta)))


@pytest.mark.parametrize("keep", [0, 1, 100, -100, -1])
def test_a_file_cut_off_is_seen(saved: Path, keep: int) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[:keep])
    assert "is damaged or is no saved forecast" in refusal(saved)


def test_foreign_files_are_seen(saved: Path) -> None:
    saved.write_text("winner,probability\nA,1\n", encoding="utf-8")
    assert "is damaged or is no saved forecast" in refusal(saved)
    np.savez(saved, a=np.arange(3))
    assert "is damaged or is no saved forecast" in refusal(saved)
    with open(saved, "wb") as file:
        np.save(file, np.arange(3))
    assert "is damaged or is no saved forecast" in refusal(saved)
    with open(saved, "wb") as file:
        np.save(file, np.array([{}], dtype=object))
    assert "is damaged or is no saved forecast" in refusal(saved)


# -- files with the right checksum that nobody saved --------------------------------------------------------


def crafted(path: Path, meta: dict[str, Any] | None = None, **changes: Any) -> Path:
    """Write a file anew with some of its words and arrays changed, and the checksum that goes with them."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "digest"}
    arrays["meta"] = as_meta(meta_of(path) | (meta or {}))
    arrays = {name: array for name, array in (arrays | changes).items() if array is not None}
    arrays["digest"] = np.frombuffer(digest(arrays), dtype=np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **arrays)
    return path


def array_of(path: Path, name: str) -> np.ndarray:
    with np.load(path) as file:
        return file[name].copy()


def changed(name: str, change: Callable[[np.ndarray], Any]) -> Callable[[Path], Path]:
    """Return what writes a file anew with one array changed."""
    return lambda path: crafted(path, **{name: np.asarray(change(array_of(path, name)))})


def put(name: str, place: Any, value: Any) -> Callable[[Path], Path]:
    """Return what writes a file anew with one number of an array changed."""

    def change(array: np.ndarray) -> np.ndarray:
        array[place] = value
        return array

    return changed(name, change)


def said(**words: Any) -> Callable[[Path], Path]:
    """Return what writes a file anew with other words."""
    return lambda path: crafted(path, words)


def sides(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Write a file anew with its table of readings changed."""
    table = meta_of(path)["rule_sets"]
    change(table)
    return crafted(path, {"rule_sets": table})


def rounds(number: int) -> dict[str, np.ndarray]:
    """Return the rounds of examples, which are packed well however many they are."""
    shapes = {"votes": (number, 2), "valid": (number,), "flows": (number, 2, 2)}
    return {f"examples.{key}": np.zeros(shape, dtype="<i2") for key, shape in shapes.items()}


CRAFTED: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "an object": ("fixed", changed("ends.count", lambda x: x.astype("S8")), "something else than arrays of numbers"),
    "big-endian": ("fixed", changed("ends.count", lambda x: x.astype(">i8")), "something else than arrays of numbers"),
    "structured": ("fixed", changed("ends.count", lambda x: x.view([("n", "<i8")])), "something else than arrays"),
    "unsigned": ("fixed", changed("ends.count", lambda x: x.astype("<u8")), "other numbers, or more or fewer"),
    "shorter": ("fixed", changed("ends.count", lambda x: x[1:]), "other numbers, or more or fewer"),
    "a row less": ("fixed", changed("outcomes.votes", lambda x: x[1:]), "other numbers, or more or fewer"),
    "turned": ("fixed", changed("outcomes.flows", lambda x: np.asfortranarray(x)), "something else than arrays"),
    "no runs": ("fixed", lambda path: crafted(path, **{"outcomes.draw": None}), "lacks 'outcomes.draw'"),
    "a bomb": ("counts only", lambda path: crafted(path, **rounds(9 * 40 + 1)), "more than its runs can come to"),
    "more": ("fixed", lambda path: crafted(path, extra=np.arange(3)), "belong into 'extra'"),
    "winner 7 of 2": ("counts only", put("ends.winner", -1, 7), "a way to end whose winner does not stand"),
    "ending 9": ("counts only", put("ends.ending", 0, 9), "whose ending does not go with its winner"),
    "won by nobody": ("counts only", put("ends.winner", -1, -1), "whose ending does not go with its winner"),
    "round 41": ("counts only", put("ends.rounds", -1, 41), "more rounds than the 40 that are simulated"),
    "no hour": ("counts only", put("ends.minute", -1, -1), "ends at a moment that cannot be"),
    "negative": ("counts only", put("ends.count", 0, -1), "do not add up to its 300 runs"),
    "fewer": ("counts only", put("ends.count", -1, 2), "do not add up to its 300 runs"),
    "draw 400": ("counts only", put("ends.draw", -1, 400), "a draw of the assumptions that is not there"),
    "one draw more": ("counts only", put("ends.draw", -1, 0), "counts an end twice, or out of order"),
    "voting": ("counts only", put("summary.voting", 0, 301), "counts more runs in a round than there are"),
    "shares": ("counts only", put("summary.shares", (0, 0, 0), 301), "counts more shares of the votes than runs"),
    "flows": ("counts only", put("summary.flows", (1, 0, 1), 10**9), "more members that go over than there are"),
    "example": ("counts only", put("examples.minute", 0, 5), "has an example that ends as none of its runs does"),
    "present": ("counts only", put("examples.present", 0, 999), "more or fewer than the 175 members present"),
    "example 41": ("counts only", put("examples.rounds", 0, 41), "has an example with more rounds"),
    "counted": ("fixed", changed("summary.shares", lambda x: x + 1), "counts other things than its runs are"),
    "another run": ("fixed", put("outcomes.present", 0, 0), "counts other things than its runs are"),
    "votes": ("fixed", put("outcomes.votes", (0, 0), 9999), "a round whose votes cannot be"),
    "valid": ("fixed", put("outcomes.valid", 0, 0), "a round of more votes than valid papers"),
    "not ahead": (
        "fixed",
        changed("outcomes.winner", lambda x: np.where(x < 0, x, 1 - x)),
        "was not ahead in its last",
    ),
    "no round": ("fixed", changed("examples.rounds", lambda x: x * 0), "of more or fewer rounds than there are"),
    "over": ("fixed", put("outcomes.flows", (0, 0, 1), 5), "members go over who cannot"),
    "many rounds": ("fixed", put("outcomes.rounds", 0, 30), "more or fewer rounds than there are"),
    "out of turn": (
        "whole cycles",
        changed("outcomes.draw", lambda x: x[::-1]),
        "another draw of the assumptions",
    ),
    "out of step": (
        "whole cycles",
        lambda path: crafted(
            path, {"stopped": "interrupted"}, **{"examples.draw": np.asarray(array_of(path, "examples.draw") + 1)}
        ),
        "an example that follows another draw",
    ),
    "missing": ("whole cycles", put("assumptions.behaviour.secrecy", 0, np.nan), "from beyond what it can be"),
    "beyond": ("whole cycles", put("assumptions.behaviour.secrecy", 0, 1.5), "from beyond what it can be"),
    "played": ("whole cycles", put("played.behaviour.secrecy", 0, 0.123), "plays another 'behaviour.secrecy' than it"),
    "a stranger": (
        "whole cycles",
        lambda path: crafted(path, **{"assumptions.x": array_of(path, "assumptions.behaviour.secrecy")}),
        "draws 'x', which its scenario does not have",
    ),
    "another reading": ("whole cycles", changed("played.readings", lambda x: 2 - x), "plays another reading of the"),
    "not played": ("whole cycles", put("played.candidates.A.appeal", 0, np.nan), "appeal' with what cannot be played"),
    "reading 9": ("whole cycles", put("reading.number", 0, 9), "a reading of the rules that its scenario does not"),
    "runs": ("fixed", said(runs=301), "other numbers, or more or fewer"),
    "runs 0": ("fixed", said(runs=0), "says nothing that can be about its 'runs'"),
    "runs in words": ("fixed", said(runs="300"), "says nothing that can be about its 'runs'"),
    "seed": ("fixed", said(seed=-1), "says nothing that can be about its 'seed'"),
    "seed of truth": ("fixed", said(seed=True), "says nothing that can be about its 'seed'"),
    "a stop": ("fixed", said(stopped="\x1b[2J"), "says nothing that can be about its 'stopped'"),
    "version": ("fixed", said(version="\u202e1"), "says nothing that can be about its 'version'"),
    "a key more": ("fixed", said(more=1), "says nothing that can be about its 'more'"),
    "no draws": ("fixed", said(assumptions=5), "lacks 'reading.number'"),
    "hash": ("fixed", said(hash="0" * 12), "holds another scenario than its hash says"),
    "no election": ("fixed", said(scenario="title = 5"), "holds no election: its scenario"),
    "no TOML": ("fixed", said(scenario="[" * 5000), "holds no election: its scenario is not valid TOML"),
    "elsewhere": (
        "fixed",
        said(scenario='electorate.members = "/etc/passwd.csv"\ncandidates = [{name = "A"}, {name = "B"}]'),
        "its scenario has its members in another file, '/etc/passwd.csv'",
    ),
    "known": ("fixed", said(certain=True), "knows what came, though nothing was announced"),
    "announced": ("election day", said(announced=9), "says that 9 rounds were announced"),
    "out": ("election day", said(out=["C"]), "says that 'C' is out, who does not stand"),
    "who is out wins": ("election day", said(out=["A"]), "has runs that elect somebody who is out"),
    "certain": ("election day", said(certain=True), "says that it is over, and has several winners"),
    "moment": ("election day", said(reached=-5), "says that it stands at minute -5"),
    "endless": ("election day", said(reached=float("inf")), "says that it stands at minute inf"),
    "no event": ("election day", said(events=[{"event": "x"}]), "tells an event that is none: no event 'x'"),
    "no sides": (
        "fixed",
        lambda path: sides(path, lambda x: x.update(index=[], data=[])),
        "another table of the readin",
    ),
    "columns": ("fixed", lambda path: sides(path, lambda x: x["columns"].reverse()), "another table of the readings"),
    "crooked": ("fixed", lambda path: sides(path, lambda x: x["data"][0].pop()), "about its 'rule_sets'"),
    "sides": (
        "fixed",
        lambda path: sides(path, lambda x: x["data"][0].__setitem__(0, 2)),
        "with numbers that cannot be",
    ),
    "sums": (
        "fixed",
        lambda path: sides(path, lambda x: x["data"][-1].__setitem__(0, 0.25)),
        "with numbers that cannot be",
    ),
    "names": ("fixed", lambda path: sides(path, lambda x: x["index"].reverse()), "has other chances under"),
    "other sides": (
        "fixed",
        lambda path: sides(path, lambda x: x["index"].__setitem__(0, "mine")),
        "other readings of",
    ),
}
"""What it is that a file holds, by a name: which forecast, what is done to its file, and what is said of it."""


@pytest.fixture(scope="module")
def files(forecasts: dict[str, iom.Forecast], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return saved forecasts as bytes."""
    path, out = tmp_path_factory.mktemp("saved") / "fc.npz", {}
    for name in {kind for kind, *_ in CRAFTED.values()}:
        forecasts[name].save(path)
        out[name] = path.read_bytes()
    return out


@pytest.mark.parametrize("name", CRAFTED)
def test_a_checksum_makes_no_forecast(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    """The checksum is no secret: what is in a file is held against the schema, the runs and the scenario."""
    kind, change, expected = CRAFTED[name]
    (tmp_path / "fc.npz").write_bytes(files[kind])
    said = refusal(change(tmp_path / "fc.npz"))
    assert expected in said
    assert "is damaged or is no saved forecast: it " in said


def test_a_file_written_anew_opens(files: dict[str, bytes], tmp_path: Path) -> None:
    """Guard: what changes files above changes nothing else."""
    for content in files.values():
        (tmp_path / "fc.npz").write_bytes(content)
        before = contents(tmp_path / "fc.npz")
        assert contents(crafted(tmp_path / "fc.npz")) == before


@pytest.mark.parametrize("meta", [[], 5, "x", {"format": "two"}, {}, None])
def test_a_file_whose_words_make_no_sense(saved: Path, meta: Any) -> None:
    assert "is damaged or is no saved forecast" in refusal(rewritten(saved, meta=as_meta(meta)))


@pytest.mark.parametrize("part", ["meta", "digest"])
def test_a_file_without_a_part(saved: Path, part: str) -> None:
    assert "is damaged or is no saved forecast" in refusal(rewritten(saved, **{part: None}))


def test_a_file_of_a_newer_version_asks_for_an_update(saved: Path) -> None:
    meta = meta_of(saved) | {"format": archive.FORMAT + 1, "version": "9.1"}
    said = refusal(rewritten(saved, meta=as_meta(meta)))
    assert f"was written by iomsim 9.1 in format {archive.FORMAT + 1}" in said
    assert f"this version reads formats up to {archive.FORMAT}, so update iomsim" in said


def test_a_file_of_format_2_lacks_the_intervals_of_readings(saved: Path) -> None:
    new = iom.open_forecast(saved)
    kept = {name: name for name in sides_columns(new.race.names)[: len(new.race.names) + 6]}
    kept |= {f"spill_{key}": key for key in ("low", "high", "mc_error")}
    order = [*new.race.names, *archive.OLD_SIDES]
    table = new.rule_sets()[list(kept)].rename(columns=kept)[order]
    old = iom.open_forecast(crafted(saved, {"format": 2, "rule_sets": table.to_dict(orient="split")})).rule_sets()
    pd.testing.assert_frame_equal(old[list(kept)], new.rule_sets()[list(kept)])
    assert list(old) == list(new.rule_sets())
    assert old.drop(columns=list(kept)).isna().all(axis=None)
    foreign = table.rename(columns={"spill": "spilt"}).to_dict(orient="split")
    said = refusal(crafted(saved, {"format": 2, "rule_sets": foreign}))
    assert "another table of the readings of its rules" in said


def test_a_file_of_an_older_version_says_that_it_has_no_draws(saved: Path) -> None:
    meta = meta_of(saved) | {"format": 1, "version": "0.1.0"}
    said = refusal(rewritten(saved, meta=as_meta(meta)))
    assert "was written by iomsim 0.1.0 in format 1, before assumptions were drawn" in said
    assert said.endswith("make the forecast again from its scenario")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.npz").endswith("gone.npz': No such file or directory")
    assert refusal(tmp_path).endswith("Is a directory")


def test_what_does_not_fit_into_memory_is_not_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SMALL", 1000)
    monkeypatch.setattr(archive, "free", lambda: 5e4)
    assert re.search(r"cannot read '.*': it takes \d+(\.\d)? MB of memory, 0\.05 MB are free$", refusal(saved))
    monkeypatch.setattr(archive, "free", lambda: 1e9)
    iom.open_forecast(saved)


def test_files_that_cannot_be_written(forecasts: dict[str, iom.Forecast], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(iom.FileError, match=r"cannot write '.*gone/fc\.npz': No such file or directory"):
        forecasts["nobody"].save(tmp_path / "gone" / "fc.npz")
    with pytest.raises(iom.FileError, match=r"cannot write '.*file': File exists"):
        forecasts["nobody"].to_csv(tmp_path / "file")


def test_counts_go_with_their_runs_and_with_their_draws(forecasts: dict[str, iom.Forecast]) -> None:
    fc, one = forecasts["whole cycles"], forecasts["counts only"]
    assert not list(checks.complaints(fc))  # a guard
    assert next(checks.complaints(replace(fc, outcomes=fc.all_outcomes.head(99)))) == (
        "says that it has 100 runs, and has 99"
    )
    ends = one.summary.ends.assign(draw=np.arange(300) + 1)
    said = next(checks.complaints(replace(one, summary=replace(one.summary, ends=ends))))
    assert said == "has draws of the assumptions with more or fewer runs than follow them in turn"


def test_what_could_not_be_opened_again_is_not_saved(forecasts: dict[str, iom.Forecast], tmp_path: Path) -> None:
    """A forecast under one of several readings has the runs of all, and its readings have other numbers."""
    whole = forecasts["whole cycles"]
    for part in (*whole.by_reading().values(), *replace(whole, outcomes=None).by_reading().values()):
        with pytest.raises(iom.FileError, match=r"cannot save this forecast as '.*fc\.npz': it is a part of"):
            archive.save(part, tmp_path / "fc.npz")
    assert not list(tmp_path.iterdir())


# -- tables as csv ------------------------------------------------------------------------------------------


def reread(path: Path, levels: int) -> pd.DataFrame:
    """Return a table as texts, with its first columns as the index: parsing numbers is the reader's affair."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.set_index(list(table)[:levels]) if levels else table


def test_csv_files_hold_the_tables(fc: iom.Forecast, tmp_path: Path) -> None:
    files = fc.to_csv(tmp_path / "new" / "folder")
    tables = {"answers": fc.to_frame()} | {name: getattr(fc, name)() for name in TABLES}
    tables |= {"evidence": fc.race.evidence(), "members": fc.race.members, "leanings": leanings(fc.race, fc.draws)}
    if fc.outcomes is not None:
        tables |= {"runs": fc.runs, "tallies": fc.tallies}
    assert [path.name for path in files] == [*(f"{name}.csv" for name in tables), "stamp.json"]
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {path.name for path in files}
    for name, table in tables.items():
        levels = 0 if name in ("answers", "members", "tallies") else table.index.nlevels
        again = reread(tmp_path / "new" / "folder" / f"{name}.csv", levels)
        assert list(again) == list(table)
        assert len(again) == len(table)
        for column in table:
            assert_same_column(again[column].tolist(), table[column])
        assert not levels or [*map(str, again.index)] == ["" if key is pd.NaT else str(key) for key in table.index]


def assert_same_column(texts: list[str], column: pd.Series) -> None:
    if pd.api.types.is_datetime64_any_dtype(column):
        read = pd.DatetimeIndex(texts).astype("datetime64[s]")  # older pandas tells missing seconds from nanoseconds
        pd.testing.assert_index_equal(read, pd.DatetimeIndex(column), check_names=False)
    elif pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        assert texts == column.astype(object).where(column.notna(), "").astype(str).tolist()
    else:
        assert np.array_equal([float(text or "nan") for text in texts], column.to_numpy(float), equal_nan=True)


def test_the_stamp_in_json(forecasts: dict[str, iom.Forecast], tmp_path: Path) -> None:
    fc = forecasts["geneva"]
    fc.to_csv(tmp_path)
    assert json.loads((tmp_path / "stamp.json").read_text(encoding="utf-8")) == fc.provenance


def test_runs_can_be_left_out(forecasts: dict[str, iom.Forecast], tmp_path: Path) -> None:
    files = forecasts["geneva"].to_csv(tmp_path, runs=False)
    assert not {"runs.csv", "tallies.csv"} & {path.name for path in files}
