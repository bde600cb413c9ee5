# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, driven by WebDriver (https://www.w3.org/TR/webdriver2/)."""

import base64
import json
import os
import re
import shutil
import subprocess
import urllib.request

from harness import Failed, Skip

CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--force-prefers-reduced-motion")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, section 6.2: the key of a reference


class Browser:
    """A tab that shows one file."""

    def __init__(self, t, width=1280, height=900):
        for tool in ("chromium", "chromedriver"):
            if not shutil.which(tool):
                raise Skip(tool)
        folder = t.directory()
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={**os.environ, "HOME": folder}, start_new_session=True)
        t.defer(self.driver.wait)
        t.defer(self.driver.kill)
        self.base = f"http://127.0.0.1:{self.port()}"
        found = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": [*CHROMIUM, f"--user-data-dir={folder}/profile",
                                            f"--window-size={width},{height}"],
                                   "binary": shutil.which("chromium")},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += "/session/" + found["sessionId"]
        t.defer(self.ask, "DELETE", "")

    def port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise Failed("chromedriver does not start")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, method=method, headers={"Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path):
        self.ask("POST", "/url", {"url": f"file://{os.path.abspath(path)}"})

    def run(self, script, *arguments):
        """What a function with this body returns."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": arguments})

    def text(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)

    def find(self, selector):
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.ask("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self.ask("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def press(self, keys):
        """To whatever has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def drag(self, selector, begin, end):
        """The mouse over an element, from one part of its width to another."""
        box = self.run("const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
                       "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]", selector)

        def at(part):
            return {"type": "pointerMove", "duration": 50, "x": int(box[0] + box[2] * part),
                    "y": int(box[1] + box[3] / 2)}

        steps = [at(begin), {"type": "pointerDown", "button": 0}, at(end), {"type": "pointerUp", "button": 0}]
        self.ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})

    def hover(self, selector, part, down=0.5):
        box = self.run("const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
                       "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]", selector)
        self.ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "duration": 50, "x": int(box[0] + box[2] * part),
             "y": int(box[1] + box[3] * down)}]}]})

    def console(self):
        """Errors and refusals, from the beginning or the last call on."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path, height=None):
        if height:
            width = self.run("return innerWidth")
            self.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}})
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("GET", "/screenshot")))
