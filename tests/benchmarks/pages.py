"""How soon a person sees something: `python -m tests.benchmarks.pages <folder with multirun/, or a report.html>`.

Seconds from opening an address in headless Chromium until it is drawn: each prepared view of the folder's MLflow (its
first visit, then the median of five), or a comparison's report. Targets: all charts of a view in 5 s; a report usable,
its words and its first figure there, in 3 s.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver

from src.tracking.views import VIEWS, View

from ..support.chromium import DRAWN, EMPTY, start_chromium
from ..support.processes import ROOT

LIMIT = 120


def open_page(browser: WebDriver, address: str, shown: Callable[[], bool]) -> float:
    browser.get("about:blank")  # or only what follows the # would change
    start = time.perf_counter()
    browser.get(address)
    while not shown():
        if time.perf_counter() - start > LIMIT:
            raise TimeoutError(f"{address}: not drawn after {LIMIT} s")
        time.sleep(0.02)
    return time.perf_counter() - start


def time_view(browser: WebDriver, address: str, view: View) -> None:
    def shown() -> bool:
        drawn = browser.execute_script(DRAWN)
        return all(drawn.get(metric, 0) > 0 for metric in view.metrics)

    first, *others = (open_page(browser, address, shown) for _ in range(6))
    curves = sum(browser.execute_script(DRAWN).values())
    print(
        f"{view.name}: {len(view.metrics)} charts, {curves} curves or bars: {first:.1f} s at first, then "
        f"{statistics.median(others):.1f} s", flush=True,
    )  # fmt: skip


def time_report(browser: WebDriver, path: Path) -> None:
    def usable() -> bool:
        return bool(browser.execute_script("return document.querySelector('.plot .trace') !== null"))

    def whole() -> bool:
        return int(browser.execute_script(EMPTY)) == 0

    for name, shown in (("usable", usable), ("whole", whole)):
        taken = statistics.median(open_page(browser, path.as_uri(), shown) for _ in range(5))
        print(f"{path} ({path.stat().st_size / 2**20:.1f} MB): {name} after {taken:.1f} s", flush=True)


def main(place: Path) -> None:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not driver or not chromium:
        raise SystemExit("needs Debian's packages chromium and chromium-driver")
    browser = start_chromium(driver, chromium)
    browser.set_window_size(1500, 2700)  # the UI draws only what is seen
    try:
        if place.is_file():
            return time_report(browser, place.resolve())
        words, environment = [sys.executable, "-m", "src.ui", "ui.open=false"], os.environ | {"PYTHONPATH": str(ROOT)}
        with subprocess.Popen(words, cwd=place, env=environment, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            printed = [server.stdout.readline() for _ in VIEWS]
            addresses = dict(re.fullmatch(r"(.*\S)\s+(http://\S+)\n", line).groups() for line in printed)  # type: ignore[union-attr]
            try:
                for view in VIEWS:
                    time_view(browser, addresses[view.name], view)
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(timeout=60)
    finally:
        browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
