"""What a comparison opens with."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from src.figures.claims import draw_claims, show_claims, tabulate_claims
from src.figures.panels import Line
from src.figures.report import Comparison
from src.findings import Claim

NASTY = "<img src=x>|a & b"


def test_the_table_has_a_row_for_each_claim_and_a_column_for_each_model(comparison: Comparison) -> None:
    table = show_claims(comparison.claims, comparison.runs)
    assert re.findall(r'<th scope="col">([^<]+)', table) == ["claim", "tiny", "tiny_instruct"]
    assert re.findall(r'<th scope="row">([^<]+)', table) == [
        "The activations changed at all", "(a) Early reorganisation", "(b) Transient peak",
        "(c) Separable objectives", "(d) Pretrained and instruct differ",
    ]  # fmt: skip
    verdicts = re.findall(r'<strong class="verdict ([a-z-]+)">([a-z ]+)</strong>', table)
    assert len(verdicts) == 9, "twins share the last cell"
    assert all(shown == kind.replace("-", " ") for kind, shown in verdicts)
    assert table.count("<td colspan") == 1 + 5, "the twins, and a line of sentences under each claim"


def test_every_sentence_of_a_claim_is_there_once_and_folded(comparison: Comparison) -> None:
    table = show_claims(comparison.claims, comparison.runs)
    folded = "".join(re.findall(r"<details>.*?</details>", table))
    sentences = {sentence for claim in comparison.claims for sentence in claim.sentences}
    assert len(sentences) > 15
    assert all(folded.count(f"<li>{html.escape(sentence)}</li>") == 1 for sentence in sentences)
    assert re.sub(r"<details>.*?</details>", "", table).count("<li>") == 0


def test_names_are_no_markup(comparison: Comparison) -> None:
    runs = [replace(run, model=NASTY) for run in comparison.runs if run.model == "tiny"]
    claims = [Claim("peak", NASTY, (NASTY,), "holds", number=NASTY, explanation=NASTY, sentences=[NASTY])]
    assert "<img" not in show_claims(claims, runs)


def test_the_rows_for_a_terminal_name_the_pair_in_the_cell_of_each_twin(comparison: Comparison) -> None:
    titles, rows = tabulate_claims(comparison.claims, ["tiny", "tiny_instruct"])
    assert titles == ["claim", "tiny", "tiny_instruct"]
    assert [len(row) for row in rows] == [3] * 5
    assert rows[0][1] == "holds, 8 of 8 runs\n100 % of the blocks"
    assert rows[4][1] == rows[4][2]
    assert rows[4][1].startswith("tiny / tiny_instruct: holds\n")


def test_the_figure_has_a_line_for_each_model_about_its_late_level(comparison: Comparison) -> None:
    [figure] = draw_claims(comparison.runs, [1])
    excess, velocity = figure.rows[0]
    assert (excess.title, velocity.title) == ("excess H1", "velocity H1")
    lines = {mark.name: mark for mark in velocity.marks if isinstance(mark, Line)}
    assert {"tiny", "tiny_instruct"} < lines.keys()
    late = [y for x, y in zip(lines["tiny"].x, lines["tiny"].y, strict=True) if x >= 61]
    assert sorted(late)[len(late) // 2] == pytest.approx(1, rel=0.1)
    assert max(lines["tiny"].y) > 2
    upright = [mark.x[0] for mark in velocity.marks if isinstance(mark, Line) and mark.x[0] == mark.x[1]]
    assert upright == [13, 61]
