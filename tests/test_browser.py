"""What a person sees: a real sweep in the MLflow UI and its figures, in headless Chromium. Screenshots are kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from .conftest import ROOT, run_module

pytestmark = pytest.mark.slow

SHOTS = ROOT / "multirun" / ".screenshots"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1500,1400"
)
PATIENCE = 90


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not (driver and chromium):
        if os.environ.get("CI"):
            pytest.fail("chromium and chromedriver are missing, and continuous integration must not skip")
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    # MLflow opens a chat beside every page of a first visit; it would hide a quarter of each picture.
    quiet = "for (const [k, v] of [['fab.autoOpenedOnFirstLoad_v1', true], ['panelOpen_v1', false]])"
    quiet = f"try {{ {quiet} localStorage.setItem('mlflow.assistant.' + k, v) }} catch (e) {{}}"
    started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": quiet})
    SHOTS.mkdir(parents=True, exist_ok=True)
    yield started
    started.quit()


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models x three objectives, as `-m` runs them."""
    cwd = tmp_path_factory.mktemp("sweep")
    words = ["-m", "model=tiny,tiny_instruct", "objective=helpful,harmless,mixed", "experiment=smoke", "sweep=seen"]
    done = run_module("src.run", *words, "trainer.max_steps=12", cwd=cwd, timeout=1200)
    assert done.returncode == 0, done.stderr
    return cwd


@pytest.fixture(scope="module")
def server(sweep: Path) -> Iterator[str]:
    words, environment = [sys.executable, "-m", "src.ui", "ui.open=false"], os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=sweep, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            yield found[0]
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


def test_the_comparison_shows_every_cell_and_draws_charts(browser: WebDriver, server: str) -> None:
    browser.get(server)
    wait_for(browser, lambda b: plots(b) >= 6, "comparison")
    text = words_of(browser)
    assert re.search(r"\b6\s+matching runs", text)
    assert re.search(r"behavior\s*\(5\)", text)


def test_the_run_page_has_the_note_charts_and_the_picture_slider(browser: WebDriver, server: str, sweep: Path) -> None:
    client = MlflowClient(f"sqlite:///{sweep}/multirun/mlflow.db")
    experiment = client.get_experiment_by_name("alignment-topology").experiment_id
    run = client.search_runs([experiment], "tags.model = 'tiny' and tags.objective = 'mixed'")[0].info.run_id
    page = f"{server.partition('/#/')[0]}/#/experiments/{experiment}/runs/{run}"
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
    wait_for(browser, lambda b: plots(b) >= 4, "figures")
    axes = browser.execute_script("return document.querySelectorAll('.js-plotly-plot .subplot.xy').length")
    assert axes == 4, "velocity, drift, Betti curves, diagrams"
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
