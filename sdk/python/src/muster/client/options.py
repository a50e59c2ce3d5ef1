"""Options that are given by name. An unknown one is refused: a misspelled option must not be ignored."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


def refuse_unknown(holder: str, given: Iterable[str], known: Collection[str]) -> None:
    """Checks the names of options.

    Args:
        holder: What has the options, with its article, such as "a job" or "a schedule's times".
        given: The given names.
        known: All names that there are.

    Raises:
        TypeError: A name is unknown. The message has the most similar name, or all names.
    """
    for name in given:
        if name not in known:
            similar = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {similar[0]!r}?" if similar else f"there are {', '.join(sorted(known))}"
            raise TypeError(f"unknown option {name!r} of {holder}: {hint}")
