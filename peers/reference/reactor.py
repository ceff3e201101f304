"""One thread's readiness and timers: what is served while an operation waits."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable

Action = Callable[[], None]


class Timer:
    """An action at a time; `cancel` makes it nothing."""

    __slots__ = ("action", "when")

    def __init__(self, when: float, action: Action) -> None:
        self.when = when
        self.action: Action | None = action

    def cancel(self) -> None:
        """Never run it."""
        self.action = None


class Watch:
    """What to do when one descriptor is ready."""

    __slots__ = ("fd", "on_readable", "on_writable")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.on_readable: Action | None = None
        self.on_writable: Action | None = None

    @property
    def events(self) -> int:
        """The selector's mask."""
        readable = selectors.EVENT_READ if self.on_readable else 0
        return readable | (selectors.EVENT_WRITE if self.on_writable else 0)


class Reactor:
    """Waits for descriptors and timers, and runs what belongs to them."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._watches: dict[int, Watch] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self.after_poll: list[Action] = []

    def watch(self, fd: int, on_readable: Action | None, on_writable: Action | None = None) -> None:
        """Run these whenever `fd` is ready; None for what does not matter, both None to forget it."""
        watch = self._watches.get(fd) or Watch(fd)
        before = watch.events if fd in self._watches else 0
        watch.on_readable, watch.on_writable = on_readable, on_writable
        after = watch.events
        if after and before and after != before:
            self._selector.modify(fd, after, watch)
        elif after and not before:
            self._watches[fd] = watch
            self._selector.register(fd, after, watch)
        elif before and not after:
            del self._watches[fd]
            self._selector.unregister(fd)

    def forget(self, fd: int) -> None:
        """Stop watching a descriptor."""
        self.watch(fd, None)

    def call_later(self, delay_s: float, action: Action) -> Timer:
        """Run `action` once, after `delay_s` seconds."""
        timer = Timer(time.monotonic() + delay_s, action)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        return timer

    def poll(self, timeout_s: float | None) -> None:
        """Wait at most `timeout_s` (None: for ever) for something to do, and do it."""
        for key, mask in self._selector.select(self._wait_s(timeout_s)):
            self._serve(key.data, mask)
        self._run_timers()
        for action in self.after_poll:
            action()

    def run_until(self, done: Callable[[], bool], timeout_s: float | None) -> bool:
        """Serve everything until `done()` holds; False when `timeout_s` (None: for ever) is over."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while not done():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                self.poll(0)
                return done()
            self.poll(left)
        return True

    def _serve(self, watch: Watch, mask: int) -> None:
        for event in (selectors.EVENT_READ, selectors.EVENT_WRITE):
            if mask & event and self._watches.get(watch.fd) is watch:
                action = watch.on_readable if event == selectors.EVENT_READ else watch.on_writable
                if action is not None:
                    action()

    def _wait_s(self, timeout_s: float | None) -> float | None:
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return timeout_s
        until = max(0.0, self._timers[0][0] - time.monotonic())
        return until if timeout_s is None else min(until, timeout_s)

    def _run_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.action is not None:
                timer.action()
