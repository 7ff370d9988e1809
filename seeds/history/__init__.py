"""Past elections and their tallies."""
