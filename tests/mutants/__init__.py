"""Mutants: the reference peer with one fault each, and the case that exists to find it."""
