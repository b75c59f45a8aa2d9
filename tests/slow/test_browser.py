"""What a person sees: a real sweep in the MLflow UI and its figures, in headless Chromium. Screenshots are kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import Select, WebDriverWait

from src.config import TrackingConfig
from src.tracking.store import open_store, write_views
from src.tracking.views import VIEWS, View
from tests.support.chromium import CONTRAST, DRAWN, EMPTY, SCROLL, TITLES, start_chromium
from tests.support.processes import ROOT, require, run_module
from tests.support.runs import all_runs, spooled, stored

pytestmark = pytest.mark.slow

SHOTS = ROOT / "multirun" / ".screenshots"
PATIENCE = 90
LAPTOPS = ((1366, 768), (1500, 860))


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    require(bool(driver and chromium), "needs Debian's packages chromium and chromium-driver")
    assert driver
    assert chromium
    started = start_chromium(driver, chromium)
    SHOTS.mkdir(parents=True, exist_ok=True)
    yield started
    started.quit()


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models x three objectives x two seeds, killed in the middle and started again by the same command."""
    cwd = tmp_path_factory.mktemp("sweep")
    words = ["-m", "model=tiny,tiny_instruct", "objective=helpful,harmless,mixed", "seed=0,1", "experiment=smoke"]
    words += ["sweep=seen", "trainer.max_steps=12", "probe.size=32", "trainer.progress=false"]
    with subprocess.Popen(
        [sys.executable, "-m", "src.run", *words], cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as killed:
        deadline = time.monotonic() + 600
        while len(list(cwd.glob("multirun/*/*/*/*/last.ckpt"))) < 6:
            assert killed.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        killed.kill()
    done = run_module("src.run", *words, cwd=cwd, timeout=1500)
    assert done.returncode == 0, done.stderr
    outcome = done.stdout[done.stdout.rindex("directory") :]
    assert (outcome.count(" done "), outcome.count(" skipped ")) == (7, 5), outcome
    assert "going on from step" in done.stdout
    return cwd


@pytest.fixture(scope="module")
def server(sweep: Path) -> Iterator[dict[str, str]]:
    """Name -> address of each prepared view, as `src.ui` prints them."""
    words, environment = [sys.executable, "-m", "src.ui", "ui.open=false"], os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=sweep, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            printed = [line for _ in VIEWS for line in [process.stdout.readline()]]
            yield dict(re.fullmatch(r"(.*\S)\s+(http://\S+)\n", line).groups() for line in printed)  # type: ignore[union-attr]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def wait_for(browser: WebDriver, shown: Callable[[WebDriver], object], name: str) -> None:
    """Wait until `shown`, and keep a screenshot either way."""
    try:
        WebDriverWait(browser, PATIENCE).until(shown)
    finally:
        browser.save_screenshot(str(SHOTS / f"{name}.png"))


def words_of(browser: WebDriver) -> str:
    return str(browser.execute_script("return document.body.innerText"))


def plots(browser: WebDriver) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .main-svg"))


def test_the_killed_sweep_is_complete_and_mlflow_has_no_point_twice(sweep: Path) -> None:
    runs = all_runs(sweep)
    assert len(runs) == 12
    for run in runs:
        points = stored(sweep / "multirun" / "mlflow.db", run.mlflow_run_id.read_text())
        assert points == spooled(run)
        assert len({(key, step) for key, _, _, step in points}) == len(points) > 2000


def titles_of(view: View) -> list[str]:
    """The title of each chart that a view has of one metric."""
    charts = [card for cards in view.sections.values() for card in cards if "metricKey" in card]
    return [card.get("displayName", card["metricKey"]) for card in charts]


@pytest.fixture
def tall(browser: WebDriver) -> Iterator[WebDriver]:
    """A window so high that every chart of a view is in it: the UI draws only what is seen."""
    size = browser.get_window_size()
    browser.set_window_size(1500, 3400)
    yield browser
    browser.set_window_size(size["width"], size["height"])


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_a_prepared_view_draws_its_charts_with_every_run(tall: WebDriver, server: dict[str, str], view: View) -> None:
    series = {None: 12, "objective": 3, "model": 2}[view.group_by]
    expected = dict.fromkeys(titles_of(view), series)
    tall.get("about:blank")  # or only what follows the # would change
    tall.get(server[view.name])
    wait_for(tall, lambda b: expected.items() <= b.execute_script(DRAWN).items(), f"view_{view.key}")
    shown = tall.execute_script(DRAWN)
    assert shown.keys() - expected.keys() <= {"Parallel Coordinates"}
    if "Parallel Coordinates" in shown:
        wait_for(tall, lambda b: b.find_elements(By.CSS_SELECTOR, ".parcoords canvas"), f"view_{view.key}")
        drawn = tall.find_element(By.CSS_SELECTOR, ".parcoords").text
        assert all(word in drawn for word in ("tiny_instruct", "helpful", "harmless", "mixed", "drift/H1/mean"))
    assert re.search(r"\b12\s+matching runs", words_of(tall))


@pytest.fixture(params=LAPTOPS, ids=lambda size: f"{size[0]}x{size[1]}")
def laptop(browser: WebDriver, request: pytest.FixtureRequest) -> Iterator[WebDriver]:
    """A window as a laptop has it."""
    size = browser.get_window_size()
    browser.set_window_size(*request.param)
    yield browser
    browser.set_window_size(size["width"], size["height"])


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_on_a_laptop_every_chart_says_in_full_what_it_is(laptop: WebDriver, server: dict[str, str], view: View) -> None:
    wanted = [*titles_of(view), *(["Parallel Coordinates"] if view.name == "Final values" else [])]
    name = f"view_{view.key}_{laptop.get_window_size()['width']}"
    laptop.get("about:blank")
    pointer = ActionBuilder(laptop)
    pointer.pointer_action.move_to_location(1, 1)  # a chart shows its tool bar while the pointer is over it
    pointer.perform()
    laptop.get(server[view.name])
    wait_for(laptop, lambda b: any(card["drawn"] for card in b.execute_script(TITLES)), name)
    seen: dict[str, dict[str, object]] = {}

    def all_drawn(browser: WebDriver) -> bool:
        """Note what is in reach, and go on: the UI draws only what is seen."""
        cards = browser.execute_script(TITLES)
        assert len({card["title"] for card in cards}) == len(cards), cards
        seen.update({card["title"]: card for card in cards if card["drawn"]})
        browser.execute_script(SCROLL)
        return len(seen) >= len(wanted)

    wait_for(laptop, all_drawn, f"{name}_end")
    assert sorted(seen) == sorted(wanted)
    assert [title for title, card in seen.items() if card["cut"] or card["bar"]] == []


def test_a_view_shows_more_than_twenty_runs_and_bears_what_they_lack(
    tall: WebDriver, server: dict[str, str], sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sweep)
    tracking = TrackingConfig(uri=f"sqlite:///{sweep}/multirun/mlflow.db", experiment="few metrics, many runs")
    store = open_store(tracking)
    client, experiment = store.client, store.experiment
    for n in range(23):
        run = client.create_run(experiment, tags={"kind": "cell"}).info.run_id
        for step in (0, 1):
            client.log_metric(run, "drift/H1/mean", n + step, step=step)
    write_views(store)
    tall.get("about:blank")
    tall.get(re.sub(r"experiments/\d+", f"experiments/{experiment}", server["Topology over steps"]))
    wait_for(tall, lambda b: b.execute_script(DRAWN) == {"Drift H1, mean over blocks": 23}, "view_few_metrics")


def test_the_run_page_has_the_note_charts_and_the_picture_slider(
    browser: WebDriver, server: dict[str, str], sweep: Path
) -> None:
    client = MlflowClient(f"sqlite:///{sweep}/multirun/mlflow.db")
    experiment = client.get_experiment_by_name("alignment-topology").experiment_id
    run = client.search_runs([experiment], "tags.model = 'tiny' and tags.objective = 'mixed'")[0].info.run_id
    page = f"{server['Findings'].partition('/#/')[0]}/#/experiments/{experiment}/runs/{run}"
    browser.get(page)
    wait_for(browser, lambda b: "fine-tuned to be mixed" in words_of(b), "note")
    assert "held-out loss, harmless" in words_of(browser)
    browser.get(f"{page}/model-metrics")
    wait_for(browser, lambda b: plots(b) >= 6, "charts")
    # The picture slider is the last card; sections above it are drawn as they come into view.
    heading = browser.find_elements(By.XPATH, "//div[normalize-space(text())='Model metrics']")[-1]
    browser.execute_script("arguments[0].scrollIntoView()", heading)
    shown = "return [...document.querySelectorAll('img')].map(i => i.src).find(s => s.includes('diagrams')) || ''"
    wait_for(browser, lambda b: "step%2B0%2B" in b.execute_script(shown), "slider")
    slider = browser.find_elements(By.CSS_SELECTOR, "[role=slider]")[-1]
    slider.click()
    slider.send_keys(Keys.ARROW_RIGHT)
    wait_for(browser, lambda b: "step%2B1%2B" in b.execute_script(shown), "slider_moved")
    size = "return [...document.querySelectorAll('img')].find(i => i.src.includes('diagrams')).naturalWidth"
    wait_for(browser, lambda b: b.execute_script(size) > 100, "slider_moved")
    browser.get(f"{page}/artifacts/figures/velocity.png")
    wait_for(browser, lambda b: "velocity.png" in words_of(b), "artifact")
    browser.get("about:blank")  # only a fresh page opens at the artifact that its address names
    browser.get(f"{page}/artifacts/figures/figures.html")
    wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "iframe.mlflow-html-iframe"), "artifact_page")
    browser.switch_to.frame(browser.find_element(By.CSS_SELECTOR, "iframe.mlflow-html-iframe"))
    wait_for(browser, lambda b: plots(b) >= 4, "artifact_page")
    browser.switch_to.default_content()


