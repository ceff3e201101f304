"""`python -m benchmarks.overhead [PEER ...]`: what the harness itself costs for each case.

Runs the suite in this process and takes, for each item, all the time that pytest spent on it (setup, call,
teardown, reporting) less the time spent waiting for the peer or for the wire. The first item of a peer, which
starts and self-tests it, is left out.
"""

from __future__ import annotations

import sys

from benchmarks.stopwatch import measure, print_table


def main(peers: list[str]) -> int:
    """Run and print the median and the 95th percentile for each peer, in milliseconds."""
    taken = measure("conformance/", *(f"--peer={peer}" for peer in peers))
    print_table("peer", {peer: ([a - b for a, b in of], [b for _, b in of]) for peer, of in taken.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
