"""Names that were retired stay retired: each had a private meaning, or several."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.support.processes import ROOT

RETIRED = set(
    re.findall(
        r"\w+",
        """
        Home home is_here Word leave_word hear settle _settle judge tell refuse_company TOGETHER Attend attend
        Interrupts listening give_up deferred take_share part_of take_up occupy saved_at_limit LIMIT_SIGNAL
        PAUSE read_told Told tracked_as read_on Delivery deliver _twins _retire heard find_progress
        note_progress view_cloud Shape compute_shape LayerAt measure_chance measure_halves NULLS Walk
        random_part in_row_space on_scale LEVEL Across OwnFindings Own TOLD OWN arranged arrange ENOUGH ALIKE
        describe_ways begin afresh place_run place_analysis place_comparison unchanged Ingredients judge_replies
        undisturbed write_base visit visited judged JUDGED HURRY LONGEST_PAUSE GRACE MOST FEWEST MOST_BARS
        MOST_STEPS MOST_POINTS most_points said told usual
        """,
    )
)


def names_in(path: Path) -> set[str]:
    """Every identifier of a file; words in strings and comments are none."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_no_retired_name_comes_back(folder: str) -> None:
    back = {str(path.relative_to(ROOT)): names_in(path) & RETIRED for path in sorted((ROOT / folder).rglob("*.py"))}
    assert {path: sorted(names) for path, names in back.items() if names} == {}
