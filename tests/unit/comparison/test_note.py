"""What a comparison says in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from src.comparison.note import show_report, write_report_note
from src.figures.report import Report

TITLES, ROW = ["claim", "a_b"], ["(b) Transient peak", "holds, 2 of 2 runs\nH1 velocity | <b>late</b>"]


def report(rows: list[list[str]]) -> Report:
    return Report("2 runs", "", {}, ["A sentence."], (TITLES, rows), ["model"], [["a_b"]], [])


def test_a_note_begins_with_the_claims_and_no_text_of_a_cell_ends_it() -> None:
    lines = write_report_note(report([ROW])).splitlines()
    assert lines[:3] == [
        "| claim | a\\_b |",
        "| --- | --- |",
        "| (b) Transient peak | holds, 2 of 2 runs<br>H1 velocity \\| &lt;b&gt;late&lt;/b&gt; |",
    ]
    assert lines[-1] == "- A sentence."
    assert write_report_note(report([])).startswith("**2 runs**")


def test_a_note_that_mlflow_would_cut_off_leaves_out_whole_sentences() -> None:
    long = replace(report([ROW]), sentences=[f"Sentence {n} {'x' * 90}." for n in range(200)])
    note = write_report_note(long)
    assert len(note) <= 8000
    *_, before, last = note.splitlines()
    kept = int(before.split()[2]) + 1
    assert before.endswith("x.")
    assert last == f"- The other {200 - kept} sentences are in `report.html`."


def test_the_terminal_shows_the_claims_first(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(report([ROW]), Path("report.html"))
    printed = capsys.readouterr().out
    assert printed.index("report.html: 2 runs") < printed.index("holds, 2 of 2 runs") < printed.index("- A sentence.")
