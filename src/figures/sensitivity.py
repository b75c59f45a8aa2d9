"""One run measured in several ways: which findings hang on one choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..findings import find_agreement
from .page import Section, assemble
from .report import Report
from .tables import RunFindings, list_of, show_run_findings

LAYERS = "layers"


@dataclass(frozen=True)
class Sensitivity:
    """What a report shows of one run."""

    run: str
    """its name"""
    variants: Mapping[str, RunFindings]
    """What was chosen otherwise -> the findings then."""
    layers: Mapping[str, RunFindings]
    """Findings of single layers, as the run itself was measured."""
    ids: Mapping[str, str]
    """Way -> MLflow run."""

    @property
    def dimensions(self) -> list[int]:
        """Homology dimensions that any way has, highest first."""
        return sorted({k for found in self.variants.values() for _, k in found if k >= 0}, reverse=True)


def render_sensitivity(study: Sensitivity) -> Report:
    """The report: what all ways agree on, and the findings of each."""
    variants, layers = find_agreement(study.variants), find_agreement(study.layers, LAYERS)
    tables = [f"<h3>H{k}</h3>{show_run_findings(study.variants, k, 'measured with')}" for k in study.dimensions]
    single = [f"<h3>H{k}</h3>{show_run_findings(study.layers, k, 'layer')}" for k in study.dimensions]
    sections = [
        Section(
            "ways", "Ways of measuring", "The same clouds, measured again: number of probes, metric, lag. A finding "
            "that hangs on one choice is no finding about the model. Bold: called by its own rule, beyond chance.",
            list_of(variants) + "".join(tables),
        ),
        Section(
            "layers", "Layer by layer", "The run as it was measured, each layer for itself; all else speaks of their "
            "mean.",
            list_of(layers) + "".join(single),
        ),
    ]  # fmt: skip
    page = assemble(f"Sensitivity: {study.run}", sections)
    rows = [[variant, run_id] for variant, run_id in study.ids.items()]
    head = f"{study.run} measured in {len(study.variants)} ways"
    return Report(
        head, page, {}, [*variants, *layers], ([], []), ["measured with", "MLflow run"], rows, list(study.ids.values())
    )
