"""What every widget has in common: a still picture beside it, for pages without a kernel."""

from typing import Any

import anywidget


class StillWidget(anywidget.AnyWidget):
    """A widget that leaves `text/plain` (its repr) and `text/html` (a still) beside its live view.

    JupyterLab shows the live view while the kernel runs; GitHub, a printed page and a saved lesson
    show the still. A subclass says what the still is.
    """

    def still(self) -> str:
        """Return HTML that says, without a kernel, what the widget shows.

        It must be the same in every run, and must not raise: it is asked for whenever the widget
        is displayed.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what its still is")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0].update({"text/plain": repr(self), "text/html": self.still()})
        return bundle
