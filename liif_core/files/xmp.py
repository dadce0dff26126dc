"""XMP: names, captions, keywords, ratings; carried over as they are, but for what has changed.

A packet is XML. It goes through `xml.dom.minidom`, which keeps prefixes and order, so that what is
not ours to change stays as its program wrote it; by way of defusedxml, which refuses document types
in any encoding, since their entities may be bombs.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias
from xml.dom import Node
from xml.sax.saxutils import escape, quoteattr

from defusedxml import minidom

from liif_core.files.view import View

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML = "http://www.w3.org/XML/1998/namespace"
XMLNS = "http://www.w3.org/2000/xmlns/"
DC = "http://purl.org/dc/elements/1.1/"
BASIC = "http://ns.adobe.com/xap/1.0/"
TIFF = "http://ns.adobe.com/tiff/1.0/"
EXIF = "http://ns.adobe.com/exif/1.0/"
MM = "http://ns.adobe.com/xap/1.0/mm/"
EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
NOTE = "http://ns.adobe.com/xmp/note/"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
MP_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"
PANORAMA = "http://ns.google.com/photos/1.0/panorama/"
CAMERA = "http://ns.google.com/photos/1.0/camera/"

#: An element or attribute. (The types of `xml.dom.minidom` are too strict for either.)
_Node: TypeAlias = Any

#: What speaks of other pictures, films and sounds in the photo's file, which the result has not:
#: gain maps, depth, moving photos.
_OTHERS = (
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/audio/",
)

#: What describes how the photo's file was laid out, or repeats what EXIF tells in pixels.
_LAYOUT = {
    TIFF: (
        "BitsPerSample",
        "Compression",
        "PhotometricInterpretation",
        "SamplesPerPixel",
        "PlanarConfiguration",
        "YCbCrSubSampling",
        "NativeDigest",
    ),
    EXIF: (
        "NativeDigest",
        "SubjectArea",
        "SubjectLocation",
        "FocalPlaneXResolution",
        "FocalPlaneYResolution",
    ),
    BASIC: ("Thumbnails",),
    NOTE: ("HasExtendedXMP",),
}

#: What is true of every picture of the same pixels.
_ORIGIN = ((IPTC_EXT, "DigitalSourceType"), (BASIC, "CreatorTool"), (MM, "History"))

#: Elements within one another in a packet that makes sense.
DEEPEST = 100

_EMPTY = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    f'xmlns:rdf="{RDF}"><rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
).encode()

#: The digital sources that "altered by an algorithm" may follow: captures, scans, edits. What else
#: stands there says more, that the picture was generated or composed, and stays.
_WAS_A_PHOTO = frozenset(
    (
        "digitalCapture",
        "computationalCapture",
        "negativeFilm",
        "positiveFilm",
        "print",
        "minorHumanEdits",
        "humanEdits",
        "algorithmicallyEnhanced",
    )
)

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Made:
    """What is true of the result alone.

    Attributes:
        view: how it lies in its photo.
        mime: its format.
        dpi: pixels per inch across and down, if known.
        software: name and version of what made it.
        how: weights and scale, in words.
        source_type: term of IPTC's NewsCodes for digital sources.
        software_before: what made the photo.
        zooms_before: what zooms said that made the photo, the first one first: SOFTWARE; HOW.
        title, description, author, copyright: to be noted where the photo's XMP has none.
    """

    view: View
    mime: str
    dpi: tuple[Fraction, Fraction] | None
    software: str
    how: str
    source_type: str
    software_before: str = ""
    zooms_before: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    author: str = ""
    copyright: str = ""


class Packet:
    """An XMP packet that is being changed.

    Args:
        data: the packet.

    Raises:
        ValueError: broken, or no XMP.
    """

    def __init__(self, data: bytes) -> None:
        data = data.strip(b"\0 \t\r\n")
        try:
            self._document = minidom.parseString(data, forbid_dtd=True)
        except Exception as error:  # expat's own, a document type, and what strange encodings raise
            raise ValueError("no XML, or not as XMP has it") from error
        found = [one for one in _within(self._document) if _is(one, RDF, "RDF")]
        if not found:
            raise ValueError("no RDF in XMP")
        self._rdf = found[0]
        if not self._descriptions():
            first = self._document.createElementNS(RDF, f"{self._rdf.prefix}:Description")
            first.setAttributeNS(RDF, f"{self._rdf.prefix}:about", "")
            self._rdf.appendChild(first)

    def _descriptions(self) -> list[_Node]:
        return [node for node in _elements(self._rdf) if _is(node, RDF, "Description")]

    def _found(self, space: str, name: str = "") -> list[tuple[_Node, _Node]]:
        """Return the places of a property, or of all of a namespace: (description, node)."""
        places: list[tuple[_Node, _Node]] = []
        for description in self._descriptions():
            nodes = [*_attributes(description), *_elements(description)]
            places += [
                (description, node)
                for node in nodes
                if node.namespaceURI == space and (not name or node.localName == name)
            ]
        return places

    def get(self, space: str, name: str) -> str:
        """Return a property's words, of a list the first; "" if there are none."""
        for _, node in self._found(space, name):
            return _words(node).strip()
        return ""

    def remove(self, space: str, name: str = "") -> None:
        """Remove a property, or all of a namespace."""
        for description, node in self._found(space, name):
            _take(description, node)

    def remove_attributes(self, but: str) -> None:
        """Remove the properties that are attributes, but for those of a namespace."""
        for description in self._descriptions():
            for attribute in _attributes(description):
                if attribute.namespaceURI not in (but, XML, XMLNS):
                    description.removeAttributeNode(attribute)

    def keep(self, properties: Collection[tuple[str, str]]) -> None:
        """Remove all properties but these: (namespace, name)."""
        for description in self._descriptions():
            for node in [*_attributes(description), *_elements(description)]:
                place = node.namespaceURI, node.localName
                if place not in properties and node.namespaceURI not in (RDF, XML, XMLNS):
                    _take(description, node)

    def set(self, space: str, prefixed: str, value: str) -> None:
        """Set a property that is one value."""
        self.remove(space, prefixed.split(":")[1])
        self._append(space, prefixed).appendChild(self._document.createTextNode(value))

    def set_if_there(self, space: str, name: str, value: str) -> None:
        """Set a property only where there is one."""
        for description, node in self._found(space, name)[:1]:
            prefixed = node.nodeName
            if node.nodeType == Node.ATTRIBUTE_NODE:
                description.setAttributeNS(space, prefixed, value)
            else:
                self.set(space, prefixed, value)

    def set_in_list(self, space: str, prefixed: str, kind: str, value: str) -> None:
        """Set a property that is a list of one: Alt (in a language), Seq or Bag."""
        self.remove(space, prefixed.split(":")[1])
        within = self._child(self._append(space, prefixed), kind)
        item = self._child(within, "li")
        if kind == "Alt":
            item.setAttributeNS(XML, "xml:lang", "x-default")
        item.appendChild(self._document.createTextNode(value))

    def note_event(self, action: str, software: str, how: str) -> None:
        """Add to the history of what was done (xmpMM:History), after what is there."""
        places = self._found(MM, "History")
        history = places[0][1] if places else self._append(MM, "xmpMM:History")
        sequence = next(_elements(history), None) or self._child(history, "Seq")
        item = self._child(sequence, "li")
        item.setAttributeNS(RDF, f"{self._rdf.prefix}:parseType", "Resource")
        told = (("action", action), ("softwareAgent", software), ("parameters", how))
        for name, value in told:
            element = self._document.createElementNS(EVENT, f"stEvt:{name}")
            element.setAttribute("xmlns:stEvt", EVENT)
            element.appendChild(self._document.createTextNode(value))
            item.appendChild(element)

    def _append(self, space: str, prefixed: str) -> _Node:
        # Declared on itself: the prefix may mean anything further out.
        element = self._document.createElementNS(space, prefixed)
        element.setAttribute(f"xmlns:{prefixed.split(':')[0]}", space)
        self._descriptions()[0].appendChild(element)
        return element

    def _child(self, parent: _Node, name: str) -> _Node:
        child = self._document.createElementNS(RDF, f"{self._rdf.prefix}:{name}")
        parent.appendChild(child)
        return child

    def everything(self) -> Iterator[_Node]:
        """Yield every element, outer ones first."""
        yield from _within(self._rdf)

    def join(self, other: "Packet") -> None:
        """Take in another packet's descriptions (the "extended" part of a JPEG's)."""
        for description in other._descriptions():
            self._rdf.appendChild(self._document.importNode(description, True))

    def parts(self) -> list[_Node]:
        """Return the properties that are elements; a long packet is split between them."""
        return [element for one in self._descriptions() for element in _elements(one)]

    def tobytes(self) -> bytes:
        """Return the packet, wrapped as every format wants it."""
        pieces: list[str] = []
        _write(self._document.documentElement, pieces)
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
            f'{"".join(pieces)}\n<?xpacket end="w"?>'
        ).encode()


