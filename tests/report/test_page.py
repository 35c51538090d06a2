"""The report of a cohort: what stands in it, what does not, and what it is refused for."""

import base64
import html
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from bayesurv.plots.style import number, probability
from bayesurv.report.page import page as pages
from bayesurv.report.page.analyses import Analyses, first_exits, prior_and_posterior
from bayesurv.report.page.checklists import OPEN, barg, robust
from bayesurv.report.page.folder import read_results
from bayesurv.report.page.methods import methods, prior_words
from bayesurv.report.page.questions import TITLES, questions
from bayesurv.report.page.questions_design import overlap

PLAN = """
[cohort]
file = "cohort.csv"
unit = "months"
id = "pid"
[endpoint.efs]
time = "efs_months"
event = "efs_event"
[endpoint.os]
time = "os_months"
event = "os_event"
[model]
formula = "cti2 + bulky + age + (1 | centre)"
baseline = ["piecewise-exponential"]
[estimand]
treatment = "cti2"
horizon = 12
times = [0, 6, 12]
[sampling]
seed = 4
"""


@pytest.fixture(scope="module")
def made(bayesurv, make_cohort, tmp_path_factory):
    """The folder of a fit."""
    base = tmp_path_factory.mktemp("page")
    make_cohort().to_csv(base / "cohort.csv", index=False)
    (base / "plan.toml").write_text(PLAN)
    shown = bayesurv("fit", base / "plan.toml", "--out", base / "out")
    assert (shown.code, shown.error) == (0, "")
    return base / "out"


@pytest.fixture
def copy(made, tmp_path):
    """The folder, to be spoilt."""
    return shutil.copytree(made, tmp_path / "out")


@pytest.fixture(scope="module")
def text(made):
    return (made / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results(made):
    return read_results(made)


def said(text):
    """What a reader sees of a page or a part of it."""
    without = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())


def pictures(text):
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    return [base64.b64decode(each).decode() for each in found]


def part(text, anchor):
    """One section or question of the page."""
    start = text.index(f'id="{anchor}"')
    ends = [text.find(mark, start + 1) for mark in ("<section id=", "<article id=", "</main>")]
    return said(text[start : min(end for end in ends if end > 0)].split(">", 1)[1])


# --- What stands in it ---


def test_the_answer_has_the_numbers_of_the_tables(made, text):
    answer = part(text, "answer")
    benefit = pd.read_csv(made / "os/piecewise-exponential/benefit.csv")
    gain = benefit[benefit["quantity"] == "rmst_difference"].iloc[0]
    assert f"95% CrI {gain['lower']:.1f} to {gain['upper']:.1f}" in answer
    assert f"posterior probability of any gain {probability(gain['probability'])}" in answer
    ratio = pd.read_csv(made / "os/piecewise-exponential/hazard_ratios.csv").iloc[0]
    ends = f"{number(ratio['lower'])}–{number(ratio['upper'])}"
    assert f"{number(ratio['hazard_ratio'])} (95% CrI {ends})" in answer
    assert len(re.findall(r"\.(?= |$)", answer.split(" CrI: credible interval")[0])) == 2


def test_every_question_has_a_verdict(text):
    for i, title in enumerate(TITLES, start=1):
        asked = part(text, f"question-{i}")
        assert asked.startswith(f"{i}. {title}")
        verdict = asked.removeprefix(f"{i}. {title}").strip()
        assert verdict.startswith(("answered", "not answerable from these data"))
    assert part(text, "question-3").count("not answerable") == 1
    assert "1|centre" in part(text, "question-6").replace(" ", "")


def test_every_part_can_be_reached(text):
    anchors = set(re.findall(r'href="#([^"]+)"', text))
    assert {"explorer", "questions", "checklists", "methods", "provenance"} <= anchors
    assert anchors <= set(re.findall(r'id="([^"]+)"', text))


def test_ids_are_not_twice(text):
    ids = re.findall(
        r'<[^>]+\bid="([^"]+)"', re.sub(r"<script\b.*?</script>", "", text, flags=re.S)
    )
    assert len(ids) == len(set(ids))


def test_explorer_opens_with_the_headline(text):
    data = json.loads(re.search(r'id="explorer-data">(.*?)</script>', text, re.S)[1])
    assert "os" in json.dumps(data)[: json.dumps(data).lower().index("efs")].lower()


