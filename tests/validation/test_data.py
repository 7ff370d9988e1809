"""The two files of past contests: the shipped ones, and what one may write into one's own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from contest_files import election, tally, write

import iomsim as iom
from iomsim.errors import FileError
from iomsim.validation.contest import KINDS_OF_RULE
from iomsim.validation.data import KINDS, Tables as History, contests, tables as history
from iomsim.validation.rounds import main_candidates, rules_of


@pytest.fixture(scope="module")
def shipped() -> History:
    return history()


def rounds(tables: History):  # type: ignore[no-untyped-def]
    return tables.tallies.groupby(["election_id", "round"], sort=False)


# -- the shipped evidence ------------------------------------------------------------------------


def test_thirty_five_contests_are_told_in_order(shipped: History) -> None:
    assert len(shipped.elections) == 35
    assert shipped.elections["election_id"].is_unique
    order = list(dict.fromkeys(shipped.tallies["election_id"]))
    assert order == list(shipped.elections["election_id"])
    for _, rows in shipped.tallies.groupby("election_id"):
        assert rows["round"].is_monotonic_increasing


def test_tallies_add_up_to_no_more_than_the_papers_and_the_members(shipped: History) -> None:
    for (_, _), rows in rounds(shipped):
        seats, valid = rows["seats"].iloc[0], rows["votes_cast_or_valid"].iloc[0]
        assert rows["votes"].sum() <= seats * rows["voters_entitled"].iloc[0]
        assert rows["votes"].max() <= rows["voters_entitled"].iloc[0]
        if pd.notna(valid) and rows["kind"].iloc[0] == "round" and valid != rows["voters_entitled"].iloc[0]:
            assert rows["votes"].sum() == valid, rows


def test_the_votes_needed_are_those_of_the_rules(shipped: History) -> None:
    """But for two bars that were announced of all members, though not all of them voted."""
    apart = set()
    for one in contests():
        for known in one.ordinary:
            if known.needed is not None and known.needed != one.needed(known.round, known.base):
                apart.add((one.id, known.round, known.needed))
    assert apart == {("UNESCO2009", 1, 30), ("WHO2017", 3, 93)}


@pytest.mark.parametrize(
    ("name", "round_", "votes", "needed"),
    [
        ("IOM2018-DG", 3, {"Vitorino": 68, "Thompson": 52, "Isaacs": 22}, 95),
        ("IOM2018-DG", 4, {"Vitorino": 77, "Thompson": 66}, 96),
        ("IOM2019-DDG", 5, {"Haque (Bangladesh)": 75, "Sudan candidate": 73}, 99),
        ("IOM2019-DDG", 6, {"Haque (Bangladesh)": 86, "No": 57}, 96),
        ("IOM2023-DG", 1, {"Pope": 98, "Vitorino": 67}, 110),
        ("WHO2017", 2, {"Tedros": 121, "Nabarro": 62}, 122),
    ],
)
def test_the_tallies_one_knows_by_heart(
    shipped: History, name: str, round_: int, votes: dict[str, int], needed: int
) -> None:
    rows = shipped.tallies.query("election_id == @name and round == @round_")
    assert dict(zip(rows["candidate"], rows["votes"], strict=True)) == votes
    assert set(rows["majority_required"]) == {needed}


def test_rounds_for_two_seats_are_marked(shipped: History) -> None:
    marked = {name for (name, _), rows in rounds(shipped) if set(rows["kind"]) == {"two-seat"}}
    assert marked == {"UNSC2010-WEOG", "UNSC2011-AFAP", "UNSC2012-WEOG", "UNSC2014-WEOG", "UNSC2016-WEOG"}
    assert set(shipped.tallies["kind"]) == set(KINDS)
    several = shipped.tallies.query("kind == 'two-seat'").groupby("election_id")["seats"].first()
    assert several.pop("UNSC2011-AFAP") == 3
    assert set(several) == {2}


def test_only_geneva_2023_is_held_out(shipped: History) -> None:
    assert list(shipped.elections.query("held_out")["election_id"]) == ["IOM2023-DG"]


def test_every_contest_names_its_body_and_has_a_source(shipped: History) -> None:
    assert set(shipped.elections["body"]) <= set(iom.bodies().index)
    assert set(shipped.tallies["grade"]) == {"verified", "cited", "inferred", "recalled"}
    recalled = shipped.tallies["grade"] == "recalled"
    assert shipped.elections["source_url"].str.startswith("http").all()
    assert shipped.tallies.loc[~recalled, "source_url"].str.startswith("http").all()


def test_each_is_held_under_its_own_rules() -> None:
    rules = {one.id: one.rules for one in contests()}
    assert {name for name, one in rules.items() if one.base == "entitled"} == {
        *("AU2012-Jan", "AU2012-Jul", "AU2016", "AU2017", "AU2025", "OAS2005", "IAEA2019"),
    }
    assert [phase.ballots for phase in rules["AU2017"].phases] == [2, 4, 1]  # as it happened
    assert rules["UNESCO2017"].needed(58) == 30
    assert {one.kind for one in contests()} == set(KINDS_OF_RULE)


# -- what one may write --------------------------------------------------------------------------


def test_numbers_may_be_floats_and_cells_may_be_empty(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        [election(year="2000.0", start="2.0", total="NaN", days="", size="100.0")],
        [*tally("1.0", {"A": "55.0", "B": 40.0}, valid="nan"), *tally(2, {"A": 70, "B": 28}), ""],
    )
    elections, tallies = history(folder)
    assert elections["rounds_total"].tolist() == [2]
    assert tallies["votes"].tolist() == [55, 40, 70, 28]
    assert tallies["votes_cast_or_valid"].isna().all()
    assert not elections["held_out"].any()


def test_a_few_columns_are_enough(tmp_path: Path) -> None:
    (tmp_path / "elections.csv").write_text(
        "election_id,decided_how,winner,threshold_share,electorate_size\nX,majority,A,2/3,100\n"
    )
    (tmp_path / "tallies.csv").write_text("election_id,round,candidate,votes\nX,1,A,60\nX,1,B,38\nX,2,A,70\nX,2,B,28\n")
    assert history(tmp_path).tallies["kind"].tolist() == ["round"] * 4


@pytest.mark.parametrize(
    ("cells", "knobs"),
    [
        (",,", {}),  # what is not said does not happen
        ("never,unlimited,never", {}),
        ("2,,", {"eliminate_after": 2}),
        ("1,3,never", {"eliminate_after": 1, "max_two_way": 3}),
        ("never,,3.0", {"simple_majority_from": 3}),
    ],
)
def test_columns_may_say_more_of_the_rules(tmp_path: Path, cells: str, knobs: dict[str, int]) -> None:
    (tmp_path / "elections.csv").write_text(
        "election_id,decided_how,winner,threshold_share,electorate_size,eliminate_after,max_two_way,"
        f"simple_majority_from\nX,majority,A,2/3,100,{cells}\n"
    )
    (tmp_path / "tallies.csv").write_text("election_id,round,candidate,votes\nX,1,A,60\nX,1,B,38\nX,2,A,70\nX,2,B,28\n")
    [one] = contests(tmp_path)
    assert one.rules == rules_of("X", threshold="2/3", **knobs)


@pytest.mark.parametrize("cell", ["sometimes", "0", "unlimited"])
def test_a_column_of_the_rules_must_make_sense(tmp_path: Path, cell: str) -> None:
    (tmp_path / "elections.csv").write_text(
        f"election_id,decided_how,winner,threshold_share,electorate_size,eliminate_after\nX,majority,A,2/3,100,{cell}\n"
    )
    (tmp_path / "tallies.csv").write_text("election_id,round,candidate,votes\nX,1,A,60\nX,1,B,38\n")
    said = f"elections.csv, line 2: eliminate_after must be a whole number of at least 1, got '{cell}'"
    with pytest.raises(FileError) as error:
        history(tmp_path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("share", "meant"),
    [
        ("0.6667", "2/3"),
        ("0.667", "2/3"),
        ("2/3", "2/3"),
        ("0.75", "3/4"),
        ("0.8333", "5/6"),
        (">1/2", ">1/2"),
        (">0.5", ">1/2"),
        ("0.66", "33/50"),
        ("1", "1/1"),
        ("51", "51"),
        ("most", "most"),
    ],
)
def test_a_rounded_share_is_the_fraction_it_stands_for(tmp_path: Path, share: str, meant: str) -> None:
    tables = history(write(tmp_path, [election(share=share)], tally(1, {"A": 55, "B": 40})))
    assert list(map(str, tables.elections["threshold_share"])) == [meant]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (tally(2, {"A": 184}, kind="single"), "single"),
        (tally(2, {"A": 90, "B": 8}), "round"),
        (tally(2, {"A": 70, "No": 25}), "yes-no"),
        (tally(2, {"A": 70}, kind="yes-no"), "yes-no"),
        (tally(2, {"B": 40}, kind="partial"), "partial"),
        (tally(2, {"A": 90, "B": 80, "C": 20}, seats=2), "two-seat"),
        (tally(2, {"A": 90, "B": 80, "C": 20}, kind="two-seat"), "two-seat"),
        (tally(2, {"A": 80, "B": 15}, kind="single"), "single"),
    ],
)
def test_the_kind_of_a_round_is_what_the_columns_say(tmp_path: Path, lines: list[str], kind: str) -> None:
    size = 200 if "184" in lines[0] else 100
    first = tally(1, {"A": 2 * size // 4, "B": 2 * size // 4 - 5})
    tables = history(write(tmp_path, [election(size=size)], [*first, *lines]))
    found = tables.tallies.query("round == 2")
    assert set(found["kind"]) == {kind}
    assert set(found["seats"]) == {2 if kind == "two-seat" else 1}
    assert set(tables.tallies.query("round == 1")["kind"]) == {"round"}


def test_strays_are_no_main_candidates() -> None:
    assert main_candidates({"A": 50, "B": 48, "C": 2}) == ("A", "B")  # 2 of 100 is not over 2 %
    assert main_candidates({"A": 50, "B": 47, "C": 3}) == ("A", "B", "C")
    assert len(main_candidates({chr(65 + i): 10 for i in range(18)})) == 16


# -- what is refused -----------------------------------------------------------------------------

GOOD = tally(1, {"A": 55, "B": 40})


def test_a_misspelt_column_of_the_rules_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [election() + ",1"], tally(1, {"A": 60, "B": 40}))
    path = tmp_path / "elections.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("source_url", "source_url,elimnate_after"), "utf-8")
    with pytest.raises(FileError) as error:
        history(tmp_path)
    assert str(error.value) == (
        "elections.csv has a column 'elimnate_after', which says nothing; did you mean 'eliminate_after'?"
    )


@pytest.mark.parametrize(
    ("elections", "tallies", "words"),
    [
        (
            [election(share="")],
            GOOD,
            "line 2: threshold_share is empty, and no rules are known of a body 'Body'; there are au",
        ),
        ([election(share="66.67")], GOOD, "must be a bar such as 2/3, 0.6667 or >1/2, got '66.67'"),
        ([election(share="0.5")], GOOD, "elect with exactly half of the votes; write '>1/2' for a majority"),
        ([election(share="1/2")], GOOD, "line 2: threshold_share must be a bar such as 2/3, 0.6667 or >1/2, got '1/2'"),
        ([election(), election()], GOOD, "line 3: X stands here a second time"),
        ([election()], [*GOOD, *GOOD], "tallies.csv, line 4: X, 1, A stands here a second time"),
        ([election()], tally(1, {"A": 5}, id_="Y"), "no election named 'Y' in elections.csv; there is X"),
        ([election()], tally(1, {"A": ""}), "line 2: votes is empty"),
        ([election()], tally(1, {"A": 2.5}), "votes must be a whole number of at least 0, got '2.5'"),
        ([election()], tally(1, {"A": -3}), "votes must be a whole number of at least 0"),
        ([election()], tally("first", {"A": 3}), "round must be a whole number of at least 1, got 'first'"),
        ([election()], tally(1, {"A": 70, "B": 45}), "more votes than members: 115 votes, 100 members; if several"),
        ([election()], tally(1, {"A": 55, "B": 40}, valid=90), "add up to 95, more than the 90 valid papers"),
        (
            [election()],
            tally(1, {"A": 55, "B": 40, "Present": 3}),
            "3 members are said to be present in round 1, fewer",
        ),
        ([election(total=1)], [*GOOD, *tally(2, {"A": 70}, kind="single")], "rounds_total is 1, but tallies.csv has"),
        (
            [election()],
            [*GOOD, *tally(2, {"A": 70})],
            "line 4: nearly all votes of round 2 are one candidate's; a column kind must",
        ),
        ([election()], tally(1, {"A": 55, "B": 40}, kind="runoff"), "line 2: no kind of round named 'runoff'; there"),
        ([election(size="")], GOOD, "neither voters_entitled nor electorate_size"),
        ([election(), election("Y", size="")], GOOD, "line 3: electorate_size is empty, and there are no tallies"),
        ([election()], tally(1, {"A": 55, "B": 40}, date="15.5.2023"), "date must be a date such as 2023-05-15"),
        (
            [election()],
            [*tally(1, {"A": 55}, date="2000-01-02"), *tally(2, {"A": 70}, date="2000-01-01", kind="single")],
            "dated 2000-01-01, before an earlier one",
        ),
        ([election()], [tally(1, {"A": 5}, valid=90)[0], tally(1, {"B": 5}, valid=91)[0]], "91 here and 90 elsewhere"),
        ([election()], ["X,1,A,55"], "4 cells, but the header has 16"),
        ([], [], "elections.csv has a header but no rows"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(
    tmp_path: Path, elections: list[str], tallies: list[str], words: str
) -> None:
    with pytest.raises(FileError) as error:
        history(write(tmp_path, elections, tallies))
    assert words in str(error.value)


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, [election()], GOOD)
    path = tmp_path / "tallies.csv"
    path.write_text(path.read_text().replace("candidate,", "candidates,"))
    with pytest.raises(FileError, match=r"no column 'candidate'; did you mean 'candidates'\?"):
        history(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read .*nowhere"):
        history(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"winner": "A\x1b[2J"}, r"elections.csv, line 2: winner must not hold '\\x1b', which steers a terminal"),
        ({"winner": "A" * 201}, "elections.csv, line 2: winner must have at most 200 signs, got 201"),
        ({"share": "1e-9999999"}, "elections.csv, line 2: threshold_share must be a bar such as 2/3"),
        ({"share": "9" * 5000}, "elections.csv, line 2: threshold_share must be a bar such as 2/3"),
        ({"size": "9" * 5000}, "elections.csv, line 2: electorate_size must be a whole number of at most 1000000"),
        ({"year": "10000"}, "elections.csv, line 2: year must be a whole number of at most 9999, got '10000'"),
        ({"total": "1001"}, "elections.csv, line 2: rounds_total must be a whole number of at most 1000, got '1001'"),
        ({"winner": f'"{"A" * 200_000}"'}, "elections.csv, line 2: a cell has more than 131072 signs"),
        ({"winner": '"A'}, "elections.csv, line 2: 8 cells, but the header has 11"),
    ],
    ids=range(9),
)
def test_monstrous_cells_are_refused_with_their_line(tmp_path: Path, cells: dict[str, str], said: str) -> None:
    with pytest.raises(FileError, match=said) as caught:
        contests(write(tmp_path, [election(**cells)], tally(1, {"A": 70, "B": 20})))
    assert len(str(caught.value)) < 500


def test_a_folder_has_only_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iomsim.validation.data.MOST_ROWS", 1)
    with pytest.raises(FileError, match=r"tallies.csv has more than 1 rows, the most that are read"):
        contests(write(tmp_path, [election()], tally(1, {"A": 70, "B": 20})))


def test_what_is_no_utf_8_is_to_be_saved_as_that_and_names_come_back_from_our_csv(tmp_path: Path) -> None:
    folder = write(tmp_path, [election(winner="'=A")], tally(1, {"'=A": 70, "Côte": 20}))
    assert contests(folder)[0].candidates == ("=A", "Côte")
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-16")
    assert contests(folder)[0].winner == "=A"
    path.write_text(text + "é", encoding="cp1252")
    with pytest.raises(FileError, match=r"cannot read '.*csv': it is not UTF-8; save it as UTF-8$"):
        contests(folder)