def for_result(packet: bytes, made: Made) -> tuple[bytes, int]:
    """Make a photo's XMP true of its result.

    Args:
        packet: the photo's; b"" if it has none.
        made: what is true of the result.

    Returns:
        the result's packet, and how many marked regions lie beyond it and are left out.

    Raises:
        ValueError: broken.
    """
    xmp = Packet(packet or _EMPTY)
    for space in _OTHERS:
        xmp.remove(space)
    for name in [node.localName for _, node in xmp._found(CAMERA)]:
        if name.startswith(("Motion", "Micro", "HdrPlus")):
            xmp.remove(CAMERA, name)
    for space, names in _LAYOUT.items():
        for name in names:
            xmp.remove(space, name)
    _tell_size(xmp, made)
    _tell_maker(xmp, made)
    for space, prefixed, kind, value in (
        (DC, "dc:title", "Alt", made.title),
        (DC, "dc:description", "Alt", made.description),
        (DC, "dc:creator", "Seq", made.author),
        (DC, "dc:rights", "Alt", made.copyright),
    ):
        if value and not xmp.get(space, prefixed[3:]):
            xmp.set_in_list(space, prefixed, kind, value)
    lost = _Regions(xmp, made.view).lost
    return xmp.tobytes(), lost


def origin_of(packet: bytes) -> bytes:
    """Return what a packet tells of how its picture came about: source, first tool, history.

    b"" if there is none of it, or the packet is broken.
    """
    try:
        xmp = Packet(packet)
    except ValueError:
        return b""
    xmp.keep(_ORIGIN)
    return xmp.tobytes() if any(xmp.get(*one) for one in _ORIGIN) else b""


