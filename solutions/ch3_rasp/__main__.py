"""`python -m solutions.ch3_rasp --help`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
