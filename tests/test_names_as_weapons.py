"""Names that would do harm where somebody forgot that they are names: in pages, pictures, tables, commands, files.

What may be a name stays that name everywhere, and does nothing else; what may not is refused in a sentence.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from command import iomsim as command
from matplotlib.figure import Figure
from weapons import (
    NO_NAMES,
    OF_COLUMNS,
    ROLES,
    WEAPONS,
    is_computed,
    is_harmless,
    is_picture,
    is_table,
    mixed,
    named,
    steers,
    told,
)

import iomsim as iom
from iomsim.charts import files, fonts, interactive, of, pages, report
from iomsim.charts.sliders import sliders
from iomsim.engine import paths
from iomsim.errors import FileError, IomsimError, ScenarioError
from iomsim.files import as_meant, csv_text
from iomsim.model.catalogue import draft
from iomsim.model.scenario import build


def cases(every: int, quick: int = 10_000) -> list[Any]:
    """Return numbers of cases; every so many of them is quick."""
    numbers = range(0, len(WEAPONS), every)
    return [n if i % quick == quick - 1 else pytest.param(n, marks=pytest.mark.slow) for i, n in enumerate(numbers)]


def answered(**names: str) -> iom.Forecast:
    return iom.forecast(build(named(**names)), 3000, 1, assumptions=60, progress=False)


# -- what may be a name, and what not --------------------------------------------------------------------


@pytest.mark.parametrize("number", cases(1, quick=12))
def test_a_name_stays_the_name_that_it_is(number: int, tmp_path: Path) -> None:
    names = mixed(number)
    race = build(named(**names))
    assert dict(zip(ROLES, told(race), strict=True)) == names
    race.save(tmp_path / "race.toml")
    again = iom.load(tmp_path / "race.toml")
    assert again == race
    assert again.hash == race.hash
    assert told(again) == told(race)


@pytest.mark.parametrize("role", ROLES)
def test_what_steers_is_no_name(role: str) -> None:
    texts = [text for text in NO_NAMES if role not in ("about", "source") or steers(text)]
    for text in texts:
        with pytest.raises(ScenarioError) as refused:
            build(named(**{role: text}))
        said = str(refused.value)
        assert not steers(said)
        assert len(said) < 400


@pytest.mark.parametrize("name", OF_COLUMNS)
def test_no_candidate_is_called_like_a_column_beside_the_candidates(name: str) -> None:
    with pytest.raises(ScenarioError, match=f"a candidate cannot be called '{name}'"):
        build(named(candidate=name))


def test_a_candidate_is_not_called_like_the_pull_of_a_sponsor() -> None:
    with pytest.raises(ScenarioError, match="a candidate cannot be called 'pull of East'"):
        build(named(candidate="pull of East"))


@pytest.mark.parametrize(
    "other", ["W\u200dest", "West\u200f", "\u00adWest", "West\u3164", "We\ufe0fst", "West\N{NO-BREAK SPACE}"]
)
def test_no_two_sponsors_look_the_same(other: str) -> None:
    described = named(sponsor="West")
    described["sponsors"][1]["name"] = other
    with pytest.raises(ScenarioError, match=r"sponsors 'West' and '.*' look the same; names must differ"):
        build(described)


@pytest.mark.parametrize("other", ["B\u200dob", "b\u200bob", "Bob\u3164"])
def test_no_two_candidates_look_the_same(other: str) -> None:
    with pytest.raises(ScenarioError, match=r"names must differ"):
        build(named(candidate=other))


@pytest.mark.parametrize("sign", ["\u200d", "\u3164", "\u2800", "\uffa0", "\ufe0f", "\U000e0041", "\N{NO-BREAK SPACE}"])
def test_nobody_is_called_by_signs_that_are_not_seen(sign: str) -> None:
    with pytest.raises(ScenarioError, match="must have a sign that can be seen"):
        build(named(sponsor=sign))


def test_a_column_of_the_members_is_kept_beside_those_that_are_made() -> None:
    for column, made in (("exposure to West", 1.0), ("tie to Ann", 1.0), ("pinned", "")):
        members = build(named(column=column)).members
        assert members.columns.is_unique
        assert members[column].tolist()[0] == made
        assert members[f"{column} (table)"].tolist()[:2] == [0.5, 1.5]


# -- one place after the other ---------------------------------------------------------------------------


CELLS = [*WEAPONS, *NO_NAMES[:5], *NO_NAMES[7:9], "\t=1", "\n=1", " =1", "'=1", "''-a", "'a", "x" * 200_000, ""]


def test_a_cell_of_csv_is_the_text_and_no_formula() -> None:
    frame = pd.DataFrame({"a": CELLS, "n": np.arange(len(CELLS)) - 0.5}, index=pd.Index(CELLS[::-1], name="=i"))
    text = csv_text(frame)
    limit = csv.field_size_limit(1_000_000)
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    csv.field_size_limit(limit)
    assert head == ["'=i", "a", "n"]
    assert [[as_meant(row[0]), as_meant(row[1]), float(row[2])] for row in rows] == [
        [index, a, n] for index, (a, n) in zip(frame.index, frame.to_numpy().tolist(), strict=True)
    ]
    assert not any(is_computed(cell) for row in rows for cell in row)


@pytest.mark.parametrize("name", ["[rules]", "[electorate]", "\U0001f600 A", 'a\\"b', "{first}", "'''x"])
def test_a_draft_can_be_read_whoever_stands(name: str) -> None:
    text = draft("who", [name, "B"])
    assert iom.loads(text) == iom.start("who", [name, "B"])
    used = text.partition("# [[sponsors]]")[0] + text.partition("# [[sponsors]]")[1][2:]
    backs = re.search(r"(?m)^# (backs = .*)$", text)
    assert backs
    assert iom.loads(f'{used}\nname = "East"\nstrength = 0.5\n{backs[1]}\n').sponsors[0].backs == name


@pytest.mark.parametrize("name", ["{a", "{}", "%s", "{0.__class__}"])
def test_differences_are_told_of_names_with_braces(name: str) -> None:
    named_a = name if any(map(str.isalpha, name)) else f"{name}a"
    race = build(named(candidate=named_a, member=name + "m"))
    other = race.with_pinned(**{named_a: [name + "m"]})
    found = iom.compare(race, other, runs=20, seed=1, progress=False, assumptions="fixed")
    assert found.changes() == [f"{name}m won over to {named_a}"]


def test_names_may_be_words_of_python() -> None:
    race = build(named(sponsor="self", candidate="self"))
    assert race.with_pressure(**{"self": 0.9}).sponsors[0].strength.value == 0.9
    assert race.scaled(**{"self": 2.0}).sponsors[0].strength.value == 1.2
    assert race.with_pinned(**{"self": ["M1"]}).pins[1] == 0
    day = iom.live(race, particles=100, seed=1)
    day.announce(**{"self": 8, "Bob": 7})
    assert day.forecast().announced == 1


def test_a_colon_may_be_in_a_name_that_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(named(candidate="A: 1", group="g:h")).save(tmp_path / "race.toml")
    assert command("show", tmp_path / "race.toml", "--swing", "2:g:h:A: 1") == 0
    assert "2 of the g:h members to A: 1" in capsys.readouterr().out


def test_an_axis_of_a_grid_is_told_from_a_candidate() -> None:
    race = build(named(candidate="behaviour.secrecy"))
    table = iom.grid(race, runs=20, seed=1, progress=False, **{"behaviour.secrecy": [0.1, 0.7]}).table().reset_index()
    assert table.columns.is_unique
    assert table["parameters.behaviour.secrecy"].tolist() == [0.1, 0.7]


@pytest.mark.parametrize("name", ["secrecy", "level", "reading"])
def test_sliders_tell_a_sponsor_from_what_else_is_moved(name: str) -> None:
    with pytest.raises(IomsimError, match=f"cannot tell the sponsor '{name}' from {name} itself"):
        sliders(build(named(sponsor=name)), points=2, runs=10, seed=1, progress=False)


# -- pages and pictures ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_page_keeps_what_is_written_in_its_pictures() -> None:
    name = 'id="x" href="#a" url(#b)'
    fc = iom.forecast(build(named(candidate=name)), 200, 1, assumptions="fixed", progress=False)
    section = pages.picture(of(fc).chart("rounds"), "rounds")
    page = is_harmless(section)
    for picture in re.findall(r"(?s)<svg.*?</svg>", section):
        assert is_picture(picture).attrib["aria-label"] == of(fc).chart("rounds").caption.text
    ids = [value for key, value in page.attributes if key == "id"]
    assert ids
    assert all(str(value).startswith("rounds-") for value in ids)
    links = [value for key, value in page.attributes if key == "xlink:href"]
    assert {str(link)[1:] for link in links} | set(re.findall(r'"url\(#([^)]+)\)"', section)) <= set(ids)


def test_a_notebook_takes_no_dollar_sign_for_a_formula() -> None:
    race = build(named(title="$a$ <i>", candidate="$\\frac{", member="$b$ <i>"))
    pledged = race.with_pledges(pd.DataFrame({"member": ["$b$ <i>"], "candidate": ["Bob"], "kind": ["public"]}))
    for text in (race._repr_html_(), pledged.pledges(seed=1, runs=50)._repr_html_()):
        page = is_harmless(text)
        assert ("class", "tex2jax_ignore mathjax_ignore") in page.attributes[:1]
        assert "$" in "".join(page.words)
        assert "i" not in page.tags


def test_signs_that_the_font_lacks_are_told_once() -> None:
    fonts._tell.cache_clear()
    fig = Figure()
    fig.text(0, 0, "\u738b \u4e00")
    with pytest.warns(UserWarning, match="no font of this machine has '\u4e00\u738b'; a box is drawn in place of each"):
        files.written(fig, "svg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files.written(fig, "png")


def test_names_that_leave_no_room_are_told() -> None:
    fig = Figure(layout="constrained")
    fig.add_subplot().set_yticks([0], ["x" * 500])
    with pytest.warns(UserWarning, match="words leave hardly any room in the chart"):
        files.written(fig, "svg")


@pytest.mark.slow
@pytest.mark.parametrize("number", cases(25))
def test_a_report_and_all_its_files_are_harmless(number: int, tmp_path: Path) -> None:
    names = mixed(number)
    fc = answered(**names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the font has no signs for some of the letters
        written = report.write_folder(fc, tmp_path / "in" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert {path.resolve() for path in written} == {path.resolve() for path in (tmp_path / "in" / "out").iterdir()}
    page = (tmp_path / "in" / "out" / "report.html").read_text(encoding="utf-8")
    reader = is_harmless(page, scripts=1)
    words = "".join(reader.words)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in reader.attributes
    for role in ("title", "about", "candidate", "sponsor", "rules", "source"):
        assert names[role] in words
    for data in re.findall(r"href='data:text/csv;charset=utf-8,([^']+)'", page):
        is_table(unquote(data))
    for path in written:
        if path.suffix == ".csv":
            is_table(path.read_text(encoding="utf-8"))
        if path.suffix == ".svg":
            is_picture(path.read_text(encoding="utf-8"))
    again, same = report.rerun(tmp_path / "in" / "out" / "report.html")
    assert same
    assert told(again.race) == told(fc.race)
    opened = iom.open_forecast(tmp_path / "in" / "out" / "forecast.npz")
    assert told(opened.race) == told(fc.race)
    assert opened.answer() == fc.answer()


@pytest.mark.slow
@pytest.mark.parametrize("number", cases(9))
def test_a_page_with_sliders_is_harmless(number: int) -> None:
    names = mixed(number)
    race = build(named(**names))
    page = interactive.html(sliders(race, points=2, levels=2, readings=True, runs=10, seed=1, progress=False))
    reader = is_harmless(page, scripts=2)
    shown = "".join(reader.words)
    for role in ("title", "about", "candidate", "sponsor", "rules"):
        assert names[role] in shown
    told_in = json.loads(page.partition(interactive.BLOCK)[2].partition("</script>")[0])
    assert [one["name"] for one in told_in["controls"]][:1] == [race.sponsors[0].name]


@pytest.mark.slow
@pytest.mark.parametrize("number", cases(40))
def test_charts_are_drawn_outside_of_their_style(number: int, tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    race = build(named(**mixed(number)))
    some = {"runs": 100, "seed": 1, "progress": False}
    results = {
        "rounds": iom.forecast(race, 300, 1, progress=False),
        "tornado": iom.tornado(race, **some),
        "pivotal": iom.pivotal(race, **some | {"runs": 2000}),
        "scenarios": iom.side_by_side({WEAPONS[number]: race, "b": race.with_behaviour(secrecy=0.1)}, **some),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name, result in results.items():
            drawn = getattr(result.plot, name)()
            for kind in ("svg", "png", "pdf"):
                drawn.figure.savefig(io.BytesIO(), format=kind)
                of(result).save(name, tmp_path / f"{name}.{kind}")
            is_picture((tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
    plt.close("all")


# -- everything else -------------------------------------------------------------------------------------


def tables(fc: iom.Forecast) -> Iterator[pd.DataFrame]:
    yield from (fc.win_probability(), fc.rule_sets(), fc.endings(), fc.runs, fc.tallies, fc.assumptions)
    yield from (fc.race.members, fc.race.evidence(), fc.race.columns(), fc.race.leanings(10), fc.drivers().table())


@pytest.mark.slow
@pytest.mark.parametrize("number", cases(9))
def test_results_show_the_names(number: int) -> None:
    names = mixed(number)
    fc = answered(**names)
    race, ann = fc.race, names["candidate"]
    for table in tables(fc):
        assert table.columns.is_unique
        is_table(csv_text(table.reset_index()))
    assert fc.probability(winner=ann).value == fc.win_probability()["probability"].iloc[0]
    assert fc.drivers(ann).subject == f"{ann}'s chance"
    some = {"runs": 100, "seed": 1, "progress": False}
    strength = paths.strength(names["sponsor"])
    stronger = race.with_parameters({strength: 0.9})
    assert stronger.sponsors[0].strength.value == 0.9
    swung = race.swing(1, [names["member"]], ann)
    assert names["member"] in str(swung)
    pledged = race.with_pledges(pd.DataFrame({"member": [names["member"]], "candidate": ["Bob"], "kind": ["public"]}))
    asked = race.with_polling(pd.DataFrame({"member": [names["member"]], ann: [0.7]}))
    for changed in (stronger, swung, pledged, asked):
        assert told(iom.loads(iom.dumps(changed))) == told(race)
        assert iom.compare(race, changed, **some).changes()
    kept = iom.Study.of({names["title"]: race, "other": stronger}).run(**some)
    assert kept["scenario"].tolist() == [names["title"], "other"]
    varied = iom.Study.grid(race, **{strength: [0.1, 0.2]}).run(**some)
    beside = iom.side_by_side({names["title"]: race, "other": stronger}, **some)
    pivotal = iom.pivotal(race, **some | {"runs": 2000})
    grid = iom.grid(race, **{strength: [0.1, 0.5], "secrecy": [0.1, 0.3]}, **some)
    assert names["member"] in set(pivotal.table().index)
    for result in (pivotal, grid, beside, iom.tornado(race, **some)):
        is_table(csv_text(result.table().reset_index()))
        is_harmless(result._repr_html_())
        assert not steers(repr(result))
    for table in (kept, varied):
        assert table.columns.is_unique
        is_table(csv_text(table, index=False))
    is_harmless(fc._repr_html_())


@pytest.mark.slow
@pytest.mark.parametrize("number", cases(9))
def test_an_election_day_goes_by_the_names(number: int, tmp_path: Path) -> None:
    names = mixed(number)
    race, ann, log = build(named(**names)), names["candidate"], tmp_path / "in" / "day.jsonl"
    log.parent.mkdir()
    day = iom.live(race, particles=300, seed=1, log=log)
    day.announce({ann: 7, "Bob": 8}, at="12:00")
    assert list(day.history()[[ann, "Bob"]].iloc[-1]) == pytest.approx(
        day.forecast().win_probability()["probability"][:2]
    )
    is_harmless(day._repr_html_())
    day.withdraw(ann)
    assert ann in str(day.forecast().answer()) or "Bob" in str(day.forecast().answer())
    again = iom.replay(log)
    assert told(again.race) == told(race)
    assert again.forecast().summary.ends.equals(day.forecast().summary.ends)
    assert all(json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.slow
@pytest.mark.parametrize("number", cases(9))
def test_a_registration_is_scored_by_the_names(number: int, tmp_path: Path) -> None:
    names = mixed(number)
    fc = answered(**names)
    written = iom.register(fc, tmp_path / "in.toml")
    assert told(written.race) == told(fc.race)
    assert iom.registration(tmp_path / "in.toml").title == names["title"]
    found = iom.score(
        written, winner=names["candidate"], rounds=1, ended="Monday 16:35", ledger=tmp_path / "ledger.csv"
    )
    assert not steers(repr(found))
    text = (tmp_path / "ledger.csv").read_text(encoding="utf-8")
    is_table(text)
    assert len(iom.scorebook(tmp_path / "ledger.csv"))
    assert names["title"] in {as_meant(cell) for row in csv.reader(io.StringIO(text, newline="")) for cell in row}


@pytest.mark.slow
@pytest.mark.parametrize("number", cases(9))
def test_commands_take_and_print_the_names(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = mixed(number)
    file, ann = tmp_path / "race.toml", names["candidate"]
    build(named(**names)).save(file)
    few = ("--runs", 300)
    for words in (
        ("show", file), ("evidence", file), ("validate", file), ("leanings", file),
        ("forecast", file, *few, "--json"),
        ("forecast", file, *few, f"--set={paths.strength(names['sponsor'])}=0.9", f"--swing=2:all:{ann}"),
        ("tornado", file, "--runs", 20, f"--target={ann}"),
        ("grid", "--runs", 20, "--scenario", file, "secrecy=0:1:2"),
    ):  # fmt: skip
        assert command(*words) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        assert not steers(out)
    with pytest.raises(SystemExit):
        command("forecast", file, f"--{names['title']}")
    assert not steers(capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["race.toml"]


# -- what a file of ours carries -------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False])
def test_a_log_and_a_registration_have_no_other_file_read(there: bool, tmp_path: Path) -> None:
    """A stranger's file could show whoever reads it what stands in a file of his own."""
    members = tmp_path / "secret.csv"
    if there:
        members.write_text("name\nMy\nsecret\n", encoding="utf-8")
    scenario = f'electorate.members = "{members}"\ncandidates = [{{name = "A"}}, {{name = "B"}}]\n'
    race = build(named())
    log, file = tmp_path / "day.jsonl", tmp_path / "r.toml"
    iom.live(race, particles=10, seed=1, log=log)
    header = json.loads(log.read_text(encoding="utf-8")) | {"scenario": scenario}
    log.write_text(json.dumps(header) + "\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"has its members in another file, '.*secret\.csv'; they must be inside"):
        iom.replay(log)
    written = iom.register(race, file, runs=100, seed=1, progress=False)
    changed = replace(written, content=written.content | {"scenario": {"text": scenario}})
    with pytest.raises(FileError, match="they must be inside"):
        assert changed.race
