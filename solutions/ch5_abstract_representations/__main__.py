"""`python -m solutions.ch5_abstract_representations --help`, `... train --help`, `... analyse --help`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
