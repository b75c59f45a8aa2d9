"""Tables and addresses on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def has_screen() -> bool:
    """Whether a browser could show a window here."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show_rows(titles: Sequence[str], rows: Sequence[Sequence[str]], *, lines: bool = False) -> None:
    """A table on the terminal, with lines between the rows if asked; where it is narrow, or a file, no cell is cut."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*titles, show_lines=lines)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200).print(table)


def show_views(addresses: dict[str, str]) -> None:
    """The prepared views, one line each."""
    for name, address in addresses.items():
        print(f"{name:<20} {address}")
