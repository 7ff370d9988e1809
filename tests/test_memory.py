"""What does not fit into memory is refused before it is made, wherever a limit is set."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Captured, iomsim
from toys import toy, unsure

import iomsim as iom
from iomsim import memory
from iomsim.engine import balance
from iomsim.forecasting import run
from iomsim.memory import free, refuse_too_many
from iomsim.model.assumptions import draw_assumptions

RACE = toy(9)
GB = 10**9


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MACHINE = {"proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n"}
SECOND = {"proc/self/cgroup": "0::/jobs/mine\n"}
FIRST = {"proc/self/cgroup": "5:cpu:/\n4:memory:/docker/ab\n0::/\n"}


def second(folder: str, limit: object, used: int, cached: int = 0) -> dict[str, str]:
    names = {"memory.max": limit, "memory.current": used, "memory.stat": f"anon 5\ninactive_file {cached}\n"}
    return {f"sys/fs/cgroup{folder}/{name}": str(text) for name, text in names.items()}


def first(folder: str, limit: int, used: int) -> dict[str, str]:
    names = {"limit_in_bytes": limit, "usage_in_bytes": used, "stat": "total_inactive_file 7\n"}
    return {f"sys/fs/cgroup/memory{folder}/memory.{name}": str(text) for name, text in names.items()}


@pytest.mark.parametrize(
    ("files", "left"),
    [
        (MACHINE, 8000000 * 1024),
        (MACHINE | SECOND | second("/jobs/mine", 2 * GB, GB), GB),
        (MACHINE | SECOND | second("/jobs/mine", 2 * GB, GB, 1000), GB + 1000),
        (MACHINE | SECOND | second("/jobs/mine", "max", GB) | second("/jobs", 3 * GB, GB), 2 * GB),
        (MACHINE | SECOND | second("", 3 * GB, 4 * GB), 0),
        (MACHINE | SECOND | second("/jobs/mine", "nonsense", 5), 8000000 * 1024),
        (MACHINE | FIRST | first("/docker/ab", 2 * GB, GB), GB + 7),
        (MACHINE | FIRST | first("", 2 * GB, GB), GB + 7),  # in a container the group may be the root
        (MACHINE | FIRST | first("/docker/ab", 2**63 - 4096, GB), 8000000 * 1024),
    ],
)
def test_the_least_of_all_limits_counts(
    files: dict[str, str], left: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "ROOT", written(tmp_path, files))
    monkeypatch.setattr(memory, "_of_limits", lambda: [math.inf])
    assert free() == left


def test_here_there_is_some() -> None:
    assert 0 < free() < 1e15


def test_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda: 2.5e9)
    refuse_too_many(20, "things", 1e8)
    said = "30 things need 3 GB of memory, and 2.5 GB are free; at most 20 fit, and so on"
    with pytest.raises(iom.IomsimError) as error:
        refuse_too_many(30, "things", 1e8, cure=", and so on")
    assert str(error.value) == said
    with pytest.raises(iom.IomsimError, match=r"not even one fits$"):
        refuse_too_many(1, "things", 3e9)


REQUESTS: dict[str, tuple[Callable[[], Any], str]] = {
    "runs": (
        lambda: iom.forecast(RACE, 10**12, 1),
        "1\u202f000\u202f000\u202f000\u202f000 runs, each of them kept, need",
    ),
    "compared": (lambda: iom.compare(RACE, RACE, runs=10**9, seed=1), "runs, each of them kept, need"),
    "particles": (lambda: iom.live(RACE, 10**8, 1), "particles of 9 members and 2 candidates on 400 draws need"),
    "draws of a day": (lambda: iom.live(unsure(101, "ABC"), 10, 1, assumptions=5_000), "on 5\u202f000 draws need"),
    "leanings": (lambda: unsure(901, "ABC").leanings(assumptions=2_000), "2\u202f000 draws of the assumptions need"),
    "pushes": (lambda: iom.pivotal(unsure(901, "ABC"), assumptions=2_000), "2\u202f000 draws of the assumptions need"),
    "played again": (
        lambda: iom.pivotal(toy(3), runs=4, seed=1, checked_runs=10**9),
        "runs of each of [0-9]+ scenarios need",
    ),
    "tornado": (lambda: iom.tornado(RACE, runs=10**9, seed=1), "runs of each of [0-9]+ scenarios need"),
    "paths": (lambda: iom.paths_to(RACE, "A", 0.9, runs=10**11, seed=1), "runs of each of 1 scenario need"),
    "samples": (lambda: iom.sobol(RACE, "A", parameters=["fluid"], samples=2**30), "samples need"),
    "grid": (
        lambda: iom.grid(RACE, fluid=np.linspace(0, 1, 10**3), secrecy=np.linspace(0, 1, 10**3)),
        "scenarios need",
    ),
    "study": (lambda: iom.Study.grid(RACE, fluid=range(10**4), secrecy=range(10**4)), "scenarios need"),
    "sample": (lambda: iom.Study.sample(unsure(), 10**8, 1), "scenarios need"),
    "runs of a cell": (lambda: iom.Study.grid(RACE, fluid=[0.1]).run(10**15, seed=1), "scenarios of .* runs need"),
    "fit": (lambda: iom.fit(parameters=["concession"], draws=10**8), "draws need"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_does_not_fit_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda: 3e8)
    monkeypatch.setattr(run, "free", lambda: 3e8)
    request, said = REQUESTS[name]
    with pytest.raises(iom.IomsimError, match=f"{said} [0-9.e+]+ [MGT]B of memory, and 300 MB are free; (at most|not)"):
        request()


def test_as_many_runs_as_one_likes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number takes no memory: nothing is refused, and the first span is played at once."""
    monkeypatch.setattr(memory, "free", lambda: 3e8)
    monkeypatch.setattr(run, "count_span", _stop)
    with pytest.raises(iom.BlockError, match="ZeroDivisionError"):
        iom.forecast(RACE, 10**18, 1, keep="summary", progress=False)


