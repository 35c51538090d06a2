"""What a long run tells while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Watcher:
    """Told how a run goes: the step that begins, and the share of it that is done."""

    step: Callable[[str], None] = field(default=lambda text: None)
    share: Callable[[float], None] = field(default=lambda share: None)
