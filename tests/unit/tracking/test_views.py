"""Prepared views as they are written into an experiment's tags; slow/test_browser.py sees what MLflow makes of it."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from src.config import Config, ModelConfig, ObjectiveConfig, TdaConfig, TrackingConfig
from src.rundir import RunDirectory
from src.tracking.store import open_store, write_views
from src.tracking.tracker import track_run
from src.tracking.views import (
    PICTURES,
    TAG,
    VIEWS,
    View,
    build_state,
    encode_state,
    view_addresses,
    view_tags,
)

STEPS, BY_OBJECTIVE, BY_MODEL, FINAL, FINDINGS = VIEWS


def decode_state(text: str) -> dict[str, Any]:
    """The inverse of `encode_state`; reads what the UI writes, too."""
    return dict(json.loads(zlib.decompress(base64.b64decode(text.removeprefix("deflate;")))))


def test_a_state_survives_its_encoding() -> None:
    state = build_state(STEPS, ["cost/train_seconds"])
    assert encode_state(state).startswith("deflate;")
    assert decode_state(encode_state(state)) == state


def test_the_curves_are_those_of_the_contract() -> None:
    summaries = ("total_persistence", "entropy")
    wanted = {f"topology/H{k}/{name}/mean" for k in (0, 1) for name in summaries}
    wanted |= {f"{name}/H{k}/mean" for k in (0, 1) for name in ("velocity", "excess", "drift")}
    wanted |= {f"behavior/{name}" for name in ("train_loss", "eval_loss_helpful", "eval_loss_harmless")}
    assert STEPS.metrics == BY_OBJECTIVE.metrics == BY_MODEL.metrics == wanted
    names = ("peak_ratio", "naive_peak_ratio", "early_share", "excess_early", "excess_late")
    assert FINDINGS.metrics == {f"finding/{name}/H{k}" for k in (0, 1) for name in names}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_every_chart_lies_in_a_section_and_every_run_is_shown(view: View) -> None:
    state = build_state(view)
    sections = [section["uuid"] for section in state["compareRunSections"]]
    assert len(sections) == len(set(sections))
    charts = [chart for chart in state["compareRunCharts"] if not chart["deleted"]]
    assert {chart["metricSectionId"] for chart in charts} == set(sections) - {PICTURES}
    assert len({chart["uuid"] for chart in charts}) == len(charts)
    assert state["runsHiddenMode"] == "SHOW_ALL"
    assert bool(state["groupBy"]) == (view in (BY_OBJECTIVE, BY_MODEL))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_every_chart_of_a_metric_has_a_title_of_its_own_that_is_no_key(view: View) -> None:
    charts = [chart for cards in view.sections.values() for chart in cards if chart["type"] != "PARALLEL"]
    titles = [chart.get("displayName", chart["metricKey"]) for chart in charts]
    assert len(set(titles)) == len(titles) == len(view.metrics)
    assert not any("/" in title or "_" in title or "{" in title for title in titles)


def test_what_a_view_does_not_draw_gets_no_chart() -> None:
    charts = build_state(STEPS, ["drift/H1/layer_01", "drift/H1/mean"])["compareRunCharts"]
    assert [chart for chart in charts if chart["deleted"]] == [{"metricKey": "drift/H1/layer_01", "deleted": True}]


def test_what_a_bar_draws_gets_no_second_chart_whatever_the_store_holds() -> None:
    """The UI looks for a metric's key where the title of a bar is."""
    for keys in ([], ["finding/peak_ratio/H1", *(f"a/{n}" for n in range(5000))]):
        charts = build_state(FINDINGS, keys)["compareRunCharts"]
        assert {chart["metricKey"] for chart in charts if chart["deleted"]} >= FINDINGS.metrics


def test_the_tags_of_a_model_of_many_layers_are_short_enough_for_mlflow() -> None:
    keys = [f"quantity_{n}/H{k}/layer_{layer:02d}" for n in range(30) for k in (0, 1) for layer in range(100)]
    assert all(len(value) < 20_000 for value in view_tags(keys, {}, 0).values())


def test_only_what_changed_is_written() -> None:
    first = view_tags(["a/b"], {}, 1)
    assert view_tags(["a/b"], first, 2) == {}
    changed = json.loads(view_tags(["a/b", "a/c"], first, 3)[TAG + STEPS.key])
    assert (changed["createdAt"], changed["updatedAt"]) == (1, 3)


def test_a_tag_that_is_not_ours_is_replaced() -> None:
    assert TAG + STEPS.key in view_tags([], {TAG + STEPS.key: "deflate;abc"}, 1)


def test_addresses_name_the_view_and_the_workflow() -> None:
    address = view_addresses("http://127.0.0.1:5000/", "7")["Findings"]
    assert address.startswith("http://127.0.0.1:5000/#/experiments/7/runs?compareRunsMode=CHART&")
    assert "workflowType=machine_learning" in address
    assert address.endswith("viewStateShareKey=topotrace-findings")


def test_a_store_gets_each_view_once(stored_here: Path) -> None:
    store = open_store(TrackingConfig())
    client, experiment = store.client, store.experiment
    assert write_views(store) == {}, "a file has no address"
    empty = client.get_experiment(experiment).tags
    assert {key for key in empty if key.startswith(TAG)} == {TAG + view.key for view in VIEWS}
    config = Config(model=ModelConfig(name="tiny"), objective=ObjectiveConfig(name="mixed"), tda=TdaConfig(name="none"))
    run = RunDirectory(Path("multirun/a"))
    run.path.mkdir(parents=True)
    with track_run(store, config, run, {"kind": "cell"}, None) as tracker:
        tracker.log({"cost/train_seconds": 1.0}, 0)
    write_views(store)
    written = client.get_experiment(experiment).tags
    assert written.keys() == empty.keys()
    state = decode_state(json.loads(written[TAG + STEPS.key])["state"])
    assert {"metricKey": "cost/train_seconds", "deleted": True} in state["compareRunCharts"]
    write_views(store)
    assert client.get_experiment(experiment).tags == written
