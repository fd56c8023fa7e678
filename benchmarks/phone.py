"""How soon a slow phone shows the start page and can use it, by the clock.

    python -m benchmarks.phone URL [--tries 7]

URL is a server that runs, such as http://127.0.0.1:8000/. Chromium opens it at a phone's size as
one does that was never there, over a network of 150 ms and 1.6 Mbit/s, with the processor as it is
and four times slower. Printed are medians: first contentful paint, and DOMContentLoaded, when the
page's script has run. tests/web/test_budget.py holds the page to a budget that does not depend on
what else a machine does.
"""

from __future__ import annotations

import argparse
import shutil
from statistics import median

from playwright.sync_api import Browser, sync_playwright

NETWORK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
TIMES = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done([
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
    performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
]), 50)))"""


def opened(browser: Browser, url: str, slower: int) -> tuple[float, float]:
    """Open a page; return after how many seconds it was seen, and of use."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(url)
    seen, of_use = page.evaluate(TIMES)
    context.close()
    return seen / 1000, of_use / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--tries", type=int, default=7)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        print("| processor | first paint | of use |\n|---|---|---|")
        for slower in (1, 4):
            tries = [opened(browser, options.url, slower) for _ in range(options.tries)]
            seen, of_use = (median(times) for times in zip(*tries, strict=True))
            print(f"| {slower} x slower | {seen:.2f} s | {of_use:.2f} s |")
        browser.close()


if __name__ == "__main__":
    main()
