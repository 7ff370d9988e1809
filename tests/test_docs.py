"""The pages of the site: what they show runs, and what is made for them is whole.  `make docs` builds them."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType, SimpleNamespace

import matplotlib.pyplot as plt
import pytest

import iomsim as iom
from iomsim.charts import CHARTS
from iomsim.cli import parser
from iomsim.errors import ScenarioError
from iomsim.model.bodies import body

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
RUN = [page for page, text in PAGES.items() if "```python" in text]


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def whole(hooks: ModuleType) -> dict[str, str]:
    """Return the pages with what is made."""
    return {page: hooks.with_what_is_made(text) for page, text in PAGES.items()}


# -- examples ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_the_examples_of_a_page_run(hooks: ModuleType, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "THEMES", ("light",))  # `make docs` draws them all
    kept = []
    shown = hooks.with_results(PAGES[page], lambda svg, alt, theme: kept.append((svg, alt, theme)) or "PICTURE")
    drawn = len(re.findall(r"^(?!saved = ).*\.plot\.\w+\(.*\)$", PAGES[page], re.MULTILINE))
    assert len(kept) == drawn == shown.count("PICTURE")
    assert all(svg.startswith("<svg") and alt for svg, alt, _ in kept)
    assert not plt.get_fignums()


def told(hooks: ModuleType, code: str, keep: object = None) -> str:
    return hooks.with_results(f"```python\n{code}\n```\n", keep)


def test_what_an_example_prints_and_its_last_value_stand_under_it(hooks: ModuleType) -> None:
    page = hooks.with_results("```python\nprint('said')\nx = 2\nx + 1\n```\nText.\n\n```python\nx\n```\n", None)
    assert page.split("```")[3:5] == [" { .text .output .no-copy }\nsaid\n3\n", "\nText.\n\n"]
    assert "\n2\n```" in page
    assert "<td>au</td>" in told(hooks, "import iomsim as iom\niom.bodies().head(1)")
    assert told(hooks, "y = 1").count("```") == 2


def test_sentences_are_not_broken_into_lines_and_rows_have_no_numbers(hooks: ModuleType) -> None:
    said = "Pope and Vitorino are level. " * 9
    assert said in told(hooks, f"from iomsim.house_style import Text\nprint(Text({said!r}))")
    assert hooks.cells(iom.bodies().head(2).reset_index(drop=True)).count("<th>") == len(iom.bodies().columns)
    assert "<th>0</th>" in hooks.cells(iom.bodies().head(2).T.iloc[:2].set_axis([0, 1]))


@pytest.mark.slow
def test_a_chart_is_drawn_for_every_page_and_told_in_words(hooks: ModuleType) -> None:
    kept = {}
    code = "import iomsim as iom\nfc = iom.forecast(iom.load('minimal'), runs=50, seed=1)\nfc.plot.win_probability()"
    told(hooks, code, lambda svg, alt, theme: kept.update({theme: (svg, alt)}) or "")
    assert set(kept) == {"light", "dark", "phone"}
    assert len({svg for svg, _ in kept.values()}) == 3
    style = (DOCS / "site.css").read_text(encoding="utf-8")
    assert [theme for theme in kept if f".chart .{theme} " not in style.replace(",", " ")] == []
    assert "in 100" in kept["dark"][1]


def test_a_page_that_an_example_writes_is_kept(hooks: ModuleType) -> None:
    written = {}
    hooks.with_results("```python\nfrom pathlib import Path\nPath('made.html').write_text('1')\n```\n", None, written)
    assert written == {"made.html": "1"}


def test_an_example_that_breaks_is_shown(hooks: ModuleType) -> None:
    with pytest.raises(ScenarioError, match="secrecy") as broken:
        told(hooks, "import iomsim as iom\niom.load('minimal').with_behaviour(secrecy=7)")
    assert "with_behaviour(secrecy=7)" in broken.value.__notes__[0]


def test_commands_in_the_pages_can_be_typed() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", "\n".join(PAGES.values()), re.MULTILINE | re.DOTALL)
    lines = re.findall(r"(?:^|/)iomsim (.+)$", "\n".join(blocks), re.MULTILINE)
    lines += re.findall(r"`iomsim ([^`]+)`", "\n".join(PAGES.values()))
    assert len(lines) > 10
    for line in set(lines) - {"--help"}:
        words = shlex.split(line, comments=True)
        parser().parse_args(words[: words.index(">")] if ">" in words else words)


@pytest.mark.slow
def test_the_lines_of_an_election_night_are_understood() -> None:
    rows = re.findall(r"^\| .*? \| `.*?` .*?\| `([^`]+)` \|$", PAGES["how-to/election-night.md"], re.MULTILINE)
    assert len(rows) > 6
    for line in rows[:-1]:  # the last is for the command line alone: undo
        day = iom.live(iom.load("geneva-2023"), particles=50, seed=1, assumptions="fixed")
        if not re.search(r"\d+-\d+|at least|no result", line):
            day.announce(Pope=98, Vitorino=67, at="12:20")
        assert day.tell(line)


def test_a_page_that_would_fetch_something_is_refused(hooks: ModuleType) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    own = '<p><img src="index-0-light.svg"><a href="https://example.org">elsewhere</a></p>'
    assert hooks.on_post_page(own, page) == own
    for outside in ('<img alt="" src="https://example.org/a.png">', '<script src="//example.org/a.js"></script>'):
        with pytest.raises(ValueError, match=r"index\.md loads something from the network: .*example\.org"):
            hooks.on_post_page(own + outside, page)
    with pytest.raises(ValueError, match="formula that is not drawn"):
        hooks.on_post_page('<span class="arithmatex">\\(x\\)</span>', page)


# -- what is made --------------------------------------------------------------------------------------


def test_every_parameter_has_its_entry_once(whole: dict[str, str]) -> None:
    entries = re.findall(r"^`(\S+)` - ", whole["parameters.md"].partition("## What the scenario")[0], re.MULTILINE)
    assert sorted(entries) == sorted(iom.parameters().index)


def test_an_entry_says_all_that_is_known_of_a_parameter(whole: dict[str, str]) -> None:
    row = iom.parameters().loc["behaviour.secrecy"]
    entry = whole["parameters.md"].partition("`behaviour.secrecy` - secrecy")[2].partition("\n\n`")[0]
    assert row["meaning"] in entry
    assert "**0.4** (0.2 to 0.6) fraction; may be between 0 and 1. Acts: where members stand.\n" in entry
    assert "*assumed*: How much of the outside pressure a secret ballot cancels is a guess" in entry


def test_the_scenario_has_all_that_it_states(whole: dict[str, str]) -> None:
    race = iom.load("geneva-2023")
    own = [path for path in race.parameters() if path.split(".")[0] not in ("behaviour", "clock")]
    page = whole["parameters.md"].partition("## What the scenario")[2]
    assert [path for path in own if f"`{path}`" not in page] == []
    entry = page.partition("`sponsors.Washington.strength` - ")[2].partition("\n\n`")[0]
    assert entry.splitlines()[2] == ":   **0.6** (0.32 to 1.14) log-odds."
    assert "*assumed*: " in entry


def test_every_reading_of_every_body_is_told(whole: dict[str, str]) -> None:
    page = whole["bodies.md"]
    for id in iom.bodies().index:
        _, _, rules = page.partition(f"{{ #{id} }}")
        rules = rules.partition("\n### ")[0]
        assert f"(#{id})" in page
        for name, procedure in body(id).procedures.items():
            assert f"`{name}`" in rules
            assert procedure.sentence(2) in rules


def test_every_public_name_is_in_the_reference_once(hooks: ModuleType) -> None:
    pages = hooks.reference()
    names = re.findall(r"^::: iomsim\.(\w+)$", "\n".join(pages.values()), re.MULTILINE)
    assert sorted(names) == sorted(set(iom.__all__) - {"__version__"})


def test_every_chart_is_in_the_reference_and_in_the_gallery(hooks: ModuleType) -> None:
    for kind, charts in CHARTS.items():
        for name, chart in charts.items():
            assert f"::: {chart.__module__}.{chart.__name__}\n" in hooks.charts()
            assert f".plot.{name}(" in PAGES["gallery.md"], (kind, name)


def test_nothing_that_is_made_is_called_by_a_wrong_name(whole: dict[str, str]) -> None:
    assert [page for page, text in whole.items() if "<!--" in text] == []


def test_signs_of_markdown_in_names_and_sources_mean_nothing(hooks: ModuleType) -> None:
    assert hooks.plain(r"a_b *c* [d] <e> \f") == r"a\_b \*c\* \[d\] \<e\> \\f"
    assert hooks.table(("one", "two"), [("a|b", "c\nd")]).splitlines()[2] == "| a&#124;b | c d |"


def test_the_glossary_is_in_order() -> None:
    terms = re.findall(r"^(\w.*)\n:   ", PAGES["glossary.md"], re.MULTILINE)
    assert len(terms) > 30
    assert [term.lower() for term in terms] == sorted(term.lower() for term in terms)


def test_pages_are_in_the_navigation() -> None:
    site = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in PAGES if f": {page}\n" not in site] == []
