"""README and docs: what they name is there, and what is there they name."""

import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

import bayesurv as package
from bayesurv.cli import app
from bayesurv.models.priors import parse_prior

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
COMMANDS = get_command(app).commands
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLAN = """
[cohort]
file = "cohort.csv"
unit = "months"
id = "pid"
[endpoint.os]
time = "os_months"
event = "os_event"
[model]
formula = "cti2"
baseline = ["weibull", "piecewise-exponential"]
[priors]
median_survival = { lower = 4, upper = 40 }
[estimand]
treatment = "cti2"
horizon = 8
[sampling]
seed = 1
"""
QUESTIONS = ("check", "influence", "sensitivity", "compare")


def text(page):
    return page.read_text(encoding="utf-8")


def code(page):
    """Commands as they are typed: in shell blocks, indented blocks and spans of code."""
    blocks = [body for kind, body in FENCE.findall(text(page)) if kind == "shell"]
    prose = FENCE.sub("", text(page))
    indented = re.findall(r"^    (?:.*\n)(?:    .*\n)*", prose, re.MULTILINE)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    return [line for block in blocks + indented for line in joined(block)] + spans


def joined(block):
    return [line.strip() for line in block.replace("\\\n", " ").splitlines()]


def options(command):
    return {name for each in command.params for name in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist_with_these_options(page):
    known = set().union(*map(options, COMMANDS.values())) | {"--help", "--version"}
    for line in code(page):
        found = re.search(r"^(?:\$ )?bayesurv ([a-z][\w-]*)(.*)", line)
        flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", line))
        if found is None:
            assert not line.startswith("--") or flags <= known, line
            continue
        assert found[1] in COMMANDS, line
        flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", found[2].split("|")[0]))
        assert flags <= options(COMMANDS[found[1]]) | {"--help"}, line


def test_commands_are_found_at_all():
    typed = [line for page in PAGES for line in code(page) if line.startswith("bayesurv ")]
    assert len(typed) > 20
    assert any("--causal" in line for page in PAGES for line in code(page))


def test_readme_names_every_command():
    table = text(ROOT / "README.md").partition("| Command | Answers |")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`([\w-]+)`", row)]
    assert set(named) == set(COMMANDS)
    assert len(named) == len(set(named))


def test_readme_layout_is_that_of_the_repository():
    layout = text(ROOT / "README.md").partition("## Layout")[2].partition("\n\nData")[0]
    named = re.findall(r"^    (\S+)", layout, re.MULTILINE)
    named = {name for name in named if "/" in name and not name.endswith(":")}
    for name in named:
        assert list(ROOT.glob(name)), name
    folders = {f"bayesurv/{each.parent.name}/" for each in ROOT.glob("bayesurv/*/__init__.py")}
    assert folders <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere_and_pictures_are_small(page):
    for target in re.findall(r"\]\(([^)\s]+)\)|\{download\}`[^<]*<([^>]+)>", text(page)):
        name = "".join(target).partition("#")[0]
        if not name or name.startswith("https://"):
            continue
        assert (page.parent / name).is_file(), name
        if name.endswith(".png"):
            assert (page.parent / name).stat().st_size < 150_000, name


def test_every_public_name_is_in_the_reference_once():
    named = re.findall(r"^\.\. auto\w+:: bayesurv\.(\w+)$", text(DOCS / "api.md"), re.MULTILINE)
    assert sorted(named) == package.__all__


@pytest.mark.parametrize("page", ["plan.md", "tutorial.md", "methods.md"])
def test_priors_can_be_read(page):
    families = "Normal|StudentT|HazardRatio|LogNormal|HalfNormal|HalfCauchy|Gamma|MedianSurvival"
    written = re.findall(rf"`\"?((?:{families})\([^)]*\))\"?`", text(DOCS / page))
    assert written or page == "tutorial.md"
    for prior in written:
        parse_prior(prior)


# --- Files and columns ---


def documented():
    """Columns of each file that has a section of its own in reading.md."""
    parts = re.split(r"^### `([\w.]+)`$", text(DOCS / "reading.md"), flags=re.MULTILINE)
    tables = {}
    for name, section in zip(parts[1::2], parts[2::2], strict=True):
        cells = re.findall(r"^\| (`.*?) \|", section.partition("\n## ")[0], re.MULTILINE)
        tables[name] = {column for cell in cells for column in re.findall(r"`([^`]+)`", cell)}
    return tables


@pytest.fixture(scope="module")
def written(make_cohort, bayesurv, tmp_path_factory):
    """A run of a plan and of the questions to it, as the tutorial does it."""
    folder = tmp_path_factory.mktemp("written")
    make_cohort().to_csv(folder / "cohort.csv", index=False)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    fits = [folder / "results" / "os" / name for name in ("weibull", "piecewise-exponential")]
    ran = bayesurv("fit", folder / "plan.toml", "--out", folder / "results")
    assert ran.code == 0, ran.error
    for question in QUESTIONS:
        asked = fits if question == "compare" else fits[:1]
        ran = bayesurv(question, *asked, "--out", folder / question)
        assert ran.code == 0, ran.error
    return folder


def tables_in(folder):
    results = folder / "results"
    places = (results / "os" / "weibull", results / "os", results, *map(folder.joinpath, QUESTIONS))
    return {file.name: file for place in places for file in place.glob("*.csv")}


def test_every_file_that_is_read_about_is_written_with_these_columns(written):
    files, tables = tables_in(written), documented()
    assert len(tables) > 15
    for name, columns in tables.items():
        assert columns == set(pd.read_csv(files[name])), name


def test_every_file_that_is_written_is_read_about(written):
    page = text(DOCS / "reading.md")
    assert [name for name in tables_in(written) if f"`{name}`" not in page] == []
    figures = (written / "results" / "os" / "weibull" / "figures").glob("*.png")
    assert [f.name for f in figures if f"`figures/{f.name}`" not in page] == []


# --- The tutorial ---


def module(path):
    made = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(made)
    made.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def tutorial():
    return module(DOCS / "run_tutorial.py")


def test_numbers_may_differ_by_monte_carlo_error_and_words_may_not(tutorial):
    shown = "hazard ratio 0.65 (95% CrI 0.38 to 1.12), 64 patients"
    assert tutorial.alike(shown, shown.replace(" 64", "\n64"))
    assert tutorial.alike(shown, shown.replace("0.65", "0.66"))
    assert not tutorial.alike(shown, shown.replace("0.65", "0.75"))
    assert not tutorial.alike(shown, shown.replace("64", "54"))
    assert not tutorial.alike(shown, shown.replace("patients", "people"))


def test_blocks_are_typed_in_order(tutorial, tmp_path):
    page = "```toml a.toml\nx = 1\n```\n```shell\ncat a.toml\n```\n```text\n```\nEnd.\n"
    now = tutorial.typed(page, tmp_path, lambda info, shown, printed: printed)
    assert now == page.replace("```text\n", "```text\nx = 1\n")
    with pytest.raises(SystemExit, match="a run prints\nx = 1"):
        tutorial.typed(page, tmp_path, tutorial.compared)
    with pytest.raises(SystemExit, match="ended with 1"):
        tutorial.typed("```shell\nfalse\n```\n", tmp_path, tutorial.compared)


def test_readme_quotes_the_tutorial():
    caption = re.search(r"cohort of 64 patients.*?\*", text(ROOT / "README.md"), re.DOTALL)[0]
    answer = re.search(
        r"^Over the first 12 months.*?Overall", text(DOCS / "tutorial.md"), re.S | re.M
    )
    for number in re.findall(r"-?\d+\.\d+", caption):
        assert number in answer[0], number


def test_the_invented_cohort_is_the_same_each_time_and_derives(tmp_path, bayesurv):
    script = module(DOCS / "examples" / "new_cohort.py")
    script.write(tmp_path / "one")
    script.write(tmp_path / "two")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["adverse_events.csv", "assessments.csv", "patients.csv"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    tables = [tmp_path / "one" / name for name in files]
    ran = bayesurv("derive", *tables, "--out", tmp_path / "cohort.csv")
    assert ran.code == 0, ran.error
    assert pd.read_csv(tmp_path / "cohort.csv")["cti2"].sum() == 32
