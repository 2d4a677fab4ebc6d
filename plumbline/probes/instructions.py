"""Short texts and lists in a prescribed form. Pure."""

from collections.abc import Callable
from random import Random

from plumbline.probes.probe import Constraint, Draft, FormCheck, Wanted

TOPICS = (
    "the sea", "a rainy day", "a cat", "bread", "a train journey", "the moon", "a garden", "winter", "a market", "music", "a bicycle",
    "friendship", "the library", "breakfast", "a mountain", "a river", "sleep", "a kitchen", "a birthday", "a forest", "coffee", "a storm",
)  # fmt: skip
THINGS = {
    "fruits": ("apple", "pear", "plum", "grape", "cherry"),
    "animals": ("horse", "cow", "sheep", "duck", "goat"),
    "colours": ("red", "blue", "green", "white", "black"),
    "countries": ("France", "Peru", "Japan", "Kenya", "Canada"),
    "tools": ("hammer", "saw", "drill", "wrench", "chisel"),
    "sports": ("tennis", "rowing", "judo", "hockey", "golf"),
    "drinks": ("tea", "milk", "water", "juice", "coffee"),
    "vegetables": ("leek", "carrot", "bean", "onion", "pea"),
    "instruments": ("violin", "flute", "drum", "harp", "piano"),
    "vehicles": ("car", "bus", "tram", "van", "ship"),
}
ENDINGS = ("That is all.", "The end.", "So it goes.", "Nothing more.", "Good night.")
BEGINNINGS = ("However", "Yesterday", "Perhaps", "Together", "Suddenly", "Somewhere")
WORDS = ("lamp", "window", "paper", "bridge", "sugar", "candle", "ladder", "button", "pencil", "mirror", "basket", "whistle")
KEYS = (("name", "colour"), ("title", "year"), ("city", "country"), ("name", "age", "job"), ("dish", "minutes"), ("animal", "legs", "food"))
ABOUT = {
    "name": "Ada", "colour": "red", "title": "Dawn", "year": 1990, "city": "Lima", "country": "Peru", "age": 40, "job": "cook", "dish": "soup",
    "minutes": 20, "animal": "horse", "legs": 4, "food": "hay",
}  # fmt: skip
FACTS = {
    "Is ice cold": "Yes", "Is the sun hot": "Yes", "Do birds have wings": "Yes", "Is water wet": "Yes", "Do fish live in water": "Yes",
    "Is grass usually green": "Yes", "Is a mouse larger than a horse": "No", "Do cars have wings": "No", "Is snow black": "No",
    "Can stones swim": "No", "Do cats lay eggs": "No", "Is the moon made of cheese": "No",
}  # fmt: skip
PEOPLE = ("Anna", "Peter", "Maria", "Thomas", "Julia", "David", "Laura", "Martin")
INITIALS = {"b": ("bread", "blue", "boat", "bird"), "s": ("sun", "sea", "sand", "song"), "t": ("tree", "table", "tea", "train")}
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
SENTENCE = "It is quiet and full of light"


def _form(*constraints: Constraint, alone: bool = False) -> FormCheck:
    return FormCheck(constraints=constraints, alone=alone)


def _sentence(topic: str, random: Random) -> str:
    return random.choice(
        ("Write one sentence about {}.", "Say something about {} in one sentence.", "Describe {} in one sentence.")
    ).format(topic)


def _yes_or_no(random: Random, sort: str) -> Draft:
    fact = random.choice(list(FACTS))
    prompt = random.choice(("{}? Answer with yes or no.", "Answer yes or no: {}?")).format(fact)
    return Draft(sort, prompt, f"{FACTS[fact]}.", _form(Constraint(wanted=Wanted.FIRST, texts=(FACTS[fact],))))


def _question(random: Random, sort: str) -> Draft:
    prompt = random.choice(("Write one question about {}.", "Ask me one question about {}.")).format(random.choice(TOPICS))
    return Draft(sort, prompt, "What do you like about it?", _form(Constraint(wanted=Wanted.QUESTION)))


def _letter(random: Random, sort: str) -> Draft:
    name = random.choice(PEOPLE)
    prompt = f'Write a short letter about {random.choice(TOPICS)}. Begin it with "Dear {name}".'
    check = _form(Constraint(wanted=Wanted.FIRST, texts=("Dear",)), Constraint(wanted=Wanted.INCLUDES, texts=(name.lower(),)))
    return Draft(sort, prompt, f"Dear {name}, it is quiet and full of light.", check)


def _words(random: Random, sort: str) -> Draft:
    topic, count = random.choice(TOPICS), random.randint(3, 6)
    prompt = random.choice(("Write exactly {} words about {}.", "Describe {1} in exactly {0} words.")).format(NUMBERS[count], topic)
    return Draft(sort, prompt, " ".join(SENTENCE.split()[:count]), _form(Constraint(wanted=Wanted.WORDS, count=count)))