def _tell_size(xmp: Packet, made: Made) -> None:
    view = made.view
    xmp.set_if_there(TIFF, "Orientation", "1")
    for space, across, down in (
        (TIFF, "ImageWidth", "ImageLength"),
        (EXIF, "PixelXDimension", "PixelYDimension"),
    ):
        xmp.set_if_there(space, across, str(view.width))
        xmp.set_if_there(space, down, str(view.height))
    if made.dpi:
        for name, dpi in zip(("XResolution", "YResolution"), made.dpi, strict=True):
            xmp.set_if_there(TIFF, name, f"{dpi.numerator}/{dpi.denominator}")
        xmp.set_if_there(TIFF, "ResolutionUnit", "2")
    xmp.set_if_there(DC, "format", made.mime)
    left, top = view.box[:2]
    wider, higher = view.factors
    for name, begin, factor in (
        ("FullPanoWidthPixels", 0.0, wider),
        ("FullPanoHeightPixels", 0.0, higher),
        ("CroppedAreaLeftPixels", left, wider),
        ("CroppedAreaTopPixels", top, higher),
    ):
        number = xmp.get(PANORAMA, name)
        if number.isdigit():
            xmp.set_if_there(PANORAMA, name, str(round((int(number) + begin) * factor)))
    xmp.set_if_there(PANORAMA, "CroppedAreaImageWidthPixels", str(view.width))
    xmp.set_if_there(PANORAMA, "CroppedAreaImageHeightPixels", str(view.height))


