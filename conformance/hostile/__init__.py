"""What no correct partner does: afterwards the peer lives, serves others, and has told nothing."""
