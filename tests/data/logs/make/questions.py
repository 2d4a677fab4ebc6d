"""What the logs of this folder were asked, and what the two models said: all of our own writing."""

CHOICES = [
    ("Which of these is a vector?", ["mass", "force", "energy", "time"], "B", "mechanics"),
    ("Which unit is that of power?", ["joule", "newton", "watt", "pascal"], "C", "units"),
    ("Which particle has no charge?", ["electron", "proton", "neutron", "positron"], "C", "particles"),
    ("Which quantity is conserved in every collision?", ["kinetic energy", "momentum", "speed", "heat"], "B", "mechanics"),
    ("Which of these is the unit of charge?", ["coulomb", "volt", "ohm", "tesla"], "A", "units"),
    ("What do like charges do?", ["attract", "repel", "nothing", "merge"], "B", "electricity"),
]
NUMBERS = [
    ("A force of 3 N moves a crate by 4 m. How many joules of work are done?", "12", "mechanics"),
    ("How many metres does light travel in a nanosecond? Give two decimals.", "0.30", "optics"),
    ("How many ohms are two resistors of 6 ohm in parallel?", "3", "electricity"),
    ("How many newtons does a mass of 2 kg weigh, with g = 10?", "20", "mechanics"),
    ("A current of 2 A flows for 5 s. How many coulombs?", "10", "electricity"),
]
LETTERS = {"first": "BCABAB", "second": "BCCBDB"}
TEXTS = {
    "first": ["The work is #### 12", "It is 0.30", "I think #### 12", "#### 20", "10"],
    "second": ["#### 12", "#### 0.30", "The answer is #### 3", "#### 20 N", "I do not know"],
}
TWICE = ["#### 12", "0.30", "#### 3", "20", "10", "12", "#### 1", "3", "#### 2", "I do not know"]
"""Two samples of NUMBERS: Inspect asks all questions once, then all again."""


def said(model: str, text: str) -> str | None:
    """What a model answers to a prompt that holds one of the questions; None for another prompt."""
    for place, (question, *_) in enumerate(CHOICES):
        if question in text:
            return LETTERS[model][place]
    for place, (question, *_) in enumerate(NUMBERS):
        if question in text:
            return TEXTS[model][place]
    return None