def _tell_maker(xmp: Packet, made: Made) -> None:
    before = xmp.get(IPTC_EXT, "DigitalSourceType")
    how = made.how
    if not before or before.rsplit("/", 1)[-1] in _WAS_A_PHOTO:
        if before and before != SOURCE_TYPES + made.source_type:
            how += f"; digital source before: {before.rsplit('/', 1)[-1]}"
        xmp.set(IPTC_EXT, "Iptc4xmpExt:DigitalSourceType", SOURCE_TYPES + made.source_type)
    # The first tool, by its definition: the scanner's or camera's, where one is told.
    if not xmp.get(BASIC, "CreatorTool"):
        xmp.set(BASIC, "xmp:CreatorTool", made.software_before or made.software)
    lines = [f"{made.software}; {made.how}", *reversed(made.zooms_before)]
    xmp.set_if_there(TIFF, "Software", "\n".join(lines))
    if not xmp.get(MM, "History"):  # another program has dropped it, and kept EXIF
        for line in made.zooms_before:
            software, _, said = line.partition("; ")
            xmp.note_event("resized", software, said)
    xmp.note_event("resized", made.software, how)


class _Regions:
    """Marked regions, as MWG (digiKam, Lightroom, Apple, Picasa) and Microsoft note them.

    Programs do not agree whether an area counts in the file's pixels or in the upright picture's:
    the size that it says to be applied to tells.
    """

    def __init__(self, xmp: Packet, view: View) -> None:
        self.view, self.lost = view, 0
        self.stored = True
        elements = list(xmp.everything())
        sizes = [one for one in elements if one.localName == "AppliedToDimensions"]
        for size in sizes:
            width, height = (_number(_field(size, DIMENSIONS, side)) for side in "wh")
            if width and height and view.stored[0] != view.stored[1]:
                self.stored = (width > height) == (view.stored[0] > view.stored[1])
            for side, pixels in (("w", view.width), ("h", view.height)):
                _set_field(size, DIMENSIONS, side, str(pixels))
        if view.whole and view.turn == 1:
            return  # relative areas are as true as before
        for element in elements:
            if _field(element, AREA, "x") is not None:
                self._mwg(element)
            if (node := _field(element, MP_REGION, "Rectangle")) is not None:
                self._microsoft(element, _words(node))

    def _mwg(self, element: _Node) -> None:
        if _words(_field(element, AREA, "unit")) == "pixel":
            return
        x, y = (_number(_field(element, AREA, name)) or 0.0 for name in "xy")
        across, down = (_number(_field(element, AREA, name)) for name in "wh")
        diameter = _number(_field(element, AREA, "d"))  # of a circle, or of a point: neither
        area = self.view.area((x, y, across or 0, down or 0), stored=self.stored)
        if area is None:
            self._lose(element)
            return
        for name, value, there in zip("xywh", area, (1, 1, across, down), strict=True):
            if there is not None:
                _set_field(element, AREA, name, f"{value:.6g}")
        if diameter is not None:
            left, _, right, _ = self.view.box
            scale = self.view.photo_width / (right - left)
            _set_field(element, AREA, "d", f"{diameter * scale:.6g}")

    def _microsoft(self, element: _Node, rectangle: str) -> None:
        try:
            left, top, width, height = (float(part) for part in rectangle.split(","))
        except ValueError:
            return
        middle = (left + width / 2, top + height / 2, width, height)
        area = self.view.area(middle, stored=self.stored)
        if area is None:
            self._lose(element)
            return
        x, y, width, height = area
        corner = (x - width / 2, y - height / 2, width, height)
        value = ", ".join(f"{number:.6g}" for number in corner)
        _set_field(element, MP_REGION, "Rectangle", value)

    def _lose(self, element: _Node) -> None:
        node: _Node | None = element
        while node is not None and not _is(node, RDF, "li"):
            node = node.parentNode
        if node is not None and node.parentNode is not None:
            node.parentNode.removeChild(node)
            self.lost += 1


