"""What a stage says of a benchmark, for a command that has options and no params.yaml. Pure."""

from plumbline.splitting.recognition import MAPPED_REMEDY


def in_words_of_commands(text: str, remedy: str) -> str:
    """The text with the remedy of the command in place of that of params.yaml."""
    return (
        text.replace(MAPPED_REMEDY, remedy)
        .replace(" of split.benchmark_columns", "")
        .replace("split.benchmark_columns", "--column")
        .replace("split.benchmark_format", "--format")
        .replace(" under split in params.yaml", "")
    )
