"""Finds the packages, and has the README lead to the project from wherever it is shown; all else is in setup.cfg."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
FOUND = find_packages(include=["iomsim*", "seeds*"])


def readme() -> str:
    """Return the README for a package index, which has it alone: links within the tree lead to the project's."""
    settings = ConfigParser()
    settings.read(HERE / "setup.cfg", encoding="utf-8")
    home = settings["metadata"]["url"]
    within = re.compile(r"(?P<picture>!?)\[(?P<words>[^\]]*)\]\((?!https?:|#)(?P<path>[^)]+)\)")
    return within.sub(
        lambda link: "{picture}[{words}]({home}/{kind}/HEAD/{path})".format(
            home=home, kind="raw" if link["picture"] else "blob", **link.groupdict()
        ),
        (HERE / "README.md").read_text(encoding="utf-8"),
    )


setup(
    packages=[f"iomsim.{name}" if name.startswith("seeds") else name for name in FOUND],
    long_description=readme(),
)