def _is(node: _Node, space: str, name: str) -> bool:
    return node.namespaceURI == space and node.localName == name


def _within(node: _Node) -> list[_Node]:
    """Return every element within, outer ones first; raise ValueError if too deep for recursion."""
    found: list[_Node] = []
    waiting = [(one, 1) for one in _elements(node)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError("XMP nested too deeply")
        found.append(one)
        waiting += [(child, depth + 1) for child in reversed(list(_elements(one)))]
    return found


def _elements(node: _Node) -> Iterator[_Node]:
    yield from [child for child in node.childNodes if child.nodeType == Node.ELEMENT_NODE]


def _attributes(element: _Node) -> list[_Node]:
    attributes = element.attributes
    return [attributes.item(at) for at in range(attributes.length)]


def _words(node: _Node | None) -> str:
    if node is None:
        return ""
    if node.nodeType == Node.ATTRIBUTE_NODE:
        return node.nodeValue or ""
    texts: list[str] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.nodeType in (Node.TEXT_NODE, Node.CDATA_SECTION_NODE):
            texts.append(one.nodeValue or "")
        elif _is(one, RDF, "li") and any(part.strip() for part in texts):
            break
        waiting += reversed(one.childNodes)
    return "".join(texts).strip()


def _field(element: _Node, space: str, name: str) -> _Node | None:
    """Return a field of a structure: an attribute, or an element within."""
    found = element.getAttributeNodeNS(space, name)
    if found is not None:
        return found
    inner = [element, *(one for one in _elements(element) if _is(one, RDF, "Description"))]
    for holder in inner:
        for child in [*_attributes(holder), *_elements(holder)]:
            if child.namespaceURI == space and child.localName == name:
                return child
    return None


def _set_field(element: _Node, space: str, name: str, value: str) -> None:
    node = _field(element, space, name)
    if node is None:
        return
    if node.nodeType == Node.ATTRIBUTE_NODE:
        node.value = value
    else:
        for child in list(node.childNodes):
            node.removeChild(child)
        node.appendChild(element.ownerDocument.createTextNode(value))


def _number(node: _Node | None) -> float | None:
    try:
        return float(_words(node)) if node is not None else None
    except ValueError:
        return None


def _take(description: _Node, node: _Node) -> None:
    if node.nodeType == Node.ATTRIBUTE_NODE:
        description.removeAttributeNode(node)
    else:
        description.removeChild(node)


def _write(node: _Node, pieces: list[str]) -> None:
    """Write XML; minidom's own way (before Python 3.13) lets line ends in attributes go."""
    if node.nodeType in (Node.TEXT_NODE, Node.CDATA_SECTION_NODE):
        pieces.append(escape(node.nodeValue or "", {"\r": "&#13;"}))
    elif node.nodeType == Node.ELEMENT_NODE:
        pieces.append(f"<{node.nodeName}")
        for attribute in _attributes(node):
            value = quoteattr(attribute.value or "", {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
            pieces.append(f" {attribute.name}={value}")
        if not node.childNodes:
            pieces.append("/>")
            return
        pieces.append(">")
        for child in node.childNodes:
            _write(child, pieces)
        pieces.append(f"</{node.nodeName}>")
