"""Headless Chromium, and a page that holds the explorer and nothing else."""

import os
import shutil
from importlib.resources import files

import jinja2
import pytest
from markupsafe import Markup
from playwright.sync_api import sync_playwright

from bayesurv.report.page.explorer import explorer_assets

INSTALL = (
    "These tests need Chromium: apt-get install chromium (Debian), or set BAYESURV_CHROMIUM to the "
    "path of one; -m 'not slow and not browser' leaves them out."
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root { --ink: #1d232b; --paper: #fff; --soft: #f3f5f8; --line: #d3d9e0; --muted: #55606d;
  --accent: #0b5cad; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebef; --paper: #14181d; --soft: #1f252c;
  --line: #3a434e; --muted: #a9b3bf; --accent: #6fb5f0; --arm-0: #56a8e0; --arm-1: #f0b040; } }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
{{ assets.css }}</style></head>
<body><main><h1>A report</h1>{% include "explorer.html.j2" %}</main>
<script>{{ assets.js }}</script></body></html>
"""


@pytest.fixture(scope="session")
def find_chromium():
    """Path of the browser; a test that needs one fails where there is none."""

    def find():
        path = os.environ.get("BAYESURV_CHROMIUM") or shutil.which("chromium")
        return path or pytest.fail(INSTALL)

    return find


@pytest.fixture(scope="session")
def chromium(find_chromium):
    """The browser that all tests share."""
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def render():
    """Write a page with an explorer of these data; gives its address."""

    def write(data, path):
        folder = files("bayesurv.report.page") / "templates"
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(str(folder)),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        assets = {name: Markup(text) for name, text in explorer_assets().items()}
        text = environment.from_string(PAGE).render(explorer=data, assets=assets)
        path.write_text(text, encoding="utf-8")
        return path.as_uri()

    return write


@pytest.fixture
def open_page(chromium, address):
    """Open the page at a width; afterwards it must have said nothing and asked for nothing."""
    opened, said = [], []

    def make(width=1000, scheme="light", **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        page.goto(address)
        opened.append(context)
        return page

    yield make
    for context in opened:
        context.close()
    assert said == [address] * len(opened)
