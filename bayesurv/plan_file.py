"""Plan files: read TOML as it stands, and write it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from bayesurv.data.faults import Fault, InputError, nearest

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        The file is missing, unreadable, not UTF-8, or malformed (with the line).
    """
    text = _text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        message = f"not valid TOML: {error}"
        if "\\" in text:
            message += "; a path with \\ in it goes in single quotes"
        raise InputError([Fault(message, path.name, int(line[1]) if line else None)]) from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        message = f"no file {path}.{nearest(path.name, beside)}"
        raise InputError([Fault(message, path.name)]) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise InputError([Fault(message, path.name)]) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"the byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise InputError([Fault(message, path.name, line)]) from None


def toml_section(name: str, keys: dict[str, Any]) -> str:
    """Write a section, one key a line."""
    return "\n".join([f"[{name}]", *(f"{_key(key)} = {toml(keys[key])}" for key in keys), ""])


def toml(value: object) -> str:
    """Write one value: text, number, true or false, list, or inline table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {toml(value[key])}" for key in value)
        return f"{{ {inside} }}" if value else "{}"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else toml(name)
