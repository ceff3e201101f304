"""Run the reference as if ZMTP 1.0 were all that it knows, with the faults of mutants: `old.py [NAME...]`."""

import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from peers.reference.__main__ import main  # noqa: E402
from peers.reference.engine import Link  # noqa: E402
from tests.mutants.registry import load_mutants, patch  # noqa: E402

if __name__ == "__main__":
    patch(Link, "configure")(lambda original, self: replace(original(self), version=(1, 0)))
    for name in sys.argv[1:]:
        load_mutants()[name].apply()
    sys.exit(main())
