"""Read a formula into a tree of sums, products, powers and functions. Nothing is evaluated, and no name is looked up. Pure."""

from collections.abc import Sequence

from plumbline.grading.formula_tokens import Sort, Token, tokens_of

MAX_DEPTH = 40
MAX_NODES = 300

Tree = list["str | Tree"]
"""An operation and its operands: ["*", ["num", "2"], ["sym", "m"]]."""

END = Token(Sort.SIGN, "")
CLOSING = {"(": ")", "[": "]", "{": "}"}


def read_formula(formula: str, *, one_letter: bool | None = None) -> Tree:
    """Return the tree of a formula. ValueError if any part of it cannot be read.

    `one_letter`: whether a subscript without braces ends after its first letter, as in LaTeX. None: if the formula has a LaTeX command.
    """
    reader = Reader(tokens_of(formula, one_letter=one_letter))
    tree = reader.total(0)
    if reader.next() is not END:
        raise ValueError(f"{reader.next().text!r} is left over")
    return tree


class Reader:
    """Reads tokens from left to right. `depth` limits brackets within brackets, `num_nodes` limits the size."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.num_nodes = 0

    def next(self) -> Token:
        """The next token; END after the last one."""
        return self.tokens[self.place] if self.place < len(self.tokens) else END

    def take(self, text: str) -> bool:
        """Go past a sign, if it is next."""
        if self.next().sort is Sort.SIGN and self.next().text == text:
            self.place += 1
            return True
        return False

    def node(self, *parts: "str | Tree") -> Tree:
        """A node of the tree. ValueError if the tree grows too large."""
        self.num_nodes += 1
        if self.num_nodes > MAX_NODES:
            raise ValueError("the formula is too large")
        return list(parts)

    def total(self, depth: int) -> Tree:
        """A sum."""
        if depth > MAX_DEPTH:
            raise ValueError("too many brackets within brackets")
        sum_ = self.product(depth)
        while self.next().text in ("+", "-") and self.next().sort is Sort.SIGN:
            is_minus = self.next().text == "-"
            self.place += 1
            term = self.product(depth)
            sum_ = self.node("+", sum_, self.node("*", self.node("num", "-1"), term) if is_minus else term)
        return sum_

    def product(self, depth: int) -> Tree:
        """A product, with or without a sign between its factors. Factors side by side belong together, so `a/bc` is a/(bc)."""
        if self.take("-"):
            return self.node("*", self.node("num", "-1"), self.product(depth))
        self.take("+")
        product = self.adjacent(depth)
        while self.next().sort is Sort.SIGN and self.next().text in ("*", "/"):
            is_division = self.next().text == "/"
            self.place += 1
            if is_division and product[0] == "num" and self.next().sort is Sort.NUMBER:
                # "1/2 m v^2" is half of m v^2; "L/2g" is L/(2g).
                product = self.node("/", product, self.power(depth))
                if self.begins_factor():
                    product = self.node("*", product, self.adjacent(depth))
                continue
            factor = self.node("*", self.node("num", "-1"), self.adjacent(depth)) if self.take("-") else self.adjacent(depth)
            product = self.node("/" if is_division else "*", product, factor)
        return product

    def adjacent(self, depth: int) -> Tree:
        """Factors side by side: `2mg`, `x(1+y)`."""
        product = self.power(depth)
        while self.begins_factor():
            product = self.node("*", product, self.power(depth))
        return product

    def begins_factor(self) -> bool:
        """Whether the next token can begin another factor."""
        token = self.next()
        return token is not END and (token.sort is not Sort.SIGN or token.text in ("(", "[", "{"))

    def power(self, depth: int) -> Tree:
        """A factor with its exponent; `e^x` is the exponential."""
        is_euler = self.next() == Token(Sort.SYMBOL, "e")
        base = self.atom(depth)
        if base == ["sym", "e"] and is_euler and self.take("^"):
            return self.node("fn", "exp", self.exponent(depth))
        while self.take("!"):
            base = self.node("fn", "factorial", base)
        if self.take("^"):
            base = self.node("^", base, self.exponent(depth))
        return base

    def exponent(self, depth: int) -> Tree:
        """The exponent: a group, or one sign."""
        if self.take("{"):
            return self.closed("{", depth)
        if self.take("-"):
            return self.node("*", self.node("num", "-1"), self.exponent(depth))
        inner = self.atom(depth)
        return self.node("^", inner, self.exponent(depth)) if self.take("^") else inner

    def closed(self, opening: str, depth: int) -> Tree:
        """The content of a bracket that is already open."""
        inner = self.total(depth + 1)
        if not self.take(CLOSING[opening]):
            raise ValueError(f"{opening!r} is not closed")
        return inner

    def atom(self, depth: int) -> Tree:
        """A number, a symbol, a function with its argument, a fraction, or a bracket."""
        if depth > MAX_DEPTH:
            raise ValueError("too many brackets within brackets")
        token = self.next()
        self.place += 1
        if token.sort is Sort.NUMBER:
            return self.node("num", token.text)
        if token.sort is Sort.SYMBOL:
            return self.symbol(token.text)
        if token.sort is Sort.FRACTION:
            return self.node("/", self.argument(depth), self.argument(depth))
        if token.sort is Sort.FUNCTION:
            return self.function(token.text, depth)
        if token.text in CLOSING:
            return self.closed(token.text, depth)
        if token.text == "|":
            inner = self.total(depth + 1)
            if not self.take("|"):
                raise ValueError("'|' is not closed")
            return self.node("fn", "abs", inner)
        raise ValueError(f"{token.text or 'the end'!r} is in the place of a number or symbol")

    def argument(self, depth: int) -> Tree:
        """A group in braces, or one token instead; of a number, only one digit: `\\frac12`."""
        if self.take("{"):
            return self.closed("{", depth)
        token = self.next()
        if token.sort is Sort.NUMBER and token.text.isdigit() and len(token.text) > 1:
            rest = Token(Sort.NUMBER, token.text[1:])
            self.tokens = [*self.tokens[: self.place], rest, *self.tokens[self.place + 1 :]]
            return self.node("num", token.text[0])
        return self.atom(depth + 1)

    def symbol(self, name: str) -> Tree:
        """A symbol with its subscript and its primes, which are part of its name: `v_0` or `v0`, `k_B`, `x'`."""
        if self.next().sort is Sort.NUMBER and self.next().text.isdigit() and len(name) == 1:
            name += "_" + self.next().text
            self.place += 1
        if self.take("_"):
            name += "_" + self.subscript()
        while self.take("'"):
            name += "'"
        return self.node("sym", name)

    def subscript(self) -> str:
        """The words of a subscript, joined without gaps."""
        if not self.take("{"):
            token = self.next()
            self.place += 1
            if token.sort is Sort.SIGN or token is END:
                raise ValueError("a subscript is empty")
            return token.text
        name = ""
        while not self.take("}"):
            if self.next() is END:
                raise ValueError("a subscript is not closed")
            name += self.next().text
            self.place += 1
        return name

    def function(self, name: str, depth: int) -> Tree:
        """A function with its power, base and argument: `\\sin^2 x`, `\\log_{10} x`, `\\sqrt[3]{x}`."""
        if name == "sqrt":
            order = self.closed("[", depth) if self.take("[") else self.node("num", "2")
            return self.node("^", self.argument(depth), self.node("/", self.node("num", "1"), order))
        base = self.argument(depth) if self.take("_") else None
        raised = self.exponent(depth) if self.take("^") else None
        inner = self.argument_of_function(depth)
        if raised == ["*", ["num", "-1"], ["num", "1"]] and name in ("sin", "cos", "tan"):
            return self.node("fn", f"arc{name}", inner)
        value = self.node("fn", name, inner)
        if base is not None:
            value = self.node("/", value, self.node("fn", "ln", base))
        return self.node("^", value, raised) if raised is not None else value

    def argument_of_function(self, depth: int) -> Tree:
        """The argument of a function: a bracket, or the factors side by side up to the next function."""
        if self.next().sort is Sort.SIGN and self.next().text in ("(", "{", "["):
            opening = self.next().text
            self.place += 1
            return self.closed(opening, depth)
        if depth > MAX_DEPTH:
            raise ValueError("too many brackets within brackets")
        product = self.power(depth + 1)
        while self.begins_factor() and self.next().sort is not Sort.FUNCTION and self.next().text not in ("(", "["):
            product = self.node("*", product, self.power(depth + 1))
        return product
