"""All findings across runs."""

from __future__ import annotations

from src.findings import find_across
from tests.support.tables import twin_runs


def test_all_findings_across_have_a_group_and_a_sentence_and_hang_on_no_order() -> None:
    runs = twin_runs(0.5)
    found = find_across(runs)
    assert {group for _, group in found} == {"tiny", "tiny_instruct", "tiny / tiny_instruct", "all"}
    assert all(finding.sentence.startswith(f"{group}: ") for (_, group), finding in found.items())
    assert "separability_p" in {name for name, group in found if group == "tiny"}
    again = find_across(runs[::-1])
    assert {key: f.sentence for key, f in again.items()} == {key: f.sentence for key, f in found.items()}
    alone = find_across([run for run in runs if run.model == "tiny"])
    assert "None of tiny is the instruct twin of another" in alone["twins_p", "all"].sentence
