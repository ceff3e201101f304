"""What an operation can end in, beside its answer."""


class Failed(Exception):
    """The operation is known, but cannot be done: the text says why."""


class Unsupported(Exception):
    """There is no such operation, option, socket type or transport."""
