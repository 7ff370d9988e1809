"""Memory: what there is, and requests that do not fit, refused before anything of them is made."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

from iomsim.errors import IomsimError
from iomsim.house_style import thousands

SMALL = 2.0**28
"""Bytes that are not asked about."""

ROOT = Path("/")
"""Where the system tells."""


def refuse_too_many(number: int, things: str, each: float, beside: float = 0.0, cure: str = "") -> None:
    """Refuse more of something than fit into memory.

    Parameters
    ----------
    number : int
        How many are asked for.
    things : str
        What they are.
    each, beside : float
        Bytes of each, and of what there is beside them, as the callers estimate: rather too many than too few.
    cure : str
        What would work, beside fewer.

    Examples
    --------
    >>> refuse_too_many(10, "runs", each=200)
    >>> refuse_too_many(10**30, "runs", each=200)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    iomsim.errors.IomsimError: 1... runs need 2e+20 TB of memory, and ... are free; at most ... fit
    """
    size = number * each + beside
    if size <= SMALL:
        return
    there = free()
    if size > there:
        fit = max(int((there - beside) / each), 0) if each else 0
        tens = 10 ** (len(str(fit)) - 1)
        fewer = f"at most {thousands(fit // tens * tens)} fit" if fit else "not even one fits"
        need = f"{thousands(number)} {things} need {in_bytes(size)} of memory"
        raise IomsimError(f"{need}, and {in_bytes(there)} are free; {fewer}{cure}")


def in_bytes(size: float) -> str:
    """Return a number of bytes as it is said.

    Examples
    --------
    >>> in_bytes(2.43e9), in_bytes(1.7e8), in_bytes(1.2e14), in_bytes(1e20)
    ('2.4 GB', '170 MB', '120 TB', '1e+08 TB')
    """
    unit, name = next(((unit, name) for unit, name in ((1e6, "MB"), (1e9, "GB")) if size < 995 * unit), (1e12, "TB"))
    value = size / unit
    return f"{float(f'{value:.1e}'):{'.0e' if value >= 1e6 else 'g'}} {name}"


def free() -> float:
    """Return the bytes that this process can still take: what the machine has, its group of processes, its limits."""
    return max(0.0, min(_of_machine(), *_of_groups(), *_of_limits()))


def _of_machine() -> float:
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = (ROOT / "proc/meminfo").read_text().splitlines()
        return 1024.0 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    with suppress(AttributeError, OSError, ValueError):  # not Linux: all there is
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return math.inf


def _of_groups() -> list[float]:
    """Return what is left of the limits of the control groups that the process is in (cgroups, of either version)."""
    found = [math.inf]
    with suppress(OSError):
        for line in (ROOT / "proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds in ("", "memory"):
                names = CGROUP[kinds]
                top = ROOT / "sys/fs/cgroup" / kinds
                within = top.joinpath(*path.strip("/").split("/"))
                for folder in (within, *within.parents):
                    if folder.is_relative_to(top):
                        found += _of_group(folder, *names)
    return found


CGROUP = {
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}
"""Files of a group by version of cgroups: its limit, what it uses, and how files that could be dropped are called."""


def _of_group(folder: Path, limit: str, usage: str, cached: str) -> list[float]:
    with suppress(OSError, ValueError):  # "max", or a group without limits
        most, used = (int((folder / name).read_text()) for name in (limit, usage))
        stats = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return [float(most - used + int(stats.get(cached, 0)))]
    return []


def _of_limits() -> list[float]:
    """Return what is left of the limits that the shell set (``ulimit -v``)."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        pages = int((ROOT / "proc/self/statm").read_text().split()[0])
        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            return [float(most - pages * resource.getpagesize())]
    return [math.inf]
