"""References made of the code itself, as Markdown: the API's paths and commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import click

import lookalike
from web.app import create_app
from web.settings import Settings

Schema = dict[str, Any]


def api() -> str:
    """Describe every path of the OpenAPI document, what it takes and what it answers."""
    answer = create_app(Settings()).test_client().get("/api/v1/openapi.json")
    document: Schema = answer.get_json()
    parts = []
    for tag in document["tags"]:
        parts.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}")
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if tag["name"] in operation["tags"]:
                    parts += _operation(document, method, path, operation)
    parts.append("## What is sent and answered\n\nEvery object by its name.")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += _schema(name, schema)
    return "\n\n".join(parts)


def _operation(document: Schema, method: str, path: str, operation: Schema) -> Iterator[str]:
    yield f"### {method.upper()} {_escaped(path)}"
    said, summary = operation["description"], operation["summary"]
    yield f"**{summary}.** {'' if said.startswith(summary) else said}".rstrip()
    if operation.get("parameters"):
        yield _table(
            ("parameter", "in", "what"),
            [
                (f"`{one['name']}`", one["in"], _said(one["schema"], one.get("description", "")))
                for one in operation["parameters"]
            ],
        )
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Takes `{kind}`: {_kind(media['schema'])}."
        for name, example in media.get("examples", {}).items():
            yield f"{name}:\n\n{_code(example['value'])}"
    for status, answer in operation["responses"].items():
        if status == "200":
            yield f"Answers {', '.join(_answers(answer))}."
            for media in answer["content"].values():
                for name, example in media.get("examples", {}).items():
                    yield f"<details><summary>{name}</summary>"
                    yield _code(example["value"])
                    yield "</details>"
    errors = [
        (status, answer["description"], _codes(answer))
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    ]
    yield _table(("status", "when", "an example's code"), errors)


def _answers(answer: Schema) -> Iterator[str]:
    for kind, media in answer["content"].items():
        schema = media["schema"]
        yield f"`{kind}`" + (f": {_kind(schema)}" if "$ref" in schema else "")


def _codes(answer: Schema) -> str:
    (media,) = answer["content"].values()
    return ", ".join(f"`{name}`" for name in media["examples"])


def _schema(name: str, schema: Schema) -> Iterator[str]:
    yield f"({_anchor(name)})=\n### {name}"
    yield schema.get("description", "")
    if "oneOf" in schema and "discriminator" in schema:
        yield "One of " + ", ".join(map(_kind, schema["oneOf"])) + "."
    required = schema.get("required", [])
    rows = [
        (f"`{field}`" + (" \\*" if field in required else ""), _kind(one), _said(one))
        for field, one in schema.get("properties", {}).items()
    ]
    if rows:
        yield _table(("field", "type", "what"), rows)
        if required:
            yield "\\* is always there."


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return " or ".join(f"`{one}`" for one in values)
    if schema.get("type") == "array":
        several = "prefixItems" in schema
        return f"{len(schema['prefixItems'])} numbers" if several else _list(schema)
    return "file" if schema.get("format") == "binary" else str(schema.get("type", "anything"))


def _list(schema: Schema) -> str:
    inner = schema.get("items", {})
    return "files" if inner.get("format") == "binary" else f"list of {_kind(inner)}"


def _said(schema: Schema, described: str = "") -> str:
    said = [described or schema.get("description", "")]
    said += [f"From {schema['minimum']:g}."] if "minimum" in schema else []
    said += [f"At most {schema['maximum']:g}."] if "maximum" in schema else []
    if schema.get("default") not in (None, "", [], {}):
        said.append(f"Default: `{json.dumps(schema['default'])}`.")
    return " ".join(filter(None, said))


def commands() -> str:
    """Return every command's own help."""
    parts = []
    root = click.Context(lookalike.cli, info_name="lookalike")
    for name in lookalike.COMMANDS:
        command = lookalike.cli.get_command(root, name)
        if command is not None:
            parts += _command(name, command, root)
    return "\n\n".join(parts)


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=88)
    yield f"## {context.command_path}" if parent.parent is None else f"### {context.command_path}"
    yield f"```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            yield from _command(below, one, context)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("\n", " ").replace("|", "\\|") for cell in row) + " |"
        for row in lines
    )


def _code(value: Any) -> str:
    if isinstance(value, str):
        return f"```text\n{value.rstrip()}\n```"
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"


def _anchor(name: str) -> str:
    return f"object-{name.lower()}"


def _escaped(path: str) -> str:
    return path.replace("{", "\\{").replace("}", "\\}")


PAGES: dict[str, Callable[[], str]] = {
    "<!-- reference: api -->": api,
    "<!-- reference: commands -->": commands,
}
"""What stands in a page to what takes its place."""
