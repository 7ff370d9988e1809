"""The one-page report: self-contained, in agreement with the tables, and the way back from it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from chart_cases import MANY
from PIL import Image
from toys import toy
from weapons import Page

import iomsim as iom
from iomsim.charts import pages, report
from iomsim.errors import FileError
from iomsim.files import csv_text
from iomsim.forecasting import tables
from iomsim.forecasting.estimates import Estimate, row_in_100
from iomsim.model.bodies import readings

DRAWN = {name: report.SECTIONS[name] for name in ("win_probability", "decision_time")}


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    title = "A <b>title</b> & more"
    return iom.forecast(toy(15, "ABC", rules="until-two-thirds", title=title), 400, 3, progress=False)


@pytest.fixture(scope="module")
def page(fc: iom.Forecast) -> str:
    """A report with two of the charts: each is drawn twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "SECTIONS", DRAWN)
        return report.html(fc)


@pytest.fixture
def no_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a report have no chart."""
    monkeypatch.setattr(report, "SECTIONS", {})


def test_the_page_is_well_formed_and_needs_nothing_else(page: str) -> None:
    reader = Page(page)
    assert reader.open == []
    ids = [value for key, value in reader.attributes if key == "id"]
    links = [value or "" for key, value in reader.attributes if key in ("href", "src", "xlink:href")]
    assert pages.NOTHING_RUNS in page
    assert len(ids) == len(set(ids))
    outside = [link for link in links if not link.startswith(("#", "data:"))]
    assert outside == []
    assert reader.tags.count("svg") == 2 * len(DRAWN)  # for a page, and for a phone
    inside = {link[1:] for link in links if link.startswith("#")} | set(re.findall(r"url\(#([^)]+)\)", page))
    assert inside <= set(ids)


def test_words_are_escaped(page: str) -> None:
    assert "<h1>A &lt;b&gt;title&lt;/b&gt; &amp; more</h1>" in page
    assert "<b>title" not in page


def test_the_page_says_what_the_forecast_says(fc: iom.Forecast, page: str) -> None:
    shown = html.unescape(page).replace("\N{NO-BREAK SPACE}%", " %")
    assert fc.answer(detail=True) in re.sub(r"</?(?:ul|p|li)>", " ", shown).replace("   ", " ").replace("  ", " ")
    assert report.opening(fc) in shown
    assert fc.stamp() in page


def test_headings_are_in_order_and_tables_say_what_they_are(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tables = re.findall(r"(?s)<table.*?</table>", page)
    assert len(tables) == 6  # winners, rounds, endings, readings, the briefing and every parameter
    assert all(table.partition(">")[2].startswith("<caption>") for table in tables)
    assert all(
        set(re.findall(r"<th\b([^>]*?)(?: style[^>]*)?>", table)) <= {" scope='row'", " scope='col'"}
        for table in tables
    )


def test_one_question_has_one_number(fc: iom.Forecast, page: str) -> None:
    """With so few runs that digits are left out: in the sentences, in the charts, and in the tables."""
    said = {
        str(name): row_in_100(p, error) for name, p, error in fc.chances()[["probability", "mc_error"]].itertuples()
    }
    assert {word.partition(" ")[0] for word in (said["A"], said["B"], said["C"])} == {"about"}  # a guard
    opening, chart, *_ = html.unescape(page).split("<section>")
    assert f"{said['A']}, {said['B']} and {said['C']} in 100" in opening
    for name in "ABC":
        assert f"{name} {said[name]} in 100" in chart  # in words
        assert f">{said[name]} in 100</text>" in chart
        assert f"<th scope='row'>{name}</th><td>{said[name]}</td>" in chart
    rules = html.unescape(page).partition("<h2>By the reading")[2].partition("</section>")[0]
    into = str(fc.spill()).removesuffix(" in 100")
    cells = "".join(f"<td>{said[name]}</td>" for name in ("A", "B", "C", "nobody", "still voting"))
    assert f"<th scope='row'>{fc.race.rules.name}</th>{cells}<td>{into}</td>" in rules
    assert f"runs into Tuesday is {into} in 100" in opening
    assert f"into Tuesday in {into} of 100" in re.sub(r"\s+", " ", page)


@pytest.mark.slow
def test_the_report_of_geneva_is_light(tmp_path: Path) -> None:
    fc = iom.forecast(iom.load("geneva-2023"), 20_000, 2023, progress=False)
    path = report.report(fc, tmp_path / "report.html")
    assert path.stat().st_size < 700_000
    page = path.read_text(encoding="utf-8")
    assert "<p class='as-of'>As of Sunday 14 May 2023</p>" in page
    assert page.count("class='large broad'") == 2  # what the answer hangs on, in three columns
    assert len(re.findall(r"[.!?](?= [A-Z]|$)", report.opening(fc))) == 3


def test_every_table_can_be_taken_away(fc: iom.Forecast, page: str) -> None:
    files = re.findall(r"download='(\w+)\.csv' href='data:text/csv;charset=utf-8,([^']+)'", page)
    found = dict(files)
    assert len(found) == len(files)  # none twice
    assert set(found) == {*DRAWN, "rounds", "rule_sets", "endings", "evidence"}
    assert unquote(found["evidence"]) == csv_text(fc.race.evidence())
    endings = pd.read_csv(StringIO(unquote(found["endings"])), index_col=[0, 1])
    assert endings["probability"].tolist() == pytest.approx(fc.endings()["probability"].tolist())


def test_late_rounds_share_a_row_in_which_somebody_is_elected() -> None:
    fc = iom.forecast(toy(15, rules={"name": "strict", "max_rounds": 12}), 400, 3, progress=False)
    shown, chances = tables.first_rounds(fc), ["probability", "low", "high", "mc_error"]
    late = fc.runs[fc.runs["rounds"] > 8]
    late = late[late["winner"] != "no winner"]
    elected = Estimate.over(np.bincount(late["draw"], minlength=400), np.bincount(fc.runs["draw"], minlength=400))
    assert 0 < elected.value < (fc.runs["rounds"] > 8).mean()  # a guard: some elect late, some nobody
    assert shown.index.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, "9 or more"]
    assert shown[chances].iloc[:8].equals(fc.rounds()[chances].iloc[:8])
    expected = [elected.value, elected.low, elected.high, elected.mc_error]
    assert shown[chances].iloc[8].tolist() == pytest.approx(expected, nan_ok=True)


def test_rounds_that_have_gone_by_are_no_rows() -> None:
    night = iom.live(toy(15, rules={"name": "strict", "max_rounds": 12}), particles=200, seed=1)
    for round_ in range(1, 11):
        night.announce(A=8, B=7)
        shown = tables.rounds_in_words(night.forecast())
        assert shown.index[0] == (round_ if round_ <= 8 else "9 or more")
        assert shown.index[-1] == "9 or more"


def test_the_rules_side_by_side_are_those_of_the_forecast(fc: iom.Forecast) -> None:
    shown, sides = tables.rule_sets_in_words(fc), fc.rule_sets()
    rest = ["nobody", "still voting"]
    assert shown.columns.tolist() == ["A", "B", "C", *rest, "into Tuesday", "median rounds"]
    never = {"until-two-thirds": "nobody", "strict": "nobody", "four-rounds": rest[1], "one-two-way": rest[1]}
    for name, row in shown.iterrows():
        told = sides.loc[name, ["A", "B", "C", *rest, "spill"]]
        errors = [sides.loc[name, f"{column}_mc_error"] for column in told.index]
        assert row[:6].tolist() == [row_in_100(p, error) for p, error in zip(told, errors, strict=True)]
        assert name not in never or row[never[name]] == "0"  # what it excludes is none, and not less than one in 100
        assert name not in never or told[never[name]] == 0
        assert sides.loc[name, rest].sum() == pytest.approx(sides.loc[name, "no winner"])
        assert row["median rounds"] == sides.loc[name, "median_rounds"]


def test_what_it_rests_on_is_told_with_value_range_and_source(fc: iom.Forecast, page: str) -> None:
    rests = html.unescape(page).partition("<h2>What it rests on</h2>")[2]
    for path, row in fc.race.evidence().iterrows():
        cells = "".join(f"<td>{pages._cell(row[what])}</td>" for what in report.EVIDENCE)
        assert f"<th scope='row'>{path}</th>{cells}" in rests
    assert "<th scope='row'>behaviour.secrecy</th><td>" in rests


@pytest.mark.slow
def test_what_the_answer_hangs_on_stands_in_the_page_and_in_the_folder(tmp_path: Path) -> None:
    race = toy(15, candidates=[{"name": "A", "appeal": {"value": 0.1, "low": -1, "high": 1}}, {"name": "B"}])
    fc = iom.forecast(race, 4000, 3, progress=False, assumptions=100)
    sections = report._assumptions(fc)
    for section, target, said in zip(sections, ("A", "spill"), ("A's chance", "Tuesday"), strict=True):
        found = fc.drivers(target)
        [data] = re.findall(r"utf-8,([^']+)'", section)
        assert html.unescape(section.partition("</h2>")[0]).endswith(f"What {said} hangs on")
        assert unquote(data) == found.table().to_csv()
        assert html.escape(found.finding()) in section
    written = {path.name: path for path in report._write_drivers(fc, tmp_path)}
    for name, target in (("drivers_winner", "A"), ("drivers_next_day", "Tuesday")):
        assert pd.read_csv(written[f"{name}.csv"])["name"].tolist() == fc.drivers(target).table()["name"].tolist()
        assert written[f"{name}.svg"].stat().st_size > 1000
        with Image.open(written[f"{name}.png"]) as picture:
            assert picture.info["Title"].replace("\n", " ") == fc.drivers(target).finding()


@pytest.mark.slow
def test_where_nothing_can_be_told_from_noise_there_is_a_sentence_and_no_chart() -> None:
    race = toy(15, candidates=[{"name": "A", "appeal": 2.5}, {"name": "B"}])
    [section, _] = report._assumptions(iom.forecast(race, 4000, 3, progress=False, assumptions=100))
    assert "<p>No single assumption moves A's chance beyond noise.</p>" in html.unescape(section)
    assert "<svg" not in section


def test_on_the_best_guesses_nothing_is_told_of_assumptions(fc: iom.Forecast) -> None:
    assert report._assumptions(iom.forecast(fc.race, 400, 3, progress=False, assumptions="fixed")) == []
    assert report._assumptions(fc) == []  # a run for each draw is too few to tell


def test_every_chart_is_told_in_words(fc: iom.Forecast, page: str) -> None:
    assert page.count("<summary>in words</summary>") == len(DRAWN)
    assert page.count('role="img"') == 2 * len(DRAWN)


def test_the_forecast_of_a_report_is_made_again(fc: iom.Forecast, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    again, same = report.rerun(path)
    assert same
    assert again.summary.ends.equals(fc.summary.ends)


def test_a_changed_run_changes_the_digest(fc: iom.Forecast) -> None:
    other = iom.forecast(fc.race, 400, 4, progress=False)
    assert report.digest(other) != report.digest(fc)
    assert report.digest(iom.forecast(fc.race, 400, 3, progress=False)) == report.digest(fc)
    ends = fc.summary.ends
    assert report.digest(replace(fc, summary=replace(fc.summary, ends=ends[::-1]))) == report.digest(fc)
    for column in ends:
        moved = ends.assign(**{column: ends[column] + (ends.index == 3)})
        assert report.digest(replace(fc, summary=replace(fc.summary, ends=moved))) != report.digest(fc)


@pytest.mark.usefixtures("no_chart")
def test_a_day_is_replayed_not_rerun(tmp_path: Path) -> None:
    night = iom.live(toy(15, as_of=date(2023, 5, 14)), particles=200, seed=1)
    night.announce(A=8, B=7)
    path = report.report(night.forecast(), tmp_path / "night.html")
    page = path.read_text(encoding="utf-8")
    assert "As of Sunday 14 May 2023 and what was announced since<" in page
    assert "After 8" in page
    with pytest.raises(FileError, match="replay the log of that day instead"):
        report.rerun(path)


@pytest.mark.parametrize("content", ["", "<html></html>", report.MARK + "{}</script>", report.MARK + "{</script>"])
def test_what_is_no_report_is_said_to_be_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=r"page\.html' is no report of iomsim, or is damaged"):
        report.rerun(path)
    with pytest.raises(FileError, match="cannot read"):
        report.rerun(tmp_path / "missing.html")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "runs": ({"runs": "400"}, "or is damaged"),
    "no seed": ({"seed": -1}, "or is damaged"),
    "more": ({"more": 1}, "or is damaged"),
    "scenario": ({"scenario": "0" * 12}, "or is damaged: it holds another scenario than its provenance says"),
    "title": ({"title": "Another"}, "or is damaged: it holds another scenario than its provenance says"),
    "announced": ({"announced": 1}, "replay the log of that day instead"),
    "events": ({"events": [{"event": "go on"}]}, "replay the log of that day instead"),
}
"""What a report says of how it was made, and what is said of that."""


def rewritten(page: str, change: Callable[[dict[str, Any]], Any]) -> str:
    """Return a page with what it carries of its making changed."""
    before, _, rest = page.partition(report.MARK)
    recipe, _, end = rest.partition("</script>")
    told = json.loads(recipe)
    change(told)
    return f"{before}{report.MARK}{json.dumps(told)}</script>{end}"


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=list(WRONG))
def test_what_cannot_be_of_how_a_report_was_made(changes: dict[str, Any], said: str, page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.HTM"
    path.write_text(rewritten(page, lambda told: told["provenance"].update(changes)), encoding="utf-8")
    with pytest.raises(FileError, match=re.escape(said)):
        report.rerun(path)


def test_a_report_holds_one_forecast_and_reads_no_other_file(page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page * 2, encoding="utf-8")
    with pytest.raises(FileError, match="is damaged: it holds no forecast, or several"):
        report.rerun(path)
    elsewhere = 'electorate.members = "m.csv"\ncandidates = [{name = "A"}, {name = "B"}]'
    path.write_text(rewritten(page, lambda told: told.update(scenario=elsewhere)), encoding="utf-8")
    with pytest.raises(FileError, match=r"its scenario has its members in another file, 'm\.csv'"):
        report.rerun(path)


@pytest.mark.slow
def test_a_table_of_many_candidates_stands_upright_in_the_page(many: iom.Scenario, tmp_path: Path) -> None:
    fc = iom.forecast(many, runs=50, seed=1, progress=False)
    page = report.report(fc, tmp_path / "page.html").read_text(encoding="utf-8")
    table = page.split("By the reading of the rules")[2].split("</table>")[0]
    assert table.split("</tr>")[0].count("<th ") == len(readings())
    assert table.count("<tr>") == 1 + len(MANY) + 4  # nobody, still voting, into Tuesday, median rounds


def test_the_page_opens_with_the_short_answer(fc: iom.Forecast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SECTIONS", {})
    monkeypatch.setattr(report, "opening", lambda _: "Three sentences.")
    assert "<p class='answer'>Three sentences.</p>" in report.html(fc)
