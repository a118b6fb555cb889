"""A report in headless Chromium, with a mouse: what stands under the pointer is what the data say, tables and saved files
have the same, and at no width and in no theme do words lie on each other or reach out of their figure.

    python3 Tests/Browser/report_page.py .build/release/groksweep

Trains a small sweep first (some seconds). Without Chromium it says so and ends with 0.
"""

import csv
import io
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.dom.minidom

from chromium import Browser, program, until

# Some of its runs grok, so that survival curves have steps.
SWEEP = """sweep: small
task: {modulus: 23, train_fraction: 0.8}
model: {d_model: 48, heads: 4, d_mlp: 96}
training: {epochs: 2000}
measure: {evaluate_every: 100}
axes: {training.weight_decay: [1, 2], seed: {count: 3}}
"""

PHASES = ["memorization", "circuit formation", "cleanup"]

# By figure: what the words before a value's colon are in the data; {} is a number out of the words.
COLUMNS = {
    "losses": {"train": "train_loss", "test": "test_loss"},
    "accuracies": {"train": "train_accuracy", "test": "test_accuracy"},
    "progress": {"train": "train_loss", "test": "test_loss", "restricted": "restricted_loss", "excluded": "excluded_loss"},
    "ginis": {"W_E": "gini_w_e", "W_L": "gini_w_l"},
    "weights": {"Σ w²": "sum_squared_weights"},
    "excluded-by-frequency": {"train loss": "train_loss", r"without (\d+)": "excluded_loss_{}"},
    "cosine-coefficients": {r"k = (\d+)": "cosine_coefficient_{}"},
}

# The panels of a figure as it is drawn at this width, in pixels of the window, and their data.
PANELS = """(() => {
  const svg = [...document.querySelectorAll('#figure-NAME svg.figure')].find(svg => svg.getBoundingClientRect().width > 0);
  svg.scrollIntoView({block: 'center', behavior: 'instant'});
  const scale = svg.getScreenCTM();
  return [...svg.querySelectorAll('g.panel')].map(panel => {
    const [x, y, width, height] = panel.dataset.plot.split(' ').map(Number);
    const from = new DOMPoint(x, y).matrixTransform(scale), to = new DOMPoint(x + width, y + height).matrixTransform(scale);
    const image = panel.querySelector('image[data-cells]');
    return {left: from.x, top: from.y, right: to.x, bottom: to.y, x: panel.dataset.x, title: panel.dataset.xTitle,
      cells: image?.dataset.cells ?? null, values: image?.dataset.value ?? null,
      lines: [...panel.querySelectorAll('path[data-v]')].map(path => path.dataset.label)};
  });
})()"""

def fail(words):
    sys.exit(words)


def number(text):
    return float(text.replace(",", ""))


def is_close(shown, known):
    """To the four digits that are shown, rounded twice."""
    return abs(shown - known) <= 1.1e-3 * abs(known) + 1e-300


class Page:
    def __init__(self, browser, path):
        self.browser = browser
        browser.open(path.as_uri())
        self.figures = browser.value(
            "[...document.querySelectorAll('figure[data-name]')].filter(one => one.querySelector('svg.figure'))"
            ".map(one => one.dataset.name)")

    def rows(self, name):
        """A figure's data in the page; nil where they are too long for it."""
        text = self.browser.value(f"document.querySelector('#figure-{name} pre.csv')?.textContent")
        return text and list(csv.DictReader(io.StringIO(text)))

    def panels(self, name):
        return self.browser.value(PANELS.replace("NAME", name))

    def words_at(self, x, y):
        """What is shown under the pointer, line by line; nothing when there is nothing."""
        self.browser.point(x, y)
        # Browsers may hand moves of the pointer on with their next frame.
        return self.browser.value(
            "new Promise(done => requestAnimationFrame(() => {"
            "  const tip = document.getElementById('tip'); done(tip.hidden ? '' : tip.textContent);"
            "}))").split("\n")


def check_lines(page, name):
    """Along a figure of epochs: every value that is shown is that of the epoch that is shown."""
    rows = {number(row["epoch"]): row for row in page.rows(name)}
    (panel,) = page.panels(name)
    checked, seen = 0, set()
    for share in [0.02, 0.2, 0.37, 0.5, 0.73, 0.9, 0.99]:
        x = panel["left"] + share * (panel["right"] - panel["left"])
        head, *values = page.words_at(x, (panel["top"] + panel["bottom"]) / 2)
        epoch = number(head.removeprefix("Epoch "))
        if epoch not in rows:
            fail(f"{name}: no evaluation at the epoch that is shown: {head}")
        kind, low, high = panel["x"].split(" ")
        there = float(low) + share * (float(high) - float(low))
        if any(abs(other - there) < abs(epoch - there) - 1e-6 * there for other in rows):
            fail(f"{name}: at epoch {there}, another evaluation is nearer than {epoch}")
        for words in values:
            if words in PHASES:
                continue
            label, value = words.rsplit(": ", 1)
            place = re.search(r" \(at (.*)\)$", value)
            row = rows[number(place.group(1))] if place else rows[epoch]
            value = value[:place.start()] if place else value
            for pattern, column in COLUMNS[name].items():
                match = re.fullmatch(pattern, label)
                if match:
                    column = column.format(*match.groups())
                    break
            else:
                fail(f"{name}: unknown line {label}")
            if not is_close(number(value), float(row[column])):
                fail(f"{name}: {head}, {words}; the data have {row[column]}")
            seen.add(label)
            checked += 1
    if seen != set(panel["lines"]):
        fail(f"{name}: of {panel['lines']} only {sorted(seen)} were shown")
    return checked


