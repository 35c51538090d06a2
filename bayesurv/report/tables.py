"""Answer to `bayesurv tables`: the baseline or adverse-event table of any cohort, by group."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.covariates import absent, code_covariates, is_category, read_ordinal
from bayesurv.data.faults import Checklist, listed, nearest
from bayesurv.data.read import as_numbers, as_text, read_table
from bayesurv.frequentist.baseline_table import OVERALL, BaselineTable, baseline_table
from bayesurv.frequentist.rules import RULES
from bayesurv.report.answer import Answer
from bayesurv.report.baseline import SUMMARIES, formatted
from bayesurv.report.paper_table import PaperTable
from bayesurv.report.publication_counts import cohort_table

MOST_LEVELS = 20  # text with more of them may be the patients' names
MOST_GROUPS = 10


def tables_answer(
    file: Path,
    by: str,
    columns: Sequence[str] = (),
    rule: str = "spss",
    ordinal: Sequence[str] = (),
    summary: str = "median-range",
) -> Answer:
    """Table of the columns, by the groups of the column `by`.

    Unless columns are named, all are shown but text that may name patients. `ordinal` gives levels
    in order, each as "stage=I,II,III,IV". `rule` and `summary` are keys of RULES and SUMMARIES.

    Raises
    ------
    InputError
        The file, an option, or a cell in one of the columns cannot be used; lists every fault.
    """
    coded, telling = _coded(file, by, columns, rule, ordinal, summary)
    kept = coded[by].notna()
    shown = coded.loc[kept].drop(columns=[by, *telling])
    found = baseline_table(shown, _grouped(coded.loc[kept, by]), rule)
    baseline = formatted(found, summary)
    tables = {"baseline": baseline, "values": found.values, "tests": found.comparisons}
    told = notes(found, by, rule, summary, int((~kept).sum()), telling)
    return Answer(sentence(found, file.name, by), baseline, tables, {}, tuple(told))


def paper_table(answer: Answer) -> PaperTable:
    """The table of an answer as it goes into a paper."""
    return cohort_table(answer.shown, answer.sentence, *answer.notes)


def _coded(
    file: Path, by: str, columns: Sequence[str], rule: str, ordinal: Sequence[str], summary: str
) -> tuple[pd.DataFrame, list[str]]:
    """The group and the columns asked for, typed and checked; and those that may name patients."""
    table = read_table(file)
    check = Checklist(file.name, table.index)
    _check_choice(check, "--rule", rule, RULES)
    _check_choice(check, "--summary", summary, SUMMARIES)
    levels, _ = read_ordinal(check, dict(_levels(check, ordinal)))
    for option, names in {"by": [by], "columns": columns, "ordinal": levels}.items():
        for name in [name for name in names if name not in table]:
            check.add(absent(name, table, f"named by --{option}"), column=name)
    check.finish()
    wanted = list(dict.fromkeys([by, *(columns or table)]))
    coded = code_covariates(check, table[wanted], levels, {})
    _check_cells(check, coded)
    _check_groups(check, coded[by])
    telling = [name for name in wanted if name != by and _may_name_patients(coded[name])]
    for name in telling if columns else ():
        check.add("its levels may name single patients; leave it out", column=name)
    if len(wanted) - len(telling) < 2:
        check.add(f"no column besides {by} is left to show")
    check.finish()
    return coded, telling


def _check_choice(check: Checklist, option: str, given: str, known: Collection[str]) -> None:
    if given not in known:
        hint = nearest(given, known)
        check.add(f'{option} "{given}" is not known.{hint} It may be {listed(known)}')


def _levels(check: Checklist, ordinal: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for text in ordinal:
        name, equals, levels = text.partition("=")
        if not equals:
            check.add(f'--ordinal "{text}": write it as "stage=I,II,III,IV"')
        else:
            yield name.strip(), [level.strip() for level in levels.split(",")]


def _check_cells(check: Checklist, coded: pd.DataFrame) -> None:
    """Numbers must be numbers, and finite."""
    for name in coded:
        if is_category(coded[name]):
            continue
        numbers, wrong = as_numbers(coded[name], flags=True)
        message = "{value} is not a number, as most of the column is; correct it, or empty the cell"
        message += ' if it is missing, or state the levels: --ordinal "{name}=0,1,2,>=3"'
        check.refuse(wrong, name, message.replace("{name}", name), value=coded[name])
        check.refuse(np.isinf(numbers), name, "{value} is not finite", value=coded[name])


def _check_groups(check: Checklist, by: pd.Series) -> None:
    count = by.nunique()
    if not 2 <= count <= MOST_GROUPS:
        message = f"it has {count} different values; --by takes a column of 2 to {MOST_GROUPS}"
        check.add(message, column=str(by.name))
    if OVERALL in as_text(by):
        check.add(f'a group is called "{OVERALL}", as all are; rename it', column=str(by.name))


def _may_name_patients(values: pd.Series) -> bool:
    """Text with very many levels, or with one for each patient."""
    if not is_category(values) or values.cat.ordered:
        return False
    counts = values.value_counts()
    return len(counts) > MOST_LEVELS or (len(counts) > 2 and counts.max() == 1)


def _grouped(by: pd.Series) -> pd.Categorical:
    """Groups in order; numbered ones are called by the column too, as "cti2 1"."""
    if is_category(by):
        return pd.Categorical(by)
    numbers = np.sort(by.unique())
    names = [f"{by.name} {text}" for text in as_text(numbers)]
    return pd.Categorical.from_codes(np.searchsorted(numbers, by), categories=names)


def sentence(table: BaselineTable, file: str, by: str) -> str:
    """Who is compared, and which columns are furthest apart."""
    (_, total), *sizes = table.groups.items()
    groups = listed(f"{name} ({size})" for name, size in sizes)
    text = f"{total} patients of {file} by {by}: {groups}."
    far = table.comparisons.dropna(subset="smd").sort_values("smd", key=np.abs, ascending=False)
    furthest = listed(f"{row.variable} ({row.smd:.2f})" for row in far.head(3).itertuples())
    return text + f" Furthest apart by standardised mean difference: {furthest}." * bool(furthest)


def notes(
    table: BaselineTable,
    by: str,
    rule: str,
    summary: str,
    left_out: int,
    telling: Sequence[str],
) -> Iterator[str]:
    """How to read the table, and what it leaves out."""
    first, second, *others = list(table.groups)[1:]
    sign = "the largest between two groups, without sign" if others else f"{second} less {first}"
    yield (
        f"SMD, the standardised mean difference, is {sign}; of three or more levels it is a "
        "distance, without sign or interval. Imbalance is judged by it rather than by P, which "
        "depends on the number of patients too."
    )
    count = int(table.comparisons["p"].notna().sum())
    middle, *ends = (name.replace("_", " ") for name in SUMMARIES[summary])
    yield f"Numbers are shown as {middle} ({' to '.join(ends)})."
    yield f"Percentages are of patients with a value. {count} P, none adjusted; rule {rule}."
    if left_out:
        yield f"Patients left out, as they have no {by}: {left_out}."
    if telling:
        yield f"Columns left out, as their text may name patients: {listed(telling)}."
