"""Finds the packages; all else is in setup.cfg, which cannot find what is imported from another folder."""

from setuptools import find_packages, setup

FOUND = find_packages(include=["iomsim*", "seeds*"])
setup(packages=[f"iomsim.{name}" if name.startswith("seeds") else name for name in FOUND])
