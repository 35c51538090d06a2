"""Answer to a question about saved fits: tables, figures and a sentence, in one folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bayesurv.fitting import Fit
from bayesurv.report.folder import staged
from bayesurv.report.origin import write_provenance
from bayesurv.saved import provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes


FAILED = "The fit FAILED the sampler's checks: do not report these numbers."


@dataclass(frozen=True)
class Answer:
    """Tables and figures by the stem of their file, the answer in a sentence, and its notes.

    `shown` is the table that a command prints.
    """

    sentence: str
    shown: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    figures: "Mapping[str, Axes]"
    notes: tuple[str, ...] = field(default=())

    def text(self) -> str:
        """The sentence and the notes, a line each."""
        return "\n".join((self.sentence, *self.notes)) + "\n"

    def write(self, folder: Path, name: str, figures: Path | None = None) -> None:
        """Write `<stem>.csv`, the figures, and the sentence as `<name>.txt`.

        Figures are `<stem>.png`, `.svg` and `.pdf`, in a folder of their own if it is named.
        """
        from bayesurv.plots.style import save_all

        for stem, table in self.tables.items():
            table.to_csv(folder / f"{stem}.csv", index=False)
        for stem, axes in self.figures.items():
            save_all(axes, (figures or folder) / stem)
        (folder / f"{name}.txt").write_text(self.text(), encoding="utf-8")


def write_answer(answer: Answer, out: Path, name: str, fits: Mapping[str, Fit]) -> None:
    """Write an answer into a folder of its own, with where it came from; whole or not at all.

    `fits` are the fits that were asked, by the path that was given.
    """
    if any(fit.failed for fit in fits.values()):
        answer = replace(answer, sentence=f"{FAILED}\n{answer.sentence}")
    with staged(out) as staging:
        answer.write(staging, name)
        asked = {path: provenance(fit) for path, fit in fits.items()}
        write_provenance(staging, fits=asked)