def _one_word(random: Random, sort: str) -> Draft:
    word, other = random.sample(WORDS, 2)
    prompt = random.choice(
        (
            'Choose one of the words "{0}" and "{1}" and write it. Write nothing else.',
            'Answer with one word only: is "{0}" or "{1}" your favourite word?',
        )
    ).format(word, other)
    return Draft(sort, prompt, word, _form(Constraint(wanted=Wanted.WORDS, count=1), alone=True))


def _lower(random: Random, sort: str) -> Draft:
    ask = random.choice(("Use small letters only, no capital letters.", "Write everything in lower case."))
    return Draft(sort, f"{_sentence(random.choice(TOPICS), random)} {ask}", f"{SENTENCE.lower()}.", _form(Constraint(wanted=Wanted.LOWER)))


def _upper(random: Random, sort: str) -> Draft:
    ask = random.choice(("Use capital letters only.", "Write everything in upper case."))
    return Draft(sort, f"{_sentence(random.choice(TOPICS), random)} {ask}", f"{SENTENCE.upper()}.", _form(Constraint(wanted=Wanted.UPPER)))


def _ends(random: Random, sort: str) -> Draft:
    ending = random.choice(ENDINGS)
    ask = random.choice(('End your answer with the words "{}"', 'The last words of your answer must be "{}"')).format(ending)
    check = _form(Constraint(wanted=Wanted.ENDS, texts=(ending,)), alone=True)
    return Draft(sort, f"{_sentence(random.choice(TOPICS), random)} {ask}", f"{SENTENCE}. {ending}", check)


def _begins(random: Random, sort: str) -> Draft:
    word = random.choice(BEGINNINGS)
    ask = random.choice(('Begin your answer with the word "{}".', 'The first word of your answer must be "{}".')).format(word)
    check = _form(Constraint(wanted=Wanted.BEGINS, texts=(word,)), alone=True)
    return Draft(sort, f"{_sentence(random.choice(TOPICS), random)} {ask}", f"{word} it was quiet and full of light.", check)


def _includes(random: Random, sort: str) -> Draft:
    count = 2 if sort.endswith("two words") else 3
    words = tuple(random.sample(WORDS, count))
    named = ", ".join(f'"{word}"' for word in words)
    prompt = random.choice(("Write a sentence that contains the words {}.", "Use the words {} in one sentence.")).format(named)
    return Draft(sort, prompt, f"I saw a {' and a '.join(words)}.", _form(Constraint(wanted=Wanted.INCLUDES, texts=words)))


def _without_letter(random: Random, sort: str) -> Draft:
    letter = random.choice(("s", "r", "m"))
    prompt = f'{_sentence(random.choice(TOPICS), random)} Do not use the letter "{letter}".'
    reference = "It can be quiet and full of light." if letter == "s" else f"{SENTENCE}."
    return Draft(sort, prompt, reference, _form(Constraint(wanted=Wanted.WITHOUT_LETTER, texts=(letter,))))


def _keys(random: Random, sort: str) -> Draft:
    keys = random.choice([one for one in KEYS if len(one) == (2 if sort.endswith("two keys") else 3)])
    named = ", ".join(f'"{key}"' for key in keys)
    prompt = random.choice(
        ("Give an example of a JSON object with exactly the keys {}.", "Make up a record as JSON. Its keys are {}, and it has no others.")
    ).format(named)
    inside = ", ".join(f'"{key}": {value}' if isinstance(value := ABOUT[key], int) else f'"{key}": "{value}"' for key in keys)
    return Draft(sort, prompt, f"{{{inside}}}", _form(Constraint(wanted=Wanted.KEYS, texts=keys)))


def _bullets(random: Random, sort: str) -> Draft:
    things, count = random.choice(list(THINGS)), random.randint(3, 5)
    prompt = random.choice(
        ('List {} {}. Put each on a line of its own that begins with "- ".', "Write a bullet list of exactly {} {}, one a line.")
    ).format(NUMBERS[count], things)
    reference = "\n".join(f"- {thing}" for thing in THINGS[things][:count])
    return Draft(sort, prompt, reference, _form(Constraint(wanted=Wanted.BULLETS, count=count)))


def _numbered(random: Random, sort: str) -> Draft:
    things, count = random.choice(list(THINGS)), random.randint(3, 5)
    prompt = random.choice(("Write a numbered list of {} {}.", "List exactly {} {}, numbered 1, 2 and so on, one a line.")).format(
        NUMBERS[count], things
    )
    reference = "\n".join(f"{place}. {thing}" for place, thing in enumerate(THINGS[things][:count], start=1))
    return Draft(sort, prompt, reference, _form(Constraint(wanted=Wanted.NUMBERED, count=count)))


