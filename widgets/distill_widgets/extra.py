"""What the widgets need besides distill, and how to get it."""

from __future__ import annotations

from importlib.util import find_spec

from distill.errors import MissingExtraError

_NEEDED = ("anywidget", "ipywidgets", "IPython", "matplotlib", "PIL", "plotly", "traitlets")


def check_extra() -> None:
    """Whether all is there.

    Raises:
        MissingExtraError: says what is missing, and the command that installs it.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"distill_widgets needs {', '.join(missing)}: pip install 'distill-audio[widgets]', or "
            "'distill-audio[lab]' with JupyterLab"
        )
