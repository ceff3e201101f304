"""Run one mutant as a peer, or one with the faults of several: `python tests/mutants/run.py NAME...`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from peers.reference.__main__ import main
from tests.mutants.registry import load_mutants

if __name__ == "__main__":
    for name in sys.argv[1:]:
        load_mutants()[name].apply()
    sys.exit(main())
