"""Studies: the same numbers as single forecasts, on any executor, and nothing that is finished is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import mostly_slow, play, toy

import iomsim as iom
from iomsim.engine.rng import BLOCK
from iomsim.errors import BlockError, FileError, IomsimError, ScenarioError
from iomsim.files import write_whole
from iomsim.forecasting.estimates import wilson
from iomsim.forecasting.tables import NO_WINNER
from iomsim.sensitivity import study, tasks
from iomsim.sensitivity.tasks import MAX_RUNS, Cell, count_cells

SPONSORS = {"sponsors": [{"name": "W", "backs": "A", "strength": {"value": 0.4, "low": 0.1, "high": 0.9}}]}


def race(**parts: Any) -> iom.Scenario:
    return toy(15, **SPONSORS | {"behaviour": {"absent": 0.1, "region_sd": 0.3}} | parts)


@pytest.fixture
def small() -> iom.Study:
    return iom.Study.grid(race(), W=[0.0, 0.5], openness_fluid=[0.3, 0.8])


def run(study: iom.Study, **options: Any) -> pd.DataFrame:
    return study.run(**{"runs": 300, "seed": 4, "progress": False} | options)


# -- what it says -------------------------------------------------------------------------------------


def of_a_forecast(fc: iom.Forecast) -> dict[str, Any]:
    """Return the row that a forecast of its own gives."""
    row: dict[str, Any] = {}
    for name, chance in fc.win_probability().iterrows():
        row |= {str(name): chance["probability"], f"{name}_error": chance["mc_error"]}
    row |= {"spill": fc.spill().value, "spill_error": fc.spill().mc_error}
    return row | {"median_rounds": fc.median_rounds()[0], "hash": fc.race.hash, "runs": len(fc), "seed": fc.seed}


@pytest.mark.parametrize("runs", [1, 300, 2 * BLOCK + 5])
def test_every_row_is_that_of_a_forecast_of_its_own(runs: int, small: iom.Study) -> None:
    table = run(small, runs=runs)
    assert list(table.columns[:2]) == ["W", "openness_fluid"]
    for i, cell in enumerate(small.cells):
        row = of_a_forecast(iom.forecast(cell.scenario(), runs, 4, assumptions="fixed", progress=False))
        assert list(table.columns[2:]) == list(row)
        assert table.iloc[i, 2:].to_dict() == row


def test_rounds_of_elections_without_a_winner_count_too() -> None:
    open_ = toy(9, rules={"name": "strict", "max_rounds": 2})
    out = play(open_, 200)
    counts = tasks.counted(open_.plan, out)
    assert 0 < counts.winners[-1] < 200
    assert counts.rounds.tolist() == [(out.rounds == r).sum() for r in (1, 2)]


@pytest.mark.parametrize(("rounds", "median"), [([2, 2], 1), ([2, 3], 2), ([1, 3], 2), ([0, 0, 1], 3), ([5], 1)])
def test_the_median_is_one_that_half_of_the_runs_do_not_exceed(rounds: list[int], median: int) -> None:
    runs = sum(rounds)
    counts = tasks.Counts(np.array([runs, 0, 0]), 0, np.array(rounds))
    assert study.counted_up(Cell(race()), counts, runs, 1)["median_rounds"] == median


def test_a_cell_of_several_tasks_is_added_up(monkeypatch: pytest.MonkeyPatch, small: iom.Study) -> None:
    whole = run(small, runs=4 * BLOCK + 700)
    monkeypatch.setattr(tasks, "MAX_RUNS", 2 * BLOCK)
    pd.testing.assert_frame_equal(run(small, runs=4 * BLOCK + 700), whole)


def test_a_grid_is_every_combination_of_values() -> None:
    study = iom.Study.grid(race(), W=[0.1, 0.2, 0.3], secrecy=[0, 1])
    assert study.points.to_numpy().tolist() == [[w, s] for w in (0.1, 0.2, 0.3) for s in (0.0, 1.0)]
    values = [(c.scenario().sponsor("W").strength.value, c.scenario().behaviour.secrecy.value) for c in study.cells]
    assert values == [tuple(point) for point in study.points.to_numpy().tolist()]


def test_values_may_come_one_by_one() -> None:
    one_by_one = iom.Study.grid(race(), W=(w / 10 for w in range(3)), secrecy=np.array([0, 1]))
    assert one_by_one.points.equals(iom.Study.grid(race(), W=[0.0, 0.1, 0.2], secrecy=[0.0, 1.0]).points)
    assert list(iom.Study.sample(race(), 2, 1, "fluid").points) == ["fluid"]


def test_a_sample_spreads_over_the_ranges_evenly() -> None:
    study = iom.Study.sample(race(), 40, seed=1, parameters=["W", "fluid"])
    assert list(study.points) == ["W", "fluid"]
    known = race().parameters()
    for name, path in (("W", "sponsors.W.strength"), ("fluid", "behaviour.fluid")):
        q, values = known[path], study.points[name].to_numpy()
        assert np.array_equal(np.sort(((values - q.low) / (q.high - q.low) * 40).astype(int)), np.arange(40))
    together = np.corrcoef(iom.Study.sample(race(), 400, seed=1, parameters=["W", "fluid"]).points.T)[0, 1]
    assert abs(together) < 4 / np.sqrt(400)
    again = iom.Study.sample(race(), 40, seed=1, parameters=["W", "fluid"])
    pd.testing.assert_frame_equal(again.points, study.points)
    assert not again.points.equals(iom.Study.sample(race(), 40, seed=2, parameters=["W", "fluid"]).points)


def test_without_names_all_parameters_with_a_range_are_sampled() -> None:
    study = iom.Study.sample(race(), 3, seed=1)
    known = race().parameters()
    assert list(study.points) == [path for path in known if known[path].low < known[path].high]
    assert study.cells[2].scenario().behaviour.decay.value == study.points["behaviour.decay"][2]


def test_scenarios_as_they_are_named_or_numbered() -> None:
    named = run(iom.Study.of({"calm": race(), "strict": race(rules="four-rounds")}))
    assert named["scenario"].tolist() == ["calm", "strict"]
    numbered = run(iom.Study.of([race(), race(rules="four-rounds")]))
    assert numbered["scenario"].tolist() == ["0", "1"]
    pd.testing.assert_frame_equal(named.iloc[:, 1:], numbered.iloc[:, 1:])
    assert named["A"][0] != named["A"][1]


def test_cells_are_paired_run_by_run() -> None:
    """The same numbers: pressure that moves nobody changes nothing, and more of it helps."""
    table = run(iom.Study.grid(race(), W=[0.0, 0.0, 0.9], secrecy=[0.2]))
    assert table["A"][0] == table["A"][1] < table["A"][2]


def test_a_parameter_called_like_a_result_goes_by_its_path() -> None:
    table = run(iom.Study.grid(race(), A=[0.0, 1.0]))
    assert table["candidates.A.appeal"].tolist() == [0.0, 1.0]
    assert table["A"][0] < table["A"][1]
    assert table.columns.is_unique


def test_three_candidates_have_their_columns() -> None:
    table = run(iom.Study.grid(toy(9, "ABC"), fluid=[0.5]))
    assert [name for name in table if not name.endswith("_error")] == [
        *("fluid", "A", "B", "C", NO_WINNER, "spill", "median_rounds", "hash", "runs", "seed")
    ]
    assert table[["A", "B", "C", NO_WINNER]].sum(axis=1).tolist() == pytest.approx([1.0])


# -- where it runs ------------------------------------------------------------------------------------


class Backwards:
    """An executor that only maps, and does the last piece of work first."""

    def map(self, function: Any, calls: list[Any]) -> list[Any]:
        return [function(call) for call in reversed(calls)][::-1]


def test_where_it_runs_does_not_matter(small: iom.Study) -> None:
    here = run(small)
    pd.testing.assert_frame_equal(run(small, executor=Backwards()), here)
    with ThreadPoolExecutor(3) as pool:
        pd.testing.assert_frame_equal(run(small, executor=pool), here)


@pytest.mark.slow
def test_in_other_processes_it_is_the_same(small: iom.Study) -> None:
    here = run(small)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        pd.testing.assert_frame_equal(run(small, executor=pool), here)


class Counting:
    """An executor that does the work at once and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def map(self, function: Any, calls: list[Any]) -> Iterator[Any]:
        self.calls += calls
        return map(function, calls)


