"""`python -m solutions.ch1_transformer_from_scratch train|sample|evaluate|from-gpt2|controls --help`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
