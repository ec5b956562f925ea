"""`python -m solutions.ch4_one_layer_icl --help`, `... sweep --help`, `... table --help`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