@pytest.mark.parametrize(
    ("parameters", "runs", "count"),
    [
        ({"W": [0.1, 0.2, 0.3], "secrecy": [0.1, 0.2]}, 2000, 1),  # all share their rounds
        ({"W": [0.1, 0.2, 0.3], "secrecy": [0.1, 0.2]}, 8000, 3),  # as many as fill a task
        ({"W": [0.1, 0.2, 0.3], "decay": [0.1, 0.2]}, 2000, 1),  # whatever differs
        ({"decay": [0.1, 0.2]}, MAX_RUNS + 1, 4),
        ({"decay": np.linspace(0.1, 0.9, 40).tolist(), "fluid": np.linspace(0, 1, 40).tolist()}, 2000, 200),
    ],
)
def test_the_work_is_one_flat_list_of_tasks(parameters: Any, runs: int, count: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(tasks, "count_cells", lambda sent, changes, *task: [_nothing() for _ in changes])
    pool = Counting()
    run(iom.Study.grid(race(), **parameters), runs=runs, executor=pool)
    assert len(pool.calls) == count


def _nothing() -> tasks.Counts:
    return tasks.Counts(np.zeros(3, dtype=np.int64), 0, np.ones(40, dtype=np.int64))


# -- what is finished stays finished --------------------------------------------------------------------


def interrupted(study: iom.Study, folder: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a study until its user presses Ctrl-C."""
    calls = iter(range(after + 1))

    def played(*task: Any) -> Any:
        if next(calls) == after:
            raise KeyboardInterrupt
        return count_cells(*task)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "count_cells", played)
        with pytest.raises(KeyboardInterrupt):
            run(study, folder=folder)


def replayed(
    study: iom.Study, folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[int, pd.DataFrame]:
    """Run a study, and count the cells that are played."""
    seen: list[int] = []

    def played(sent: Any, changes: Any, *task: Any) -> Any:
        seen.append(len(changes))
        return count_cells(sent, changes, *task)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "count_cells", played)
        table = run(study, folder=folder, **options)
    return sum(seen), table


@pytest.mark.parametrize("after", [0, 1, 3])
def test_it_goes_on_where_it_stopped(
    after: int, small: iom.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MAX_RUNS", 300)  # a task a cell
    interrupted(small, tmp_path / "study", after, monkeypatch)
    assert len(list((tmp_path / "study").glob("*"))) == after
    count, table = replayed(small, tmp_path / "study", monkeypatch)
    assert count == 4 - after
    pd.testing.assert_frame_equal(table, run(small))
    assert replayed(small, tmp_path / "study", monkeypatch)[0] == 0
    pd.testing.assert_frame_equal(run(small, folder=tmp_path / "study"), table)


def test_anything_else_than_before_is_played_again(
    small: iom.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(small, folder=tmp_path)
    other = iom.Study.grid(race(behaviour={"absent": 0.2}), W=[0.0, 0.5], openness_fluid=[0.3, 0.8])
    assert replayed(other, tmp_path, monkeypatch)[0] == 4
    assert replayed(small, tmp_path, monkeypatch, runs=301)[0] == 4
    assert replayed(small, tmp_path, monkeypatch, seed=5)[0] == 4
    wider = iom.Study.grid(race(), W=[0.0, 0.25, 0.5], openness_fluid=[0.3, 0.8])
    assert replayed(wider, tmp_path, monkeypatch)[0] == 2
    monkeypatch.setattr(tasks, "VERSION", "99")
    assert replayed(small, tmp_path, monkeypatch)[0] == 4


def test_files_of_a_folder_are_small_and_say_what_they_are(small: iom.Study, tmp_path: Path) -> None:
    table = run(small, folder=tmp_path)
    files = sorted(tmp_path.glob("*"))
    assert len(files) == 4
    assert {path.suffix for path in files} <= {".npz", ".parquet"}
    assert all(path.stat().st_size < 20_000 for path in files)
    rows = pd.DataFrame([tasks._row_of(path.name, path.read_bytes()) for path in files])
    assert sorted(rows["hash"]) == sorted(table["hash"])
    assert set(table.columns) <= set(rows.columns)  # the point too: each file tells its story alone


def test_what_others_left_in_the_folder_does_not_matter(small: iom.Study, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "tmpabc.part").write_bytes(b"half a file")
    left = tmp_path / f".{'0' * 32}.npz.part"
    left.write_bytes(b"of a process that was killed")
    pd.testing.assert_frame_equal(run(small, folder=tmp_path), run(small))
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "tmpabc.part").read_bytes() == b"half a file"
    assert not left.exists()


def into(folder: Path) -> dict[str, Any]:
    """Run the study into a folder, in a process of its own."""
    study = iom.Study.grid(race(), W=[0.0, 0.5], openness_fluid=[0.3, 0.8])
    return run(study, folder=folder).to_dict()


@pytest.mark.slow
def test_two_processes_may_use_one_folder(small: iom.Study, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        tables = list(pool.map(into, [tmp_path] * 4))
    assert tables == [run(small).to_dict()] * 4
    assert len(list(tmp_path.glob("*"))) == 4
    assert run(small, folder=tmp_path).to_dict() == tables[0]


def test_with_pyarrow_the_files_are_parquet(small: iom.Study, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = run(small, folder=tmp_path)
    assert {path.suffix for path in tmp_path.glob("*")} == {".parquet"}
    pd.testing.assert_frame_equal(run(small, folder=tmp_path), table)
    assert sorted(pd.read_parquet(tmp_path)["A"]) == sorted(table["A"])
    victim = min(tmp_path.glob("*"))
    pd.read_parquet(victim).assign(A=0.25).to_parquet(victim)
    with pytest.warns(UserWarning, match=f"{victim.name} does not match its checksum"):
        pd.testing.assert_frame_equal(run(small, folder=tmp_path), table)
    pd.testing.assert_frame_equal(run(small, folder=tmp_path), table)


def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for pyarrow is told that there is none."""
    monkeypatch.setattr(tasks, "_as_parquet", lambda row: import_module("no_such_module"))
    monkeypatch.setitem(tasks._READERS, ".parquet", lambda data: import_module("no_such_module"))


def test_without_pyarrow_they_are_npz_and_both_are_read(
    small: iom.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pyarrow(monkeypatch)
    table = run(small, folder=tmp_path)
    assert {path.suffix for path in tmp_path.glob("*")} == {".npz"}
    monkeypatch.undo()
    pd.testing.assert_frame_equal(run(small, folder=tmp_path), table)


def test_what_only_pyarrow_reads_is_named_where_there_is_none(
    small: iom.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pyarrow(monkeypatch)
    table = run(small, folder=tmp_path)
    victim = sorted(tmp_path.glob("*"))[0]
    victim.rename(victim.with_suffix(".parquet"))
    with pytest.warns(UserWarning, match=f"1 of 4 scenarios .* played again: {victim.stem}.parquet takes pyarrow"):
        again = run(small, folder=tmp_path)
    pd.testing.assert_frame_equal(again, table)
    assert victim.exists()
    pd.testing.assert_frame_equal(run(small, folder=tmp_path), table)


# -- a folder that others have been in ------------------------------------------------------------------


@pytest.fixture
def kept(small: iom.Study, tmp_path: Path) -> tuple[iom.Study, Path, pd.DataFrame]:
    """A study, its folder, and its table."""
    return small, tmp_path, run(small, folder=tmp_path)


def as_found(path: Path) -> tuple[str, dict[str, Any]]:
    return path.stem, tasks._row_of(path.name, path.read_bytes())


def rewritten(path: Path, key: str, row: dict[str, Any], checksum: str | None = None) -> None:
    """Write a file as somebody would who knows how: with a right checksum, unless one is given."""
    right = checksum or tasks._checksum(key, row)
    suffix, data = tasks._as_file(row, json.dumps({"key": key, "row": row, "checksum": right}))
    path.with_suffix(suffix).write_bytes(data)


def changed(path: Path, **values: Any) -> None:
    key, row = as_found(path)
    rewritten(path, key, row | values)


def without(path: Path, name: str) -> None:
    key, row = as_found(path)
    rewritten(path, key, {column: value for column, value in row.items() if column != name})


def stale(path: Path) -> None:
    key, row = as_found(path)
    rewritten(path, key, row | {"A": 1 - row["A"]}, checksum=tasks._checksum(key, row))


def renamed(path: Path) -> None:
    other = sorted(path.parent.glob("*"))[-1]
    path.write_bytes(other.read_bytes())


def arrays(path: Path, compressed: bool = False, **content: Any) -> None:
    with path.open("wb") as file:
        (np.savez_compressed if compressed else np.savez)(file, **content)


def as_pickle(path: Path) -> None:
    arrays(path, **{tasks.RECORD: np.array([{"a": 1}, None], dtype=object)})


def bomb(path: Path) -> None:
    arrays(path, compressed=True, **{tasks.RECORD: np.zeros(2 * tasks.LARGEST, dtype=np.uint8)})


def certain(runs: int) -> float:
    """Return the error of a chance that all runs have."""
    low, high = wilson(np.array([runs]), runs)
    return float((high - low)[0] / 2)


WRONG: dict[str, tuple[Any, str]] = {
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:100]), "is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged"),
    "another's": (lambda path: arrays(path, mine=np.arange(3)), "is damaged"),
    "a pickle": (as_pickle, "is damaged"),
    "a bomb": (bomb, "is damaged"),
    "huge": (lambda path: path.write_bytes(bytes(tasks.LARGEST + 1)), "is too large"),
    "of another cell": (renamed, "holds another cell"),
    "changed": (stale, "does not match its checksum"),
    "of another scenario": (lambda path: changed(path, hash="0" * 12), "is of another scenario"),
    "of more runs": (lambda path: changed(path, runs=301), "has numbers that its runs cannot have given"),
    "of another seed": (lambda path: changed(path, seed=5), "cannot have given"),
    "with a share that no runs give": (lambda path: changed(path, A=0.5123), "cannot have given"),
    "with a missing share": (lambda path: changed(path, A=None), "cannot have given"),
    "with a word for a share": (lambda path: changed(path, A="many"), "cannot have given"),
    "with another error": (lambda path: changed(path, A_error=0.0), "cannot have given"),
    "with more than all": (lambda path: changed(path, A=1.0, A_error=certain(300)), "cannot have given"),
    "after no round": (lambda path: changed(path, median_rounds=0), "cannot have given"),
    "after too many rounds": (lambda path: changed(path, median_rounds=10**6), "cannot have given"),
    "without a column": (lambda path: without(path, "spill"), "cannot have given"),
}


@pytest.mark.slow
def test_a_file_that_is_not_what_was_written_is_named_and_made_again(
    kept: tuple[iom.Study, Path, pd.DataFrame],
) -> None:
    study, folder, table = kept
    for name, (spoil, said) in WRONG.items():
        victim = sorted(folder.glob("*"))[1]
        spoil(victim)
        with pytest.warns(UserWarning, match="1 of 4 scenarios kept in ") as warned:
            again = run(study, folder=folder)
        [words] = [str(one.message) for one in warned]
        assert f"played again: {victim.name} " in words, name
        assert words.endswith(said), f"{name}: {words}"
        pd.testing.assert_frame_equal(again, table)
    pd.testing.assert_frame_equal(run(study, folder=folder), table)  # and no warning


def test_a_bomb_is_not_unpacked(kept: tuple[iom.Study, Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch) -> None:
    file, unpacked = BytesIO(), []
    np.savez_compressed(file, **{tasks.RECORD: np.zeros(tasks.LARGEST, dtype=np.uint8)})
    monkeypatch.setattr(tasks.np, "load", lambda *_, **__: unpacked.append(1))
    with pytest.raises(tasks.NotOursError, match="is damaged"):
        tasks._row_of(f"{'0' * 32}.npz", file.getvalue())
    assert not unpacked


def test_a_link_in_the_place_of_a_cell_leads_to_no_other(kept: tuple[iom.Study, Path, pd.DataFrame]) -> None:
    study, folder, table = kept
    one, other, *_ = sorted(folder.iterdir())
    whole = other.read_bytes()
    one.unlink()
    one.symlink_to(other)
    with pytest.warns(UserWarning, match=f"{one.name} holds another cell"):
        pd.testing.assert_frame_equal(run(study, folder=folder), table)
    assert other.read_bytes() == whole
    assert not one.is_symlink()


def test_of_many_files_a_few_are_named(kept: tuple[iom.Study, Path, pd.DataFrame]) -> None:
    study, folder, table = kept
    for path in folder.glob("*"):
        path.write_bytes(b"mine")
    with pytest.warns(UserWarning, match=r"4 of 4 scenarios (.* is damaged, ){3}\.\.\.$"):
        again = run(study, folder=folder)
    pd.testing.assert_frame_equal(again, table)


def test_files_of_an_older_format_are_not_looked_at(small: iom.Study, tmp_path: Path, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "FORMAT", 1)
        run(small, folder=tmp_path)
    assert replayed(small, tmp_path, monkeypatch)[0] == 4


def test_the_same_scenario_under_two_names_is_kept_once(tmp_path: Path) -> None:
    twice = iom.Study.of({"one": race(), "two": race(), 3: race()})  # type: ignore[dict-item]
    table = run(twice, folder=tmp_path)
    assert table["scenario"].tolist() == ["one", "two", "3"]
    assert len(list(tmp_path.glob("*"))) == 1
    pd.testing.assert_frame_equal(run(twice, folder=tmp_path), table)


def test_what_numpy_calls_a_whole_number_is_one(small: iom.Study, tmp_path: Path) -> None:
    table = run(small, runs=np.int64(300), seed=np.int64(4), folder=tmp_path)
    pd.testing.assert_frame_equal(run(small, folder=tmp_path), table)


def test_a_seed_of_any_length(small: iom.Study, tmp_path: Path) -> None:
    table = run(small, seed=10**30, folder=tmp_path)
    pd.testing.assert_frame_equal(run(small, seed=10**30, folder=tmp_path), table)


@pytest.mark.parametrize("names", [("runs", "seed"), ("A", "A_error"), ("scenario", "hash"), ("A_error", "A")])
def test_candidates_that_are_called_like_columns_have_columns_of_their_own(names: Any, tmp_path: Path) -> None:
    both = race(sponsors=[], candidates=[{"name": name} for name in names])
    table = run(iom.Study.of({"x": both}), folder=tmp_path)
    assert table.columns.is_unique
    assert table["scenario"].tolist() == ["x"]
    assert table["runs"].tolist() == [300]
    shares = table[study.result_columns(both)[:4:2]]
    assert shares.iloc[0].tolist() == iom.forecast(
        both, 300, 4, assumptions="fixed", progress=False
    ).win_probability()["probability"].tolist()[:2]  # fmt: skip
    pd.testing.assert_frame_equal(run(iom.Study.of({"x": both}), folder=tmp_path), table)


def test_a_candidate_may_be_called_like_a_parameter() -> None:
    both = race(sponsors=[], candidates=[{"name": "behaviour.secrecy"}, {"name": "B"}])
    table = run(iom.Study.grid(both, **{"behaviour.secrecy": [0.1, 0.7]}))
    assert table["parameters.behaviour.secrecy"].tolist() == [0.1, 0.7]


# -- folders that are none ------------------------------------------------------------------------------


def never(*task: Any) -> Any:
    raise AssertionError("played, although nothing can be kept")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file", "/file' is no folder; a study keeps its cells in one"),
        ("file/deep", "/file/deep' is no folder; a study keeps its cells in one"),
        ("a" * 300, "File name too long"),
        ("nul\0nul", "null"),
        (5, "folder must be a path, got 5"),
    ],
)
def test_what_is_no_folder_is_said_before_anything_is_played(
    name: Any, said: str, small: iom.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr(tasks, "count_cells", never)
    with pytest.raises(IomsimError, match=re.escape(said)):
        run(small, folder=tmp_path / name if isinstance(name, str) else name)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_played(
    small: iom.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.os, "access", lambda *_: False)
    monkeypatch.setattr(tasks, "count_cells", never)
    with pytest.raises(FileError, match=r"cannot write .*: nothing may be written there"):
        run(small, folder=tmp_path)


def test_a_folder_where_a_cell_should_be_is_named(small: iom.Study, tmp_path: Path) -> None:
    key = tasks.keys(small.cells, 300, 4)[2]
    (tmp_path / f"{key}.npz").mkdir()
    with pytest.raises(FileError, match=f"{key}.npz' is no file; move it away"):
        run(small, folder=tmp_path)


def test_a_full_disk_says_how_many_are_kept(small: iom.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def full(path: Path, data: bytes, **options: Any) -> None:
        if len(written) == 2:
            raise FileError(f"cannot write '{path.name}': No space left on device")
        written.append(path)
        write_whole(path, data, **options)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "write_whole", full)
        said = "No space left on device; 2 of 4 scenarios are kept: run the study again to go on from them"
        with pytest.raises(FileError, match=said):
            run(small, folder=tmp_path)
    assert sorted(tmp_path.glob("*")) == sorted(written)
    played, table = replayed(small, tmp_path, monkeypatch)
    assert played == 2
    pd.testing.assert_frame_equal(table, run(small))


# -- what may fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", mostly_slow([None, Backwards(), "threads"], 3))
def test_a_cell_that_cannot_be_played_costs_no_other(pool: Any, tmp_path: Path) -> None:
    deadlock = toy(6, rules={"name": "strict", "threshold": 1, "max_rounds": 900}).with_clock(sits_on=0.0)
    study = iom.Study.grid(deadlock, round_minutes=[10.0, 1400.0, 20.0])
    with ThreadPoolExecutor(2) as threads, pytest.raises(BlockError) as error:
        run(study, runs=60, executor=threads if pool == "threads" else pool, folder=tmp_path)
    assert str(error.value).startswith(
        "1 of 3 scenarios could not be played; the first, with round_minutes 1400.0: "
        "ScenarioError: the clock ran out of sittings"
    )
    assert error.value.partial["round_minutes"].tolist() == [10.0, 20.0]
    assert len(list(tmp_path.glob("*"))) == 2


def test_the_others_of_its_task_are_played_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    play_endings = tasks.simulate.play_endings

    def fails(plan: Any, points: Any, *task: Any) -> Any:
        if (points["sponsors.W.strength"] == 0.2).any():
            raise MemoryError("no room")
        return play_endings(plan, points, *task)

    monkeypatch.setattr(tasks.simulate, "play_endings", fails)
    with pytest.raises(BlockError, match=r"1 of 3 .* with W 0.2: MemoryError: no room") as error:
        run(iom.Study.grid(race(), W=[0.1, 0.2, 0.3]))
    monkeypatch.undo()
    expected = run(iom.Study.grid(race(), W=[0.1, 0.3]))
    assert error.value.partial.reset_index(drop=True).equals(expected)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: iom.Study.grid(race()), "a grid needs parameters"),
        (lambda: iom.Study.grid(race(), secrecy=[]), "a study needs at least one scenario"),
        (lambda: iom.Study.of(5), "a study takes scenarios, named or in a list, got 5"),
        (lambda: iom.Study.of([]), "a study needs at least one scenario"),
        (lambda: iom.Study.grid(race(), secrecy=[0.5, 1.5]), "secrecy must be between 0 and 1, got 1.5"),
        (lambda: iom.Study.grid(race(), secrecy=0.5), "the values of secrecy must be a list of numbers, got 0.5"),
        (lambda: iom.Study.grid(race(), secrecy=["0.5"]), "the values of secrecy must be a list of numbers"),
        (lambda: iom.Study.grid(race(), secrecy=[[0.5]]), "the values of secrecy must be a list of numbers"),
        (lambda: iom.Study.grid(race(), secrecy=[None]), "secrecy must be a finite number, got"),
        (lambda: iom.Study.sample(race(), 3, 1, 5), "parameters must be a list of names, got 5"),
        (lambda: iom.Study.sample(race(), 3, 1, [5]), "a parameter is called by its name, got 5"),
        (lambda: iom.Study.grid(race(), secrecyy=[0.5]), "no parameter named 'secrecyy'; did you mean 'secrecy'"),
        (lambda: iom.Study.grid(race(), **{"W": [1], "sponsors.W.strength": [1]}), "are the same parameter"),
        (lambda: iom.Study.sample(race(), 0, seed=1), "count must be a whole number of at least 1, got 0"),
        (lambda: iom.Study.sample(toy(3), 5, seed=1, parameters=["A"]), "has no range"),
    ],
)
def test_what_makes_no_study(made: Any, said: str) -> None:
    with pytest.raises((IomsimError, ScenarioError), match=said):
        made()


@pytest.mark.parametrize(("options", "said"), [({"runs": 0}, "runs must be"), ({"seed": -1}, "seed must be")])
def test_what_makes_no_run(options: Any, said: str, small: iom.Study) -> None:
    with pytest.raises(IomsimError, match=said):
        run(small, **options)


def test_it_shows_itself(small: iom.Study) -> None:
    assert repr(small).splitlines()[0] == "study of 4 scenarios"
    assert len(small) == 4
