"""The thirteen questions of a reviewer, of the founding paper reproduced."""

from collections.abc import Iterator

from bayesurv.report.page.blocks import (
    ANSWERED,
    NOT_ANSWERABLE,
    PARTLY,
    Block,
    Picture,
    Section,
)
from bayesurv.report.page.folder import Results
from bayesurv.report.page.questions import TITLES
from bayesurv.report.reproduce_words import TOPICS

UNPRINTED = "The paper does not print it, and no cohort made from its numbers can say it."


def questions_reproduced(results: Results) -> tuple[Section, ...]:
    """A section for each question, from the tables and sentences of the reproduction."""
    said = dict(zip(TOPICS, results.text("answer.txt"), strict=True))
    answers: tuple[tuple[str, tuple[Block, ...]], ...] = (
        (PARTLY, (
            "Overall survival, and EFS and PFS with it, of the 61 patients from the start of "
            "salvage, by CTI2 or other salvage whatever came later. Differences of restricted mean "
            "survival, of survival, and hazard ratios.",
            "For CTI2 it has to be the infusion, since conditioning and expansion come before; "
            "for the others it is the first day of treatment. The two are not the same day in a "
            "patient's course.")),
        (NOT_ANSWERABLE, (
            "Antigen loss, cells that could not be made and patients too ill to wait are reasons "
            f"for other salvage that the paper names without numbers. {UNPRINTED}",)),
        (PARTLY, (
            "86 patients failed; 25 chose palliative care and are not in the comparison "
            "(flow.csv). How many of them, or of the others, died waiting for CTI2 is not "
            "printed.",)),
        (ANSWERED, (said["time zero"],)),
        (NOT_ANSWERABLE, (
            "Performance status, LDH, tumour burden at salvage, antigen status, the interval since "
            f"CTI1, calendar year and dose are not in Table 1. {UNPRINTED}",)),
        (PARTLY, (
            "The six other treatments are partially pooled among themselves. Only one of them has "
            "a name in the paper, so that no regimen can be compared with CTI2 by itself.",)),
        (NOT_ANSWERABLE, (
            f"How often each arm was assessed, and what counts as an event of EFS. {UNPRINTED}",)),
        (PARTLY, (said["responses"],)),
        (ANSWERED, (
            "The model's prior of the log hazard ratio is Normal(0, 0.75); the answer under priors "
            "of other widths is in prior_sensitivity.csv.", said["external"])),
        (ANSWERED, (said["selection"], *_figure(
            results, "selection", "The hazard ratio with early deaths put back, and P(benefit)."))),
        (PARTLY, (
            "Patients are not known, so that none can be left out; early deaths put back, above, "
            "say how few change the answer.",)),
        (ANSWERED, (said["verdicts"],)),
        (ANSWERED, (
            f"{results.provenance['command']}, seed {results.provenance['seed']}. Every table is "
            "in this folder; README.txt says what each is.", said["members"])),
    )  # fmt: skip
    return tuple(
        Section(f"question-{i}", f"{i}. {title}", blocks, verdict)
        for i, (title, (verdict, blocks)) in enumerate(zip(TITLES, answers, strict=True), start=1)
    )


def _figure(results: Results, name: str, caption: str) -> Iterator[Picture]:
    svg = results.figure(name)
    if svg is not None:
        yield Picture(svg, caption)
