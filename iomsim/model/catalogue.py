"""Reading and writing scenarios: the shipped ones by name, anybody's by path."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from iomsim.errors import FileError, IomsimError, UnknownNameError, advice, reason
from iomsim.model import toml
from iomsim.model.bodies import Body, body
from iomsim.model.electorate import inlined
from iomsim.model.evidence import shipped_names, shipped_text
from iomsim.model.scenario import Scenario, build, described


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
    if not text.endswith(".toml"):
        names = shipped_names("scenarios", ".toml")
        if text not in names:
            hint = advice(text, names)
            raise UnknownNameError(f"no scenario named {text!r}; {hint} (a file's path ends in .toml)")
        return loads(shipped_text("scenarios", text, ".toml", "scenario"), text)
    path = Path(source)
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read the scenario {text!r}: {reason(error)}") from None
    return loads(content, text, path.parent)


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
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{where} is not valid TOML: {error}") from None
    if "electorate" in data:
        data["electorate"] = inlined(data["electorate"], folder, lambda: shipped_names("members", ".csv"))
    return build(data, where)


def dumps(race: Scenario) -> str:
    """Return a scenario as TOML; :func:`loads` gives an equal scenario back."""
    return toml.dumps(described("dumps", race))


def start(
    name: str,
    candidates: Sequence[str],
    members: pd.DataFrame | str | None = None,
    reading: str | None = None,
) -> Scenario:
    """Return a scenario of a body to work on: its electorate, rules and clock, with nothing known of the candidates.

    Parameters
    ----------
    name : str
        A body of :func:`iomsim.bodies`.
    candidates : sequence of str
        Who stands.
    members : DataFrame or str, optional
        The member table, with a column `name`; or a shipped table, or the path of a csv.  Default: the body's own
        table if it ships, else as many nameless members as are entitled.
    reading : str, optional
        A reading of the body's rules; default the one that its file puts first.

    Raises
    ------
    UnknownNameError
        If there is no such body or reading.
    ScenarioError
        If the candidates or the members make no election.

    Examples
    --------
    >>> race = start("who", candidates=["A", "B", "C"])
    >>> race.body, race.names, race.rules.needed(183, ballot=3, candidates=3)
    ('who', ('A', 'B', 'C'), 92)
    """
    one = body(name)
    if isinstance(candidates, str):
        raise IomsimError(f"candidates must be a list of names, got {candidates!r}")
    return build(
        {
            "title": one.name,
            "about": one.about,
            "body": name,
            "electorate": _electorate(one, members),
            "candidates": [{"name": candidate} for candidate in candidates],
            "rules": {"name": reading or one.reading},
            "clock": one.clock.model_extra or {},
        },
        one.name,
    )


def _electorate(one: Body, members: pd.DataFrame | str | None) -> dict[str, Any]:
    """Return who votes: the table given, the body's own, or as many nameless members as are entitled."""
    if isinstance(members, pd.DataFrame):
        rows = members.reset_index() if members.index.name else members
        return {"table": tuple({str(key): value for key, value in row.items()} for row in rows.to_dict("records"))}
    if members is not None:
        return inlined({"members": members}, Path(), lambda: shipped_names("members", ".csv"))
    if one.electorate.members is None:
        return {"size": one.electorate.size}
    group = {"group": one.electorate.group} if one.electorate.group else {}
    return {"members": one.electorate.members, **group}


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
    """Return the shipped scenarios: name, title, members, candidates, date of the evidence.

    Examples
    --------
    >>> "geneva-2023" in catalogue().index
    True
    """
    table = [_entry(name, load(name)) for name in shipped_names("scenarios", ".toml")]
    return pd.DataFrame(table).set_index("name")


def _entry(name: str, race: Scenario) -> dict[str, Any]:
    return {
        "name": name,
        "title": race.title,
        "members": len(race.electorate.frame),
        "candidates": ", ".join(race.names),
        "rules": race.rules.name,
        "as of": race.as_of,
    }
