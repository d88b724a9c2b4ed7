"""YAML read as it is written: no aliases, no anchors, no tags, one document; what went wrong has a line."""

from collections.abc import Callable
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

LARGE = 256 * 1024
"""From so many characters on it is worth it to be fast, and to say how far one has come."""

_PARSER: Any = getattr(getattr(yaml, "cyaml", None), "CParser", None)

Progress = Callable[[int], None]
"""Told how many characters have been read since it was told before."""


class DocumentError(Exception):
    """A text is no such document; the message says what is wrong, and `line` where."""

    def __init__(self, problem: str, line: int = 1) -> None:
        super().__init__(problem)
        self.line = line


class _Refusals:
    """Composes nodes without aliases, anchors and tags: a document reads as it is written."""

    progress: Progress | None = None
    _told = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> Any:  # noqa: ANN401 - as the composer has it
        event: Any = self.peek_event()  # type: ignore[attr-defined] # the parser beside it
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are refused", problem_mark=event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem="tags are refused", problem_mark=event.start_mark)
        if self.progress is not None and isinstance(event, yaml.MappingStartEvent) and event.start_mark is not None:
            self.progress(event.start_mark.index - self._told)
            self._told = event.start_mark.index
        node: Any = super().compose_node(parent, index)  # type: ignore[misc] # the composer beside it
        if isinstance(node, yaml.ScalarNode):
            node.style = node.style or None  # libyaml has another word for a text without quotes
        return node


class _PlainLoader(_Refusals, yaml.SafeLoader):
    """Python alone, which says best what is wrong."""


if _PARSER is None:
    _LargeLoader: type[Any] = _PlainLoader
else:

    class _FastLoader(_Refusals, Composer, _PARSER, Resolver):  # type: ignore[misc] # known at run time alone
        """libyaml reads the text, three times as fast; what it reads is composed as above."""

        def __init__(self, text: str) -> None:
            _PARSER.__init__(self, text)
            Composer.__init__(self)
            Resolver.__init__(self)

    _LargeLoader = _FastLoader


def compose(text: str, progress: Progress | None = None) -> yaml.Node | None:
    """The one node of a document; None where it is empty.

    Raises:
        DocumentError: the text is no such document.
    """
    try:
        loader = _PlainLoader(text) if len(text) < LARGE else _LargeLoader(text)
    except yaml.YAMLError as error:  # characters that no document holds
        raise DocumentError(" ".join(str(error).split())) from error
    loader.progress = progress
    try:
        node: yaml.Node | None = loader.get_single_node()
    except RecursionError:
        problem, line = "nested too deeply", 1
    except yaml.MarkedYAMLError as error:
        problem = ", ".join(text for text in (error.context, error.problem) if text) or "it cannot be read"
        line = error.problem_mark.line + 1 if error.problem_mark else 1
    except yaml.YAMLError as error:
        problem, line = " ".join(str(error).split()), 1
    else:
        return node
    finally:
        loader.dispose()
    raise DocumentError(problem, line)


def is_ambiguous(node: yaml.ScalarNode) -> bool:
    """Whether some YAML reader takes the text for something else: a number, a truth, a time, nothing."""
    return node.style is None and node.tag != "tag:yaml.org,2002:str"
