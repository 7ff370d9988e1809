"""Reports that somebody has altered: the forecast that they carry is made again, or there is a sentence."""

from __future__ import annotations

import functools
import json
import random
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from fuzz.harness import NASTY, bytes_like, each, lengths, plain_like, rng, survives
from toys import night_of, toy, unsure

import iomsim as iom
from iomsim.charts.report import MARK, _recipe, rerun

FEW = 2000
"""Runs and draws that are played again; more are another test's affair."""


@functools.cache
def recipes() -> list[dict[str, Any]]:
    """Return what stands in reports, to make their forecasts again."""
    day = night_of(toy(9, rules="one-two-way"), particles=40, seed=1)
    day.tell("5-4 at 11:00")
    forecasts = [
        iom.forecast(unsure(9), 60, 1, assumptions=8, progress=False),
        iom.forecast(toy(9, "ABC", rules="four-rounds"), 40, 1, assumptions="fixed", progress=False),
        day.forecast(),
    ]
    return [json.loads(_recipe(fc)) for fc in forecasts]


def page(recipe: str) -> bytes:
    return f"<!DOCTYPE html>\n<html><body><p>It is open.</p>\n{MARK}{recipe}</script></body></html>\n".encode(
        errors="surrogatepass"
    )


def altered(chance: random.Random, recipe: dict[str, Any]) -> bytes:
    """Return a report that nobody wrote."""
    match chance.randrange(7):
        case 0:
            return bytes_like(chance, page(json.dumps(recipe)))
        case 1:
            text = bytes_like(chance, recipe["scenario"].encode()).decode(errors="surrogateescape")
            recipe = recipe | {"scenario": text}
        case 2:
            text = recipe["scenario"]
            digits = (str(chance.randrange(10)) if x.isdigit() and chance.random() < 0.02 else x for x in text)
            recipe = recipe | {"scenario": "".join(digits)}
        case 3 | 4:
            key = chance.choice(list(recipe["provenance"]))
            value = chance.choice((*NASTY, 5, 17, "fixed", "0.0.9"))
            recipe = recipe | {"provenance": recipe["provenance"] | {key: value}}
        case 5:
            return page(json.dumps(recipe)) * chance.choice((0, 2))
        case _:
            recipe = plain_like(chance, recipe)
    return page(json.dumps(recipe))


def case(number: int) -> None:
    """Alter a report, and make its forecast again."""
    chance = rng("reports", number)
    recipe = chance.choice(recipes())
    data = page(json.dumps(recipe)) if chance.random() < 0.05 else altered(chance, recipe)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_bytes(data)
        if many(data):
            return
        made = survives(lambda: rerun(path))
    if made is None:
        return
    fc, same = made
    told = json.loads(data.decode().split(MARK)[1].split("</script>")[0])
    asked = told["provenance"]
    assert fc.race.names == tuple(one["name"] for one in tomllib.loads(told["scenario"])["candidates"])
    assert [fc.provenance[key] for key in ("runs", "seed", "assumptions")] == [
        asked[key] for key in ("runs", "seed", "assumptions")
    ]
    assert not asked["events"]
    if told == recipe:
        assert same


def many(data: bytes) -> bool:
    """Return whether a report asks for more than is played here."""
    try:
        asked = json.loads(data.decode().split(MARK)[1].split("</script>")[0])["provenance"]
        return max(asked[key] for key in ("runs", "assumptions") if type(asked[key]) is int) > FEW
    except (ValueError, LookupError, TypeError, RecursionError):
        return False


@lengths()
def test_whatever_is_done_to_a_report_it_is_made_again_or_there_is_a_sentence(numbers: range) -> None:
    each(numbers, case)
