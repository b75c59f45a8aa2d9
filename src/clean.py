"""`python -m src.clean`: what of the run directories could go, and how much that would free; `yes=true` removes it."""

from __future__ import annotations

from omegaconf import DictConfig

from .cli import launch
from .config.commands import CleanConfig
from .config.resolve import resolve_clean_config
from .pipeline.removable import adapters_in_use, find_removable
from .rundir.find import find_runs
from .system.console import show_rows
from .system.machine import describe_bytes
from .system.words import count_of


def clean(composed: DictConfig) -> None:
    """List what could go, run by run; remove it if that was asked for."""
    request = resolve_clean_config(composed)
    runs = find_runs(request.run)
    in_use = adapters_in_use(runs)
    found = [removable for run in runs for removable in find_removable(run, request.what, in_use)]
    rows = [[str(one.run.path), one.kind, str(len(one.files)), describe_bytes(one.size)] for one in found]
    total, files = sum(one.size for one in found), sum(len(one.files) for one in found)
    if rows:
        show_rows(["directory", "what", "files", ""], rows)
    if not request.yes:
        hint = "; yes=true removes it, what=[...] chooses" if rows else ""
        print(f"{count_of(files, 'file')}, {describe_bytes(total)}, could go{hint}", flush=True)
        return
    in_use = adapters_in_use(runs)
    removed = [one.remove(in_use) for one in found]
    gone, freed = sum(count for count, _ in removed), sum(size for _, size in removed)
    rest = f"; {count_of(files - gone, 'file')} stay, which a process needs by now" if files > gone else ""
    print(f"{count_of(gone, 'file')} removed, {describe_bytes(freed)} are free again{rest}", flush=True)


if __name__ == "__main__":
    launch(clean, "clean", CleanConfig)
