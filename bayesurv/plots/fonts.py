"""What is said of fonts: a missing one is told once, not with every piece of text."""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

NO_GLYPH = re.compile(r"Glyph (\d+) .*missing from font")


class FontWarning(UserWarning):
    """Characters that the font of the figures cannot draw."""


class _Once(logging.Filter):
    """Lets each message through one time."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        new = message not in self.seen
        self.seen.add(message)
        return new


# Where a matplotlibrc names a font that is not installed, matplotlib falls back to the one it
# brings, and says so for every piece of text.
logging.getLogger("matplotlib.font_manager").addFilter(_Once())


@contextmanager
def one_font_warning(name: str) -> Iterator[None]:
    """Gather the warnings of glyphs that a font has not into one, of the figure of this name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    lacking = set()
    for each in caught:
        glyph = NO_GLYPH.match(str(each.message))
        if glyph is None:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        else:
            lacking.add(chr(int(glyph[1])))
    if lacking:
        warnings.warn(
            f"{name}: the font of the figures cannot draw {''.join(sorted(lacking))}, boxes stand "
            "in their place; name an installed font that can under font.family in a matplotlibrc "
            "file, such as font.family: DejaVu Sans, Noto Sans CJK SC",
            FontWarning,
            stacklevel=4,
        )
