"""The stages of dvc.yaml as DVC runs them: a stage with `foreach` once per entry of its dict, every `${...}` filled in. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from plumbline.pipeline.refused import Refused

REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def value_at(tree: Mapping[str, Any], name: str) -> Any:
    """The value under a dotted name, such as `arms.base`. Refused if it is missing."""
    node: Any = tree
    for key in name.split("."):
        if not isinstance(node, Mapping) or key not in node:
            raise Refused(f"params.yaml has no {name}, which dvc.yaml names; it has {sorted(tree)}.")
        node = node[key]
    return node


def resolve(text: str, values: Mapping[str, Any]) -> str:
    """Replace every `${section.key}` by its value, as DVC does in dvc.yaml."""
    return REFERENCE.sub(lambda match: str(value_at(values, match[1])), text)


def filled(tree: Any, values: Mapping[str, Any]) -> Any:
    """Lists and dicts with every reference in them filled in, keys included."""
    if isinstance(tree, str):
        return resolve(tree, values)
    if isinstance(tree, list):
        return [filled(entry, values) for entry in tree]
    if isinstance(tree, Mapping):
        return {filled(key, values): filled(value, values) for key, value in tree.items()}
    return tree


def expanded_stages(pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Name -> stage. `answer` with `foreach: ${arms}` becomes `answer@base`, `answer@tuned`, ... in the order of the dict."""
    stages: dict[str, dict[str, Any]] = {}
    for name, stage in pipeline["stages"].items():
        if "foreach" not in stage:
            stages[name] = filled(stage, params)
            continue
        entries = stage["foreach"]
        if isinstance(entries, str) and (section := REFERENCE.fullmatch(entries)):
            entries = value_at(params, section[1])
        if not isinstance(entries, Mapping):
            raise Refused(f"dvc.yaml: stage {name} runs once per entry of {stage['foreach']}. Make this a dict in params.yaml.")
        for key, item in entries.items():
            stages[f"{name}@{key}"] = filled(stage["do"], {**params, "key": key, "item": item})
    return stages
