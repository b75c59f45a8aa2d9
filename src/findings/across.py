"""The findings across runs: what objectives, twins and other metrics have to do with how shapes change."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from .complement import complementarity
from .finding import Finding, GroupFindings
from .groups import separability
from .summary import summarize_runs
from .trajectory import IncomparableError, Tracked
from .twins import compare_pairs, twin_models
from .wording.groups import name_group
from .wording.trajectory import SHARED_STEPS
from .wording.twins import describe_no_twins

ALL = "all"


def find_across(runs: Sequence[Tracked]) -> GroupFindings:
    """What can be said of several runs together, and what not for want of which runs.

    Args:
        runs: of any models, objectives and seeds, all over the same probes, measured in the same way.

    Returns:
        By name and group of runs, each with a sentence that stands alone: `summarize_runs` and `separability` by
        objective within each model (the group: its name), `compare_twins` of each pair ("<pretrained> / <instruct>"),
        `complementarity` within each model and, of several, over "all" runs.

    Raises:
        ValueError: if two runs of twins have the same model, objective and seed.
    """
    runs = sorted(runs, key=lambda run: (run.model, run.objective, run.seed, run.name))
    by_model = {run.model: [other for other in runs if other.model == run.model] for run in runs}
    found: GroupFindings = {}
    for model, model_runs in by_model.items():
        found |= _label_group(model, "", partial(summarize_runs, [run.findings for run in model_runs]))
        found |= _label_group(model, "separability_p", partial(_separate_objectives, model_runs))
        found |= _label_group(model, "complementarity_behavior", partial(complementarity, model_runs))
    if len(by_model) > 1:
        found |= _label_group(ALL, "complementarity_behavior", partial(complementarity, runs))
    twins = twin_models(runs)
    for first, second in twins:
        found |= _label_group(f"{first} / {second}", "twins_p", partial(compare_pairs, runs, first, second))
    if not twins:
        found["twins_p", ALL] = Finding(math.nan, sentence=describe_no_twins(list(by_model)))
    return found


def _separate_objectives(runs: Sequence[Tracked]) -> dict[str, Finding]:
    return separability(
        [run.shape for run in runs], [run.objective for run in runs], [run.seed for run in runs]
    )  # fmt: skip


def _label_group(group: str, name: str, find: Callable[[], dict[str, Finding]]) -> GroupFindings:
    """Findings of a group, with sentences that name it; where its runs cannot be compared, `name` says why."""
    try:
        found = find()
    except IncomparableError as error:
        found = {name: Finding(math.nan, sentence=str(error), missing=SHARED_STEPS)}
    return {
        (finding_name, group): replace(finding, sentence=name_group(finding.sentence, group))
        for finding_name, finding in found.items()
    }
