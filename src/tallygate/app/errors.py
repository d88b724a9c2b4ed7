"""Why the application cannot start, in one line a person can act on."""


class StartError(Exception):
    """The application cannot start; the message is one line with cause and fix."""
