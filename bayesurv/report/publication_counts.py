"""Baseline characteristics and adverse events, of a cohort or as the founding paper prints them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from bayesurv.report.paper_table import PaperTable
from bayesurv.report.publication_read import Output
from bayesurv.report.publication_words import NONE, estimate, numbers, p, p_range, signs

CHARACTERISTIC = {"variable": "Characteristic", "level": "Level"}
RULE = "spss"
SMD = (
    "SMD, standardised mean difference (95% CI), the treated less the others; of three or more "
    "levels it is a distance, without sign or interval."
)


def patient_table(output: Output) -> PaperTable | None:
    """The table that `tables` wrote into the folder."""
    table = output.table("baseline.csv", (), ("variable", "level", "SMD", "95% CI", "P", "test"))
    if table is None:
        return None
    told = output.folder / "tables.txt"
    notes = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    return cohort_table(table, *notes)


def cohort_table(baseline: pd.DataFrame, who: str = "", *notes: str) -> PaperTable:
    """A table of `baseline.formatted`: patients by group, standardised difference and P.

    `who` says which patients, and `notes` how to read it.
    """
    named = baseline["variable"].where(baseline["variable"] != "").ffill()
    frame = baseline.assign(variable=named).replace("", NONE)
    for column in ("SMD", "95% CI"):
        frame[column] = frame[column].str.replace("-", "−")
    return PaperTable(
        title="Characteristics of the patients",
        subtitle=who,
        frame=frame,
        footnotes=(*notes, "CI, confidence interval."),
        labels=CHARACTERISTIC,
        stub=("variable", "level"),
    )


def printed_table(output: Output) -> PaperTable | None:
    """Table 1 of the founding paper, with the published P beside the recomputed one."""
    return _printed(output, "table1.csv", "Baseline characteristics")


def counted_table(output: Output) -> PaperTable | None:
    """Table 2 of the founding paper, with the published P beside the recomputed one."""
    return _printed(output, "table2.csv", "Adverse events and deaths")


def _printed(output: Output, file: str, title: str) -> PaperTable | None:
    needed = ("smd", "smd_lower", "smd_upper", RULE, *_members("p"))
    table = output.table(file, needed, ("item", "level", "printed_p", "fisher", "derived"))
    if table is None:
        return None
    columns = list(table.columns)
    arms = columns[columns.index("level") + 1 : columns.index("smd")]
    rows = [_row(row, arms) for row in table.to_dict("records")]
    labels = {
        "item": "Characteristic",
        "level": "Level",
        "smd": "SMD (95% CI)",
        "published_p": "Published P",
        "recomputed_p": "Recomputed P",
        "reproduced_by": "Published P is that of",
    }
    return PaperTable(
        title=title,
        subtitle=output.size(),
        frame=pd.DataFrame(rows),
        footnotes=tuple(_notes(table)),
        labels=labels,
        stub=("item", "level"),
    )


def _members(name: str) -> tuple[str, str, str]:
    return f"members_{name}_median", f"members_{name}_low", f"members_{name}_high"


def _row(row: dict, arms: Sequence[str]) -> dict[str, str]:
    recomputed = p(row[RULE])
    if np.isnan(row[RULE]):
        recomputed = p_range(*numbers(row, *_members("p")))
    return {
        "item": signs(row["item"]),
        "level": signs(row["level"]),
        **{arm: str(row[arm]).replace("-", "–") or NONE for arm in arms},
        "smd": estimate(numbers(row, "smd", "smd_lower", "smd_upper"), _two, NONE),
        "published_p": str(row["printed_p"]) or NONE,
        "recomputed_p": recomputed,
        "reproduced_by": str(row.get("reproduced_by", "")) or NONE,
    }


def _two(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _notes(table: pd.DataFrame) -> Iterator[str]:
    yield f"{SMD} CI, confidence interval."
    yield (
        "Recomputed P: Pearson's chi-squared where 5 or more are expected in every cell, else "
        "Fisher's exact test; of numbers the rank-sum test, median and range over the synthetic "
        f"cohorts. None is adjusted for the number of tests ({int(table[RULE].notna().sum())})."
    )
    for row in table[table["derived"] != ""].to_dict("records"):
        yield signs(f"{row['item']}: {row['derived']}.")
