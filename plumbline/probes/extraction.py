"""One value from a short text that holds several of its sort. Pure."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from plumbline.probes.probe import Draft, ValueCheck

PEOPLE = (
    "Okafor",
    "Lindqvist",
    "Moreau",
    "Tanaka",
    "Novak",
    "Silva",
    "Haddad",
    "Brandt",
    "Castillo",
    "Ivanova",
    "Keller",
    "Nakamura",
    "Osei",
    "Petrov",
)
FIRST_NAMES = ("Amara", "Bruno", "Clara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kenji", "Leila", "Mateo", "Nadia")
TOWNS = ("Porto", "Bergen", "Lyon", "Kyoto", "Tampere", "Cusco", "Graz", "Galway", "Izmir", "Quebec", "Ghent", "Pune")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PETS = ("cat", "dog", "rabbit", "parrot", "tortoise", "hamster", "goat", "ferret")
SUBJECTS = ("chemistry", "drawing", "history", "geometry", "Spanish", "botany", "music", "geography", "economics")
PLANTS = ("oak", "lavender", "fern", "rosemary", "maple", "tulip", "birch", "ivy", "jasmine")
PLACES = ("the courtyard", "the greenhouse", "the balcony", "the north wall", "the pond", "the entrance", "the roof")
DISHES = ("lentil soup", "apple tart", "mushroom risotto", "bean stew", "carrot cake", "onion pie", "tomato curry", "potato salad")
BOOKS = (
    "The Paper Boat",
    "Seven Winters",
    "A Map of Salt",
    "The Quiet Harbour",
    "Blue Ladders",
    "Night Orchard",
    "The Glass Mill",
    "Stone Letters",
)
DEPARTMENTS = ("sales", "accounting", "design", "logistics", "legal", "research", "support", "training")
COLOURS = ("red", "green", "blue", "yellow", "grey", "purple", "orange", "brown")


class Table(NamedTuple):
    """Records of one sort: how to write one, the values of each field, and the possible questions."""

    sentence: str
    fields: dict[str, Callable[[Random, int], list[str]]]
    """Field -> function that gives a number of different values."""
    questions: dict[str, tuple[str, ...]]
    """Asked field -> questions that name the record by another field."""


def _some(values: Sequence[str]) -> Callable[[Random, int], list[str]]:
    return lambda random, count: random.sample(values, count)


def _numbers(first: int, last: int, form: str = "{}") -> Callable[[Random, int], list[str]]:
    return lambda random, count: [form.format(number) for number in random.sample(range(first, last + 1), count)]


def _times(random: Random, count: int) -> list[str]:
    places = random.sample(range(8 * 12, 20 * 12), count)
    return [f"{place // 12}:{5 * (place % 12):02d}" for place in places]


TABLES: dict[str, Table] = {
    "rooms": Table(
        "Room {room} is booked by {person} at {time}.",
        {"room": _numbers(11, 98), "person": _some(PEOPLE), "time": _times},
        {"person": ("Who booked room {room}?",), "time": ("At what time is room {room} booked?", "When is {person}'s booking?")},
    ),
    "parcels": Table(
        "Parcel {number} goes to {town} on {day}.",
        {"number": _numbers(1200, 9800), "town": _some(TOWNS), "day": _some(DAYS)},
        {
            "town": ("Where does parcel {number} go?",),
            "day": ("On which day does parcel {number} go out?", "On which day is the parcel to {town} sent?"),
        },
    ),
    "pets": Table(
        "{name} is a {pet} and is {age} years old.",
        {"name": _some(FIRST_NAMES), "pet": _some(PETS), "age": _numbers(2, 15)},
        {"pet": ("What kind of animal is {name}?",), "age": ("How old is {name}?", "How many years old is the {pet}?")},
    ),
    "trains": Table(
        "The train to {town} leaves from platform {platform} at {time}.",
        {"town": _some(TOWNS), "platform": _numbers(1, 19), "time": _times},
        {"platform": ("From which platform does the train to {town} leave?",), "time": ("When does the train to {town} leave?",)},
    ),
    "courses": Table(
        "{person} teaches {subject} in room {room}.",
        {"person": _some(PEOPLE), "subject": _some(SUBJECTS), "room": _numbers(101, 399)},
        {"subject": ("What does {person} teach?",), "room": ("In which room is {subject} taught?",), "person": ("Who teaches {subject}?",)},
    ),
    "invoices": Table(
        "{person} owes {amount} euros, due on {day}.",
        {"person": _some(PEOPLE), "amount": _numbers(120, 980), "day": _some(DAYS)},
        {"amount": ("How many euros does {person} owe?",), "day": ("When is the payment of {person} due?",)},
    ),
    "runners": Table(
        "{name} from {town} ran the race in {minutes} minutes.",
        {"name": _some(FIRST_NAMES), "town": _some(TOWNS), "minutes": _numbers(31, 79)},
        {"town": ("Where is {name} from?",), "minutes": ("How many minutes did {name} take?",)},
    ),
    "garden": Table(
        "The {plant} by {place} is {height} cm tall.",
        {"plant": _some(PLANTS), "place": _some(PLACES), "height": _numbers(20, 290)},
        {"height": ("How tall is the {plant}?",), "plant": ("Which plant stands by {place}?",)},
    ),
    "books": Table(
        '"{title}" was written by {person} in {year}.',
        {"title": _some(BOOKS), "person": _some(PEOPLE), "year": _numbers(1921, 2019)},
        {"person": ('Who wrote "{title}"?',), "year": ('In which year was "{title}" written?',)},
    ),
    "weather": Table(
        "In {town} it will be {degrees} degrees with wind of {wind} km/h.",
        {"town": _some(TOWNS), "degrees": _numbers(3, 29), "wind": _numbers(31, 79)},
        {"degrees": ("How many degrees will it be in {town}?",), "wind": ("How strong will the wind be in {town}, in km/h?",)},
    ),
    "staff": Table(
        "{name} {person} works in {department}, extension {extension}.",
        {"name": _some(FIRST_NAMES), "person": _some(PEOPLE), "department": _some(DEPARTMENTS), "extension": _numbers(2100, 8900)},
        {"department": ("In which department does {name} {person} work?",), "extension": ("What is the extension of {name} {person}?",)},
    ),
    "menu": Table(
        "The {dish} takes {minutes} minutes and serves {people} people.",
        {"dish": _some(DISHES), "minutes": _numbers(21, 95), "people": _numbers(2, 12)},
        {"minutes": ("How many minutes does the {dish} take?",), "people": ("How many people does the {dish} serve?",)},
    ),
    "bicycles": Table(
        "{name} rides a {colour} bicycle with number {number}.",
        {"name": _some(FIRST_NAMES), "colour": _some(COLOURS), "number": _numbers(101, 999)},
        {"colour": ("What colour is {name}'s bicycle?",), "number": ("What is the number of {name}'s bicycle?",)},
    ),
}
SORTS = tuple(f"{table}: {field}" for table, one in TABLES.items() for field in one.questions)
WORDINGS = (
    "{text}\n\n{question}",
    "Read the text and answer the question.\n\nText: {text}\n\nQuestion: {question}",
    'Here is a note: "{text}" {question}',
    "{question} Use this text: {text}",
)
NUM_RECORDS = (2, 2, 3, 5)
"""At least two: with a single record, copying the text would be right."""


def draw(random: Random, sort: str) -> Draft:
    """One text with a question about one of its records."""
    name, _, field = sort.partition(": ")
    table = TABLES[name]
    count = random.choice(NUM_RECORDS)
    columns = {column: values(random, count) for column, values in table.fields.items()}
    records = [{column: values[place] for column, values in columns.items()} for place in range(count)]
    asked = random.randrange(count)
    text = " ".join(table.sentence.format(**record) for record in records)
    question = random.choice(table.questions[field]).format(**records[asked])
    wording = random.choice([one for one in WORDINGS if '"' not in text or '"' not in one])
    others = tuple(value for place, value in enumerate(columns[field]) if place != asked)
    target = records[asked][field]
    return Draft(sort, wording.format(text=text, question=question), target, ValueCheck(target=target, others=others))
