"""Run by the tests: presses Ctrl-C at random moments of work in this process, and tells what is not as it should be.

python interrupting.py KIND FOLDER      prints how often what became of it, and what was wrong, as JSON
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pandas as pd
from toys import same, toy

import iomsim as iom
from iomsim.engine import simulate
from iomsim.engine.rng import BLOCK
from iomsim.forecasting import run

MOMENTS = 30
RACE = toy(25, "ABC", behaviour={"absent": 0.1})
RUNS = 30 * BLOCK + 100
CELLS = 12

Said = tuple[Any, str | None]
"""What work came to, or None, and what was said in its place."""


def interrupted(work: Callable[[], Any], after: float) -> Said:
    """Press Ctrl-C after so many seconds of some work."""
    result, timer = None, Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        result = work()
        timer.join()
        time.sleep(0.05)  # it falls here at the latest
    except KeyboardInterrupt as error:
        return (result, None) if result is not None else (None, str(error))
    return result, None


class Pressed:
    """Ctrl-C, pressed after so many seconds of what is done meanwhile."""

    def __init__(self, after: float) -> None:
        self.timer = Timer(after, os.kill, (os.getpid(), signal.SIGINT))

    def __enter__(self) -> None:
        self.timer.start()

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.timer.join()  # it falls here at the latest


def moments(work: Callable[[], Any]) -> list[float]:
    """Return random moments of some work, and a little after it."""
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    chance = random.Random(14)
    return [chance.uniform(0.0, 1.1 * took) for _ in range(MOMENTS)]


def in_forecasts(_: Path) -> tuple[Counter[str], list[str]]:
    """Interrupt a forecast: it is that of the runs that were finished, and says how many."""
    simulate.SPAN = run.SPAN = 1
    added = 0
    add = run.RunAccumulator.add

    def counting(self: Any, part: Any) -> int:
        nonlocal added
        runs = add(self, part)
        added += runs
        return runs

    run.RunAccumulator.add = counting  # type: ignore[method-assign]

    def forecast() -> iom.Forecast:
        return iom.forecast(RACE, RUNS, 9, progress=False, assumptions="fixed")

    whole, became, wrong = forecast(), Counter[str](), []
    assert whole.outcomes is not None
    for after in moments(forecast):
        added = 0
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            fc, said = interrupted(forecast, after)
        words = [str(one.message) for one in told]
        if fc is None:
            became["nothing"] += 1
            if (added, said) not in {(0, ""), (0, f"interrupted after 0 of {RUNS} runs"), (RUNS, "")}:  # on its way
                wrong.append(f"{added} runs were finished and lost: {said!r}")
            continue
        became["whole" if len(fc) == RUNS else "part"] += 1
        expected = {(), (f"interrupted when all {RUNS} runs were played",)}
        if len(fc) < RUNS:
            expected = {(f"interrupted after {len(fc)} of {RUNS} runs",)}
        if tuple(words) not in expected:
            wrong.append(f"{len(fc)} runs: {words}")
        if len(fc) != added:
            wrong.append(f"{added} runs were finished, {len(fc)} kept")
        if not same(fc.outcomes, whole.outcomes.head(len(fc))):
            wrong.append(f"{len(fc)} runs are others than without an interruption")
    return became, wrong


def in_studies(folder: Path) -> tuple[Counter[str], list[str]]:
    """Interrupt a study: its folder holds as many scenarios as are said, and the study goes on from there."""
    study = iom.Study.grid(RACE, fluid=[i / CELLS for i in range(CELLS)])

    def run_in(place: Path | None) -> pd.DataFrame:
        return study.run(8200, seed=3, folder=place, progress=False)

    whole, became, wrong = run_in(None), Counter[str](), []
    for number, after in enumerate(moments(lambda: run_in(folder / "first"))):
        place = folder / str(number)
        table, said = interrupted(lambda place=place: run_in(place), after)
        there = len(list(place.glob("*"))) if place.exists() else 0
        found = re.fullmatch(rf"interrupted after (\d+) of {CELLS} scenarios; they are kept in .*: run .*", said or "")
        kept = {int(found[1])} if found else {0, CELLS} if said == "" else set()  # before it began, on its way
        if table is None and there not in kept:
            wrong.append(f"{there} scenarios are kept, and this is said: {said!r}")
        became["whole" if table is not None else "part" if there else "nothing"] += 1
        if not run_in(place).equals(whole):
            wrong.append("taken up again the table is another")
    return became, wrong


def in_tornadoes(_: Path) -> tuple[Counter[str], list[str]]:
    """Interrupt a tornado: it says how far it was, and the next is as if nothing had been."""
    became, wrong = Counter[str](), []

    def tornado() -> pd.DataFrame:
        return iom.tornado(RACE, "A", runs=1100, seed=3, progress=False).table()

    whole = tornado()
    for number, after in enumerate(moments(tornado)):
        table, said = interrupted(tornado, after)
        became["nothing" if table is None else "whole"] += 1
        if table is None and not re.fullmatch(r"|interrupted after \d+ of \d+ runs", said or ""):
            wrong.append(f"this is said: {said!r}")
        if number % 5 == 0 and not tornado().equals(whole):
            wrong.append("the next table is another")
    return became, wrong


def on_days(folder: Path) -> tuple[Counter[str], list[str]]:
    """Interrupt a day: what was announced is in its log or not at all, and the day goes on as if nothing had been."""
    events = [{"A": 11, "B": 8, "C": 5}, {"A": 12, "B": 8, "C": 4}, {"A": 13, "B": 8, "C": 3}]

    def whole_day(log: Path) -> iom.ElectionDay:
        day = iom.live(RACE, 1000, seed=3, log=log)
        for tally in events:
            day.announce(tally)
        return day

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", iom.UnexpectedTallyWarning)
        whole, became, wrong = whole_day(folder / "whole.log").history(), Counter[str](), []
        times = moments(lambda: whole_day(folder / "timed.log"))
        for number, after in enumerate(times):
            log = folder / f"{number}.log"
            _, said = interrupted(lambda log=log: whole_day(log), after)
            if said:
                wrong.append(f"this is said: {said!r}")
            if not log.exists():
                became["not opened"] += 1
                continue
            day = iom.replay(log, log)
            became[f"{len(day.events)} events"] += 1
            for tally in events[len(day.events) :]:
                before = len(day.events)
                try:
                    with Pressed(after / 4):
                        day.announce(tally)
                except KeyboardInterrupt:
                    became["in an announcement"] += 1
                if len(iom.replay(log).events) != len(day.events):
                    wrong.append("the log and the day differ")
                if len(day.events) == before:
                    day.announce(tally)
            if not day.history().equals(whole) or not iom.replay(log).history().equals(whole):
                wrong.append("the day is another")
            if list(folder.glob(".*")):
                wrong.append(f"left: {[path.name for path in folder.glob('.*')]}")
    return became, wrong


KINDS = {"forecast": in_forecasts, "study": in_studies, "tornado": in_tornadoes, "live": on_days}

if __name__ == "__main__":
    became, wrong = KINDS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"became": became, "wrong": wrong}))
