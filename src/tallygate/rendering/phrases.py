"""Our own texts on lines in a document's language: those forms that are known, around a text that stays as it is."""

import re
from collections.abc import Callable

from tallygate.domain.billing.lines import Line
from tallygate.domain.currency import sign_of
from tallygate.rendering.languages import Language

_PREFIXES = {
    "Credit: ": "line_credit",
    "Adjustment: ": "line_adjustment",
    "Offset: ": "line_offset",
    "Initial: ": "line_initial",
}
_SUFFIXES = {
    ": least amount": "line_least",
    " (less what was credited before)": "line_less",
    " (no more than was charged)": "line_no_more",
}
_SPAN = r"(\d+) (hour|day|week|month|year)s?"
_AHEAD = re.compile(r"(?P<text>.+) \((?P<quantity>\d[\d,]*) in advance\)", re.DOTALL)
_OFF = re.compile(rf"(?P<text>.+) \((?P<span>{_SPAN}), (?P<value>[^()]+) off\)", re.DOTALL)
_EACH = re.compile(r"(?P<text>.+) \((?P<quantity>-?\d+) @ (?P<price>[^()]+)\)", re.DOTALL)
_DECIMAL = re.compile(r"\d+(\.\d+)?")


def text_of(line: Line, words: Language) -> str:
    """The text of a line; what of it is no form of ours is as it was written. In English all of it is."""
    if words.locale.language == "en":
        return line.text
    return _said(line.text, line, words)


def _said(text: str, line: Line, words: Language) -> str:
    for prefix, word in _PREFIXES.items():
        if text.startswith(prefix):
            return words[word].format(_said(text.removeprefix(prefix), line, words))
    for suffix, word in _SUFFIXES.items():
        if text.endswith(suffix):
            return words[word].format(_said(text.removesuffix(suffix), line, words))
    whose = f" for {line.subscriber}"
    if line.subscriber and text.endswith(whose):
        return words["line_for"].format(_said(text.removesuffix(whose), line, words), line.subscriber)
    return next((told for form in _FORMS if (told := form(text, line, words))), text)


def _ahead(text: str, _line: Line, words: Language) -> str:
    found = _AHEAD.fullmatch(text)
    return words["line_ahead"].format(found["text"], words.number(found["quantity"].replace(",", ""))) if found else ""


def _off(text: str, line: Line, words: Language) -> str:
    found = _OFF.fullmatch(text)
    value = _value(found["value"], line, words) if found else ""
    return words["line_off"].format(found["text"], _span(found["span"], words), value) if found and value else ""


def _value(text: str, line: Line, words: Language) -> str:
    """Per cent, periods or an amount."""
    if text.endswith("%") and _DECIMAL.fullmatch(text[:-1]):
        return words.per_cent(text[:-1])
    return _span(text, words) or _price(text, line, words)


def _span(text: str, words: Language) -> str:
    found = re.fullmatch(_SPAN, text)
    return words.span(int(found[1]), found[2]) if found else ""


def _each(text: str, line: Line, words: Language) -> str:
    found = _EACH.fullmatch(text)
    price = _price(found["price"], line, words) if found else ""
    return words["line_each"].format(found["text"], words.number(found["quantity"]), price) if found and price else ""


def _price(text: str, line: Line, words: Language) -> str:
    amount = text.removeprefix(sign_of(line.currency))
    return words.price_tag(amount, line.currency) if amount != text and _DECIMAL.fullmatch(amount) else ""


_FORMS: tuple[Callable[[str, Line, Language], str], ...] = (_ahead, _off, _each)
