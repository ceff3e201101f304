"""`zconform smoke`: for the author of an adapter, before the first verdict."""

from .run import smoke

__all__ = ["smoke"]
