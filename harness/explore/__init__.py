"""`zconform explore`: legal and illegal steps of partners at random, and the shortest that go wrong."""

from .run import Wishes, explore

__all__ = ["Wishes", "explore"]
