"""The dashboard in headless Chromium during a real sweep: what finishes appears without a reload, and the page does nothing
that its own policy forbids.

    python3 Tests/Browser/live_page.py .build/release/groksweep

Needs Chromium (Debian: apt install chromium) and nothing else; without it, says so and ends with 0.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

SWEEP = """sweep: short
task: {modulus: 7, train_fraction: 0.6}
model: {d_model: 8, heads: 2, d_mlp: 16}
training: {epochs: 30000}
measure: {evaluate_every: 100}
axes: {training.weight_decay: [1, 2], seed: {count: 4}}
"""
PATIENCE = 180


def until(what, look):
    """Looks again and again; gives what it saw."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.05)
    sys.exit(f"waited {PATIENCE} s in vain: {what}")


class Browser:
    """One page of a Chromium, by the DevTools protocol over its web socket."""

    def __init__(self, program, folder):
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = pathlib.Path(folder) / "DevToolsActivePort"
        until("the browser starts", lambda: port_file.exists() and port_file.read_text().count("\n"))
        port = int(port_file.read_text().split("\n")[0])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            address = next(page for page in json.load(answer) if page["type"] == "page")["webSocketDebuggerUrl"]
        host, path = re.fullmatch(r"ws://([^/]+)(/.*)", address).groups()
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.exactly(1)
        self.count = 0
        self.complaints = []
        for domain in ["Page", "Runtime", "Log"]:
            self.ask(f"{domain}.enable")

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                sys.exit("the browser has gone")
            data += more
        return data

    def hear(self):
        data, is_last = b"", False
        while not is_last:
            first, length = self.exactly(2)
            is_last, length = first & 0x80, length & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self.exactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self.exactly(8))
            data += self.exactly(length)
        return json.loads(data)

    def ask(self, method, **parameters):
        self.count += 1
        data = json.dumps({"id": self.count, "method": method, "params": parameters}).encode()
        mask = os.urandom(4)
        self.socket.sendall(
            b"\x81" + bytes([0x80 | 126]) + struct.pack(">H", len(data)) + mask
            + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)))
        while True:
            said = self.hear()
            if said.get("id") == self.count:
                return said.get("result", said)
            if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(said["params"])[:400])

    def value(self, expression):
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def end(self):
        self.process.terminate()
        self.process.wait()


def main():
    chromium = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if chromium is None:
        print("skipped: there is no Chromium here (Debian: apt install chromium)")
        return
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as profile:
        folder = pathlib.Path(name)
        (folder / "short.yaml").write_text(SWEEP)
        errors = (folder / "errors").open("w+")
        sweep = subprocess.Popen(
            [program, "sweep", "short.yaml", "--workers", "1", "--dashboard", "127.0.0.1:0"], cwd=folder,
            stdout=subprocess.DEVNULL, stderr=errors)
        browser = None
        try:
            said = lambda: (folder / "errors").read_text()
            url = until("the dashboard's address", lambda: re.search(r"dashboard at (\S+)", said())).group(1)
            browser = Browser(chromium, profile)
            browser.ask("Page.navigate", url=url)
            until("the page is live", lambda: browser.value("document.querySelector('#live.on') !== null"))
            browser.value("window.isTheSame = true")
            links = "document.querySelectorAll('#finished a[href^=\"/point/\"]').length"
            before = browser.value(links)
            until("a point that finished appears", lambda: browser.value(links) > before)
            assert browser.value("window.isTheSame") is True, "the page was loaded again"
            # The same page, a while later, has more.
            until("another one", lambda: browser.value(links) > before + 1)
            assert browser.value("window.isTheSame") is True, "the page was loaded again"
            figure = "document.querySelector('#figure-phase-diagram svg.figure') !== null"
            until("the phase diagram fills in", lambda: browser.value(figure))
            path = browser.value("document.querySelector('#finished a[href^=\"/point/\"]').getAttribute('href')")
            browser.ask("Page.navigate", url=url.rstrip("/") + path)
            until("the run's figures", lambda: browser.value("document.querySelectorAll('svg.figure').length > 5"))
            assert not browser.complaints, "\n".join(browser.complaints)
            print("a finished point appeared without a reload; the page broke no rule of its policy")
        finally:
            if browser:
                browser.end()
            sweep.terminate()
            sweep.wait()


if __name__ == "__main__":
    main()
