"""Charts with long names and many candidates: nothing runs into what belongs to something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import iomsim as iom
from iomsim.charts import report
from iomsim.charts.text import balanced, short, short_parameter
from iomsim.rules.ruleset import RULE_SETS

NAMES = ["Wilhelmina Featherstonehaugh-Cholmondeley of Nowhere", *"BCDEFGH"]


@pytest.fixture(scope="module")
def crowd() -> iom.Scenario:
    names = ", ".join(f'{{ name = "{name}" }}' for name in NAMES)
    return iom.loads(f"electorate = {{ size = 25 }}\ncandidates = [{names}]")


def test_every_outcome_stays_in_the_row_of_its_variant(crowd: iom.Scenario) -> None:
    variants = {"as it is": crowd, "public": crowd.with_behaviour(secrecy=0), "strict": crowd.with_rules("strict")}
    ax = iom.side_by_side(variants, runs=40, seed=1).plot.scenarios()
    heights = np.array([line.get_ydata()[0] for line in ax.lines if line.get_marker() not in ("None", "")])
    assert len(heights) == len(variants) * (len(NAMES) + 2)
    assert np.abs(heights - heights.round()).max() <= 0.41
    ax.figure.draw_without_rendering()
    row = ax.get_window_extent().height / (len(variants) + 0.2) / ax.figure.dpi * 72
    assert row > 10 * (len(NAMES) + 2) * 0.6  # points: the marks of a variant can be told apart


def test_what_a_parameter_is_outlasts_whose_it_is(crowd: iom.Scenario) -> None:
    bars = iom.tornado(
        crowd, "B", parameters={f"candidates.{NAMES[0]}.appeal": (-3.0, 3.0)}, rules=False, runs=200, seed=1
    )
    [label] = [text.get_text() for text in bars.plot.tornado().get_yticklabels()]
    assert label.startswith("Wilhelmina")
    assert label.endswith("…'s appeal")
    assert short_parameter("secrecy") == "secrecy"
    assert short_parameter("West's exposure of 'a very long selector and not another'", 24) == "West's exposure of 'a …"


def test_a_double_name_is_not_torn() -> None:
    assert "-\n" not in balanced("the chance of Featherstonehaugh-Cholmondeley\nand of Other-Longname the Second")
    assert "- " not in balanced("the chance of Featherstonehaugh-Cholmondeley\nand of Other-Longname the Second")


def test_a_row_of_equal_ends_is_told_once() -> None:
    cells = iom.grid(iom.load("minimal"), West=[0.5], runs=50, seed=1)
    assert " to " not in cells.sentence().split(", ", 1)[1]


def test_a_table_of_many_candidates_stands_upright_in_the_page(crowd: iom.Scenario, tmp_path: Path) -> None:
    fc = iom.forecast(crowd, runs=50, seed=1, progress=False)
    page = report.write(fc, tmp_path / "page.html").read_text(encoding="utf-8")
    table = page.split("By the rules in force")[1].split("</table>")[0]
    assert table.split("</tr>")[0].count("<th>") == 1 + len(RULE_SETS)
    assert table.count("<tr") == 1 + len(NAMES) + 3


def test_a_name_never_takes_more_lines_than_it_has() -> None:
    for name in ("common shock towards Κωνσταντίνος Παπαδόπουλος (log-odds)", "a " * 40, "x" * 90):
        assert short(name, 30, 2).count("\n") <= 1


def test_a_percent_sign_stays_with_its_number(crowd: iom.Scenario) -> None:
    ax = iom.forecast(crowd, runs=50, seed=1, progress=False).plot.rounds()
    assert "80\N{NO-BREAK SPACE}% range" in ax.get_title().replace("\n", " ")
