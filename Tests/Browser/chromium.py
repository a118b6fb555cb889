"""A page in headless Chromium, by the DevTools protocol over its web socket; what the checks of this folder look through.

Needs Chromium (Debian: apt install chromium) and nothing else of Python than what comes with it.
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

PATIENCE = 180

# Words of the figures that are drawn which lie on each other or reach out, and what is wider than the window.
CROWDED = """(() => {
  const found = [], page = document.documentElement;
  if (page.scrollWidth > innerWidth) found.push(`the page is ${page.scrollWidth} wide in a window of ${innerWidth}`);
  for (const svg of document.querySelectorAll('svg.figure')) {
    const all = svg.getBoundingClientRect();
    if (all.width === 0) continue;
    const name = svg.closest('figure').dataset.name;
    const boxes = [...svg.querySelectorAll('text')].map(text => {
      /* Turned words have boxes that are not theirs. */
      const box = text.getBoundingClientRect();
      return {words: text.textContent, box, isTurned: /rotate\\(-45/.test(text.getAttribute('transform') ?? '')};
    });
    for (const [place, {words, box, isTurned}] of boxes.entries()) {
      if (box.left < all.left - 1 || box.right > all.right + 1 || box.top < all.top - 1 || box.bottom > all.bottom + 1)
        found.push(`${name}: "${words}" reaches out of its figure`);
      if (isTurned) continue;
      for (const other of boxes.slice(place + 1)) {
        const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (!other.isTurned && width > 1 && height > 3) found.push(`${name}: "${words}" lies on "${other.words}"`);
      }
    }
  }
  return found;
})()"""


def program():
    """Chromium's path; ends with 0 and a word where there is none."""
    found = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if found is None:
        print("skipped: there is no Chromium here (Debian: apt install chromium)")
        sys.exit(0)
    return found


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
    """One page. `complaints` gathers what it logs as an error: scripts that throw, and what a policy forbids."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="groksweep-browser-")
        self.process = subprocess.Popen(
            [program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
             "--no-first-run", "--remote-debugging-port=0", f"--user-data-dir={self.profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = pathlib.Path(self.profile) / "DevToolsActivePort"
        until("the browser starts", lambda: port_file.exists() and port_file.read_text().count("\n"))
        port = int(port_file.read_text().split("\n")[0])
        host, path = re.fullmatch(r"ws://([^/]+)(/.*)", until("the browser has a page", lambda: self.page(port))).groups()
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
        self.loads = 0
        for domain in ["Page", "Runtime", "Log"]:
            self.ask(f"{domain}.enable")

    @staticmethod
    def page(port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [page for page in json.load(answer) if page["type"] == "page"]
        return pages[0]["webSocketDebuggerUrl"] if pages else None

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
        length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        mask = os.urandom(4)
        self.socket.sendall(
            b"\x81" + length + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)))
        while True:
            said = self.hear()
            if said.get("id") == self.count:
                if "error" in said:
                    sys.exit(f"{method}: {said['error'].get('message')}")
                return said["result"]
            if said.get("method") == "Page.loadEventFired":
                self.loads += 1
            if said.get("method") == "Runtime.exceptionThrown" or (
                said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error"
            ):
                self.complaints.append(json.dumps(said["params"])[:600])

    def value(self, expression):
        said = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in said:
            sys.exit(f"{expression[:200]}: {json.dumps(said['exceptionDetails'])[:600]}")
        return said["result"].get("value")

    def open(self, url):
        """Goes there, and waits until everything of it is loaded."""
        before = self.loads
        failure = self.ask("Page.navigate", url=url).get("errorText")
        if failure:
            sys.exit(f"{url}: {failure}")
        until(f"{url} is loaded", lambda: self.value("document.readyState") == "complete" and self.loads > before)

    def be(self, width, height=900, theme="light"):
        """So wide and high a window, of a reader whose system is `light` or `dark`."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def check_looks(self, url):
        """Ends with what is crowded at any width, in either theme."""
        for width in [1280, 720, 400, 320]:
            for theme in ["light", "dark"]:
                self.be(width, theme=theme)
                self.open(url)
                found = self.value(CROWDED)
                if found:
                    sys.exit(f"{url}, {width} wide, {theme}:\n" + "\n".join(found))

    def point(self, x, y):
        """Moves the pointer to a place of the window."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def end(self):
        self.process.terminate()
        self.process.wait()
        # Its own children may write for a moment longer.
        shutil.rmtree(self.profile, ignore_errors=True)
