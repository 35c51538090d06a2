"""References out of the code: commands, keys of a plan, and columns of the clinical tables."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from docutils import nodes
from pydantic_core import PydanticUndefined
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

from bayesurv.cli import app as commands
from bayesurv.data.clinical.schema import TABLES, Column
from bayesurv.plan_keys import SECTIONS


def commands_page() -> Iterator[str]:
    """Every command with its arguments, options and defaults."""
    for name, command in get_command(commands).commands.items():
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        options = [each for each in command.params if each.param_type_name == "option"]
        typed = " ".join(_argument(each) for each in arguments)
        yield f"## {name}\n"
        yield f"{command.help}\n"
        yield f"```text\nbayesurv {name} {typed + ' ' if typed else ''}[OPTIONS]\n```\n"
        yield "| argument, option | meaning |\n|---|---|"
        for each in arguments:
            yield f"| `{_argument(each)}` | {cell(each.help)} |"
        for each in options:
            yield f"| {_option(each)} | {cell(each.help)}{_default(each)} |"
        yield ""


def _argument(argument: Any) -> str:
    return argument.metavar or argument.name.upper()


def _option(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or _kind(option)}"
    names = [f"`{name}{value}`" for name in (*option.opts, *option.secondary_opts)]
    return ", ".join(names)


def _kind(option: Any) -> str:
    kinds = {int: "N", float: "NUMBER"}
    return kinds.get(option.type_descriptor.annotation, "TEXT")


def _default(option: Any) -> str:
    again = " May be repeated." if option.multiple and "repeated" not in option.help else ""
    if option.default in (None, False, []) or option.is_flag:
        return again
    return f"{again} Default: `{option.default}`."


def plan_page() -> Iterator[str]:
    """Every section of a plan with its keys."""
    for section, keys in SECTIONS.items():
        title = "endpoint.NAME" if section == "endpoint" else section
        yield f"## [{title}]\n"
        yield f"{keys.__doc__}\n"
        yield "| key | default |\n|---|---|"
        for name, field in keys.model_fields.items():
            yield f"| `{name}` | {_key_default(field)} |"
        yield ""


def _key_default(field: Any) -> str:
    if field.is_required():
        return "must be given"
    empty = field.default in (None, PydanticUndefined) or field.default == {}
    return "" if empty else f"`{_written(field.default)}`"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def tables_page() -> Iterator[str]:
    """Every clinical table with its columns."""
    for table, columns in TABLES.items():
        yield f"## {table}\n"
        yield "| column | holds | allowed | needed in | used for |\n|---|---|---|---|---|"
        yield from (_column(each) for each in columns)
        yield ""


def _column(column: Column) -> str:
    unit = f", {column.unit}" if column.unit else ""
    parts = (column.meaning + unit, column.allowed, column.required, column.used_for)
    return f"| `{column.name}` | {' | '.join(map(cell, parts))} |"


def cell(text: str | None) -> str:
    """Text as it may stand in a table, options as code."""
    line = (text or "").replace("|", "\\|").replace("\n", " ").replace("*", "\\*")
    return re.sub(r"(?<!\w)(--[a-z-]+)", r"`\1`", line)


PAGES: Mapping[str, Any] = {
    "bayesurv-commands": commands_page,
    "bayesurv-plan": plan_page,
    "bayesurv-tables": tables_page,
}


class Generated(SphinxDirective):
    """A page's worth of Markdown made by a function."""

    def run(self) -> list[nodes.Node]:
        text = "\n".join(PAGES[self.name]())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Make each page a directive."""
    for name in PAGES:
        app.add_directive(name, Generated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
