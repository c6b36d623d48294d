"""Keeps what was computed from files that never change, in this process, as long as there is room."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The values that were asked for last. most: what they may weigh together; one that weighs more is not kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value], weight: Callable[[Value], int]) -> Value:
        """Return what is kept under a key, made first where there is none; two may make it at once."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()
        self._keep(key, value, weight(value))
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _keep(self, key: Hashable, value: Value, weight: int) -> None:
        if weight > self._most:
            return
        with self._lock:
            self._kept[key] = (value, weight)
            self._kept.move_to_end(key)
            while sum(each for _value, each in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
