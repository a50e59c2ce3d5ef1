"""The SDK's version: that of the installed distribution, so pyproject.toml alone sets it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("muster-jobs")
except PackageNotFoundError:  # the sources on a path, without an installation
    VERSION = "0.0.0+unknown"
