"""Names for things that a user can choose: a second registration raises, an unknown name suggests the nearest."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from sslstudio.engine.core.errors import ConfigError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """An ordered table of name -> thing, filled by a decorator."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator. Raises ValueError when the name is taken: two things under one name are a bug."""

        def add(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return add

    def remove(self, name: str) -> None:
        """Take an entry out again, for tests that register one."""
        del self._entries[name]

    def __getitem__(self, name: str) -> T:
        """The entry of that name. Raises ConfigError with the nearest name when there is none."""
        try:
            return self._entries[name]
        except KeyError:
            raise ConfigError(
                "There is no {kind} called {name!r}. {hint}",
                kind=self.kind,
                name=name,
                hint=did_you_mean(name, self._entries),
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._entries)
