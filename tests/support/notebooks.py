"""The notebooks of the repository, run in a real kernel of Jupyter."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .processes import ROOT, require

NOTEBOOKS = ROOT / "tests" / "notebooks"


def run_notebook(name: str, place: Path) -> list[Any]:
    """The cells of a notebook with what they showed; a cell that raises ends it.

    Args:
        place: the folder that its kernel is started in.
    """
    require(bool(find_spec("nbclient") and find_spec("ipykernel")), "nbclient and ipykernel are not installed")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells), "notebooks are kept without outputs"
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "HYDRA"))}
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(place)}})
    client.execute(env=clean | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
    return list(notebook.cells)


def shown(cells: list[Any], kind: str) -> Iterator[Any]:
    """What the cells showed of a MIME type, `text/html` or the like; `stdout` is what they printed."""
    for output in (output for cell in cells for output in cell.get("outputs", ())):
        if kind == output.get("name"):
            yield output["text"]
        elif kind in output.get("data", {}):
            yield output["data"][kind]
