"""The command line, as somebody types it: what is printed where, exit codes, and complaints in one sentence."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which

import jsonschema
import pandas as pd
import pytest
from command import SMALL, Captured, iomsim
from contest_files import election, tally, write
from toys import toy

import iomsim as iom
from iomsim import cli
from iomsim.charts import Plots, interactive, report
from iomsim.cli import describe, election_day, forecasts, sensitivity
from iomsim.cli.output import VERSION
from iomsim.forecasting.estimates import in_100
from iomsim.house_style import in_lines
from iomsim.model.bodies import body


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return the file of a small election."""
    path = tmp_path / "small.toml"
    iom.loads(
        'title = "small"\nelectorate = { size = 21 }\ncandidates = [{ name = "A" }, { name = "B" }]\n'
        'sponsors = [{ name = "W", backs = "A", strength = { value = 0.4, low = 0.0, high = 1.0 } }]\n'
        "clock = { opens = 2023-05-15T10:00:00 }"
    ).save(path)
    return path


# -- forecast ------------------------------------------------------------------------------------


def test_a_forecast_prints_the_answer_and_its_tables(small: Path, capsys: Captured) -> None:
    assert iomsim("forecast", small, *SMALL) == 0
    out, err = capsys.readouterr()
    fc = iom.forecast(iom.load(small), 300, 5, progress=False)
    assert out.startswith(f"small\n{fc.answer()!s}\n\n")
    assert out.splitlines()[-1] == fc.stamp()
    assert err == ""
    assert "\x1b" not in out


def test_the_default_is_geneva(capsys: Captured) -> None:
    assert iomsim("forecast", "--runs", 200) == 0
    assert iom.load("geneva-2023").title in capsys.readouterr().out


def test_one_json_document(small: Path, capsys: Captured) -> None:
    assert iomsim("forecast", small, *SMALL, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    fc = iom.forecast(iom.load(small), 300, 5, progress=False)
    assert told["answer"] == fc.answer()
    assert told["provenance"] == json.loads(json.dumps(fc.provenance, default=str))
    assert [row["probability"] for row in told["win_probability"]] == pytest.approx(
        fc.win_probability()["probability"].tolist()
    )
    assert told["spill"]["probability"] == fc.spill().value


def test_what_is_changed_is_changed(small: Path, capsys: Captured) -> None:
    changes = ("--rules", "strict", "--set", "W=0.9", "--set", "behaviour.secrecy=0.1", "--share", "0.6")
    assert iomsim("forecast", small, *SMALL, *changes, "--json") == 0
    told = json.loads(capsys.readouterr().out)["provenance"]["scenario"]
    race = iom.load(small).with_rules("strict").with_parameters({"behaviour.secrecy": 0.1}).with_pressure(W=0.9)
    assert told == race.balanced(0.6).hash
    assert told != race.hash


def test_members_go_over_and_turn_out(small: Path, capsys: Captured) -> None:
    name = iom.load(small).names[0]
    changes = ("--swing", f"2:all:{name}", "--turnout", "18")
    assert iomsim("forecast", small, *SMALL, *changes, "--json") == 0
    told = json.loads(capsys.readouterr().out)["provenance"]["scenario"]
    assert told == iom.load(small).with_turnout(18).swing(2, "all", to=name).hash


def test_what_the_analyst_knows_comes_from_files(small: Path, tmp_path: Path, capsys: Captured) -> None:
    race = iom.load(small)
    name, member, other = race.names[0], *race.members["name"][:2]
    (tmp_path / "count.csv").write_text(f"member;candidate;kind\n{member};{name};oral\n", encoding="utf-8")
    (tmp_path / "poll.csv").write_text(f"member,{name}\n{other},0.7\n", encoding="utf-8")
    files = ("--pledges", tmp_path / "count.csv", "--polling", tmp_path / "poll.csv", "--trust", 0.5)
    assert iomsim("forecast", small, *SMALL, *files, "--json") == 0
    told = json.loads(capsys.readouterr().out)["provenance"]["scenario"]
    known = race.with_pledges(tmp_path / "count.csv").with_polling(tmp_path / "poll.csv", trust=0.5)
    assert told == known.hash
    assert iomsim("pledges", small, "--pledges", tmp_path / "count.csv", "--seed", 3) == 0
    assert capsys.readouterr().out.strip() == str(race.with_pledges(tmp_path / "count.csv").pledges(seed=3))


def test_what_a_whip_count_and_a_poll_bring_with_them_can_be_set(small: Path, tmp_path: Path, capsys: Captured) -> None:
    race = iom.load(small)
    name, member, other = race.names[0], *race.members["name"][:2]
    (tmp_path / "count.csv").write_text(f"member;candidate;kind\n{member};{name};oral\n", encoding="utf-8")
    (tmp_path / "poll.csv").write_text(f"member,{name}\n{other},0.7\n", encoding="utf-8")
    files = ("--pledges", tmp_path / "count.csv", "--polling", tmp_path / "poll.csv")
    settings = ("--set", "ledger.discounts.oral=1.0", "--set", "polling.trust=0.3", "--set", "secrecy=0.2")
    assert iomsim("forecast", small, *SMALL, *files, *settings, "--json") == 0
    told = json.loads(capsys.readouterr().out)["provenance"]["scenario"]
    known = race.with_behaviour(secrecy=0.2).with_pledges(tmp_path / "count.csv").with_polling(tmp_path / "poll.csv")
    assert told == known.with_parameters({"ledger.discounts.oral": 1.0, "polling.trust": 0.3}).hash


@pytest.mark.parametrize("option", ["--pledges", "--polling"])
def test_a_file_without_a_name_is_no_file(option: str, small: Path, capsys: Captured) -> None:
    assert iomsim("forecast", small, *SMALL, option, "") == 2
    assert "is of a kind that is not read; save it as csv" in capsys.readouterr().err


def test_leanings_the_closest_to_even_first(small: Path, capsys: Captured) -> None:
    assert iomsim("leanings", small, "--seed", 5, "--csv") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), index_col=0)
    wanted = iom.load(small).leanings(seed=5)
    assert table.columns.tolist() == wanted.columns.tolist()
    assert table.index.tolist() == wanted.index.tolist()
    assert iomsim("leanings", small, "--assumptions", "fixed") == 0
    fixed = iom.load(small).leanings(assumptions="fixed")
    closest = (fixed[iom.load(small).names[0]] - 0.5).abs().idxmin()
    assert capsys.readouterr().out.splitlines()[1].split()[0] == closest.split()[0]


