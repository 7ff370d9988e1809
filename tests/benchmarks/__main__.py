"""How fast, how large: what is aimed at, what was measured.  Never fails for being slow.

make bench                      a few minutes
make bench ARGS="--quick"       fewer repeats, small runs
make bench ARGS="--long"        also ten million runs
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import yardsticks
from clocks import Job, fresh, in_turn

import iomsim as iom
from iomsim.engine import kernel, laws, simulate, state
from iomsim.engine.choice import Reconsideration
from iomsim.engine.clock import Timetable
from iomsim.engine.rng import BLOCK


class Line(NamedTuple):
    """One line of the table."""

    what: str
    aim: str
    measured: str
    verdict: str = ""


def met(measured: float, most: float) -> str:
    """Say whether a target was met, and how the two compare."""
    return f"{'met' if measured <= most else 'missed'}, {measured / most:.2f} of it"


# -- the kernel --------------------------------------------------------------------------------------

WIDTH = simulate.WAVE * BLOCK

AGAIN = simulate.LONG
"""Waves in one measurement, as in a long forecast."""


class Stage:
    """Waves of the default election, ready to be played again and again."""

    def __init__(self, race: iom.Scenario, seed: int = 1) -> None:
        self.plan = race.plan
        self.entries = [simulate.enter(self.plan, seed, i, BLOCK, i * BLOCK) for i in range(simulate.WAVE)]
        self.keys = np.tile(np.concatenate([entry.runs.keys for entry in self.entries]), AGAIN)

    def wave(self, first: int = 0) -> state.ActiveRuns:
        """Return a wave of packed runs before their first round, numbered from `first` on."""
        runs = (dataclasses.replace(entry.runs, run=entry.runs.run + first) for entry in self.entries)
        entries = (entry._replace(runs=own) for entry, own in zip(self.entries, runs, strict=True))
        return state.pack_runs(self.plan, entries, WIDTH)

    def waves(self) -> Iterator[state.ActiveRuns]:
        """Pack wave after wave."""
        return (self.wave(number * WIDTH) for number in range(AGAIN))

    def ballots(self, round_: int) -> Job:
        """Return the job of letting all members of all runs think again, once."""
        runs = self.wave()
        nobody = np.zeros(WIDTH, dtype=bool)
        runs.votes = runs.votes + np.array([[80], [75]], dtype=np.int16)
        shocks = kernel.shocks(self.plan, runs, round_)
        moved = Reconsideration(
            laws.openness(self.plan.behaviour, runs.fluid, round_, nobody),
            kernel.pull(self.plan, runs, round_) + shocks,
            shocks,
            runs.departed,
            runs.standing,
        )

        def job() -> int:
            assert runs.choices is not None
            for _ in range(AGAIN):
                runs.choices.reconsider(runs.keys, round_, moved)
            return AGAIN * WIDTH

        return job

    def rounds(self, last: int) -> Job:
        """Return the job of playing the first rounds of all runs: ballots, papers, count, decision, clock.

        What it counts are rounds held by runs; what a run draws once is not in it.
        """
        plan = dataclasses.replace(self.plan, rules=self.plan.rules.with_(max_rounds=last))

        def job() -> int:
            timetable = Timetable(plan.calendar, plan.pace, self.keys)
            return int(kernel.play(plan, self.waves(), self.keys.size, timetable).rounds.sum())

        return job

    def packing(self) -> int:
        """Pack the runs, which `rounds` does too."""
        for _ in self.waves():
            pass
        return self.keys.size


def whole(race: iom.Scenario, runs: int, rounds: bool) -> Job:
    """Return the job of a whole forecast with its first tables; what it counts are runs, or rounds held."""

    def job() -> int:
        fc = iom.forecast(race, runs, seed=1, progress=False)
        fc.win_probability(), fc.rounds(), fc.endings(), fc.spill()
        assert fc.outcomes is not None
        return int(fc.outcomes.rounds.sum()) if rounds else runs

    return job


def kernel_lines(race: iom.Scenario, runs: int, repeat: int) -> Iterator[Line]:
    """Measure the kernel in units of drawing 175 uniforms."""
    stage = Stage(race)
    jobs = {
        "ballots": stage.ballots(2),
        "packing": stage.packing,
        "early": stage.rounds(3),
        "all": stage.rounds(stage.plan.rules.max_rounds),
        "forecast": whole(race, runs, rounds=True),
    }
    _, ratios, unit = in_turn(jobs, repeat)
    held = {name: jobs[name]() for name in ("early", "all")}
    for name, rounds in held.items():  # packing belongs to what a run costs once
        ratios[name] -= ratios["packing"] * stage.keys.size / rounds
    yield Line("unit: drawing 175 uniforms of 16 bits", "", f"{1e9 * unit:.0f} ns")
    yield Line("a round's ballots, all members of a run", "", f"{ratios['ballots']:.2f} units")
    yield Line(
        "a full round of one run, rounds 1 to 3", "<= 4 units", f"{ratios['early']:.2f} units", met(ratios["early"], 4)
    )
    yield Line("a full round of one run, all rounds", "", f"{ratios['all']:.2f} units")
    mean = held["all"] / stage.keys.size
    yield Line("rounds a run holds on average", "", f"{mean:.2f}")
    said = f"{ratios['forecast']:.2f} units"
    yield Line("the whole forecast with tables, per round", "<= 8 units", said, met(ratios["forecast"], 8))


# -- yardsticks --------------------------------------------------------------------------------------


def counted(yardstick: yardsticks.Yardstick, runs: int) -> Job:
    """Return the job of playing that many elections."""

    def job() -> int:
        yardstick.play(runs, 1)
        return runs

    return job


def yardstick_lines(race: iom.Scenario, runs: int, repeat: int, scale: float) -> Iterator[Line]:
    """Compare with other ways to play the same elections, once they are known to be the same."""
    there = yardsticks.known(race)
    for yardstick in there:
        p = yardsticks.check(race, yardstick, int(scale * 8 * yardstick.runs))
        yield Line(f"{yardstick.name} plays the same elections", "p > 0.0001", f"p = {p:.2f}", "met")
    jobs = {yardstick.name: counted(yardstick, int(scale * yardstick.runs)) for yardstick in there}
    seconds, _, _ = in_turn({"iomsim": whole(race, runs, rounds=False)} | jobs, repeat)
    yield Line("iomsim, elections a second", "", f"{1 / seconds['iomsim']:,.0f}")
    for yardstick in there:
        name = yardstick.name
        times = seconds[name] / seconds["iomsim"]
        yield Line(
            f"{name}, elections a second; iomsim is",
            f">= {yardstick.aim:g} times" if yardstick.aim else "",
            f"{1 / seconds[name]:,.0f}; {times:.1f} times",
            "" if yardstick.aim is None else met(yardstick.aim / times, 1.0),
        )
    if len(there) < 3:
        yield Line("numba", "", "not installed: make bench installs it")


# -- what a person waits for, and memory ----------------------------------------------------------------

READY = 'import iomsim as iom; race = iom.load("geneva-2023")'
TABLES = "fc.win_probability(); fc.rounds(); fc.endings(); fc.decided_at(); fc.spill()"


def forecast_program(runs: int, keep: str) -> str:
    """Return the program that makes a forecast and its tables."""
    return f"fc = iom.forecast(race, {runs}, seed=1, keep={keep!r}, progress=False); {TABLES}"


def fresh_lines(repeat: int, long: bool) -> Iterator[Line]:
    """Measure in processes of their own: seconds of wall time, and the most memory."""
    seconds, megabytes = fresh("import iomsim", repeat)
    yield Line("import iomsim", "< 0.6 s", f"{seconds:.2f} s, {megabytes:.0f} MB", met(seconds, 0.6))
    for runs, keep, most, room in (
        (10_000, "runs", 0.25, None),
        (100_000, "runs", 3.0, 400),
        (1_000_000, "summary", None, 500),
        *([(10_000_000, "summary", None, 500)] if long else []),
    ):
        seconds, megabytes = fresh(forecast_program(runs, keep), repeat if runs < 10**6 else 1, READY)
        aims = [f"< {most} s"] * (most is not None) + [f"< {room} MB"] * (room is not None)
        verdicts = [met(seconds, most)] if most else []
        verdicts += [met(megabytes, room)] if room else []
        kept = "tables included" if keep == "runs" else "only counts kept"
        yield Line(
            f"{runs:,} runs, {kept}", ", ".join(aims), f"{seconds:.2f} s, {megabytes:.0f} MB", "; ".join(verdicts)
        )
    grid = "iom.grid(race, Washington=None, Brussels=None, runs=2000, seed=1, progress=False)"
    seconds, megabytes = fresh(grid, 1, READY)
    yield Line(
        "grid of 21 x 21 pressures, 2,000 runs each", "< 20 s", f"{seconds:.1f} s, {megabytes:.0f} MB", met(seconds, 20)
    )


def show(title: str, lines: Iterator[Line]) -> None:
    """Print lines as they are measured."""
    print(f"\n{title}", flush=True)
    for line in lines:
        print(f"  {line.what:<46}{line.aim:>18}  {line.measured:>24}  {line.verdict}", flush=True)


def main() -> None:
    """Measure everything and print one table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=9, help="repeats of every measurement; medians are shown")
    parser.add_argument("--quick", action="store_true", help="three repeats, small runs")
    parser.add_argument("--long", action="store_true", help="also ten million runs")
    asked = parser.parse_args()
    repeat, runs, scale = (3, 20_000, 0.3) if asked.quick else (asked.repeat, 100_000, 1.0)
    race = iom.load("geneva-2023")
    versions = f"iomsim {iom.__version__}, Python {platform.python_version()}, NumPy {np.__version__}"
    print(f"{versions}, {os.cpu_count()} processors")
    print("columns: what, aim, measured, verdict; ratios are medians of interleaved repeats, in processor time")
    show(
        "The kernel, in units of the draw that no Monte Carlo of this kind can do without",
        kernel_lines(race, runs, repeat),
    )
    show("Other ways to play the same elections", yardstick_lines(race, runs, repeat, scale))
    show("In a process of its own, wall time", fresh_lines(min(repeat, 5), asked.long))


if __name__ == "__main__":
    main()