def _stop(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError


def test_on_the_way_to_a_precision_it_stops_where_no_more_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = iter([None, iom.IomsimError("very many runs need much memory")])

    def refuse(*_: Any) -> None:
        if error := next(refused):
            raise error

    monkeypatch.setattr(run, "refuse_what_does_not_fit", refuse)
    fc = iom.forecast(RACE, seed=1, precision=0.0005, target="A", assumptions="fixed", progress=False)
    assert fc.stopped == f"stopped at {len(fc)} runs: very many runs need much memory"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("forecast", "--jobs", 10**6), "processes need 150 TB"),
        (("grid", "secrecy=0:1:10000000000"), "values need 640 GB"),
        (("grid", "secrecy=0:1:-1"), "a range is written NAME=LOW:HIGH:POINTS"),
    ],
)
def test_so_is_a_command(words: tuple[Any, ...], said: str, capsys: Captured) -> None:
    assert iomsim(*words) == 2
    assert said in capsys.readouterr().err


def test_memory_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def takes_too_much(*_: Any, **__: Any) -> None:
        raise MemoryError("Unable to allocate 1. TiB for an array")

    monkeypatch.setattr("iomsim.cli.forecasts.forecast", takes_too_much)
    assert iomsim("forecast") == 2
    assert capsys.readouterr().err.startswith("iomsim: there is not enough memory (Unable to allocate 1. TiB")


def test_levels_of_many_draws_are_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    race = unsure()
    whole = draw_assumptions(race, 3, 50)
    monkeypatch.setattr(balance, "TOGETHER", 16)
    parts = draw_assumptions(race.with_parameters({}), 3, 51)  # another number, as draws are remembered
    assert whole.parameters.keys() == parts.parameters.keys()
    for path, values in whole.parameters.items():
        assert np.array_equal(values, parts.parameters[path][:50]), path


def test_numbers_of_thousands_of_digits_are_refused() -> None:
    for what in ({"runs": 10**5000}, {"seed": 10**5000}):
        with pytest.raises(iom.IomsimError, match="of at most 40 digits, got a very long number"):
            iom.forecast(RACE, **({"runs": 10, "seed": 1} | what))
