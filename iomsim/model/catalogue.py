"""Reading and writing scenarios: the shipped ones by name, anybody's by path; and what they can say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import tomli_w

from iomsim.errors import IomsimError, UnknownNameError, advice, quote, quote_path
from iomsim.files import read_bytes
from iomsim.model import bodies, toml
from iomsim.model.bodies import Body, body
from iomsim.model.clock import Clock
from iomsim.model.electorate import inlined
from iomsim.model.evidence import shipped_names, shipped_text
from iomsim.model.ledger import KINDS
from iomsim.model.quantities import Parameter, Quantity, acts, meaning, unit_of, walk
from iomsim.model.scenario import Scenario, build, described
from iomsim.model.tables import MOST_BYTES, is_file, table_from_frame, text_of
from iomsim.rules.procedure import GIVEN


def load(source: str | Path) -> Scenario:
    """Read a scenario: a shipped one by name, or any TOML file by path.

    Parameters
    ----------
    source : str or Path
        A name of :func:`catalogue`, or a path that ends in ``.toml``.

    Raises
    ------
    UnknownNameError
        If no scenario of this name is shipped.
    FileError
        If the file is missing or is not TOML.
    ScenarioError
        If the file describes no valid election: a sentence per problem.

    Examples
    --------
    >>> load("geneva-2023").names
    ('Pope', 'Vitorino')
    """
    text = str(source)
    if not text.casefold().endswith(".toml"):
        names = shipped_names("scenarios", ".toml")
        if text not in names:
            hint = advice(text, names)
            raise UnknownNameError(f"no scenario named {quote(text)}; {hint} (a file's path ends in .toml)")
        return loads(shipped_text("scenarios", text, ".toml", "scenario"), text)
    path = Path(source)
    what = f"the scenario {quote_path(text)}"
    return loads(text_of(read_bytes(path, what, MOST_BYTES), what), text, path.parent)


def loads(text: str, where: str = "scenario", folder: Path | None = None) -> Scenario:
    r"""Read a scenario from TOML text; `folder` is where a relative csv path starts.

    Examples
    --------
    >>> race = loads('electorate.size = 9\ncandidates = [{name = "A"}, {name = "B"}]')
    >>> race.names
    ('A', 'B')
    """
    if not isinstance(text, str):
        raise IomsimError(f"loads takes the text of a scenario, got {type(text).__name__}; load reads a file")
    data = toml.parsed(text.removeprefix("\N{BYTE ORDER MARK}"), where)
    if "electorate" in data:
        data["electorate"] = inlined(data["electorate"], folder, lambda: shipped_names("members", ".csv"))
    return build(data, where)


def dumps(race: Scenario) -> str:
    """Return a scenario as TOML; :func:`loads` gives an equal scenario back."""
    return toml.dumps(described("dumps", race))


def start(
    name: str,
    candidates: Iterable[str],
    members: pd.DataFrame | str | Path | None = None,
    reading: str | None = None,
) -> Scenario:
    """Return a scenario of a body to work on: its electorate, rules and clock, with nothing known of the candidates.

    Parameters
    ----------
    name : str
        The id of a body of :func:`iomsim.bodies`.
    candidates : iterable of str
        Who stands: 2 to 16 names.
    members : DataFrame, str or Path, optional
        The member table, with the members' names in a column `name` or in the index; or the name of a shipped
        table, or the path of a file (csv, xlsx).  Default: the body's own table if it ships, else as many nameless
        members as are entitled.
    reading : str, optional
        A reading of the body's rules; default the one that its file puts first.

    Returns
    -------
    Scenario
        Minutes of the clock have the range of the model's default around the value of the body's file, and its
        grade and source.

    Raises
    ------
    UnknownNameError
        If there is no such body, reading or member table; the nearest name is given.
    FileError
        If the file cannot be read.
    ScenarioError
        If the candidates or the members make no election.

    Examples
    --------
    >>> race = start("who", candidates=["A", "B", "C"])
    >>> race.body, race.names, race.rules.needed(183, ballot=3, candidates=3)
    ('who', ('A', 'B', 'C'), 92)
    """
    described = _started(name, candidates, reading)
    electorate = _electorate(body(name), members)
    return build({**described, "electorate": electorate}, f"start({quote(name)})")


def draft(name: str, candidates: Iterable[str], members: str | Path | None = None, reading: str | None = None) -> str:
    """Return the scenario of :func:`start` as the text of a file, as short as it can be, with comments.

    A csv of members is named, not copied: its path starts at the folder of the file.

    Examples
    --------
    >>> loads(draft("who", ["A", "B"])) == start("who", ["A", "B"])
    True
    """
    candidates = list(_names(candidates))
    race = start(name, candidates, members, reading)
    electorate = {"members": str(members)} if members is not None else _electorate(body(name), None)
    described = _started(name, candidates, reading)
    order = ("title", "about", "body", "candidates", "electorate", "rules", "clock")
    text = tomli_w.dumps({key: electorate if key == "electorate" else described[key] for key in order})
    said = fill(race.rules.sentence(len(candidates)), 100, initial_indent="# ", subsequent_indent="# ")
    text = _commented(text, "[rules]", f"{said}\n")
    if "size" in electorate:
        text = _commented(text, "[electorate]", NAMELESS)
    first = tomli_w.dumps({"backs": candidates[0]}).strip()
    return f"{HEAD.format(name=name)}{text}{TAIL.format(first=first)}"


def _commented(text: str, head: str, comment: str) -> str:
    """Return TOML with a comment above the head of a table."""
    return text.replace(f"\n{head}\n", f"\n{comment}{head}\n")


HEAD = """\
# Electorate, rules and calendar are those of the body {name}: how well they are known, and from where,
# says `iomsim bodies {name}`. Of the candidates nothing is known yet.

