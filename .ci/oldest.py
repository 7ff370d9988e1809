"""Print the lower bounds of setup.cfg as exact requirements, one a line: ``numpy>=2.0`` as ``numpy==2.0``."""

from configparser import ConfigParser
from pathlib import Path

parser = ConfigParser()
parser.read(Path(__file__).parents[1] / "setup.cfg", encoding="utf-8")
for requirement in parser["options"]["install_requires"].split():
    print(requirement.replace(">=", "=="))
