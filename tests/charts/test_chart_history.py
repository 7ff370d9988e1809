"""The charts of the record: what is drawn and written is what its tables say."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from chart_cases import LONG, collisions, words
from contest_files import election, tally, write
from matplotlib.figure import Figure

import iomsim as iom
from iomsim.charts.caption import captions
from iomsim.charts.history import LEADER, MARKS, OTHER, Paths
from iomsim.errors import UnknownNameError
from iomsim.validation.record import History


@pytest.fixture(scope="module")
def past() -> History:
    return iom.history()


@pytest.fixture
def odd(tmp_path: Path) -> History:
    """Return contests with names that are hard to write, one of each ending."""
    a, b, c = LONG[0], LONG[3], LONG[7]
    elections = [
        election("LONG-ID-OF-A-CONTEST-$5-AND-$6", winner=a),
        election("GAVE", "withdrawal", winner=b),
        election("OUTSIDER", "compromise", winner=c),
        election("NOBODY", "failed", winner="none"),
        election("UNKNOWN", winner=a, total=3),
    ]
    lines = tally(1, {a: 45, b: 55}, "LONG-ID-OF-A-CONTEST-$5-AND-$6")
    lines += tally(2, {a: 70, b: 30}, "LONG-ID-OF-A-CONTEST-$5-AND-$6")
    for name in ("GAVE", "OUTSIDER", "NOBODY"):
        lines += tally(1, {a: 40, b: 60}, name)
    return iom.history(write(tmp_path, elections, lines))


def drawn(fig: Figure) -> dict[str, list[mpl.lines.Line2D]]:
    """Return the lines of every contest, by its name at the left."""
    found = {}
    for ax in fig.axes:
        for y, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
            low, high = y - 0.6, y + 0.6
            found[label.get_text()] = [
                line for line in ax.lines if len(line.get_ydata()) and low < np.mean(line.get_ydata()) < high
            ]
    return found


def test_paths_are_the_announced_shares(past: History) -> None:
    data = past.plot.history_data().set_index(["contest", "role", "round"]).sort_index()
    assert data.loc[("UNSC2016-WEOG", "leader"), "share"].tolist() == pytest.approx(
        [99 / 191, 96 / 190, 96 / 191, 95 / 190], abs=0.02
    )
    assert data.loc[("UNSC2016-WEOG", "winner"), "who"].unique().tolist() == ["Italy"]
    assert ("UNSC2020-AF", "winner", 1) not in data.index  # the leader won
    contests = {one.id: one for one in past.contests}
    for (contest, _, round_), row in data.iterrows():
        known = contests[contest].at(round_)
        assert row["share"] == pytest.approx(known.votes[row["who"]] / known.base)
        assert row["needed"] * known.base == pytest.approx(known.needed or contests[contest].needed(round_, known.base))


def test_every_contest_with_a_ballot_is_drawn_once(past: History) -> None:
    fig = past.plot.draw("history")
    names = [label.get_text() for ax in fig.axes for label in ax.get_yticklabels()]
    assert sorted(names) == sorted(one.id for one in past.contests if one.ordinary)


def test_marks_say_how_it_ended(odd: History) -> None:
    lines = drawn(odd.plot.draw("history"))
    assert len(lines) == 4  # nothing is known of one
    marks = {name: found[-1] for name, found in lines.items()}
    assert (marks["GAVE"].get_marker(), marks["GAVE"].get_color()) == (MARKS["withdrawal"], LEADER)
    assert marks["OUTSIDER"].get_marker() == MARKS["open"]
    assert marks["OUTSIDER"].get_markerfacecolor() == "#ffffff"
    assert marks["NOBODY"].get_marker() == MARKS["failed"]
    [turned] = [name for name in lines if name.startswith("LONG")]
    assert (marks[turned].get_marker(), marks[turned].get_color()) == (MARKS["majority"], OTHER)
    assert marks[turned].get_xdata()[0] == 2


def test_the_title_counts_what_the_table_counts(past: History) -> None:
    table, said = past.table(), captions(past.plot.draw("history"))[0].title
    row = table.loc["the same where that ballot elected nobody"]
    assert f"its leader won in {row['count']} of {row['of']}" in said
    assert str(len(past.contests)) in said


@pytest.mark.slow
def test_words_do_not_collide(past: History, odd: History) -> None:
    for one, chart, options in (
        (past, "history", {}),
        (past, "history", {"group": "body"}),
        (past.filter(candidates=2), "history", {}),
        (odd, "history", {}),
        (past.like(98, 67), "alike", {}),
        (odd.like(98, 67), "alike", {}),
    ):
        fig = one.plot.draw(chart, **options)
        fig.draw_without_rendering()
        assert not collisions(fig)
        assert one.stamp() in " ".join(" ".join(words(fig)).split())


def test_groups_and_what_is_left_out_are_told(odd: History, past: History) -> None:
    said = captions(odd.plot.draw("history"))[0]
    assert "1 contest without a known ballot not drawn." in said.reading
    shown = words(past.plot.draw("history", group="bar"))
    assert "2/3" in shown
    with pytest.raises(UnknownNameError, match="no group named 'bodies'; did you mean 'body'"):
        past.plot.history(group="bodies")


def test_nothing_left_is_said(past: History) -> None:
    assert captions(past.filter(years=1900).plot.draw("history"))[0].title == (
        "No contest with a known ballot is left to draw"
    )
    assert "has no first ballot between" in captions(past.filter(years=1900).like(98, 67).plot.draw("alike"))[0].title


def test_in_a_group_the_largest_lead_comes_first(past: History) -> None:
    for found in Paths(past).groups.values():
        shares = [max(one.ordinary[0].tally) / one.ordinary[0].base for one in found]
        assert shares == sorted(shares, reverse=True)


def test_rounds_alike_are_drawn_from_their_table(past: History) -> None:
    found = past.like(98, 67, n=4)
    ax, table = found.plot.draw("alike").axes[0], found.table()
    [*dots] = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx((100 * table["share"]).tolist())
    assert [line.get_color() for line in dots] == [LEADER if won else OTHER for won in table["leader_won"]]
    low, high = ax.get_xlim()
    assert low < 100 * table[["share", "next_share"]].min().min()
    assert high > 100 * table[["share", "next_share"]].max().max()
    wins = int(table["leader_won"].sum())
    assert captions(ax)[0].title == f"After the four rounds most like 98–67 the leader won in {wins} of 4"  # noqa: RUF001
    held = past.like(98, 67, held_out=True).plot.draw("alike").axes[0]
    assert "IOM2023-DG *" in [label.get_text() for label in held.get_yticklabels()]
    assert "Held out for scoring: IOM2023-DG." in captions(held)[0].reading


def test_a_file_knows_its_record(past: History, tmp_path: Path) -> None:
    text = past.plot.save("history", tmp_path / "past.svg").read_text(encoding="utf-8")
    assert past.provenance["record"] in text
    assert "UNSC2006-GRULAC: Panama, 48 rounds" in text
