"""`python -m tests.bench [PART ...]`: print the table, write build/bench.json; exit status 1 if a goal is missed."""

import argparse
import importlib
import sys
import time

from tests.bench.table import keep, show
from utils import course

PARTS = ("machinery", "ch1", "ch2", "ch3_training", "ch4", "ch5", "grading")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"which parts to run: {', '.join(PARTS)} (all)")
    chosen = parser.parse_args(argv).parts or list(PARTS)
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}: the parts are {', '.join(PARTS)}")
    rows = []
    for part in chosen:
        start = time.perf_counter()
        print(f"bench: {part} ...", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"tests.bench.{part}").rows()
        print(f"bench: {part} took {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(show(rows))
    keep(rows, course.ROOT / "build" / "bench.json")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