@pytest.mark.slow
def test_jobs_do_not_change_the_numbers(small: Path, capsys: Captured) -> None:
    said = []
    for jobs in (1, 2):
        assert iomsim("forecast", small, "--runs", 40_000, "--jobs", jobs) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


@pytest.mark.parametrize("drawn", [["flows"], pytest.param(None, marks=pytest.mark.slow)], ids=["one chart", "all"])
def test_the_folder_holds_everything(
    drawn: list[str] | None, small: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    if drawn:
        monkeypatch.setattr(Plots, "names", lambda _: drawn)
        monkeypatch.setattr(report, "SECTIONS", {"rounds": "After how many rounds"})
    assert iomsim("forecast", small, *SMALL, "--out", tmp_path / "out") == 0
    assert "report.html" in capsys.readouterr().err
    fc = iom.forecast(iom.load(small), 300, 5, progress=False)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {f"{name}.{kind}" for name in fc.plot.names() for kind in ("png", "svg")}
    assert pictures | {"report.html", "answer.txt", "forecast.npz", "win_probability.csv", "evidence.csv"} <= names
    assert (tmp_path / "out" / "answer.txt").read_text(encoding="utf-8").startswith(str(fc.answer()))
    again, same = report.rerun(tmp_path / "out" / "forecast.npz")
    assert same
    assert again.win_probability().equals(fc.win_probability())


@pytest.mark.slow
def test_a_report_can_be_made_again_from_itself(small: Path, tmp_path: Path, capsys: Captured) -> None:
    iomsim("forecast", small, *SMALL, "--out", tmp_path)
    assert iomsim("rerun", tmp_path / "report.html") == 0
    assert "the same, bit for bit" in capsys.readouterr().out
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    (tmp_path / "other.html").write_text(page.replace('"seed": 5', '"seed": 6'), encoding="utf-8")
    assert iomsim("rerun", tmp_path / "other.html") == 1
    assert "differ" in capsys.readouterr().out


def test_a_page_is_written_of_a_scenario_or_of_what_was_saved(
    small: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SECTIONS", {})
    monkeypatch.chdir(tmp_path)
    assert iomsim("report", small, *SMALL) == 0
    assert capsys.readouterr().out == "report.html\n"
    fc = iom.forecast(iom.load(small), 300, 5, progress=False)
    assert fc.stamp() in Path("report.html").read_text(encoding="utf-8")
    fc.save("saved.npz")
    assert iomsim("report", "saved.npz", "-o", "again.html") == 0
    assert Path("again.html").read_bytes() == Path("report.html").read_bytes()
    for changes in (["--seed", 6], ["--runs", 6], ["--set", "secrecy=0.9"], ["--assumptions", "fixed"]):
        assert iomsim("report", "saved.npz", *changes) == 2
        assert "a saved forecast is reported as it is" in capsys.readouterr().err
    assert iomsim("report", small, "--interactive", "--assumptions", 9) == 2
    assert "on the best guesses of all else; leave --assumptions out" in capsys.readouterr().err


@pytest.mark.slow
def test_a_page_with_sliders_is_written(
    small: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactive, "LEVELS", 2)
    monkeypatch.chdir(tmp_path)
    assert iomsim("report", small, "--interactive", "--runs", 5, "--seed", 3) == 0
    assert capsys.readouterr().out == "what-if.html\n"
    assert "seed 3" in Path("what-if.html").read_text(encoding="utf-8")
    night = iom.live(toy(15), particles=50, seed=1)
    night.announce(A=8, B=7)
    night.forecast().save("night.npz")
    assert iomsim("report", "night.npz", "--interactive") == 2
    assert "of an election before the vote" in capsys.readouterr().err


def test_a_precision_instead_of_runs(small: Path, capsys: Captured) -> None:
    assert iomsim("forecast", small, "--precision", "0.02", "--json") == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["runs"] == 16_384


def test_plain_data_holds_every_table() -> None:
    race = toy(15, "ABC", rules="until-two-thirds")
    fc = iom.forecast(race, 400, 3, progress=False, assumptions=100)
    told = json.loads(json.dumps(forecasts.as_json(fc), allow_nan=False))
    assert (told["headline"], told["answer"]) == (fc.headline(), fc.answer())
    assert {row["winner"] for row in told["win_probability"]} == {*fc.race.names, "no winner"}
    middle, low, high = fc.median_rounds()
    assert told["median_rounds"] == {"median": middle, "low": low, "high": high}
    spill = fc.spill()
    parts = {"probability": spill.value, "low": spill.low, "high": spill.high, "mc_error": spill.mc_error}
    assert told["spill"] == {"into": "2023-05-16", **parts}
    assert low < high
    assert spill.low < spill.value < spill.high
    assert len(told["rounds"]) == len(fc.rounds())
    fixed = forecasts.as_json(iom.forecast(race, 50, 3, progress=False, assumptions="fixed"))
    assert '"low": null' in json.dumps(fixed["spill"], allow_nan=False)


@pytest.mark.slow
def test_what_draws_nothing_loads_no_matplotlib() -> None:
    program = (
        "import sys\nfrom iomsim.cli import main\nmain(['forecast', 'minimal', '--runs', '50', '--json'])\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


# -- describing ----------------------------------------------------------------------------------


def test_the_catalogue_and_the_briefing(capsys: Captured) -> None:
    assert iomsim("scenarios") == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"name", *iom.catalogue().index}
    assert iomsim("show", "geneva-2023") == 0
    assert capsys.readouterr().out.strip() == str(iom.load("geneva-2023"))


def test_validation_says_what_is_wrong(small: Path, capsys: Captured) -> None:
    assert iomsim("validate", small) == 0
    assert "21 members, A against B" in capsys.readouterr().out
    small.write_text(small.read_text(encoding="utf-8").replace("strength", "strenght"), encoding="utf-8")
    assert iomsim("validate", small) == 1
    assert "did you mean 'strength'?" in capsys.readouterr().out


def test_the_evidence_as_csv_is_the_table(capsys: Captured) -> None:
    assert iomsim("evidence", "geneva-2023", "--csv") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), index_col="parameter", keep_default_na=False)
    assert table.index.tolist() == iom.load("geneva-2023").evidence().index.tolist()
    assert iomsim("evidence") == 0
    printed = capsys.readouterr().out
    assert all(path in printed for path in table.index)


