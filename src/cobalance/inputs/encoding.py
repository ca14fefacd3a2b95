"""Which encoding a text is in: UTF-8, UTF-16 with its mark, or GB18030, and never a guess between two.

GB18030 gives *some* reading of nearly every byte string, and short GB18030 texts can be valid UTF-8 (煤炭 is read as
two odd Latin characters). So a reading counts only where it is plausible, and where two are, the user is asked.
"""

from __future__ import annotations

import codecs
import unicodedata

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_COMMON_SIGNS = frozenset("×·°±²³µ÷§©®½–—“”‘’…•€")
_PLAUSIBLE_SHARE = 0.9


def text_encoding(raw: bytes) -> str | None:
    """The encoding of ``raw`` as Python names it, or None where none or several are plausible."""
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    unicode_text = _decoded(raw, "utf-8")
    chinese_text = _decoded(raw, "gb18030")
    if unicode_text is not None and unicode_text.isascii():
        return "utf-8"
    is_chinese = chinese_text is not None and _looks_chinese(chinese_text)
    if unicode_text is not None:
        return "utf-8" if not is_chinese or _looks_unicode(unicode_text) else None
    return "gb18030" if is_chinese else None


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _looks_chinese(text: str) -> bool:
    """Whether nearly all characters beyond ASCII are of the everyday set GB 2312: a misread text falls outside it."""
    foreign = [character for character in text if ord(character) > 127]
    return sum(_in_gb2312(character) for character in foreign) >= _PLAUSIBLE_SHARE * len(foreign)


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _looks_unicode(text: str) -> bool:
    """Whether the characters beyond ASCII make sense as they are: Chinese ones, or letters within Latin words."""
    for position, character in enumerate(text):
        if ord(character) <= 127 or character in _COMMON_SIGNS or ord(character) >= 0x2000:
            continue
        around = text[max(position - 1, 0) : position] + text[position + 1 : position + 2]
        is_latin = unicodedata.name(character, "").startswith("LATIN")
        if not (is_latin and any(neighbour.isascii() and neighbour.isalpha() for neighbour in around)):
            return False
    return True
