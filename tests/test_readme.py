"""What the README says is what the library does."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

import iomsim as iom
from iomsim import cli

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def block(part: str) -> str:
    """Return the one block of Python that says something."""
    [found] = (code for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if part in code)
    return found


@pytest.mark.slow
def test_the_answer_is_the_forecast_of_the_first_command() -> None:
    fc = iom.forecast(iom.load("geneva-2023"), 100_000, 2023, progress=False)
    assert f"> {fc.answer()}\n" in TEXT.replace("100 000", "100\u202f000")
    assert f"> {fc.headline()}\n" in TEXT
    monday, later = (int(n) for n in re.search(r"(\d+) on Monday, (\d+) on Tuesday", TEXT).groups())
    dots = fc.plot.decision_time_data()
    assert monday + later == len(dots) == 50
    assert later == round(50 * fc.spill().value)


def test_the_first_chart_is_on_the_first_screen() -> None:
    before = TEXT[: TEXT.index("![")]
    assert len(before.splitlines()) < 12
    assert len(before) < 1000


def test_every_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith("http")]
    assert len(links) > 12
    assert [link for link in links if not (ROOT / link).exists()] == []
    named = {Path(link).name for link in links if link.endswith(".ipynb")}
    assert named == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.slow
def test_the_lines_of_the_notebook_run(capsys: pytest.CaptureFixture[str]) -> None:
    code = block("iom.live(")
    assert len([line for line in code.splitlines() if line.strip()]) == 10
    shorter = {"runs=100_000": "runs=2_000", "iom.live(race, ": "iom.live(race, particles=500, "}
    for long, short in shorter.items():
        assert long in code
        code = code.replace(long, short)
    exec(compile(code, "README.md", "exec"), {})
    plt.close("all")
    said = capsys.readouterr().out
    assert "are level" in said.splitlines()[0]
    assert "After 98" in said


def test_the_lines_on_other_bodies_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    start, rules = block("iom.start(").strip().splitlines()
    names: dict[str, Any] = {"iom": iom}
    exec(start, names)
    said = eval(rules.partition("#")[0], names)
    assert said.startswith(rules.partition("# '")[2].removesuffix(" ...'"))
    for command in re.findall(r"^iomsim (start .*?|bodies .*?)  ", TEXT, re.MULTILINE):
        words, _, target = command.partition(">")
        assert cli.main(words.split()) == 0
        out = capsys.readouterr().out
        if target:
            assert iom.loads(out) == names["race"]
    assert "fifteen bodies" in TEXT
    assert len(iom.bodies()) == 15


@pytest.mark.slow
def test_what_is_handed_on_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fc = iom.forecast(iom.load("geneva-2023"), 2000, 1, progress=False)
    exec(compile(block("plot.save("), "README.md", "exec"), {"iom": iom, "fc": fc})
    plt.close("all")
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert {"report.html", "geneva.xlsx", "charts/flows.pdf", "charts/flows.svg", "charts/flows.png"} <= written
    assert any(name.startswith("charts/flows") and name.endswith(".csv") for name in written)


@pytest.mark.slow
def test_the_sliders_say_what_is_said_of_them() -> None:
    code = block("sliders(").replace("2023)", "2023, progress=False)")
    with redirect_stdout(StringIO()) as said:
        exec(compile(code, "README.md", "exec"), {"iom": iom, "race": iom.load("geneva-2023")})
    assert f"> {' '.join(said.getvalue().split())}\n" in TEXT


@pytest.mark.slow
def test_the_other_commands_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^iomsim ((?:report|forecast) --.*?)  ", TEXT, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        assert cli.main([*line.split(), "--runs", "100"]) == 0
    assert (tmp_path / "what-if.html").is_file()


@pytest.mark.slow
def test_the_lines_on_members_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ledger.csv").write_text("member;candidate;kind\nUK;Pope;written\nCôte d'Ivoire;Vitorino;oral\n")
    first, *asked = block("with_pledges(").strip().splitlines()
    names: dict[str, Any] = {"iom": iom}
    exec(first, names)
    pledges, leanings, rumour, calls = (line.partition("  #")[0] for line in asked)
    assert eval(pledges, names).sentence().startswith("Pope: one pledged")
    assert {"Pope", "Vitorino", "leans_to"} <= set(eval(leanings, names))
    assert "20 of the African members to Pope" in eval(rumour, names).sentence()
    shorter = calls.replace('"Pope")', '"Pope", runs=4096, checked=0)')
    assert shorter != calls
    assert "No single member stands out" in eval(shorter, names).sentence()


@pytest.mark.slow
def test_the_lines_on_history_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    alike, judged, written, scored = (line.partition("  #")[0] for line in block("iom.register(").strip().splitlines())
    names: dict[str, Any] = {"iom": iom, "race": iom.load("geneva-2023")}
    said = eval(alike, names).sentence()
    assert said[: said.index(" Nearest")] in TEXT
    shorter = judged.replace("()", '("UNSC2020-AF", particles=200)', 1)
    assert "baseline" in eval(shorter, names).sentence()
    eval(written.replace('.toml")', '.toml", runs=4096, seed=1, progress=False)'), names)
    assert eval(scored, names).startswith("This is hindsight")
    assert f"{len(iom.contests())} past contests" in TEXT


@pytest.mark.slow
def test_the_scores_are_those_of_the_backtest() -> None:
    test = iom.backtest(progress=False)
    groups = ("two", "three or more")
    lead = [test.reliability_table("leader wins", "standing").loc[(group, "all")] for group in groups]
    middle = [test.coverage("standing").loc[(group, 0.8)] for group in groups]
    log = [test.by("standing").loc[(group, "winner, log", "leader wins at 0.8")] for group in groups]
    ratio = test.against(iom.backtest(model="0.1", progress=False)).loc["next share, CRPS"]
    table = (
        TEXT.partition("Contests count alike:")[2].partition("real next shares")[0] + TEXT.partition("log score of")[2]
    )
    said = [float(number) for number in re.findall(r"\d\.\d\d\b", table)][:15]
    assert said == pytest.approx(
        [
            *(number for row in lead for number in row[["said by contest", "came by contest"]]),
            *(number for row in lead for number in row[["said", "came"]]),
            *(number for row in log for number in row.iloc[:2]),
            *ratio[["ratio", "ratio_low", "ratio_high"]],
        ],
        abs=0.011,
    )
    held = " | ".join(f"{row['came'] * row['rounds']:.0f} of {row['rounds']:.0f}" for row in middle)
    assert f"forecast | {held} |" in TEXT
    assert f"each of {len(test.cases)} announced rounds" in TEXT


def test_the_commands_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"(?:^|`)make (\w+)", TEXT, re.MULTILINE)
    assert {"forecast", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
