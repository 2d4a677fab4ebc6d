"""Refuse a spreadsheet in place of a table. Reads the file that is named."""

import zipfile
from pathlib import Path

from plumbline.pipeline.refused import Refused

OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")
SHEETS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
"""Members of the files of Excel and LibreOffice."""


def refuse_spreadsheet(path: Path) -> None:
    """Refused for a file of a spreadsheet program. OSError if there is no file."""
    with path.open("rb") as stream:
        start = stream.read(len(OLD_OFFICE))
    is_one = start == OLD_OFFICE
    if not is_one and start.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive:
                is_one = any(name in SHEETS for name in archive.namelist())
        except (zipfile.BadZipFile, NotImplementedError):
            is_one = path.suffix.lower() == ".xlsx"
    if is_one:
        raise Refused(f"{path} is a spreadsheet. Save the sheet as CSV (UTF-8) in the program that made it, and give that file.")
