"""Where the built front end lies."""

from __future__ import annotations

from pathlib import Path

from ..errors import AlwidgetsError

STATIC = Path(__file__).resolve().parent.parent / "static"


def bundle(name: str, *, folder: Path = STATIC) -> tuple[Path, Path]:
    """Paths of a widget's script and style sheet.

    Parameters
    ----------
    name : str
        Name of the widget, such as ``"cards"``.
    folder : Path, optional
        Where the bundles are.

    Returns
    -------
    (script, style sheet) : tuple of Path
        Both exist.

    Raises
    ------
    AlwidgetsError
        If one of them is missing.
    """
    paths = folder / f"{name}.js", folder / f"{name}.css"
    for path in paths:
        if not path.is_file():
            raise AlwidgetsError(
                f"The front end's {path.name} is missing from {folder}. In a source checkout run "
                "`make js`; otherwise install alwidgets again."
            )
    return paths