def test_figures_are_described(text):
    shown = re.findall(r'<img [^>]*alt="([^"]+)"', text)
    assert len(shown) == len(pictures(text)) >= 9
    assert all(len(alt.split()) > 2 for alt in shown)


def test_no_number_is_certain(text):
    assert not re.search(r"\bP\s*=\s*0?\.0+\b", said(text))
    assert not re.search(r"probability (of [\w ]+ )?(0|1|0\.0+|1\.0+)\b(?!\.)", said(text))


def test_methods_and_checklists(results, text):
    words = " ".join(methods(results))
    assert "61 patients" in words
    assert "4 chains" in words
    assert "seed 4" in words
    assert "R-hat 1.0" in words
    assert "doi:10.1038/s41562-021-01177-7" in part(text, "methods")
    assert len(robust(results)) == 7
    assert barg(results)["Item (BARG)"].str[0].str.isdigit().sum() == 11
    assert OPEN in barg(results)["How it is met"].to_numpy()


def test_a_reference_median_is_a_range_in_words():
    words = prior_words({"priors": {"median_survival": "MedianSurvival(0.5, 250.04, 0.9)"}})
    assert words == {"median survival": "between 0.50 and 250 with probability 0.9"}


def test_overlap_counts_and_masks(results, make_cohort):
    table = overlap(results).set_index("covariate")
    frame = make_cohort()
    for (arm, bulky), count in frame.groupby(["cti2", "bulky"]).size().items():
        shown = table.loc[f"bulky = {bulky}", f"cti2 = {arm}"]
        assert shown == (str(count) if count >= 5 else "fewer than 5")
    assert table.loc["age (median, quartiles)"].str.startswith("median").all()


def test_first_exits_are_those_of_the_arms(results, make_cohort):
    found = first_exits(results.fit, "cti2")
    first = make_cohort().groupby("cti2")["os_months"].min()
    assert [each.first_exit for each in found.values()] == first.tolist()


def test_prior_and_posterior_are_of_the_same_quantities(results):
    pairs = prior_and_posterior(results.fit)
    assert list(pairs) == [f"hazard ratio, {term}" for term in results.fit.design.terms]
    prior, posterior = pairs["hazard ratio, cti2"]
    assert np.log(prior).std() == pytest.approx(0.75, rel=0.05)
    draws = results.fit.posterior["coefficient"].sel(term="cti2")
    np.testing.assert_allclose(np.log(posterior), draws.to_numpy().ravel())


def test_influence_says_how_many_and_not_who(results):
    analyses = Analyses(results.fit, "cti2", 12)
    _, flip = analyses.influence
    words = questions(results, analyses)[10].blocks[0]
    assert "any one of the 61 patients" in words
    for row in flip.itertuples():
        assert f'"{row.direction}"' in words
        assert not re.search(rf"\b{re.escape(row.patients)}\b", words) or row.patients_removed == 1


def test_tables_of_the_page_are_those_of_the_folder(made, text):
    table = pd.read_csv(made / "tables/milestones_os_piecewise-exponential.csv", dtype=str)
    shown = part(text, "estimates")
    for cell in table.dropna().to_numpy().ravel():
        assert cell in shown


# --- What does not ---


def test_the_page_loads_nothing_and_is_small(made, text):
    markup = re.sub(r"<script\b.*?</script>", "", text, flags=re.S)
    loaded = re.findall(r'(?:src|href|srcset|action)="([^"]*)"', markup)
    assert all(address.startswith(("#", "data:")) for address in loaded)
    assert not re.search(r"@import|url\(\s*['\"]?http", markup)
    assert (made / "report.html").stat().st_size < 5e6


def test_no_patient_is_in_it(text, make_cohort):
    frame = make_cohort()
    everything = text + "".join(pictures(text))
    assert not any(each in everything for each in frame["pid"])
    assert not re.search(r"\bpatients? (?:numbers? )?\d", said(text))
    rows = frame[["os_months", "os_event", "cti2", "age"]].astype(str)
    for separator in (",", ", ", ";", "</td><td>"):
        assert not any(separator.join(row) in text for row in rows.to_numpy())


def test_nothing_names_the_machine(made, text):
    where = str(made.parent)
    assert where not in text.replace(
        json.loads((made / "provenance.json").read_text())["command"], ""
    )


