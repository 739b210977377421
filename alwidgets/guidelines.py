"""How to label, in words for the annotators: Markdown, given as it is or in a file."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from .errors import AlwidgetsError

SUFFIXES = (".md", ".markdown", ".txt")
MOST_BYTES = 1_000_000


def read_guidelines(given: str | PathLike[str] | None) -> str:
    """Return the Markdown of guidelines, which a path leads to or which are it.

    A text of one line that ends like a file's name is a path.

    Raises
    ------
    AlwidgetsError
        If there is no such file, it is no text, or it is larger than a megabyte.
    """
    if given is None:
        return ""
    if not isinstance(given, str | PathLike):
        raise AlwidgetsError(
            f"guidelines must be Markdown text or the path of a file, not {type(given).__name__}."
        )
    if isinstance(given, str) and ("\n" in given or not given.strip().endswith(SUFFIXES)):
        text, place = given, "The guidelines"
    else:
        path = Path(given).expanduser()
        place = f"The guidelines in {path}"
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as e:
            raise AlwidgetsError(f"{place} are no text in UTF-8: save the file so.") from e
        except OSError as e:
            raise AlwidgetsError(
                f"{place} cannot be read ({e.strerror or e}). Give the path of a file that is "
                "there, or the text itself."
            ) from e
    # Half of a surrogate pair cannot be sent to a page.
    sendable = text.encode("utf-8", "replace")
    if len(sendable) > MOST_BYTES:
        raise AlwidgetsError(f"{place} are larger than a megabyte: link to what is so long.")
    return sendable.decode()
