"""What a zoom explorer shares with the page."""

from traitlets import Bool, Dict, Float, Int, List, Unicode

from liif_core.explorer.messages import VERSION
from liif_core.widgets.still_widget import StillWidget


class ExplorerValues(StillWidget):
    """The values that Python and the page have in common: one's change is the other's."""

    #: {"centre": [y, x], "magnification": screen pixels per photo pixel, 0 for the whole photo}.
    view = Dict().tag(sync=True)
    #: What stands left and right of the split: `Side` as a dictionary.
    left = Dict().tag(sync=True)
    right = Dict().tag(sync=True)
    #: Where the split stands, 0 … 1 of the screen's width; 0 shows the right side alone.
    split = Float(0.5).tag(sync=True)
    #: The point under X-ray, [y, x] in [-1, 1].
    point = List(Float(), None, allow_none=True).tag(sync=True)
    photo = Dict().tag(sync=True)
    methods = List(Dict()).tag(sync=True)
    screen = List(Int()).tag(sync=True)
    trained = List(Float()).tag(sync=True)
    alt = Unicode().tag(sync=True)
    grid = Bool(True).tag(sync=True)
    #: Of the questions that the page asks; see liif_core/explorer/QUESTIONS.md.
    version = Int(VERSION).tag(sync=True)
