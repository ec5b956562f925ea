"""`python -m solutions.ch2_induction_heads basic|full|tables|figures|counts --help`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
