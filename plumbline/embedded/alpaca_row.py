"""One row of an instruction data set as people publish them, faults included."""

from plumbline.pipeline.record import Record


class AlpacaRow(Record):
    """Written by `synthesize`. `clean` reads its input line by line, since a line from elsewhere may not be a row."""

    instruction: str
    input: str
    output: str
