"""Read the corpus: a file or a folder of Markdown, plain text and JSON lines, as pieces. Nothing is left out without being counted."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from plumbline.pipeline.refused import Refused
from plumbline.retrieval.pieces import CountTokens, Piece, Section, cut_section, markdown_sections, plain_sections
from plumbline.training.prompt import training_prompt
from plumbline.twin_keys import TwinKey, object_without_twins

SECTIONS: dict[str, Callable[[str], list[Section]]] = {
    ".md": markdown_sections,
    ".markdown": markdown_sections,
    ".txt": plain_sections,
    ".text": plain_sections,
}
LINES = ".jsonl"
READ = ", ".join([*SECTIONS, LINES])


class Corpus(NamedTuple):
    """The corpus as read."""

    pieces: list[Piece]
    dropped: Counter[str]
    """Reason -> number of pieces: `empty` lines of a JSONL file, `heading_only` sections, `repeat`ed texts."""
    unread: list[str]
    """Files of the folder that are neither text nor JSON lines."""


def read_corpus(path: Path, *, max_tokens: int, count: CountTokens) -> Corpus:
    """The pieces of all files, in the order of their names. If one cannot be read, Refused names file and line.

    A piece with the same words as an earlier one is dropped.
    """
    files, unread = files_of_corpus(path)
    dropped: Counter[str] = Counter()
    pieces: list[Piece] = []
    seen: set[str] = set()
    for name, file in files:
        texts = lines_of(file, max_tokens, count, dropped) if file.suffix == LINES else texts_of(file, max_tokens, count, dropped)
        used: Counter[int] = Counter()
        for line, text, asked in texts:
            used[line] += 1
            if (words := " ".join(text.split())) in seen:
                dropped["repeat"] += 1
                continue
            seen.add(words)
            place = f"{name}:{line}" if used[line] == 1 else f"{name}:{line}#{used[line]}"
            pieces.append(Piece(id=place, text=text, num_tokens=count(text), asked=asked))
    if not pieces:
        raise Refused(f"{path}: the corpus holds no text. Name a file or folder with text ({READ}) in retrieve.corpus.")
    return Corpus(pieces, dropped, unread)


def files_of_corpus(path: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Name and path of each file to read, sorted by name, and the names of the others. Refused if there is nothing to read."""
    if not path.exists():
        raise Refused(f"{path} does not exist. Name a file ({READ}) or a folder of such files in retrieve.corpus.")
    if path.is_file():
        if path.suffix not in SECTIONS and path.suffix != LINES:
            raise Refused(f"{path}: files of the corpus end in {READ}. Convert it to plain text, Markdown or JSON lines.")
        return [(path.name, path)], []
    named = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
    files = [(name, file) for name, file in named if file.suffix in SECTIONS or file.suffix == LINES]
    if not files:
        raise Refused(f"{path}: no file in it ends in {READ}. Put the corpus there, or name another folder in retrieve.corpus.")
    return files, [name for name, file in named if file.suffix not in SECTIONS and file.suffix != LINES]


def text_of(file: Path) -> str:
    """The text of a file, without a byte order mark. Refused if it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise Refused(f"{file}, line {line}: not UTF-8 ({error.reason}). Save the file as UTF-8.") from None


def texts_of(file: Path, max_tokens: int, count: CountTokens, dropped: Counter[str]) -> Iterator[tuple[int, str, str]]:
    """Line and text of each piece of a Markdown or text file."""
    for section in SECTIONS[file.suffix](text_of(file)):
        if not section.paragraphs and section.breadcrumb:
            dropped["heading_only"] += 1  # its words are in the breadcrumb of the sections below it, if there are any
        for line, text in cut_section(section, max_tokens=max_tokens, count=count):
            yield line, text, ""


def lines_of(file: Path, max_tokens: int, count: CountTokens, dropped: Counter[str]) -> Iterator[tuple[int, str, str]]:
    """Line, text and question of each piece of a JSONL file. Only an instruction row has a question."""
    for number, line in enumerate(text_of(file).split("\n"), start=1):
        if not line.strip():
            continue
        text, asked = text_of_row(line, f"{file}, line {number}")
        if not text.strip():
            dropped["empty"] += 1
            continue
        section = plain_sections(text)[0]
        for _, piece in cut_section(section, max_tokens=max_tokens, count=count):
            yield number, piece, asked


def text_of_row(line: str, where: str) -> tuple[str, str]:
    """Text and question of one row: the field `text`, or `instruction`, `input` and `output` as one text. Other fields are not read."""
    accepted = 'A row is {"text": ...} or {"instruction": ..., "input": ..., "output": ...}'
    try:
        row = json.loads(line, object_pairs_hook=object_without_twins)
    except TwinKey as twins:
        raise Refused(f"{where}: {twins}.") from None
    except json.JSONDecodeError as error:
        raise Refused(f"{where}: not JSON ({error}). {accepted}.") from None
    if not isinstance(row, dict):
        raise Refused(f"{where}: not an object. {accepted}.")
    if isinstance(row.get("text"), str):
        return row["text"], ""
    parts = [row.get("instruction"), row.get("input") or "", row.get("output")]
    if not all(isinstance(part, str) for part in parts):
        raise Refused(f"{where}: neither a text nor an instruction with its output (fields {sorted(row)}). {accepted}.")
    asked = training_prompt(str(parts[0]), str(parts[1]))
    return f"{asked}\n{parts[2]}", asked
