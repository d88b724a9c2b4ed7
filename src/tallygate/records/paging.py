"""Pages of lists: opaque tokens that name the last item seen, so that a list may change between two pages."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.fields import checked_page
from tallygate.domain.period import MAX_INSTANT

SEPARATOR = "\x1f"
"""Sorts before every character that an id can have."""

_DIGITS = 20

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page: `page_size` 0 asks for the default, an empty token for the first."""

    page_size: int = 0
    page_token: str = ""

    def size(self) -> int:
        """How many items to answer at most.

        Raises:
            InvalidFieldError: the size is negative or too large.
        """
        return checked_page(self.page_size)

    def after(self) -> str:
        """The last item of the page before, empty for the first page.

        Raises:
            InvalidFieldError: no list handed out this token.
        """
        try:
            after = urlsafe_b64decode(self.page_token + "=" * (-len(self.page_token) % 4)).decode()
        except ValueError:
            after = ""
        if _token(after) != self.page_token or "\x00" in after:
            raise _foreign()
        return after

    def after_pair(self) -> tuple[str, str]:
        """As `after`, of a list by two texts; two empty ones for the first page.

        Raises:
            InvalidFieldError: no such list handed out this token.
        """
        first, separator, second = self.after().partition(SEPARATOR)
        if self.page_token and not separator:
            raise _foreign()
        return first, second

    def before(self) -> tuple[int, str] | None:
        """The last item of the page before, of a list newest first: when it was created, and its id.

        Raises:
            InvalidFieldError: no such list handed out this token.
        """
        if not self.page_token:
            return None
        created, last_id = self.after_pair()
        if not (created.isascii() and created.isdecimal() and len(created) <= _DIGITS and int(created) < MAX_INSTANT):
            raise _foreign()
        return int(created), last_id


FIRST_PAGE = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T_co]):
    """Items in order, and the token of the next page: empty on the last."""

    items: Sequence[T_co]
    next_page_token: str = ""


def key_of(*parts: str | int) -> str:
    """Parts of a list's order as one text that sorts as they do; numbers are not negative."""
    return SEPARATOR.join(f"{part:0{_DIGITS}d}" if isinstance(part, int) else part for part in parts)


async def page_of(
    request: PageRequest, load: Callable[[str, int], Awaitable[Sequence[T]]], key: Callable[[T], str]
) -> Page[T]:
    """Load one page; `load` takes the key that items come behind and how many."""
    size = request.size()
    items = await load(request.after(), size + 1)
    more = len(items) > size
    return Page(items=items[:size], next_page_token=_token(key(items[size - 1])) if more else "")


async def newest_of(
    request: PageRequest,
    load: Callable[[tuple[int, str] | None, int], Awaitable[Sequence[T]]],
    key: Callable[[T], tuple[int, str]],
) -> Page[T]:
    """Load one page of a list newest first; `load` takes what items come behind and how many."""
    size = request.size()
    items = await load(request.before(), size + 1)
    token = _token(key_of(*key(items[size - 1]))) if len(items) > size else ""
    return Page(items=items[:size], next_page_token=token)


def slice_of(request: PageRequest, items: Sequence[T], key: Callable[[T], str]) -> Page[T]:
    """One page of items that are all at hand."""
    size, after = request.size(), request.after()
    behind = sorted((item for item in items if key(item) > after), key=key)
    token = _token(key(behind[size - 1])) if len(behind) > size else ""
    return Page(items=behind[:size], next_page_token=token)


def part_of(request: PageRequest, items: Sequence[T], key: Callable[[T], str]) -> Page[T]:
    """One page of items that are all at hand, in the order that they have; behind one that is gone they begin anew."""
    size, after = request.size(), request.after()
    first = next((place for place, item in enumerate(items, 1) if after and key(item) == after), 0)
    part = items[first : first + size]
    return Page(items=part, next_page_token=_token(key(part[-1])) if len(items) > first + size else "")


def _foreign() -> InvalidFieldError:
    return InvalidFieldError(field="page_token", expected="a token that this list answered")


def _token(last: str) -> str:
    return urlsafe_b64encode(last.encode()).decode().rstrip("=")
