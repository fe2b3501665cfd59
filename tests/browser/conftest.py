"""A real JupyterLab in headless Chromium, started once, on a free loopback port."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import left_out
import pytest

from nbhitl.widgets.panels import CARDS_SCRIPT, script, style

from .bare import Bare
from .lab import Lab, Shots, write_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NEEDED = ("playwright", "jupyterlab", "ipykernel", "nbformat")
REQUIRED = os.environ.get("NBHITL_REQUIRE_BROWSER") == "1"


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def what_is_missing() -> str:
    """What the browser tests need and this machine has not; empty if they can run."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if find_browser() is None:
        missing.append("Chromium or Chrome on PATH")
    return ", ".join(missing)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out where there is no browser, and say how many, unless they are insisted on."""
    mine = [item for item in items if HERE in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.browser)
    missing = what_is_missing()
    if not mine or not missing or REQUIRED:
        return
    left_out.note(config, f"{len(mine)} browser tests left out; they need: {missing}")
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if HERE not in item.path.parents]


@pytest.fixture(scope="package", autouse=True)
def _all_is_there() -> None:
    """Fail where something is missing and the tests were insisted on."""
    if missing := what_is_missing():
        pytest.fail(f"NBHITL_REQUIRE_BROWSER=1, but the browser tests need: {missing}")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 40) -> None:
    """Return when the server answers; fail with its log when it ends or takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url + "/api/status", timeout=2):
            return
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not come up at {url}:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address and the notebook folder of a running JupyterLab with settings of its own."""
    home = tmp_path_factory.mktemp("lab")
    work = home / "work"
    work.mkdir()
    write_settings(home / "settings")
    port = free_port()
    folders = {f"JUPYTER_{what}_DIR": str(home / what.lower()) for what in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{what}_DIR": str(home / what.lower()) for what in ("SETTINGS", "WORKSPACES")}
    env = {
        **os.environ,
        **folders,
        "IPYTHONDIR": str(home / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    flags = [
        "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
        "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={work}",
    ]  # fmt: skip
    log = home / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *flags], cwd=work, env=env, stdout=out, stderr=out
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_up(url, process, log)
            yield url, work
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """A headless browser. One for this folder: a running sync playwright keeps asyncio tests from running."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(lab_server: tuple[str, Path], chromium: Any) -> Iterator[Lab]:
    """JupyterLab in a tab, 1200 px wide: open a notebook, run it, click in it. Started once: that takes seconds."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    yield Lab(*lab_server, context.new_page())
    context.close()


@pytest.fixture(scope="session")
def shots() -> Shots:
    """Saves screenshots into the folder `NBHITL_SCREENSHOTS`; without it, does nothing."""
    return Shots(os.environ.get("NBHITL_SCREENSHOTS"))


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Any]:
    """One tab for all tests of a file: each draws into an empty page."""
    page = chromium.new_page()
    page.clock.install()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    page.close()


@pytest.fixture
def bare(tab: Any) -> Iterator[Bare]:
    tab.faults.clear()
    yield Bare(tab, script(CARDS_SCRIPT), style())
    assert tab.faults == []
