"""Progress bars: of a notebook in a notebook, of a terminal in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from tqdm.auto import tqdm


class Bar(Protocol):
    """What shows how far something is."""

    def update(self) -> object: ...


ShowProgress = Callable[[int | None, str], AbstractContextManager[Bar]]
"""From a total, if it is known, and what is counted, to a bar."""


@contextmanager
def show_bar(total: int | None, counted: str) -> Iterator[Bar]:
    """A bar of tqdm."""
    with tqdm(total=total, desc=counted, dynamic_ncols=True) as bar:
        yield bar


class _NoBar:
    def update(self) -> None: ...


@contextmanager
def show_none(total: int | None, counted: str) -> Iterator[Bar]:
    """Nothing."""
    yield _NoBar()
