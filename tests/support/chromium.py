"""Headless Chromium, and what to ask it about the pages that people see."""

from __future__ import annotations

from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1500,1400 "
    # A mouse, as a person has: without one the charts' toolbars lie over the curves.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
)

CONTRAST = """
// Of text against what is behind it, as WCAG 2.1 has it: a canvas turns any colour into numbers from 0 to 255.
const pen = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d')
const over = (...colors) => {
    pen.clearRect(0, 0, 1, 1)
    for (const color of colors) { pen.fillStyle = color; pen.fillRect(0, 0, 1, 1) }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3)
}
const luminance = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0)
const page = getComputedStyle(document.body).backgroundColor, style = getComputedStyle(arguments[0])
const behind = [page, style.backgroundColor]
const [text, ground] = [luminance(over(...behind, style.color)), luminance(over(...behind))]
return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05)
"""

DRAWN = """
const series = plot => plot.data[0].type === 'bar'
    ? plot.data[0].y.length
    : new Set(plot.data.filter(trace => trace.uuid && trace.x.length).map(trace => trace.uuid)).size
const cards = [...document.querySelectorAll('[data-testid=experiment-view-compare-runs-card]')]
return Object.fromEntries(cards.map(card => {
    const plot = card.querySelector('.js-plotly-plot')
    return [card.innerText.split('\\n')[0], plot && plot.querySelector('.main-svg') ? series(plot) : 0]
}))
"""
"""In a view of the MLflow UI: title of each chart -> curves or bars that are drawn in it."""

TITLES = """
const seen = part => getComputedStyle(part).opacity !== '0'
const cards = [...document.querySelectorAll('[data-testid=experiment-view-compare-runs-card]')]
return cards.map(card => {
    const title = card.querySelector('h4')
    return {
        title: title.innerText,
        cut: title.scrollWidth > title.clientWidth,
        bar: [...card.querySelectorAll('.modebar-group')].some(seen),
        drawn: card.querySelector('.js-plotly-plot .main-svg, .parcoords canvas') !== null,
    }
})
"""
"""In a view of the MLflow UI: of each chart in reach its title, and if that is cut, a tool bar seen, a plot drawn."""

SCROLL = """
let pane = document.querySelector('[data-testid=experiment-view-compare-runs-card]')
while (pane && getComputedStyle(pane).overflowY !== 'auto') pane = pane.parentElement
if (pane && pane.scrollTop + pane.clientHeight > pane.scrollHeight - 5) pane.scrollTo(0, 0)
else if (pane) pane.scrollBy(0, 150)
"""
"""In a view of the MLflow UI: go on to the charts below, or from the last to the first."""

EMPTY = "return [...document.querySelectorAll('.plot, #diagram')].filter(p => !p.querySelector('.trace, .hm')).length"
"""In a report: how many of its figures are not drawn."""


def start_chromium(driver: str, chromium: str) -> WebDriver:
    """A browser that keeps its console; `driver` and `chromium` are paths."""
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
    return started
