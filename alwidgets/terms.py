"""What a person types to search: words, "exact phrases" and conditions on metadata."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from .filters import Condition, typed

_WORD = re.compile(r"[^\W_]+")
_VALUE = r'(?:"(?P<quoted>[^"]*)"?|(?P<value>[^\s"]+))'
#: A condition; a column's name is in quotes, with those that it holds twice, or without a space.
_CONDITION = re.compile(
    r'(?:"(?P<title>(?:[^"]|"")+)"|(?P<name>[^\s":<>=]+?))(?P<sign><=|>=|!=|[:=<>])' + _VALUE
)
_PHRASE = re.compile(r'"(?P<phrase>[^"]*)(?P<end>"?)|(?P<word>[^\s"]+)')
#: What may be meant as a column: no time, and no address.
_NAME = re.compile(r"[^\W\d]\w*")
#: Scripts that are written without spaces (Thai to Khmer, Chinese, Japanese): a letter is a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uf900-\ufaff]")
_MARKS = re.compile("[\u0300-\u036f]+")


def folded(text: str) -> str:
    """A text in lower case and without accents, Chinese and its like with spaces in between.

    Examples
    --------
    >>> folded("Déjà Vu")
    'deja vu'
    """
    if text.isascii():
        return text.lower()
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return _UNSPACED.sub(r" \g<0> ", plain)


def words(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, folded."""
    return _WORD.findall(folded(text))


@dataclass(frozen=True)
class Phrase:
    """Words that follow one another; the last may be the beginning of a longer one."""

    words: tuple[str, ...]
    open_ended: bool


@dataclass(frozen=True)
class Terms:
    """What an item has to hold: every phrase, and every condition on its metadata.

    Attributes
    ----------
    phrases : tuple of Phrase
    conditions : tuple of Condition
    unknown : tuple of str
        What was written as a column is, and is none: its words are among the phrases.
    """

    phrases: tuple[Phrase, ...]
    conditions: tuple[Condition, ...] = ()
    unknown: tuple[str, ...] = ()

    def expression(self) -> str:
        """The phrases in FTS5's language, in which a quoted text holds no operator."""
        return " AND ".join(
            f'"{" ".join(phrase.words)}"' + ("*" if phrase.open_ended else "")
            for phrase in self.phrases
        )

    def patterns(self) -> list[re.Pattern[str]]:
        """Patterns that are all found in a folded text which holds the phrases."""
        return [
            re.compile(
                r"(?<![^\W_])"
                + r"[\W_]+".join(map(re.escape, phrase.words))
                + ("" if phrase.open_ended else r"(?![^\W_])")
            )
            for phrase in self.phrases
        ]


def parse(text: str, columns: Iterable[str] = ()) -> Terms:
    """Read what was typed; nothing that can be typed is an error.

    A word finds the words that begin with it, in any order and wherever they stand, upper and
    lower case and accents alike. What is in quotes is found as it is. ``sender:alice``,
    ``sender!=bob``, ``length>100``, ``length<=5``, ``sender="alice b"`` and ``"sent by":alice``
    are conditions where there is such a column of metadata, and words where there is none.

    Parameters
    ----------
    text : str
    columns : iterable of str, optional
        Names of the columns.

    Examples
    --------
    >>> parse('win "your prize" length>100', ["length"]).expression()
    '"win"* AND "your prize"'
    """
    known = {name.casefold(): name for name in columns} if _CONDITION.search(text) else {}
    phrases: list[Phrase] = []
    conditions: list[Condition] = []
    unknown: list[str] = []
    at = 0
    while at < len(text):
        found = _CONDITION.match(text, at)
        if found is not None:
            title = found["title"]
            name = title.replace('""', '"') if title is not None else found["name"]
            value = found["quoted"] if found["quoted"] is not None else found["value"]
            if name.casefold() in known:
                conditions.append(typed(known[name.casefold()], found["sign"], value))
                at = found.end()
                continue
            if known and _may_be_meant(name, title is not None, value):
                unknown.append(name)
        if found is not None and title is None:
            given, is_open = words(found[0]), True
        else:
            found = _PHRASE.match(text, at)
            if found is None:
                at += 1
                continue
            is_quoted = found["phrase"] is not None
            given = words(found["phrase"] if is_quoted else found[0])
            # A quote that is still open is still being typed.
            is_open = not is_quoted or not found["end"]
        at = found.end()
        if given:
            phrases.append(Phrase(tuple(given), is_open))
    return Terms(tuple(dict.fromkeys(phrases)), tuple(conditions), tuple(dict.fromkeys(unknown)))


def _may_be_meant(name: str, is_quoted: bool, value: str) -> bool:
    return is_quoted or (_NAME.fullmatch(name) is not None and not value.startswith("//"))
