"""Type the tutorial as a reader would, and hold its output to what the page shows.

Blocks of tutorial.md, in order: `toml` with a title is written as a file, `shell` is run, and
`text` after a `shell` is what it printed. Numbers may differ by Monte-Carlo error, words may not
(`text loose`: words too, where they hang on a probability that is near a threshold).

    python docs/run_tutorial.py            # compare
    python docs/run_tutorial.py --write    # put the output and the figures of this run in the page
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).parent
PAGE = DOCS / "tutorial.md"
BLOCK = re.compile(r"^```(toml|shell|python|text)( [^\n]*)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINES = re.compile(r"[\u2500-\u257f]+")  # of tables, as wide as the numbers
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
WIDTH = 88
FIGURES = {
    "results/os/weibull/figures/survival.png": "tutorial-survival.png",
    "results/os/weibull/figures/forest.png": "tutorial-forest.png",
    "results/os/weibull/figures/benefit.png": "tutorial-benefit.png",
    "results/os/weibull/figures/horizons.png": "tutorial-horizons.png",
    "check/checks.png": "tutorial-check.png",
    "influence/influence.png": "tutorial-influence.png",
    "sensitivity/sensitivity.png": "tutorial-sensitivity.png",
}

type Shown = Callable[[str, str, str], str]  # info, shown, printed -> what the page shows now


def typed(page: str, folder: Path, shown: Shown) -> str:
    """The page, after typing its blocks in the folder."""
    printed = ""

    def block(found: re.Match[str]) -> str:
        nonlocal printed
        kind, info, body = found[1], (found[2] or "").strip(), found[3]
        if kind == "toml":
            (folder / info).write_text(body, encoding="utf-8")
        if kind in ("shell", "python"):
            print(textwrap.indent(body, "$ "), end="", flush=True)
            printed = run(body if kind == "shell" else f"python - <<'END'\n{body}END", folder)
        if kind != "text":
            return found[0]
        return f"```text{found[2] or ''}\n{shown(info, body, printed)}```"

    return BLOCK.sub(block, page)


def run(script: str, folder: Path) -> str:
    """What a shell prints, long lines folded."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": str(WIDTH), "PYTHONIOENCODING": "utf-8"}
    found = subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )
    if found.returncode:
        sys.exit(f"{script}\nended with {found.returncode}:\n{found.stderr}")
    folded = (
        textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
        for line in found.stdout.splitlines()
    )
    return "\n".join(line.rstrip() for lines in folded for line in lines).strip("\n") + "\n"


def compared(info: str, shown: str, printed: str) -> str:
    """What is shown, if a run prints it too.

    Raises
    ------
    SystemExit
        It does not, by more than Monte-Carlo error.
    """
    if info != "loose" and not alike(shown, printed):
        sys.exit(f"tutorial.md shows\n{shown}\nand a run prints\n{printed}\nsee --write")
    return shown


def alike(shown: str, printed: str) -> bool:
    """Whether two texts have the same words, and numbers that are near."""
    words = [NUMBER.sub("#", " ".join(LINES.sub(" ", text).split())) for text in (shown, printed)]
    return words[0] == words[1] and all(
        near(*pair) for pair in zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True)
    )


def near(shown: str, printed: str) -> bool:
    """Whether Monte-Carlo error could set two numbers apart: a tenth, or 0.06, or one digit."""
    digit = 10.0 ** -len(shown.partition(".")[2])
    return abs(float(shown) - float(printed)) <= max(0.06, 1.5 * digit, 0.1 * abs(float(shown)))


def main(write: bool) -> None:
    """Run the page in a folder of its own."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copy(DOCS / "examples" / "new_cohort.py", folder)
        now = typed(page, folder, (lambda *given: given[2]) if write else compared)
        if write:
            PAGE.write_text(now, encoding="utf-8")
            for source, name in FIGURES.items():
                picture(folder / source, DOCS / "images" / name)


def picture(source: Path, target: Path, width: int = 1200) -> None:
    """A figure with 256 colours, no wider than a screen."""
    from PIL import Image

    image = Image.open(source).convert("RGB")
    image.thumbnail((width, width))
    image.quantize(256).save(target, optimize=True)


if __name__ == "__main__":
    main("--write" in sys.argv[1:])