"""

NAMELESS = """\
# Nameless members. A table of your own, with a column `name`: members = "my-members.csv" in place of size.
"""

TAIL = """
# What else can be said, for instance (`iomsim show geneva-2023` has all of it, `iomsim schema` every key):
#
# [[sponsors]]
# name = "East"
# {first}
# strength = {{ value = 0.5, low = 0.0, high = 1.0 }}    # log-odds that it moves the average member in public
#
# [behaviour]
# secrecy = {{ value = 0.4, low = 0.2, high = 0.6 }}     # the fraction of outside pressure that the ballot cancels
"""


def _started(name: str, candidates: Iterable[str], reading: str | None) -> dict[str, Any]:
    """Return what a body's file says of a scenario, all but who votes."""
    one = body(name)
    return {
        "title": one.name,
        "about": one.about,
        "body": one.id,
        "candidates": [{"name": candidate} for candidate in _names(candidates)],
        "rules": {"name": bodies.reading(one.reading if reading is None else reading, one.id).name},
        "clock": clock_of(one),
    }


def clock_of(one: Body) -> dict[str, Any]:
    """Return the clock of a body as a scenario describes it."""
    return {key: _paced(one, key, value) for key, value in (one.clock.model_extra or {}).items()}


def _names(candidates: Iterable[str]) -> list[str]:
    if isinstance(candidates, (str, set, frozenset)) or not isinstance(candidates, Iterable):
        raise IomsimError(f"candidates must be a list of names, such as ['A', 'B'], got {quote(candidates)}")
    return list(candidates)


def _paced(one: Body, key: str, value: Any) -> Any:
    """Return a number of minutes as a parameter: with the range of the default around it, and the body's source."""
    field = Clock.model_fields.get(key)
    usual = field.default if field else None
    if not isinstance(usual, Quantity) or isinstance(value, dict):
        return value
    low, high = (round(value * end / usual.value, 1) for end in (usual.low, usual.high))
    known = {"grade": one.clock.grade, "source": one.clock.source}
    return {"value": value, "low": low, "high": high, "unit": usual.unit, **known}


def _electorate(one: Body, members: pd.DataFrame | str | Path | None) -> dict[str, Any]:
    """Return who votes: the table given, the body's own, or as many nameless members as are entitled."""
    if isinstance(members, pd.DataFrame):
        return {"table": table_from_frame(members)}
    if members is None:
        shipped = {"members": one.electorate.members, "group": one.electorate.group}
        given = {key: value for key, value in shipped.items() if value}
        return given if one.electorate.members else {"size": one.electorate.size}
    if not isinstance(members, (str, Path)):
        kinds = "a DataFrame, the name of a shipped table, or the path of a file"
        raise IomsimError(f"members must be {kinds}, got {type(members).__name__}")
    names = shipped_names("members", ".csv")
    if str(members) not in names and not is_file(str(members)):
        hint = advice(str(members), names)
        raise UnknownNameError(
            f"no member table named {quote_path(members)}; {hint} (a file's path ends in .csv or .xlsx)"
        )
    return dict(inlined({"members": str(members)}, Path(), lambda: names))


def schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, for editors that check and complete TOML.

    A quantity may be written as a plain number.

    Examples
    --------
    >>> sorted(schema()["required"])
    ['candidates', 'electorate']
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}


def catalogue() -> pd.DataFrame:
    """Return the shipped scenarios.

    Returns
    -------
    DataFrame
        By name: `title`, number of `members`, `candidates`, `rules`, and `as_of`, the date of the evidence (a date
        without a time; missing if the scenario has none).

    Examples
    --------
    >>> "geneva-2023" in catalogue().index
    True
    """
    table = [_entry(name, load(name)) for name in shipped_names("scenarios", ".toml")]
    frame = pd.DataFrame(table).set_index("name")
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]))


def _entry(name: str, race: Scenario) -> dict[str, Any]:
    return {
        "name": name,
        "title": race.title,
        "members": len(race.electorate.frame),
        "candidates": ", ".join(race.names),
        "rules": race.rules.name,
        "as_of": race.as_of,
    }


def parameters(race: Scenario | None = None) -> pd.DataFrame:
    """Return every parameter of the model, or of a scenario: what it means, and what it is.

    Parameters
    ----------
    race : Scenario, optional
        Whose parameters, with its values; default those that the model has, with its defaults.

    Returns
    -------
    DataFrame
        By `parameter`, the dotted path that :meth:`~iomsim.Scenario.with_parameters` takes; of what a scenario may have
        several of, one in capitals stands for each.

        * `label`: what charts call it; `meaning`: what it is, in words; `unit`, empty for plain numbers;
        * `value`, `low`, `high`: the value, and the range around it (its middle 80 %); NaN where scenarios state it;
        * `possible`: what values it may take;
        * `acts`: where in an election it acts;
        * `grade` and `source`: how well it is known, and from where.

    Examples
    --------
    >>> import iomsim as iom
    >>> table = iom.parameters()
    >>> table.loc["behaviour.overnight", "meaning"]
    'Least chance that a member thinks again before the first round after a night. 0: nights change nothing.'
    >>> table.loc["behaviour.secrecy", ["unit", "possible", "acts"]].tolist()
    ['fraction', 'between 0 and 1', 'where members stand']
    >>> float(iom.parameters(iom.load("geneva-2023")).loc["sponsors.Washington.strength", "value"])
    0.6
    """
    found = _of_the_model() if race is None else described("parameters", race)._parameters.values()
    table = pd.DataFrame(
        {
            "parameter": one.path,
            "label": one.label,
            "meaning": meaning(one.field),
            **dict(one.quantity),
            "unit": one.quantity.unit or unit_of(one.field),
            "possible": one.bounds.words,
            "acts": acts(one.field),
        }
        for one in found
    ).set_index("parameter")
    columns = ["label", "meaning", "unit", "value", "low", "high", "possible", "acts", "grade", "source"]
    if race is None:
        stated = table["source"] == GIVEN
        table.loc[stated, ["value", "low", "high"]] = np.nan
        table.loc[stated, ["grade", "source"]] = "", STATED
    return table[columns]


STATED = "each scenario states it"
"""The source of what has no default."""


def _of_the_model() -> Iterator[Parameter]:
    """Yield the parameters that a scenario may have: those of one that has each kind once."""
    pledges = [{"member": f"M{i}", "candidate": "CANDIDATE", "kind": kind} for i, kind in enumerate(KINDS, start=1)]
    sponsor = {"name": "SPONSOR", "backs": "CANDIDATE", "strength": 1.0}
    tie = {"name": "TIE", "who": "all", "candidate": "CANDIDATE", "log_odds": 1.0}
    everything = {
        "electorate": {"size": len(KINDS)},
        "candidates": [{"name": "CANDIDATE"}, {"name": "OTHER"}],
        "level": {"CANDIDATE": 0.5},
        "sponsors": [sponsor],
        "ties": [tie],
        "ledger": {"pledges": pledges},
        "polling": {},
    }
    return (one for one in walk(build(everything)) if "OTHER" not in one.keys)
