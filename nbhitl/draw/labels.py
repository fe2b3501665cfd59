"""Text as it may be drawn: without what could steer a terminal or a page, cut to a length, and measured."""

from __future__ import annotations

import unicodedata

MAX_LABEL = 40
"""Longer names are cut in drawings, in the middle, so that both ends can be told apart."""

REPLACEMENT = "\ufffd"

# Widths of the printable ASCII characters in thousandths of the font size, for a common sans-serif face.
_NARROW = dict.fromkeys("!'()*,-./:;I[\\]`fijlrt{|} ", 330)
_WIDE = dict.fromkeys("ABCDEGHKNOPQRSUVXYZ&w", 700) | dict.fromkeys("MW@%m", 890)
_ADVANCE = dict.fromkeys(map(chr, range(32, 127)), 575) | _NARROW | _WIDE
_TABLE = [_ADVANCE.get(chr(i), 575) for i in range(128)]


def clean(text: str, limit: int = MAX_LABEL) -> str:
    r"""`text` on one line, without control, direction and unassigned characters, at most `limit` long.

    >>> clean("a\x1b[31m\nb")
    'a�[31m b'
    >>> clean("x" * 12, limit=7)
    'xxx…xxx'
    """
    if not (text.isascii() and text.isprintable()):
        # What lies far beyond the limit isn't looked at: names of any length take bounded time.
        head = text if len(text) <= 4 * limit else text[: 2 * limit] + text[-2 * limit :]
        text = "".join(map(_shown, head))
    if len(text) <= limit:
        return text
    left = (limit - 1) // 2
    return f"{text[:left]}…{text[len(text) - (limit - 1 - left) :]}"


def _shown(char: str) -> str:
    if char in "\n\r\t\v\f\u2028\u2029\x85":
        return " "
    # Zero-width joiners hold emoji and Indic letters together; all else invisible could hide or reorder text.
    category = unicodedata.category(char)
    return char if category[0] != "C" or char in "\u200c\u200d" else REPLACEMENT


def width(text: str, size: float) -> float:
    """About how wide `text` is in pixels at a font size of `size` pixels; the same on every machine.

    >>> round(width("agent", 13))
    34
    """
    if text.isascii():
        return sum(map(_TABLE.__getitem__, text.encode("ascii"))) * size / 1000
    return sum(_TABLE[ord(char)] if char < "\x7f" else 620 * cells(char) for char in text) * size / 1000


def cells(text: str) -> int:
    """How many columns `text` takes in a terminal.

    >>> cells("agent"), cells("日本")
    (5, 4)
    """
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200c\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
