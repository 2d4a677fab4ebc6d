"""Short Python functions with a given name and number of arguments. Pure."""

from random import Random
from typing import NamedTuple

from plumbline.probes.probe import Draft, FunctionCheck


class Task(NamedTuple):
    """A function to write."""

    arguments: tuple[str, ...]
    returns: str
    """The words after "and returns"."""
    body: str
    """Body of a right solution: an expression."""


TASKS: dict[str, Task] = {
    "is_even": Task(("n",), "whether n is even", "n % 2 == 0"),
    "count_vowels": Task(("text",), "the number of vowels in the text", "sum(c in 'aeiou' for c in text)"),
    "reverse_text": Task(("text",), "the text backwards", "text[::-1]"),
    "add_numbers": Task(("a", "b"), "their sum", "a + b"),
    "largest": Task(("numbers",), "the largest number of the list", "max(numbers)"),
    "average": Task(("numbers",), "the mean of the list", "sum(numbers) / len(numbers)"),
    "is_palindrome": Task(("word",), "whether the word reads the same backwards", "word == word[::-1]"),
    "celsius_to_fahrenheit": Task(("celsius",), "the temperature in Fahrenheit", "celsius * 9 / 5 + 32"),
    "rectangle_area": Task(("width", "height"), "the area of the rectangle", "width * height"),
    "box_volume": Task(("length", "width", "height"), "the volume of the box", "length * width * height"),
    "first_letter": Task(("word",), "the first letter of the word", "word[0]"),
    "last_item": Task(("items",), "the last item of the list", "items[-1]"),
    "square": Task(("x",), "the square of x", "x * x"),
    "absolute_difference": Task(("a", "b"), "the absolute difference of a and b", "abs(a - b)"),
    "count_words": Task(("sentence",), "the number of words in the sentence", "len(sentence.split())"),
    "join_words": Task(("words", "separator"), "the words joined by the separator", "separator.join(words)"),
    "clamp": Task(("value", "low", "high"), "the value, but no less than low and no more than high", "max(low, min(value, high))"),
    "remove_spaces": Task(("text",), "the text without spaces", "text.replace(' ', '')"),
    "is_leap_year": Task(("year",), "whether the year is a leap year", "year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)"),
    "circle_area": Task(("radius",), "the area of the circle", "3.14159 * radius * radius"),
    "sum_of_list": Task(("numbers",), "the sum of the list", "sum(numbers)"),
    "contains": Task(("items", "wanted"), "whether wanted is among the items", "wanted in items"),
    "smallest_of_three": Task(("a", "b", "c"), "the smallest of the three", "min(a, b, c)"),
    "capitalize_words": Task(("sentence",), "the sentence with a capital at the start of each word", "sentence.title()"),
    "minutes_to_hours": Task(("minutes",), "how many hours these minutes are", "minutes / 60"),
    "discount": Task(("price", "percent"), "the price after the discount", "price * (1 - percent / 100)"),
    "sort_descending": Task(("numbers",), "the numbers from the largest to the smallest", "sorted(numbers, reverse=True)"),
    "unique_items": Task(("items",), "the items without repetitions", "list(set(items))"),
    "count_letter": Task(("text", "letter"), "how often the letter stands in the text", "text.count(letter)"),
    "power": Task(("base", "exponent"), "base raised to the exponent", "base ** exponent"),
    "is_positive": Task(("x",), "whether x is greater than zero", "x > 0"),
    "middle_character": Task(("word",), "the character in the middle of the word", "word[len(word) // 2]"),
    "merge_lists": Task(("first", "second"), "both lists as one", "first + second"),
    "triangle_perimeter": Task(("a", "b", "c"), "the perimeter of the triangle", "a + b + c"),
    "double_all": Task(("numbers",), "a list with each number doubled", "[2 * x for x in numbers]"),
    "greeting": Task(("name",), "a greeting with the name in it", "'Hello, ' + name"),
    "digits_sum": Task(("n",), "the sum of the digits of n", "sum(int(d) for d in str(n))"),
    "longest_word": Task(("words",), "the longest word of the list", "max(words, key=len)"),
    "factorial": Task(("n",), "the factorial of n", "1 if n < 2 else n * factorial(n - 1)"),
    "swap_case": Task(("text",), "the text with small and capital letters exchanged", "text.swapcase()"),
    "simple_interest": Task(("amount", "rate", "years"), "the simple interest", "amount * rate * years"),
    "starts_with": Task(("text", "start"), "whether the text begins with start", "text.startswith(start)"),
    "even_numbers": Task(("numbers",), "the even numbers of the list", "[x for x in numbers if x % 2 == 0]"),
    "distance": Task(("x", "y"), "the distance of the point (x, y) from the origin", "(x * x + y * y) ** 0.5"),
}
SORTS = tuple(TASKS)
NUMBERS = {1: "one argument", 2: "two arguments", 3: "three arguments"}
WORDINGS = (
    "Write a Python function named {name} that takes {count}, {arguments}, and returns {returns}.",
    "Define a function {name}({arguments}) in Python. It returns {returns}.",
    "In Python, write {name}, a function with {count} ({arguments}) that returns {returns}.",
    "I need a Python function called {name}. It takes {arguments} and returns {returns}. Show me the code only.",
)


def draw(random: Random, sort: str) -> Draft:
    """One function."""
    task = TASKS[sort]
    count = len(task.arguments)
    arguments = ", ".join(task.arguments)
    prompt = random.choice(WORDINGS).format(name=sort, count=NUMBERS[count], arguments=arguments, returns=task.returns)
    return Draft(
        sort, prompt, f"```python\ndef {sort}({arguments}):\n    return {task.body}\n```", FunctionCheck(name=sort, num_arguments=count)
    )
