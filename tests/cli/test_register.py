"""`iomsim register` and `iomsim score`, as somebody types them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import SMALL, Captured, iomsim

import iomsim as iom
from iomsim.registered.scorebook import read

SMALL_RACE = iom.loads(
    'title = "small"\nelectorate = { size = 21 }\ncandidates = [{ name = "A" }, { name = "B C" }]\n'
    "clock = { opens = 2199-05-15T10:00:00 , timezone = 'Asia/Tokyo' }"
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return the file of a small election that is to come."""
    path = tmp_path / "small.toml"
    SMALL_RACE.save(path)
    return path


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registered")
    SMALL_RACE.save(folder / "small.toml")
    assert iomsim("register", folder / "small.toml", "-o", folder / "mine.toml", *SMALL) == 0
    return folder / "mine.toml"


@pytest.fixture
def mine(registered: Path, tmp_path: Path) -> Path:
    """Return the file of a registered forecast, to be scored or changed."""
    return Path(shutil.copy(registered, tmp_path))


def test_what_is_to_be_published_is_printed(small: Path, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "mine.toml"
    assert iomsim("register", small, "-o", path, *SMALL) == 0
    out, err = capsys.readouterr()
    told = iom.registration(path)
    assert out.splitlines()[-2:] == [f"publish   {told.short}", f"in full   {told.checksum}"]
    assert "What is not known" in out
    assert "hindsight" not in out
    assert err == ""
    assert (told.runs, told.seed, told.race.hash) == (300, 5, iom.load(small).hash)


def test_the_scenario_is_changed_as_for_a_forecast(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    words = ("--set", "secrecy=0.2", "--rules", "strict", "--assumptions", "fixed")
    assert iomsim("register", small, "-o", path, *SMALL, *words) == 0
    told = iom.registration(path)
    assert told.content["draws"] == "fixed"
    assert told.race.hash == iom.load(small).with_rules("strict").with_behaviour(secrecy=0.2).hash


def test_a_name_is_made_up(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.chdir(tmp_path)
    assert iomsim("register", small, *SMALL) == 0
    assert "small-2199-05-15.registration.toml is registered" in capsys.readouterr().out
    assert iomsim("register", small, *SMALL) == 2
    assert "is not overwritten; give another name" in capsys.readouterr().err


def test_hindsight_is_said(tmp_path: Path, capsys: Captured) -> None:
    assert iomsim("register", "minimal", "-o", tmp_path / "x.toml", *SMALL) == 0
    assert "This is hindsight: voting had opened by then." in capsys.readouterr().out


@pytest.mark.slow
def test_a_score_prints_what_came_and_keeps_a_line(mine: Path, tmp_path: Path, capsys: Captured) -> None:
    ledger = tmp_path / "scores.csv"
    words = ("--winner", "B C", "--rounds", 2, "--ended", "2199-05-15 12:20", "--first", "A=9", "B C=12")
    assert iomsim("score", mine, *words, "--market", "A=0.55", "B C=50%", "--ledger", ledger) == 0
    out, err = capsys.readouterr()
    found = iom.score(
        mine, winner="B C", rounds=2, ended="2199-05-15 12:20", first=[9, 12], market={"A": 0.55, "B C": 0.5}
    )
    assert found.post_mortem()[:].split(". ")[0] in " ".join(out.split())
    assert "The prices add up to 1.05 and were divided by that." in " ".join(out.split())
    for score in found.table().index:
        assert score in out
    assert out.rstrip().endswith(f"a line in {ledger}, registration {found.registration.short}")
    assert err == ""
    assert iomsim("score", ledger) == 0
    assert "leader at 0.8" in capsys.readouterr().out
    assert iomsim("score", mine, *words, "--ledger", ledger) == 2
    assert "--again" in capsys.readouterr().err
    assert iomsim("score", mine, *words, "--ledger", ledger, "--again") == 0


def test_plain_votes_are_those_of_the_candidates_in_their_order(mine: Path, capsys: Captured) -> None:
    said = []
    for told in (("--first", "9", "12"), ("--first", "A=9", "B C=12"), ("--share", "A=0.428571428571")):
        assert iomsim("score", mine, "--winner", "A", *told, "--no-ledger") == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].splitlines()[0] == said[2].splitlines()[0]
    assert not mine.with_name("scores.csv").exists()


def test_the_ledger_lies_beside_the_registration(mine: Path, capsys: Captured) -> None:
    ledger = mine.with_name("scores.csv")
    assert iomsim("score", mine, "--winner", "A", "--again") == 2
    assert "has no line of registration" in capsys.readouterr().err
    assert not ledger.exists()
    assert iomsim("score", mine, "--winner", "A") == 0
    assert len(read(ledger)) == 1
    assert iomsim("score", mine, "--winner", "A") == 2
    out, err = capsys.readouterr()
    assert "winner, log" in out
    assert "--again" in err
    assert len(read(ledger)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--winner", "Z"), "no outcome named 'Z'"),
        (("--winner", "A", "--market", "A"), "--market takes NAME=NUMBER, got 'A'"),
        (("--winner", "A", "--market", "A=x"), "--market takes NAME=NUMBER, got 'A=x'"),
        (("--winner", "A", "--market", "=0.5"), "--market takes NAME=NUMBER, got '=0.5'"),
        (("--winner", "A", "--market", "A=0.5", "A=0.6"), "--market names A twice"),
        (("--winner", "A", "--market", "A=1e999"), "the price of A must be between 0 and 1, got inf"),
        (("--winner", "A", "--first", "9", "B C=12"), "--first takes NAME=NUMBER, got '9'"),
        (("--winner", "A", "--first", "A=9.5", "B C=2"), "the votes of A must be a whole number"),
        (("--winner", "A", "--first", "A=nan", "B C=2"), "the votes of A must be a whole number"),
        ((), "is as it was registered; say what came: --winner A --rounds 2"),
    ],
)
def test_complaints_are_one_sentence(words: tuple[str, ...], said: str, mine: Path, capsys: Captured) -> None:
    assert iomsim("score", mine, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("iomsim: ")
    assert len(err.splitlines()) == 1
    assert said in err


def test_a_changed_file_is_refused(mine: Path, capsys: Captured) -> None:
    mine.write_text(mine.read_text(encoding="utf-8").replace("seed = 5", "seed = 6"), encoding="utf-8")
    assert iomsim("score", mine, "--winner", "A") == 2
    assert "the first part that does not agree with its hash is 'forecast'" in capsys.readouterr().err
    assert iomsim("score", mine.with_name("none.toml"), "--winner", "A") == 2
    assert "cannot read" in capsys.readouterr().err
