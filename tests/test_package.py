"""The wheel holds what it needs and works where it is installed; Binder, README and scripts fit."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel, unpacked: what a site-packages folder would hold."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_installed(installed: Path, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_wheel_holds_everything_but_the_tests(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "nbhitl").rglob("*") if wanted(path)}
    assert package <= names
    assert {f"nbhitl/_notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")} <= names
    assert {"nbhitl/py.typed", "nbhitl/data/penguins.csv", "nbhitl/data/LICENCE.md"} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "notebooks"))]


def wanted(path: Path) -> bool:
    return path.is_file() and path.suffix in (".py", ".typed", ".csv", ".md", ".js", ".css", ".sql")


def test_the_widgets_bring_their_assets(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.startswith("nbhitl/widgets/") and name.endswith(".css")]


def test_the_defaults_for_jupyterlab_are_in_it(wheel):
    assert "nbhitl/_lab_config/labconfig/default_setting_overrides.json" in zipfile.ZipFile(wheel).namelist()


def test_lab_works_from_the_wheel(installed, tmp_path):
    done = run_installed(installed, tmp_path, "-m", "nbhitl", "lab", "--no-browser", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "jupyterlab --ServerApp.root_dir=nbhitl-notebooks" in done.stdout
    copied = tmp_path / "nbhitl-notebooks" / "01_approve_a_delete.ipynb"
    assert copied.read_bytes() == (ROOT / "notebooks" / "01_approve_a_delete.ipynb").read_bytes()


def test_it_is_the_wheel_that_ran(installed, tmp_path):
    done = run_installed(installed, tmp_path, "-c", "import nbhitl; print(nbhitl.__file__)")
    assert done.stdout.strip() == str(installed / "nbhitl" / "__init__.py"), done.stderr


def test_the_demo_works_from_the_wheel(installed, tmp_path):
    done = run_installed(installed, tmp_path, "-m", "nbhitl", "demo", "--answers", "approve")
    assert done.returncode == 0, done.stderr
    assert "deleted 11 rows" in done.stdout


def test_binder_finds_its_files():
    assert {path.name for path in (ROOT / "binder").iterdir()} == {
        "requirements.txt",
        "runtime.txt",
        "postBuild",
    }
    version = (ROOT / "binder" / "runtime.txt").read_text().strip()
    assert version.startswith("python-3.")
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert int(version.removeprefix("python-3.")) >= int(lowest.removeprefix(">=3."))
    post_build = ROOT / "binder" / "postBuild"
    assert os.access(post_build, os.X_OK), "repo2docker runs postBuild as a program"
    assert post_build.read_text().startswith("#!")
    assert 'pip install --no-cache-dir ".[lab]"' in post_build.read_text()
    assert subprocess.run(["bash", "-n", str(post_build)], check=False).returncode == 0
    assert "urlpath=lab/tree/notebooks/01_approve_a_delete.ipynb" in README


def test_the_readme_gives_two_commands_that_ci_and_readers_run():
    lines = README.splitlines()
    assert [line for line in lines if line.startswith("python3 -m venv .venv ")] == [
        'python3 -m venv .venv && .venv/bin/pip install -e ".[lab]" && .venv/bin/nbhitl lab'
    ]
    assert [line for line in lines if line.startswith("python3 -m venv .venv-test ")] == [
        'python3 -m venv .venv-test && .venv-test/bin/pip install -e ".[test]" && .venv-test/bin/pytest'
    ]
    assert "readme_command 'python3 -m venv .venv-test'" in (ROOT / ".ci" / "run").read_text()


def test_pages_stay_short():
    assert len(README.splitlines()) <= 170
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 120


@pytest.mark.parametrize("script", [".ci/run", "scripts/check"])
def test_scripts_are_programs(script):
    assert os.access(ROOT / script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(ROOT / script)], check=False).returncode == 0


def test_an_unknown_step_is_refused():
    done = subprocess.run(
        [ROOT / "scripts" / "check", "formt"], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 2
    assert "format, lint, types, tests" in done.stderr