def test_what_json_prints_follows_its_schema(small: Path, tmp_path: Path, capsys: Captured) -> None:
    assert iomsim("schema", "--output") == 0
    schema = json.loads(capsys.readouterr().out)
    checker = jsonschema.Draft202012Validator(schema)
    checker.check_schema(schema)
    assert iomsim("forecast", small, *SMALL, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    checker.validate(told)
    assert told["output_version"] == VERSION
    assert set(schema["properties"]) == {*told, "drivers_winner", "drivers_next_day"}
    weighed = toy(9).with_readings({"strict": 0.5, "four-rounds": 0.5})
    for race, drawn in ((weighed, 20), (toy(9), "fixed")):
        checker.validate(forecasts.as_json(iom.forecast(race, 100, 1, progress=False, assumptions=drawn)))
    day = iom.live(toy(9), particles=50, seed=1)
    day.announce(A=5, B=4)
    checker.validate(forecasts.as_json(day.forecast()))
    for wrong in ({"output_version": 0}, {"more": 1}, {"spill": {}}, {"rounds": [{"round": 0}]}, {"decided_at": None}):
        assert not checker.is_valid(told | wrong)


def test_every_command_that_prints_json_is_described() -> None:
    """Whoever adds --json to another command describes it, and validates it above."""
    commands = next(a for a in cli.parser()._actions if isinstance(a.choices, dict)).choices
    assert [name for name, one in commands.items() if "--json" in one._option_string_actions] == ["forecast"]


def test_quiet_says_results_only(
    small: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "write_folder", lambda fc, folder: [folder] * 15)
    asked: list[str | None] = []
    played = forecasts.forecast
    monkeypatch.setattr(
        forecasts, "forecast", lambda *a, **k: (asked.append(os.environ.get("TQDM_DISABLE")), played(*a, **k))[1]
    )
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    assert iomsim("forecast", small, *SMALL, "--out", tmp_path, "--quiet") == 0
    quiet = capsys.readouterr()
    assert (quiet.err, asked, "TQDM_DISABLE" in os.environ) == ("", ["1"], False)
    assert iomsim("forecast", small, *SMALL, "--out", tmp_path) == 0
    loud = capsys.readouterr()
    assert (loud.out, asked) == (quiet.out, ["1", None])
    assert loud.err.startswith("15 files in ")
    monkeypatch.setenv("TQDM_DISABLE", "0")
    assert iomsim("forecast", "nowhere", "-q") == 2
    assert "no scenario" in capsys.readouterr().err
    assert os.environ["TQDM_DISABLE"] == "0"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str, capsys: Captured) -> None:
    pytest.importorskip("shtab")
    assert iomsim("completion", shell) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("forecast", "tornado", "--assumptions", "completion"))
    assert iomsim("completion", "tcsh") == 0
    assert iomsim("completion", "basch") == 2
    assert "no shell named 'basch'; did you mean 'bash'?" in capsys.readouterr().err


