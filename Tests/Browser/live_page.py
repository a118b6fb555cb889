"""The dashboard in headless Chromium during a real sweep: what finishes appears without a reload, and the page does nothing
that its own policy forbids.

    python3 Tests/Browser/live_page.py .build/release/groksweep

Without Chromium it says so and ends with 0.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from chromium import Browser, program, until

# Points enough that some are still to finish when the browser is there, however slow its start.
SWEEP = """sweep: short
task: {modulus: 7, train_fraction: 0.6}
model: {d_model: 8, heads: 2, d_mlp: 16}
training: {epochs: 20000}
measure: {evaluate_every: 100}
axes: {training.weight_decay: [1, 2, 3, 4], seed: {count: 100}}
"""
# Addresses of the points that the page lists as finished: the last few, so that their number says nothing.
FINISHED = "[...document.querySelectorAll('#finished a[href^=\"/point/\"]')].map(link => link.getAttribute('href'))"


def main():
    groksweep = str(pathlib.Path(sys.argv[1]).resolve())
    program()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "short.yaml").write_text(SWEEP)
        errors = folder / "errors"
        with errors.open("w") as sink:
            sweep = subprocess.Popen(
                [groksweep, "sweep", "short.yaml", "--workers", "1", "--dashboard", "127.0.0.1:0"], cwd=folder,
                stdout=subprocess.DEVNULL, stderr=sink)
        browser = None

        def going(what, look):
            """As `until`, of a sweep that is to go on meanwhile."""
            def seen():
                if sweep.poll() is not None:
                    sys.exit(f"the sweep ended with {sweep.returncode} before {what}:\n{errors.read_text()}")
                return look()
            return until(what, seen)

        try:
            address = going("the dashboard's address", lambda: re.search(r"dashboard at (\S+)", errors.read_text()))
            url = address.group(1).rstrip("/")
            browser = Browser()
            browser.open(url + "/")
            going("the page is live", lambda: browser.value("document.querySelector('#live.on') !== null"))
            browser.value("window.isTheSame = true")
            known = set(browser.value(FINISHED))
            # Twice: the stream goes on after its first news.
            for what in ["a point that finished appears", "another one appears"]:
                known |= set(going(what, lambda: [one for one in browser.value(FINISHED) if one not in known]))
                if browser.value("window.isTheSame") is not True:
                    sys.exit("the page was loaded again")
            figure = "document.querySelector('#figure-phase-diagram svg.figure') !== null"
            going("the phase diagram fills in", lambda: browser.value(figure))
            run = browser.value(FINISHED)[0]
            browser.open(url + run)
            until("the run's figures", lambda: browser.value("document.querySelectorAll('svg.figure').length > 5"))
            for page in ["/", "/sweep/short", "/sweep/short/points/1", run]:
                browser.check_looks(url + page)
            if browser.complaints:
                sys.exit("\n".join(browser.complaints))
            print("a finished point appeared without a reload; no page broke a rule of its policy or has words on others")
        finally:
            if browser:
                browser.end()
            sweep.terminate()
            sweep.wait()


if __name__ == "__main__":
    main()
