"""`nbhitl lab`: the notebooks are copied, nothing is overwritten, JupyterLab is started on the first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbhitl import lab
from nbhitl.cli import main

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def environments():
    """The environments in which they would have been run."""
    return []


@pytest.fixture(autouse=True)
def jupyter_of_its_own(tmp_path, monkeypatch):
    """Signatures are written into a folder of this test."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter-data"))


@pytest.fixture
def started(monkeypatch, environments):
    """The command lines that would have been run, instead of running them."""
    commands = []

    def run(command, check, env):
        commands.append(command)
        environments.append(env)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(lab.subprocess, "run", run)
    return commands


def test_the_notebooks_are_copied_and_lab_opens_on_the_first(here, started, capsys):
    assert main(["lab"]) == 0
    names = sorted(path.name for path in (here / "nbhitl-notebooks").iterdir())
    assert names == sorted(path.name for path in (REPOSITORY / "notebooks").glob("*.ipynb"))
    assert names[0] == "01_approve_a_delete.ipynb"
    assert started[0][:3] == [sys.executable, "-m", "jupyterlab"]
    assert started[0][3] == "--ServerApp.root_dir=nbhitl-notebooks"
    assert started[0][4] == f"--LabApp.default_url=/lab/tree/{names[0]}"
    assert f"Copied    nbhitl-notebooks/{names[0]}" in capsys.readouterr().out


def test_nothing_is_overwritten(here, started, capsys):
    main(["lab"])
    mine = here / "nbhitl-notebooks" / "01_approve_a_delete.ipynb"
    capsys.readouterr()
    main(["lab"])
    assert "Kept      nbhitl-notebooks/01_approve_a_delete.ipynb (there already)" in capsys.readouterr().out
    mine.write_text("my own work")
    main(["lab"])
    assert mine.read_text() == "my own work"
    assert "and changed: delete it to get the original again" in capsys.readouterr().out


def test_arguments_reach_jupyterlab(here, started):
    main(["lab", "--no-browser", "--port", "9999", "--folder", "lessons", "--ip=0.0.0.0"])
    (command,) = started
    assert command[3] == "--ServerApp.root_dir=lessons"
    assert {"--no-browser", "--port=9999", "--ip=0.0.0.0"} <= set(command)


@pytest.mark.parametrize(("user", "told"), [(0, 1), (1000, 0)])
def test_root_may_start_it_too(monkeypatch, user, told):
    monkeypatch.setattr(lab.os, "geteuid", lambda: user, raising=False)
    command = lab.lab_command(Path("a.ipynb"), browser=True, port=None, rest=[])
    assert command.count("--allow-root") == told
    given = lab.lab_command(Path("a.ipynb"), browser=True, port=None, rest=["--allow-root"])
    assert given.count("--allow-root") == 1


def test_a_dry_run_starts_nothing(here, started, capsys):
    assert main(["lab", "--dry-run"]) == 0
    assert started == []
    assert "Starting" in capsys.readouterr().out


def test_without_jupyterlab_it_says_what_to_install(here, started, capsys, monkeypatch):
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    assert main(["lab"]) == 2
    assert 'pip install "nbhitl[lab]"' in capsys.readouterr().err
    assert started == []


def test_a_folder_that_cannot_be_made_is_a_clear_end(here, started, capsys):
    (here / "nbhitl-notebooks").write_text("a file of the reader's")
    assert main(["lab"]) == 2
    assert "cannot be copied into nbhitl-notebooks" in capsys.readouterr().err
    assert started == []


def test_an_installation_without_notebooks_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(lab, "__file__", str(tmp_path / "nbhitl" / "lab.py"))
    with pytest.raises(FileNotFoundError, match="Install it again"):
        lab.shipped_notebooks()


def test_version_and_unknown_arguments(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("nbhitl 0.")
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--nonsense"])
    assert stop.value.code == 2


def test_jupyterlab_asks_nothing_about_news(here, started, environments, monkeypatch):
    """The defaults are found by JupyterLab's own reader, behind the folders that were named before."""
    from jupyter_server.services.config import ConfigManager

    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/elsewhere")
    main(["lab"])
    ours, theirs = environments[0]["JUPYTER_CONFIG_PATH"].split(lab.os.pathsep)
    assert theirs == "/elsewhere"
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", ours)
    assert ConfigManager(config_dir_name="labconfig").get("default_setting_overrides") == {
        "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"}
    }
    monkeypatch.delenv("JUPYTER_CONFIG_PATH")
    assert lab.lab_environment()["JUPYTER_CONFIG_PATH"] == ours


def test_copies_are_trusted_and_what_was_changed_is_not(here, started):
    import nbformat
    from nbformat.sign import NotebookNotary

    def trusted():
        notary = NotebookNotary()
        try:
            return notary.check_signature(nbformat.read(copy, as_version=4))
        finally:
            notary.store.close()

    main(["lab", "--dry-run"])
    copy = here / "nbhitl-notebooks" / "01_approve_a_delete.ipynb"
    assert trusted()
    copy.write_text(copy.read_text().replace("penguins", "PENGUINS"))
    assert not trusted()
    main(["lab", "--dry-run"])
    assert not trusted()
