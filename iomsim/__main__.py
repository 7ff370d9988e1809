"""``python -m iomsim`` is the command ``iomsim``."""

import sys

from iomsim.cli import main

if __name__ == "__main__":
    sys.exit(main())
