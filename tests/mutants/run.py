"""Run one mutant as a peer: `python tests/mutants/run.py NAME`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from peers.reference.__main__ import main
from tests.mutants.registry import load_mutants

if __name__ == "__main__":
    load_mutants()[sys.argv[1]].apply()
    sys.exit(main())