@pytest.mark.skipif(which("bash") is None, reason="there is no bash here")
def test_bash_completes(tmp_path: Path, capsys: Captured) -> None:
    pytest.importorskip("shtab")
    iomsim("completion", "bash")
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    (tmp_path / "gene.toml").touch()

    def offered(typed: str) -> list[str]:
        words = typed.split(" ")
        ask = (
            f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _shtab_iomsim; echo ${{COMPREPLY[@]}}"
        )
        done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path)
        return done.stdout.split()

    assert offered("iomsim fore") == ["forecast"]
    assert offered("iomsim forecast gene") == ["geneva-2023", "gene.toml"]
    assert offered("iomsim start wh") == ["who"]
    told = script.read_text(encoding="utf-8")
    assert "_shtab_iomsim_forecast___out_COMPGEN=_shtab_compgen_dirs\n" in told


def test_completion_needs_a_library(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describe, "find_spec", lambda _: None)
    assert iomsim("completion", "bash") == 2
    assert "completion needs shtab; install it with: pip install 'iomsim[completion]'" in capsys.readouterr().err


def test_the_schema_is_json(capsys: Captured) -> None:
    assert iomsim("schema") == 0
    assert json.loads(capsys.readouterr().out) == iom.schema()


# -- what if ---------------------------------------------------------------------------------------


def test_a_comparison(small: Path, capsys: Captured) -> None:
    assert iomsim("compare", small, "--set", "W=0", *SMALL) == 0
    race = iom.load(small)
    expected = iom.compare(race, race.with_pressure(W=0), runs=300, seed=5)
    out = capsys.readouterr().out
    assert out.startswith(in_lines(expected.sentence()))
    assert re.search(r"outcome +as it is +changed +difference ", out)


