"""A document as one HTML page, which loads nothing."""

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from tallygate.domain.billing.documents import Invoice
from tallygate.rendering.sheet import sheet

if TYPE_CHECKING:
    from jinja2 import Template


def page(invoice: Invoice, locale: str = "") -> bytes:
    """An issued document as UTF-8, in a language or its buyer's; the same document is the same bytes."""
    return _template().render(sheet=sheet(invoice, locale)).encode()


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only who reads a page pays for it

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    source = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(source)