def test_the_page_of_figures_is_drawn_slides_and_follows_the_theme(browser: WebDriver, sweep: Path) -> None:
    page = next((sweep / "multirun" / "tiny" / "helpful").rglob("figures.html"))
    browser.get_log("browser")
    browser.get(page.as_uri())
    # speed, excess, movement, velocity, drift, Betti curves, diagrams
    axes = "return document.querySelectorAll('.js-plotly-plot .subplot.xy').length"
    wait_for(browser, lambda b: b.execute_script(axes) == 7, "figures")
    seen = "return document.getElementById('diagrams').data.filter(t => t.visible === true).map(t => t.y[0])"
    first = browser.execute_script(seen)
    steps = "document.getElementById('diagrams').layout.sliders[0].steps"
    browser.execute_script(f"Plotly.restyle('diagrams', 'visible', {steps}.at(-1).args[1])")
    assert browser.execute_script(seen) != first
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    ink = "return document.getElementById('drift').layout.font.color"
    wait_for(browser, lambda b: b.execute_script(ink) == "#ddd", "figures_dark")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.fixture(scope="module")
def report(sweep: Path) -> Path:
    done = run_module("src.compare", "sweep=seen", cwd=sweep)
    assert done.returncode == 0, done.stderr
    return sweep / "multirun" / "comparison" / "seen" / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_of_a_report_holds_every_verdict_and_the_beginning_of_a_figure(
    browser: WebDriver, report: Path, scheme: str
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    width, height = LAPTOPS[0]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.get(report.as_uri())
        wait_for(browser, lambda b: plots(b) > 0, f"report_first_screen_{scheme}")
        reach = "return document.querySelector(arguments[0]).getBoundingClientRect()"
        table, figure = (browser.execute_script(reach, place) for place in (".claims", "#claims"))
        assert table["right"] <= width
        assert table["bottom"] < figure["top"] < height
        assert len(browser.find_elements(By.CSS_SELECTOR, ".claims .verdict")) == 4 * 2 + 1
        for verdict in browser.find_elements(By.CSS_SELECTOR, ".claims .verdict"):
            assert browser.execute_script(CONTRAST, verdict) >= 4.5, verdict.text
        folded = "return [...document.querySelectorAll('.claims li')].filter(li => li.checkVisibility()).length"
        assert browser.execute_script(folded) == 0
        browser.find_element(By.CSS_SELECTOR, ".claims summary").click()
        assert browser.execute_script(folded) > 0
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_report_of_a_sweep_is_drawn_slides_and_has_a_theme(browser: WebDriver, report: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.get_log("browser")
    browser.get(report.as_uri())
    wait_for(browser, lambda b: b.execute_script(EMPTY) == 0, "report")
    figures = [figure.get_attribute("id") for figure in browser.find_elements(By.CSS_SELECTOR, ".plot")]
    assert figures == [
        "claims", "trajectories", "velocity_H1", "velocity_H0", "excess_H1", "excess_H0", "twins_1", "against",
    ]  # fmt: skip
    for section in browser.find_elements(By.CSS_SELECTOR, "section"):
        section.screenshot(str(SHOTS / f"report_{section.get_attribute('id')}.png"))

    points = "return document.getElementById('diagram').data.map(trace => trace.y.slice(0, 9))"
    shown = browser.find_element(By.ID, "diagram-shown")
    first, before = shown.text, browser.execute_script(points)
    browser.find_element(By.ID, "diagram-step").send_keys(Keys.END)
    assert int(shown.text) > int(first)
    assert browser.execute_script(points) != before
    Select(browser.find_element(By.ID, "diagram-layer")).select_by_visible_text("layer_06")
    Select(browser.find_element(By.ID, "diagram-run")).select_by_visible_text("tiny_instruct mixed seed0")
    assert shown.text == first, "another run begins at its start"

    ink = "return document.getElementById('against').layout.font.color"
    assert browser.execute_script(ink) == "#222"
    browser.find_element(By.ID, "theme").click()
    wait_for(browser, lambda b: b.execute_script(ink) == "#ddd", "report_dark")
    behind = "return getComputedStyle(document.body).backgroundColor"
    assert browser.execute_script(behind) != "rgb(255, 255, 255)"
    assert browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)") == []
    assert browser.get_log("browser") == []