def check_steps(page, name):
    """Along survival curves: each has the share of its last step."""
    curves = {}
    for row in page.rows(name):
        curves.setdefault(row["runs_of"], []).append((float(row["epoch"]), float(row["not_yet_grokked"])))
    checked, seen = 0, set()
    for panel in page.panels(name):
        kind, low, high = panel["x"].split(" ")
        for share in [0.1, 0.3, 0.5, 0.7, 0.85, 0.95]:
            head, *values = page.words_at(
                panel["left"] + share * (panel["right"] - panel["left"]), (panel["top"] + panel["bottom"]) / 2)
            low, high = float(low), float(high)
            epoch = low * (high / low) ** share if kind == "log" else low + share * (high - low)
            for words in values:
                label, value = words.rsplit(": ", 1)
                steps = [known for at, known in curves[label] if at <= epoch]
                if not is_close(number(value), steps[-1]):
                    fail(f"{name}: {head}, {words}; the data have {steps[-1]}")
                seen.add(steps[-1])
                checked += 1
    if len(seen) < 3:
        fail(f"{name}: only {seen} were seen; take a sweep that groks")
    return checked


def check_cells(page, name):
    """Over heat maps: the value under the pointer, to one level of their colours."""
    rows = page.rows(name)
    checked = 0
    for number_of_panel, panel in enumerate(page.panels(name)):
        columns, lines = map(int, panel["cells"].split(" "))
        kind, low, high = panel["values"].split(" ")
        step = (float(high) - float(low)) / 254
        for column, line in [(0, 0), (columns // 3, lines // 2), (columns - 1, lines // 4), (columns // 2, lines - 1)]:
            x = panel["left"] + (column + 0.5) / columns * (panel["right"] - panel["left"])
            y = panel["bottom"] - (line + 0.5) / lines * (panel["bottom"] - panel["top"])
            across, up, value = page.words_at(x, y)
            value = value.rsplit(": ", 1)[1].removeprefix("≈ ")
            known = known_cell(name, rows, number_of_panel, across, up)
            if known == "":
                if value != "–":
                    fail(f"{name}: {across}, {up}: {value} where there is nothing")
            elif abs(number(value) - float(known)) > 1.01 * step:
                fail(f"{name}: {across}, {up}: {value}; the data have {known}, and levels are {step} apart")
            checked += 1
    return checked


def known_cell(name, rows, panel, across, up):
    """What the data have where the words of a heat map say that the pointer is."""
    if name == "spectrum-growth":
        epoch, k = number(across.removeprefix("Epoch: ")), up.removeprefix("Frequency k: ")
        return next(row[f"norm_w_e_{k}"] for row in rows if number(row["epoch"]) == epoch)
    if name == "logit-spectrum":
        b, a = across.rsplit(": ", 1)[1], up.rsplit(": ", 1)[1]
        constant = a == b == "const"
        return "" if constant else next(row["norm"] for row in rows if row["wave_in_a"] == a and row["wave_in_b"] == b)
    b, a = across.removeprefix("b = "), up.removeprefix("a = ")
    row = next(row for row in rows if row["a"] == a and row["b"] == b)
    return list(row.values())[2 + panel]


def check_marks(page, name):
    """Bars, dots and cells say what they are; those of a spectrum have its norms."""
    where = """[...document.querySelectorAll('#figure-NAME svg.figure title')].filter(title => title.parentElement.tagName !== 'svg')
      .map(title => ({said: title.textContent, box: title.parentElement.getBoundingClientRect()})).filter(({box}) => box.width > 0)
      .map(({said, box}) => ({said, x: box.x + box.width / 2, y: box.y + box.height / 2}))"""
    page.panels(name)
    marks = page.browser.value(where.replace("NAME", name))
    rows = page.rows(name)
    for mark in marks[::max(1, len(marks) // 12)]:
        words = page.words_at(mark["x"], mark["y"])
        # Of two that lie on each other the upper one is shown.
        if words[-1] not in [other["said"] for other in marks]:
            fail(f"{name}: {words} is shown over the mark of {mark['said']}")
        if name.endswith("-spectrum") and rows and "is_key_frequency" in rows[0]:
            k, norm = re.match(r"k = (\d+): ([^,]+)", words[-1]).groups()
            known = next(row["norm"] for row in rows if row["frequency"] == k)
            if not is_close(number(norm), float(known)):
                fail(f"{name}: {words[-1]}; the data have {known}")
    return len(marks)


def check_table(page, name):
    """The table that is shown on demand: words to the letter, numbers to their digits."""
    rows = page.rows(name)
    if rows is None:
        return 0
    page.browser.value(f"document.querySelector('#figure-{name} details').open = true")
    body = "[...document.querySelectorAll('#figure-%s details tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    shown = until("the table is filled", lambda: page.browser.value(body % name))
    texts = page.browser.value(f"document.querySelector('#figure-{name} details .table').dataset.text ?? ''").split()
    if len(shown) != min(len(rows), 500):
        fail(f"{name}: {len(shown)} rows of {len(rows)} are shown")
    for cells, row in zip(shown, rows):
        for place, (cell, known) in enumerate(zip(cells, row.values())):
            same = cell == (known or "–") if str(place) in texts or known == "" else is_close(number(cell), float(known))
            if not same:
                fail(f"{name}: the table shows {cell} for {known}")
    page.browser.value(f"document.querySelector('#figure-{name} details').open = false")
    return len(shown)


def check_words(page, name):
    """Ids and names of digits alone are words, which no table shows as rounded numbers."""
    words = ["1e5", "0012345", "3", "0.25"]
    page.browser.value(
        f"document.querySelector('#figure-{name} pre.csv').textContent = "
        f"'setting,point,epoch,test_loss\\r\\n{','.join(words)}\\r\\n';"
        f"document.querySelector('#figure-{name} details .table').replaceChildren();"
        f"document.querySelector('#figure-{name} details').open = true")
    body = f"[...document.querySelectorAll('#figure-{name} details tbody td')].map(cell => cell.textContent)"
    shown = until("the table is filled", lambda: page.browser.value(body))
    if shown != words:
        fail(f"{name}: the table shows {shown} for {words}")


def check_saving(page, name, groksweep, target, folder):
    """The files that the buttons save: the command's own CSV, and an SVG that stands by itself."""
    for kind in ["csv", "svg"]:
        saved = folder / "saved" / f"{name}.{kind}"
        page.browser.value(f"document.querySelector('#figure-{name} [data-save={kind}]').click()")
        until(f"{saved.name} is saved", lambda: saved.exists() and saved.stat().st_size > 0)
    run(groksweep, folder, "plot", name, *target, "-o", "command.csv")
    if (folder / "saved" / f"{name}.csv").read_bytes() != (folder / "command.csv").read_bytes():
        fail(f"{name}: the CSV that is saved is not the command's")
    svg = xml.dom.minidom.parse(str(folder / "saved" / f"{name}.svg")).documentElement
    if svg.tagName != "svg" or "data-v" in svg.toxml():
        fail(f"{name}: the SVG that is saved is not one that stands by itself")


def run(groksweep, folder, *words):
    done = subprocess.run([groksweep, *words], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"groksweep {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def main():
    groksweep = str(pathlib.Path(sys.argv[1]).resolve())
    program()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "small.yaml").write_text(SWEEP)
        run(groksweep, folder, "sweep", "small.yaml")
        point = run(groksweep, folder, "export", "runs", "--store", "small.sqlite", "--format", "csv")
        point = next(csv.DictReader(io.StringIO(point)))["point"]
        of_run = ["--store", "small.sqlite", "--point", point]
        run(groksweep, folder, "report", *of_run, "-o", "run.html")
        run(groksweep, folder, "report", "--store", "small.sqlite", "-o", "sweep.html")
        browser = Browser()
        try:
            browser.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder / "saved"))
            values = rows = 0
            for file, target in [("run.html", of_run), ("sweep.html", ["--store", "small.sqlite"])]:
                for width in [1280, 400]:
                    browser.be(width)
                    page = Page(browser, folder / file)
                    for figure in page.figures:
                        if figure in COLUMNS:
                            values += check_lines(page, figure)
                        elif figure == "survival":
                            values += check_steps(page, figure)
                        elif any(panel["cells"] for panel in page.panels(figure)):
                            values += check_cells(page, figure)
                        else:
                            values += check_marks(page, figure)
                        rows += check_table(page, figure)
                for figure in ["losses", "attention"] if file == "run.html" else ["phase-diagram", "survival"]:
                    check_saving(page, figure, groksweep, target, folder)
                if file == "sweep.html":
                    check_words(page, "test-losses")
                browser.check_looks((folder / file).as_uri())
            if browser.complaints:
                fail("\n".join(browser.complaints))
            print(f"{values} values under the pointer and {rows} rows of tables are those of the data; no words lie on others")
        finally:
            browser.end()


if __name__ == "__main__":
    main()
