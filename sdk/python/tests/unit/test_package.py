"""The package as it is published."""

from __future__ import annotations

import re
from pathlib import Path

import muster

PROJECT = Path(__file__).resolve().parents[2]
REPOSITORY = "https://github.com/muster-jobs/muster/blob/main/"


def test_the_version_is_that_of_the_project() -> None:
    assert f'\nversion = "{muster.__version__}"\n' in (PROJECT / "pyproject.toml").read_text()


def test_links_of_the_readme_lead_to_files_from_everywhere() -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", (PROJECT / "README.md").read_text())
    assert [link for link in links if not link.startswith("https://")] == []
    files = [link.removeprefix(REPOSITORY).partition("#")[0] for link in links if link.startswith(REPOSITORY)]
    assert files
    assert [file for file in files if not (PROJECT.parents[1] / file).is_file()] == []