@pytest.mark.slow
def test_a_grid_with_its_table_and_chart(small: Path, tmp_path: Path, capsys: Captured) -> None:
    files = ("--csv", tmp_path / "grid.csv", "--chart", tmp_path / "grid.svg")
    assert iomsim("grid", "W=0:1:3", "secrecy=0:1:2", "--scenario", small, "--runs", 100, *files) == 0
    assert len(pd.read_csv(tmp_path / "grid.csv")) == 6
    assert (tmp_path / "grid.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert "0.5" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("tornado", "--target", "Tuesday"),
        ("sobol", "--target", "A"),
        pytest.param(("pivotal", "--candidate", "B"), marks=pytest.mark.slow),
    ],
)
def test_a_sentence_and_a_table(words: tuple[str, ...], small: Path, capsys: Captured) -> None:
    name, *options = words
    assert iomsim(name, small, *options, "--runs", 100 if name != "pivotal" else 2000) == 0
    sentence, table = capsys.readouterr().out.split("\n\n", 1)
    assert sentence.endswith(".")
    assert len(table.splitlines()) > 4


@pytest.mark.slow
def test_calls_are_told_by_member_and_group(small: Path, tmp_path: Path, capsys: Captured) -> None:
    few = ("--runs", 2000, "--seed", 5)
    assert iomsim("pivotal", small, *few, "--assumptions", 50, "--csv", tmp_path / "calls.csv") == 0
    found = iom.pivotal(iom.load(small), runs=2000, seed=5, assumptions=50, progress=False)
    said = capsys.readouterr().out
    assert in_lines(found.sentence()) in said
    assert "any one" in said
    assert pd.read_csv(tmp_path / "calls.csv")["win_range_low"].notna().any()
    assert iomsim("pivotal", small, *few, "--assumptions", "fixed") == 0
    assert capsys.readouterr().out.startswith("On the best guesses, ")


