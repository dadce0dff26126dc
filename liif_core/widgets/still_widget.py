"""What every widget has in common: a still picture beside it, for pages without a kernel.

And what a page without a kernel needs to make a living widget of the still, where it can.
"""

from typing import Any

import anywidget

#: Of a notebook's output: {"kind", "data"}, what `pages` makes a living widget of.
LIVING = "application/vnd.liif.living+json"
#: Of the same output: JupyterLab shows the live view or, where no kernel knows it, the still. In a
#: trusted notebook it would say "model not found" otherwise; `labextension/` renders this type.
STILL = "application/vnd.liif.still+json"


class StillWidget(anywidget.AnyWidget):
    """A widget that leaves `text/plain` (its repr) and `text/html` (a still) beside its live view.

    JupyterLab shows the live view while the kernel runs; GitHub, a printed page and a saved lesson
    show the still. A subclass says what the still is. `LIVING` beside both is what the course's
    site needs to bring the still to life without Python.
    """

    #: Which of the widgets in `static/living/living.js` it is.
    kind = ""

    def still(self) -> str:
        """Return HTML that says, without a kernel, what the widget shows.

        It must be the same in every run, and must not raise: it is asked for whenever the widget
        is displayed.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what its still is")

    def living(self) -> dict[str, Any] | None:
        """Return what a page without a kernel needs to let the widget live there, as JSON.

        None where that cannot be had, or is too large to be kept in a notebook. Like `still`, it
        must be the same in every run, and must not raise.
        """
        return None

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0].update({"text/plain": repr(self), "text/html": self.still(), STILL: {}})
            living = self.living()
            if living is not None:
                bundle[0][LIVING] = {"kind": self.kind, "data": living}
        return bundle
