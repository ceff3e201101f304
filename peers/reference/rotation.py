"""Taking turns."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Rotation(Generic[T]):
    """Members in the order of their next turn: who had one goes to the end."""

    def __init__(self) -> None:
        self._members: list[T] = []

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._members))

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def add(self, member: T) -> None:
        """Join, at the end."""
        self._members.append(member)

    def remove(self, member: T) -> None:
        """Leave, if there."""
        if member in self._members:
            self._members.remove(member)

    def next(self, able: Callable[[T], bool]) -> T | None:
        """The first that is able; its turn is over with that. None when nobody is able."""
        for position, member in enumerate(self._members):
            if able(member):
                del self._members[position]
                self._members.append(member)
                return member
        return None