def test_markup_in_a_name_is_text(bayesurv, make_cohort, tmp_path):
    frame = make_cohort().assign(arm=lambda f: np.where(f["cti2"] == 1, "<b>x</b>", "y & z"))
    frame.to_csv(tmp_path / "cohort.csv", index=False)
    options = ["--time", "os_months", "--event", "os_event", "--unit", "months", "--formula", "arm"]
    out = tmp_path / "out"
    shown = bayesurv("fit", tmp_path / "cohort.csv", *options, "--treatment", "arm", "--out", out)
    assert shown.code == 0
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "<b>x</b>" not in re.sub(r"<script\b.*?</script>", "", text, flags=re.S)
    assert "&lt;b&gt;x" in text


# --- Other fits ---


def test_without_a_treatment_nothing_is_compared(bayesurv, cohort_csv, tmp_path):
    options = ["--time", "os_months", "--event", "os_event", "--unit", "months"]
    out = tmp_path / "out"
    shown = bayesurv("fit", cohort_csv, *options, "--formula", "1", "--no-classical", "--out", out)
    assert shown.code == 0
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "no treatment was named" in part(text, "answer")
    for i in (2, 4, 10, 11):
        assert "not answerable from these data" in part(text, f"question-{i}")


def test_failed_draws_are_marked(copy):
    results = read_results(copy)
    fit = results.fit
    object.__setattr__(fit, "failed", True)
    text = pages.render(results, {})
    assert 'role="alert">The fit FAILED' in text
    assert "(os/piecewise-exponential)" in said(text)


# --- The command ---


def test_the_same_page_again(bayesurv, copy, text):
    before = json.loads((copy / "provenance.json").read_text())
    (copy / "report.html").unlink()
    shown = bayesurv("report", copy)
    assert (shown.code, shown.error) == (0, "")
    assert (copy / "report.html").read_text(encoding="utf-8") == text
    assert json.loads((copy / "provenance.json").read_text()) == before
    assert not [path for path in copy.iterdir() if path.name.startswith(".")]


def test_word_holds_the_numbers_of_the_csv(bayesurv, copy):
    from docx import Document

    assert bayesurv("report", copy, "--word").code == 0
    document = Document(str(copy / "tables/tables.docx"))
    cells = {c.text for table in document.tables for row in table.rows for c in row.cells}
    for path in (copy / "tables").glob("*.csv"):
        for value in pd.read_csv(path, dtype=str).dropna().to_numpy().ravel():
            assert value in cells


def everything(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_an_unfinished_report_replaces_nothing(copy, monkeypatch):
    before = everything(copy)

    def broken(*given):
        raise OSError(28, "No space left on device")

    for name in ("render", "write_files"):
        with monkeypatch.context() as patch:
            patch.setattr(pages, name, broken)
            with pytest.raises(OSError, match="No space"):
                pages.write_report(copy)
        assert everything(copy) == before


def spoil_mark(folder, **changed):
    mark = folder / "provenance.json"
    mark.write_text(json.dumps(json.loads(mark.read_text()) | changed))


def without_fits(folder):
    for path in folder.glob("*/*/posterior.nc"):
        path.unlink()


def other_data(folder):
    spoil_mark(folder, data={"efs": {"sha256": "0"}, "os": {"sha256": "0"}})


def damaged(folder):
    (folder / "os/piecewise-exponential/posterior.nc").write_bytes(b"nothing")


def one_gone(folder):
    (folder / "efs/piecewise-exponential/posterior.nc").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_fits, "no fit in it"),
        (other_data, "a fit of other data"),
        (lambda folder: spoil_mark(folder, bayesurv="0.0.1"), "written by bayesurv 0.0.1"),
        (damaged, "damaged"),
        (one_gone, "its file is gone"),
        (lambda folder: (folder / "provenance.json").unlink(), "no results of bayesurv"),
        (lambda folder: (folder / "provenance.json").write_text("{"), "no results of bayesurv"),
    ],
)
def test_a_folder_that_cannot_be_used(bayesurv, copy, spoil, said):
    spoil(copy)
    before = everything(copy)
    shown = bayesurv("report", copy)
    assert (shown.code, shown.out) == (2, "")
    assert said in shown.error
    assert "Traceback" not in shown.error
    assert everything(copy) == before


def test_faults_are_listed_together(bayesurv, copy):
    one_gone(copy)
    spoil_mark(copy, bayesurv="0.0.1")
    shown = bayesurv("report", copy)
    assert "written by" in shown.error
    assert "is gone" in shown.error
