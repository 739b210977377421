"""Markup, which is cleaned in the browser before it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

from ..errors import PoolError
from .base import Unencoded, framed, kind_of, shortened

#: What stands in these is not for reading.
UNREAD = {"script", "style", "template", "title"}
#: These stand inside a line; any other tag parts words.
INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "em", "font", "i", "ins", "kbd"),
    *("mark", "q", "s", "small", "span", "strong", "sub", "sup", "u", "var", "wbr"),
}


@dataclass(frozen=True, slots=True)
class Html(Unencoded):
    """Markup, shown as a page shows it. All other content is shown as data.

    The browser cleans it first: no script, form, frame or style sheet stays, nothing is loaded
    (images only as ``data:`` of PNG, JPEG, WebP or GIF), and links lead nowhere.

    Attributes
    ----------
    markup : str

    Raises
    ------
    PoolError
        If it is no text.

    Examples
    --------
    >>> Html("<p>Dear <b>winner</b>,</p>").preview()
    'Dear winner,'
    """

    markup: str

    def __post_init__(self) -> None:
        if not isinstance(self.markup, str):
            raise PoolError(f"Html needs markup as a str, not {kind_of(self.markup)}.")

    def to_bytes(self) -> bytes:
        """Bytes that identify the markup."""
        return framed("html", [self.markup.encode("utf-8", "surrogatepass")])

    def preview(self) -> str:
        """Its first words, without the markup."""
        return shortened(self.words())

    def words(self) -> str:
        """All its words, without the markup."""
        reader = _Words()
        reader.feed(self.markup)
        reader.close()
        return " ".join("".join(reader.found).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unread: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unread is None and tag in UNREAD:
            self._unread = tag
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unread:
            self._unread = None
        self._part(tag)

    def _part(self, tag: str) -> None:
        if tag not in INLINE:
            self.found.append(" ")

    def handle_data(self, data: str) -> None:
        if self._unread is None:
            self.found.append(data)
