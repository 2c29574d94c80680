"""XML elements as JSON values, and as text in the style of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

__all__ = [
    "Style",
    "elements_of",
    "is_same_tree",
    "is_xml_name",
    "parse_xml",
    "rendered",
    "shown_scalar",
    "style_of",
    "to_element",
    "to_elements",
    "to_value",
]

_ATTRIBUTE, _TEXT = "@", "#text"
_NUM_KEPT = 1024  # names that were checked
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
_NOT_IN_NAMES = re.compile(r"[\s<>/&'\"=?!:]")
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = re.compile(rb"(?s)\A(.*?)<(?=[A-Za-z_])")
_ENCODING = re.compile(r"""encoding=["']([\w.-]+)["']""")
_INDENT = re.compile(r"\A<[^<>]*>(\r?\n)([ \t]*)<")


def parse_xml(content: bytes) -> Element:
    """Return the root of an XML document with its comments; one that declares entities is refused.

    Raises
    ------
    ParseError, DefusedXmlException, LookupError, ValueError, RecursionError
        If it is not XML.
    """
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(target=TreeBuilder(insert_comments=True, insert_pis=True))
    parser.feed(content)
    root: Element = parser.close()
    return root


def to_value(element: Element) -> Any:
    """Return an element as JSON: its text, or a dictionary of its attributes (with ``@``) and elements.

    Examples
    --------
    >>> to_value(parse_xml(b'<size unit="px"><width>64</width><height>48</height><x/></size>'))
    {'@unit': 'px', 'width': 64, 'height': 48, 'x': None}
    """
    children = elements_of(element)
    if not children and not element.attrib:
        return _scalar(element.text)
    found: dict[str, Any] = {_ATTRIBUTE + name: value for name, value in element.attrib.items()}
    for child in children:
        value = to_value(child)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    if not children and element.text:
        found[_TEXT] = _scalar(element.text)
    return found


def elements_of(element: Element) -> list[Element]:
    """Return the elements in an element, without comments."""
    return [child for child in element if isinstance(child.tag, str)]


def _scalar(text: str | None) -> str | int | float | None:
    """Return a text, or the number that is written as this text."""
    if not text:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        value = float(text)
    except ValueError:
        return text
    return value if "." in text and repr(value) == text else text


def to_element(tag: str, value: Any) -> Element:
    """Return the element that a value stands for.

    Raises
    ------
    ValueError
        If a name or a text cannot be written as XML.

    Examples
    --------
    >>> rendered(to_element("part", {"name": "head", "seen": True}), Style(indent="", end=""))
    '<part><name>head</name><seen>1</seen></part>'
    """
    if not is_xml_name(tag):
        raise ValueError(f"{tag!r} is not the name of an XML element")
    element = Element(tag)
    if not isinstance(value, Mapping):
        element.text = shown_scalar(value)
        return element
    for name, one in value.items():
        if name == _TEXT:
            element.text = shown_scalar(one)
        elif name.startswith(_ATTRIBUTE):
            element.set(name.removeprefix(_ATTRIBUTE), shown_scalar(one) or "")
        else:
            element.extend(to_elements(name, one))
    return element


def to_elements(tag: str, value: Any) -> list[Element]:
    """Return the elements of one name: one, or one for each entry of a list."""
    return [to_element(tag, one) for one in (value if isinstance(value, list) else [value])]


@lru_cache(_NUM_KEPT)
def is_xml_name(name: str) -> bool:
    """Return whether an element or an attribute may have a name."""
    if not name or _NOT_IN_NAMES.search(name):
        return False
    try:
        parse_xml(f"<{name}/>".encode())
    except (ParseError, UnicodeEncodeError):
        return False
    return True


def shown_scalar(value: Any) -> str | None:
    """Return a scalar as the text of an element.

    Raises
    ------
    ValueError
        If XML cannot hold it.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is a {type(value).__name__}. Expected text or a number")  # noqa: TRY004  as of any value that XML cannot hold
    if _UNWRITABLE.search(value):
        raise ValueError(f"{value!r} has a character that XML cannot hold")
    return value


def is_same_tree(one: Element, other: Element) -> bool:
    """Return whether two trees have equal elements, attributes and texts in the same order; white space is free."""
    if one.tag != other.tag or one.attrib != other.attrib or len(one) != len(other):
        return False
    if (list(one.attrib) != list(other.attrib)) or not _same_text(one.text, other.text, is_leaf=len(one) == 0):
        return False
    pairs = list(zip(one, other, strict=True))
    return all(is_same_tree(a, b) and _same_text(a.tail, b.tail, is_leaf=False) for a, b in pairs)


def _same_text(one: str | None, other: str | None, *, is_leaf: bool) -> bool:
    one, other = one or "", other or ""
    return one == other or (not is_leaf and not one.strip() and not other.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a file writes its XML.

    Parameters
    ----------
    head, end : str
        Everything before and behind the root.
    indent : str
        Of one level; none writes all in a single line.
    newline : str
        End of a line.
    empty : str
        How an element without content ends: ``/>``, `` />`` or empty for an end tag.
    encoding : str
        Of the file.
    """

    head: str = ""
    end: str = "\n"
    indent: str = "\t"
    newline: str = "\n"
    empty: str = "/>"
    encoding: str = "utf-8"

    def to_json(self) -> dict[str, str]:
        """Return it as JSON."""
        return asdict(self)


_USUAL = Style()


def rendered(root: Element, style: Style = _USUAL) -> str:
    """Return the text of a tree."""
    return style.head + _rendered(root, style, "") + style.end


def _rendered(element: Element, style: Style, before: str) -> str:
    attributes = "".join(f' {name}="{_escaped(value, quotes=True)}"' for name, value in element.attrib.items())
    opening = f"<{element.tag}{attributes}"
    if len(element):
        deeper = before + style.indent
        line = style.newline if style.indent else ""
        inner = "".join(f"{line}{deeper}{_rendered(child, style, deeper)}" for child in element)
        return f"{opening}>{inner}{line}{before}</{element.tag}>"
    if element.text:
        return f"{opening}>{_escaped(element.text)}</{element.tag}>"
    return f"{opening}{style.empty}" if style.empty else f"{opening}></{element.tag}>"


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    if quotes:
        return text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return text


def style_of(content: bytes, root: Element) -> Style | None:
    """Return the style in which a tree is written as exactly these bytes; None if there is none."""
    head = _HEAD.match(content)
    try:
        declared = _ENCODING.search((head[1] if head else b"").decode("ascii", "replace"))
        encoding = declared[1].lower() if declared else "utf-8"
        text = content.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return None
    start = len((head[1] if head else b"").decode(encoding, "replace"))
    end = text.rfind(">") + 1
    body = text[start:end]
    found = _INDENT.match(body)
    for empty in ("/>", " />", ""):
        style = Style(
            head=text[:start],
            end=text[end:],
            indent=found[2] if found else "",
            newline=found[1] if found else "\n",
            empty=empty,
            encoding=encoding,
        )
        if rendered(root, style) == text:
            return style
    return None
