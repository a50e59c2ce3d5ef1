"""Makes a virtual environment with pip, the dependencies of a wheel, and then the wheel.

    python empty_environment.py FOLDER WHEEL

The dependencies are copied from the environment that runs this, so no network is needed; pip still checks that the
wheel needs nothing else.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement


def main(folder: Path, wheel: Path) -> None:
    venv.create(folder, with_pip=True)
    site_packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    for name in needed_by(requirements_of(wheel)):
        copy(name, site_packages)
    command = [folder / "bin" / "python", "-m", "pip", "install", "--no-index", "--no-input", "--quiet", wheel]
    subprocess.run(command, check=True)


def requirements_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as content:
        (name,) = [name for name in content.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(content.read(name)).get_all("Requires-Dist", [])


def needed_by(requirements: list[str]) -> set[str]:
    """Returns the names of all required packages, transitively."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        found.add(requirement.name)
        for wanted in ("", *requirement.extras):
            waiting += [(Requirement(text), wanted) for text in distribution(requirement.name).requires or []]
    return found


def copy(name: str, site_packages: Path) -> None:
    installed = distribution(name)
    for file in installed.files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(installed.locate_file(file), target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
