"""What a person types to search: words, "exact phrases" and conditions on metadata."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from .filters import Condition, typed

_WORD = re.compile(r"[^\W_]+")
_TYPED = re.compile(
    r'(?P<name>[^\s":<>=]+)(?P<sign><=|>=|[:=<>])(?:"(?P<quoted>[^"]*)"?|(?P<value>[^\s"]+))'
    r'|"(?P<phrase>[^"]*)(?P<end>"?)'
    r"|(?P<word>[^\s\"]+)"
)
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
    """

    phrases: tuple[Phrase, ...]
    conditions: tuple[Condition, ...] = ()

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
    ``length>100``, ``length<=5`` and ``sender="alice b"`` are conditions where there is such a
    column of metadata, and words where there is none.

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
    known = {name.casefold(): name for name in columns} if _TYPED.search(text) else {}
    phrases: list[Phrase] = []
    conditions: list[Condition] = []
    for found in _TYPED.finditer(text):
        name, sign = found["name"], found["sign"]
        if name is not None and name.casefold() in known:
            value = found["quoted"] if found["quoted"] is not None else found["value"]
            conditions.append(typed(known[name.casefold()], sign, value))
            continue
        is_quoted = found["phrase"] is not None
        given = words(found["phrase"] if is_quoted else found[0])
        if given:
            # A quote that is still open is still being typed.
            phrases.append(Phrase(tuple(given), not is_quoted or not found["end"]))
    return Terms(tuple(dict.fromkeys(phrases)), tuple(conditions))