@pytest.mark.slow
def test_what_the_answer_hangs_on_with_its_table_and_chart(small: Path, tmp_path: Path, capsys: Captured) -> None:
    files = ("--csv", tmp_path / "drivers.csv", "--chart", tmp_path / "drivers.svg")
    few = ("--runs", 4000, "--seed", 5, "--assumptions", 100)
    assert iomsim("drivers", small, "--target", "Tuesday", *few, *files) == 0
    found = iom.forecast(iom.load(small), 4000, 5, progress=False, assumptions=100).drivers("Tuesday")
    assert in_lines(found.sentence()) in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "drivers.csv")["parameter"].tolist() == list(found.table().index)
    assert (tmp_path / "drivers.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert iomsim("forecast", small, *few) == 0
    out = capsys.readouterr().out
    assert "\nWhat A's chance hangs on\n" in out
    assert found.in_words().head(6).to_string() in out
    assert iomsim("forecast", small, "--runs", 400, "--assumptions", "fixed") == 0
    assert "hangs on" not in capsys.readouterr().out
    assert iomsim("drivers", small, "--runs", 400, "--assumptions", "fixed") == 2
    assert "best guesses" in capsys.readouterr().err


def test_a_range_is_read() -> None:
    assert sensitivity._axis("W=0:1:5") == ("W", [0.0, 0.25, 0.5, 0.75, 1.0])
    assert sensitivity._axis("secrecy") == ("secrecy", None)


# -- election day ----------------------------------------------------------------------------------


def test_a_day_from_a_file(small: Path, tmp_path: Path, capsys: Captured) -> None:
    said = tmp_path / "said.txt"
    said.write_text("# noon\nA=12 B=8 at 11:40\nnext\nhistory\n\nwithdraw B\n", encoding="utf-8")
    log = tmp_path / "day.log"
    assert iomsim("live", small, "--from", said, "--log", log, "--particles", 500) == 0
    out = capsys.readouterr().out
    night = iom.replay(log)
    assert night.forecast().answer() in out
    assert [event["event"] for event in night.events] == ["announce", "withdraw"]


def test_what_cannot_be_is_refused_and_the_day_goes_on(
    small: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.StringIO("A=30 B=8\nwithdraw C\nA=12 B=8\nundo\nquit\nA=1 B=1\n")
    monkeypatch.setattr(sys, "stdin", typed)
    assert iomsim("live", small, "--particles", 300) == 1
    out, err = capsys.readouterr()
    assert len([line for line in err.splitlines() if line.startswith("refused: ")]) == 2
    assert "A 12, B 8" in out
    assert "A 1, B 1" not in out


def test_the_log_of_a_day_is_told_again(small: Path, tmp_path: Path, capsys: Captured) -> None:
    log = tmp_path / "day.log"
    night = iom.live(iom.load(small), particles=100, seed=1, log=log, assumptions="fixed")
    night.tell("A=12 B=8 at 11:40")
    assert iomsim("replay", log) == 0
    out = capsys.readouterr().out
    assert night.forecast().answer().split(",")[0] in out
    assert "A 12, B 8" in out
    log.write_text(log.read_text(encoding="utf-8") + "{}\n", encoding="utf-8")
    assert iomsim("replay", log) == 2
    assert "line 3: no event None; there are announce" in capsys.readouterr().err


def test_announcements_in_another_encoding_are_named(small: Path, tmp_path: Path, capsys: Captured) -> None:
    said = tmp_path / "said.txt"
    said.write_bytes("A=12 B=8 # à midi".encode("cp1252"))
    assert iomsim("live", small, "--from", said, "--particles", 50) == 2
    assert "said.txt': it is not UTF-8; save it as UTF-8" in capsys.readouterr().err


@pytest.mark.slow
def test_a_past_day_is_marked_as_hindsight(capsys: Captured) -> None:
    assert iomsim("replay", "2023", "--particles", 500) == 0
    out = capsys.readouterr().out
    assert "hindsight" in out.splitlines()[0]
    before = str(iom.live(iom.load("geneva-2023"), particles=500, seed=2023).forecast().answer())
    assert out.index(before) < out.index("Pope=98 Vitorino=67")
    assert "Pope is elected by acclamation" in out


def test_what_is_certain_is_told_as_that_and_nothing_else_is() -> None:
    night = iom.live(iom.load("geneva-2023"), particles=400, seed=3, assumptions="fixed")
    night.announce(Pope=105, Vitorino=60)
    night.withdraw("Vitorino")
    *_, tally, over = election_day.table(night).splitlines()
    assert over.split()[-4:] == ["100", "0", "0", "0"]
    before = night.history().loc[1, ["Pope", "Vitorino", "still voting", "spill"]]
    assert tally.split()[-4:] == [in_100(p) for p in before]
    assert "nobody" not in election_day.table(night)  # these rules never end without a winner
    assert "<1" in tally


def test_a_comment_is_no_part_of_a_name(capsys: Captured) -> None:
    day = iom.live(toy(15, candidates=[{"name": "Team #1"}, {"name": "Team #11"}]), particles=50, seed=1)
    for line in ("# noon", "team #1: 7, Team #11: 6; 1 abstention  # as rumoured", "correct round 1: 8-6 # Team #1"):
        assert election_day.take(day, line)
    assert not election_day.take(day, "Team #2 7")
    out, err = capsys.readouterr()
    assert "Team #1 7, Team #11 6, 1 abstaining." in out
    assert "Round 1 corrected: Team #1 8, Team #11 6." in out
    assert err.startswith("refused: cannot read 'Team'; there are ")


# -- bodies ----------------------------------------------------------------------------------------


def test_the_bodies_fit_a_terminal(capsys: Captured) -> None:
    assert iomsim("bodies") == 0
    out = capsys.readouterr().out
    table = iom.bodies()
    assert max(map(len, out.splitlines())) <= 80
    rows = {line.split()[0]: line.split() for line in out.splitlines() if not line.startswith(" ")}
    assert list(rows) == ["body", *table.index]
    for name, row in table.iterrows():
        assert rows[str(name)][1:4] == [str(row["members"]), str(row["readings"]), row["grade"]]
        assert row["name"].split()[-1] in out


@pytest.mark.parametrize("name", iom.bodies().index)
def test_one_body_is_told_with_grades_and_sources(name: str, capsys: Captured) -> None:
    assert iomsim("bodies", name) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    told, one = " ".join(out.split()), body(name)
    for part in (one.electorate, one.clock, one.secrecy, *one.readings.values()):
        assert f"[{part.grade}: {' '.join(part.source.split())}]" in told
    for reading, rules in one.procedures.items():
        assert f"Reading: {reading}: {rules.sentence(16)}" in told
    assert one.name in told


def test_a_start_can_be_forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("name,region\nFrance,E\nSpain,E\nChad,A\nMali,A\n", encoding="utf-8")
    assert (
        iomsim("start", "iaea", "--members", "mine.csv", "--reading", "procedure-2009", "--candidates", "A", "B b") == 0
    )
    Path("my.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    race = iom.load("my.toml")
    assert race.names == ("A", "B b")
    assert race.members["name"].tolist() == ["France", "Spain", "Chad", "Mali"]
    assert race.rules.name == "procedure-2009"
    assert iomsim("forecast", "my.toml", "--runs", 50) == 0
    assert "procedure-2019" in capsys.readouterr().out  # the other reading of this body
    assert iomsim("forecast", "my.toml", "--runs", 50, "--rules", "strict") == 2
    assert "no reading of the rules of 'iaea' named 'strict'" in capsys.readouterr().err


def test_help_speaks_of_readings(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        iomsim("forecast", "--help")
    assert "another reading of the body's rules, such as four-rounds" in " ".join(capsys.readouterr().out.split())


# -- the past --------------------------------------------------------------------------------------


def test_the_past(capsys: Captured) -> None:
    past = iom.history()
    assert iomsim("history") == 0
    out = capsys.readouterr().out
    listed = [line.split()[0] for line in out.splitlines() if line.strip()]
    assert [listed.count(one.id) for one in past.contests] == [1] * len(past.contests)
    assert past.stamp() in out
    assert " ".join(past.sentence().split()) in " ".join(out.split())
    assert iomsim("history", "UNSC2020-AF") == 0
    out = capsys.readouterr().out
    assert "129" in out
    assert out.splitlines()[-1] == "majority: Kenya."


def test_the_past_of_one_s_own_folder(capsys: Captured, tmp_path: Path) -> None:
    write(tmp_path, [election("MINE", winner="Ann")], tally(1, {"Ann": 61, "Bob": 37}, "MINE"))
    assert iomsim("history", "MINE", "--folder", tmp_path) == 0
    assert "61" in capsys.readouterr().out
    assert iomsim("history", "UNSC2020-AF", "--folder", tmp_path) == 2


def test_the_past_that_is_picked(capsys: Captured, tmp_path: Path) -> None:
    csv = tmp_path / "past.csv"
    words = ("--body", "UNSC", "--years", "2007-2020", "--candidates", "2", "--bar", "2/3", "--by", "ending")
    assert iomsim("history", *words, "--csv", csv) == 0
    picked = iom.history().filter(body="UNSC", years=(2007, 2020), candidates=2, bar="2/3")
    assert pd.read_csv(csv)["contest"].tolist() == [one.id for one in picked.contests]
    out = capsys.readouterr().out
    assert picked.stamp() in out
    assert "withdrawal" in out
    assert "3 of 3" in out
    assert iomsim("history", "--years", "1900") == 0
    assert "No contest of the record fits: years 1900." in capsys.readouterr().out


def test_the_past_that_is_alike(capsys: Captured, tmp_path: Path) -> None:
    csv, png = tmp_path / "alike.csv", tmp_path / "alike.png"
    assert iomsim("history", "--like", 98, 67, "--bar", "2/3", "-n", 2, "--csv", csv, "-o", png) == 0
    found = iom.history().like(98, 67, bar="2/3", n=2)
    assert pd.read_csv(csv)["contest"].tolist() == found.table().index.tolist()
    assert png.stat().st_size > 10_000
    assert "the two most similar first ballots between two" in " ".join(capsys.readouterr().out.split())
    assert iomsim("history", "--like", 98, 67, "--rounds", "any", "--held-out", "-n", 1) == 0
    assert "IOM2023-DG" in capsys.readouterr().out


# -- complaints --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("forecast", "geneva"), "no scenario named 'geneva'; did you mean 'geneva-2023'?"),
        (("forecast", "nowhere.toml"), "nowhere.toml"),
        (("forecast", "--runs", "0"), "runs must be a whole number of at least 1, got 0"),
        (("forecast", "--seed", "-1"), "seed must be a whole number of at least 0, got -1"),
        (("forecast", "--jobs", "0"), "--jobs must be at least 1, got 0"),
        (("forecast", "--rules", "for-rounds"), "no reading of the rules of 'iom' named 'for-rounds'; did you mean"),
        (("forecast", "--set", "Washingtn=1"), "no parameter named 'Washingtn'; did you mean 'Washington'?"),
        (("forecast", "--set", "secrecy"), "--set takes NAME=VALUE, got 'secrecy'; for instance --set secrecy=0.2"),
        (("forecast", "--set", "secrecy=high"), "--set secrecy takes a number, got 'high'"),
        (("forecast", "--share", "1.5"), "the share of Pope must be between 0 and 1, got 1.5"),
        (("forecast", "--swing", "20:African"), "--swing takes N:WHO:TO, got '20:African'; for instance --swing"),
        (("compare", "--swing", "x:African:Pope"), "--swing takes N:WHO:TO, got 'x:African:Pope'"),
        (("forecast", "--trust", "0.4"), "--trust says how much a poll is believed; give its file too: --polling FILE"),
        (("pledges",), "the race has no ledger; race.with_pledges(frame) gives it one"),
        (("compare", "--turnout", "0.94"), "the turnout is given in heads, got the share 0.94"),
        (("grid", "secrecy=0:1"), "a range is written NAME=LOW:HIGH:POINTS, got 'secrecy=0:1'"),
        (("grid", "secrecy=0:1:0"), "a range is written NAME=LOW:HIGH:POINTS, got 'secrecy=0:1:0'"),
        (("grid", "secrecy=0:1e400:3"), "a range is written NAME=LOW:HIGH:POINTS, got 'secrecy=0:1e400:3'"),
        (("tornado", "--target", "Pop"), "did you mean 'Pope'?"),
        (("replay", "2032"), "no day named '2032'; did you mean '2023'?"),
        (("history", "UNSC2020-AFR"), "did you mean 'UNSC2020-AF'?"),
        (("history", "--body", "UN"), "no body named 'UN'; did you mean 'unsc'?"),
        (("history", "--candidates", "few"), "candidates must be a number, '3+', '2-4' or a pair"),
        (("history", "--like", "98"), "a tally has two votes or more, such as like(98, 67); got [98]"),
        (("rerun", "nothing.html"), "cannot read 'nothing.html'"),
        (("validate", "."), "no scenario named '.'"),
        (("bodies", "WHO"), "no body named 'WHO'; did you mean 'who'?"),
        (("start", "who", "--candidates", "A"), "start('who'): candidates must have at least 2 entries, got 1"),
        (("start", "who", "--candidates", "A", "B", "--reading", "r"), "no reading of the rules of 'who' named 'r'"),
        (("start", "who", "--candidates", "A", "B", "--members", "no.csv"), "cannot read the member table 'no.csv'"),
    ],
)
def test_bad_input_gets_one_sentence(words: tuple[str, ...], said: str, capsys: Captured) -> None:
    code = iomsim(*words)
    out, err = capsys.readouterr()
    complaint = out if words[0] == "validate" else err
    assert code == (1 if words[0] == "validate" else 2)
    assert said in complaint
    assert len(complaint.strip().splitlines()) == 1
    assert "Traceback" not in complaint


def test_an_unknown_command_is_refused(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stop:
        iomsim("forcast")
    assert stop.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_an_interruption_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("iomsim.cli.forecasts.forecast", interrupted)
    assert iomsim("forecast") == 130
    assert capsys.readouterr().err == "iomsim: interrupted\n"


@pytest.mark.slow
def test_whoever_reads_may_go_away() -> None:
    """As in ``iomsim evidence | head -1``."""
    program = [sys.executable, "-m", "iomsim", "evidence"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_headings_are_bold_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.delitem(os.environ, "NO_COLOR", raising=False)
    assert cli.common.heading("x") == "\x1b[1mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli.common.heading("x") == "x"


@pytest.mark.slow
def test_a_backtest_on_a_page(tmp_path: Path, capsys: Captured) -> None:
    words = ("backtest", "UNSC2007-EEG", "WHO2017", "--particles", 60, "--csv", tmp_path / "rows.csv")
    assert iomsim(*words) == 0
    page = capsys.readouterr().out
    parts = [
        "Judged after 4 rounds",
        "Scores",
        "Winner and next share, by standing",
        "three or more",
        "Real next shares",
    ]
    parts += ["Said and came: leader wins", "Said and came: over next", "Where it loses, and why", "400 draws"]
    assert [part for part in parts if part not in page] == []
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert {"kind", "standing", "winner, log", "p_winner"} <= set(rows.columns)
    assert iomsim(*words, "--by", "kind", "--assumptions", "fixed", "--model", "0.1") == 0
    page = capsys.readouterr().out
    assert "by kind" in page
    assert "assumptions: fixed · the model with the values of version 0.1" in page
    assert iomsim("backtest", "WHO2017", "--particles", 60, "--by", "class") == 2
    assert "say nothing of their class" in capsys.readouterr().err
