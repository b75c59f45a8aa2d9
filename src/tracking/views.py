"""Prepared views of an experiment in the MLflow UI: what each one draws, and the tag in which MLflow keeps it.

The tags are what the UI's own "Share" writes (MLflow 3.10 to 3.17). The format is internal to MLflow:
tests/slow/test_browser.py opens every view.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TAG = "mlflow.sharedViewState."
"""Prefix of the experiment tags that hold views."""

MAX_HIDDEN_CHARTS = 4000
"""Metrics that a view can keep away: MLflow takes no tag longer than 20,000 characters."""

PICTURES = "Model metrics"
"""Where the UI puts images, whether asked to or not; folded."""

Card = dict[str, Any]
"""One chart, as the UI stores it."""


@dataclass(frozen=True)
class View:
    key: str
    """the end of its tag and of its address"""
    name: str
    sections: Mapping[str, list[Card]]
    """title -> charts, in the order in which they are shown"""
    group_by: str | None = None
    """the tag by whose values runs are averaged; None draws each run"""

    @property
    def metrics(self) -> set[str]:
        """The keys that have a chart of their own."""
        charts = [card for cards in self.sections.values() for card in cards if "metricKey" in card]
        return {str(card.get("dataAccessKey", card["metricKey"])) for card in charts}


def _line(key: str, title: str) -> Card:
    # A linear axis starts at zero and would squeeze what never comes near it into a flat line.
    scale = "log" if key.startswith("topology/") else "linear"
    return {
        "type": "LINE", "metricKey": key, "selectedMetricKeys": [key], "xAxisKey": "step", "yAxisKey": "metric",
        "scaleType": scale, "xAxisScaleType": "linear", "range": {}, "lineSmoothness": 0, "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True, "yAxisExpressions": [], "selectedXAxisMetricKey": "",
        # The page of runs shows the key instead of the name, but for charts of a computer's nodes. It asks for no more.
        "displayName": title, "nodeLevelSystemMetricConfiguration": {"metric": key, "type": "none"},
    }  # fmt: skip


def _bar(key: str, title: str) -> Card:
    # The page of runs shows no name of a bar chart but its key, and draws another key if one is given.
    return {"type": "BAR", "displayName": title, "metricKey": title, "dataAccessKey": key}


def _cards(kind: Callable[[str, str], Card], titles: Mapping[str, str], dimension: int | None = None) -> list[Card]:
    return [kind(key.format(dimension), title.format(dimension)) for key, title in titles.items()]


# The UI cuts a title that is too long for its card.
LOSSES = {
    "behavior/train_loss": "Training loss",
    "behavior/eval_loss_helpful": "Held-out loss, helpful",
    "behavior/eval_loss_harmless": "Held-out loss, harmless",
}
SIDE_BY_SIDE = "Together"
DIMENSIONS = {"Loops (H1)": 1, "Components (H0)": 0}
COURSE = {
    "velocity/H{}/mean": "Velocity H{}, mean over blocks",
    "excess/H{}/mean": "Excess over chance H{}, mean over blocks",
    "drift/H{}/mean": "Drift H{}, mean over blocks",
    "topology/H{}/total_persistence/mean": "Total persistence H{}, mean over blocks",
    "topology/H{}/entropy/mean": "Entropy H{}, mean over blocks",
}
FINDINGS = {
    "finding/peak_ratio/H{}": "Peak ratio of velocity, H{}",
    "finding/naive_peak_ratio/H{}": "Peak ratio of naive velocity, H{}",
    "finding/early_share/H{}": "Early share of the path, H{}",
    "finding/excess_early/H{}": "Excess in the first tenth, H{}",
    "finding/excess_late/H{}": "Excess in the last half, H{}",
}

CURVES = {"Losses": _cards(_line, LOSSES)} | {title: _cards(_line, COURSE, k) for title, k in DIMENSIONS.items()}
# The last velocity and the loss of the last batch say nothing about the end.
HELD_OUT, ENDS = dict(list(LOSSES.items())[1:]), dict(list(COURSE.items())[1:])
BARS = {"Losses": _cards(_bar, HELD_OUT)} | {title: _cards(_bar, ENDS, k) for title, k in DIMENSIONS.items()}
# A run that lacks one of these is not drawn, so only what every measured run has.
PARALLEL = {
    "type": "PARALLEL", "selectedParams": ["model.name", "objective.name"],
    "selectedMetrics": [*HELD_OUT, "drift/H0/mean", "drift/H1/mean"], "showAllRuns": False,
}  # fmt: skip

VIEWS = (
    View("topotrace-steps", "Topology over steps", CURVES),
    View("topotrace-by-objective", "By objective", CURVES, group_by="objective"),
    View("topotrace-by-model", "By model", CURVES, group_by="model"),
    View("topotrace-final", "Final values", {SIDE_BY_SIDE: [PARALLEL]} | BARS),
    View("topotrace-findings", "Findings", {title: _cards(_bar, FINDINGS, k) for title, k in DIMENSIONS.items()}),
)


def build_state(view: View, keys: Iterable[str] = ()) -> dict[str, Any]:
    """What the UI shows under a view.

    Args:
        keys: metrics of the store. Those that the view does not draw get no chart, and those of its bars no second
            one: the UI would add one for each, and take seconds to show them.
    """
    grouping = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": view.group_by}]}
    cards = [
        {"uuid": f"{title} {n}", "metricSectionId": title, "deleted": False, "isGenerated": False, **card}
        for title, cards in view.sections.items() for n, card in enumerate(cards)
    ]  # fmt: skip
    known = {card.get("metricKey") for card in cards}
    others = [*sorted(view.metrics - known), *sorted(set(keys) - view.metrics)[:MAX_HIDDEN_CHARTS]]
    unwanted = [{"metricKey": key, "deleted": True} for key in others]
    sections = [
        {"uuid": title, "name": title, "display": title != PICTURES, "isReordered": True, "cardHeight": 300,
         "columns": 1 if title == SIDE_BY_SIDE else 2}
        for title in (*view.sections, PICTURES)
    ]  # fmt: skip
    return {
        # An analysis measures a run's clouds again, perhaps otherwise: no mean over both. A comparison has no curves.
        "searchFilter": "tags.kind = 'cell'" if view.group_by else "tags.kind != 'comparison'",
        "lifecycleFilter": "Active", "modelVersionFilter": "All Runs", "datasetsFilter": [],
        "orderByKey": "attributes.start_time", "orderByAsc": False, "startTime": "ALL",
        "runsHiddenMode": "SHOW_ALL",
        "groupBy": grouping if view.group_by else None, "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "isAccordionReordered": True,  # or the UI sorts the sections by name
        "compareRunSections": sections,
        "compareRunCharts": cards + unwanted,
    }  # fmt: skip


def encode_state(state: Mapping[str, Any]) -> str:
    return "deflate;" + base64.b64encode(zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 9)).decode()


def view_tags(keys: Iterable[str], present: Mapping[str, str], now: int) -> dict[str, str]:
    """The experiment's tags that have to be written.

    Args:
        keys: metrics of the store.
        present: tags of the experiment. A view that is there as it should be is left out.
        now: milliseconds since 1970.
    """
    keys, tags = set(keys), {}
    for view in VIEWS:
        new = {"name": view.name, "state": encode_state(build_state(view, keys))}
        old = _read_tag(present.get(TAG + view.key, ""))
        if not new.items() <= old.items():
            tags[TAG + view.key] = json.dumps(new | {"createdAt": old.get("createdAt", now), "updatedAt": now})
    return tags


def _read_tag(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError:  # none yet, or none of ours
        return {}


def view_addresses(base: str, experiment: str) -> dict[str, str]:
    """Name -> address of each view on the server at `base`."""
    # The sidebar would default to another workflow and show no chart.
    page = f"{base.rstrip('/')}/#/experiments/{experiment}/runs?compareRunsMode=CHART&workflowType=machine_learning"
    return {view.name: f"{page}&viewStateShareKey={view.key}" for view in VIEWS}
