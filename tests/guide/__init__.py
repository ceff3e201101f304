"""Scenarios of the guide: each of their rules is broken once, by a role or by a peer in it."""
