"""YAML read as it is written: no aliases, no anchors, no tags, one document; what went wrong has a line."""

import yaml
from typing_extensions import override


class DocumentError(Exception):
    """A text is no such document; the message says what is wrong, and `line` where."""

    def __init__(self, problem: str, line: int = 1) -> None:
        super().__init__(problem)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Composes nodes without aliases, anchors and tags: a document reads as it is written."""

    @override
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call] # the stubs leave it open
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are refused", problem_mark=event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem="tags are refused", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def compose(text: str) -> yaml.Node | None:
    """The one node of a document; None where it is empty.

    Raises:
        DocumentError: the text is no such document.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    except RecursionError:
        problem, line = "nested too deeply", 1
    except yaml.MarkedYAMLError as error:
        problem = ", ".join(text for text in (error.context, error.problem) if text) or "it cannot be read"
        line = error.problem_mark.line + 1 if error.problem_mark else 1
    except yaml.YAMLError as error:
        problem, line = " ".join(str(error).split()), 1
    finally:
        loader.dispose()
    raise DocumentError(problem, line)


def is_ambiguous(node: yaml.ScalarNode) -> bool:
    """Whether some YAML reader takes the text for something else: a number, a truth, a time, nothing."""
    return node.style is None and node.tag != "tag:yaml.org,2002:str"