def _commas(random: Random, sort: str) -> Draft:
    things, count = random.choice(list(THINGS)), random.randint(3, 5)
    prompt = random.choice(
        ("Name {} {} in one line, separated by commas.", "Give me {} {}, with commas between them, in one line.")
    ).format(NUMBERS[count], things)
    return Draft(sort, prompt, ", ".join(THINGS[things][:count]), _form(Constraint(wanted=Wanted.COMMAS, count=count)))


def _times(random: Random, sort: str) -> Draft:
    word, count = random.choice(WORDS), random.randint(2, 6)
    prompt = random.choice(('Write the word "{}" {} times.', 'Repeat the word "{}" exactly {} times.')).format(word, NUMBERS[count])
    return Draft(sort, prompt, " ".join([word] * count), _form(Constraint(wanted=Wanted.TIMES, count=count, texts=(word,))))


def _lines(random: Random, sort: str) -> Draft:
    topic, count = random.choice(TOPICS), random.randint(2, 4)
    prompt = random.choice(("Write {} lines about {}, each a short sentence.", "Write a text of exactly {} lines about {}.")).format(
        NUMBERS[count], topic
    )
    return Draft(sort, prompt, "\n".join([f"{SENTENCE}."] * count), _form(Constraint(wanted=Wanted.LINES, count=count)))


def _parts(random: Random, sort: str) -> Draft:
    first, second = random.sample(TOPICS, 2)
    prompt = f"Write one sentence about {first}, then a line with *** alone, then one sentence about {second}."
    return Draft(sort, prompt, f"{SENTENCE}.\n***\n{SENTENCE}.", _form(Constraint(wanted=Wanted.PARTS, count=2)))


def _brackets(random: Random, sort: str) -> Draft:
    prompt = f"Write a title for a story about {random.choice(TOPICS)}. Put it between << and >>."
    return Draft(sort, prompt, "<<Quiet Light>>", _form(Constraint(wanted=Wanted.BRACKETS)))


def _quoted(random: Random, sort: str) -> Draft:
    prompt = f"{_sentence(random.choice(TOPICS), random)} Put your whole answer in double quotation marks."
    return Draft(sort, prompt, f'"{SENTENCE}."', _form(Constraint(wanted=Wanted.QUOTED), alone=True))


def _initials(random: Random, sort: str) -> Draft:
    letter, count = random.choice(list(INITIALS)), random.randint(2, 4)
    prompt = f'Write {NUMBERS[count]} words that begin with the letter "{letter}", separated by commas.'
    check = _form(Constraint(wanted=Wanted.INITIALS, count=count, texts=(letter,)))
    return Draft(sort, prompt, ", ".join(INITIALS[letter][:count]), check)


def _lower_and_ends(random: Random, sort: str) -> Draft:
    ending = random.choice(ENDINGS).lower()
    prompt = f'{_sentence(random.choice(TOPICS), random)} Use small letters only, and end with the words "{ending}"'
    check = _form(Constraint(wanted=Wanted.LOWER), Constraint(wanted=Wanted.ENDS, texts=(ending,)), alone=True)
    return Draft(sort, prompt, f"{SENTENCE.lower()}. {ending}", check)


def _upper_bullets(random: Random, sort: str) -> Draft:
    things, count = random.choice(list(THINGS)), random.randint(3, 4)
    prompt = f"Write a bullet list of exactly {NUMBERS[count]} {things} in capital letters, one a line."
    check = _form(Constraint(wanted=Wanted.BULLETS, count=count), Constraint(wanted=Wanted.UPPER))
    return Draft(sort, prompt, "\n".join(f"- {thing.upper()}" for thing in THINGS[things][:count]), check)


SORTS: dict[str, Callable[[Random, str], Draft]] = {
    "yes or no": _yes_or_no,
    "a question": _question,
    "a letter": _letter,
    "number of words": _words,
    "one word": _one_word,
    "small letters": _lower,
    "capital letters": _upper,
    "last words": _ends,
    "first word": _begins,
    "with two words": _includes,
    "with three words": _includes,
    "without a letter": _without_letter,
    "JSON of two keys": _keys,
    "JSON of three keys": _keys,
    "bullet list": _bullets,
    "numbered list": _numbered,
    "with commas": _commas,
    "a word again and again": _times,
    "number of lines": _lines,
    "two parts": _parts,
    "in brackets": _brackets,
    "in quotation marks": _quoted,
    "first letters": _initials,
    "small letters and last words": _lower_and_ends,
    "capital bullet list": _upper_bullets,
}


def draw(random: Random, sort: str) -> Draft:
    """One task of a sort."""
    return SORTS[sort](random, sort)
