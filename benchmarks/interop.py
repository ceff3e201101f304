"""`python -m benchmarks.interop [A:B ...]`: what a case of two warm peers takes.

Runs the cases of interop in this process, by default of reference:pyzmq, and takes for each item all the time
that pytest spent on it (setup, call, teardown, reporting). The first item, which starts the peers, is not
counted.
"""

from __future__ import annotations

import sys

from benchmarks.stopwatch import measure, print_table

DEFAULT = ["reference:pyzmq"]


def main(pairs: list[str]) -> int:
    """Run and print the median and the 95th percentile for each pair in milliseconds; 1 where nothing ran."""
    taken = measure("conformance/interop", *(f"--pair={pair}" for pair in pairs or DEFAULT))
    if not taken:
        return 1  # pytest has said why
    print_table("pair", {pair: ([a for a, _ in of], [b for _, b in of]) for pair, of in taken.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
