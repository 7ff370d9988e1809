"""The evidence that ships with iomsim: facts, members, past elections and scenarios. Nothing is computed here."""
