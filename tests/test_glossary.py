"""The glossary: one table for all units, whose entries can be looked up."""

import re

import nbformat
import pytest

from ddpg_helpers.glossary import WORDS, glossary
from ddpg_helpers.instructor.course import layout


def rows(table):
    return table.data.splitlines()[2:]


def test_without_arguments_every_word_has_a_row():
    assert [row.split(" | ")[0][2:] for row in rows(glossary())] == list(WORDS)


def test_every_row_has_three_columns_and_closed_formulas():
    for row in rows(glossary()):
        assert row.count("|") == 4, row
        assert row.count("$") % 2 == 0, row


def test_a_word_is_looked_up_in_capitals_or_not():
    assert rows(glossary("td TARGET")) == rows(glossary("TD target"))
    (row,) = rows(glossary("TD target"))
    assert row.startswith("| TD target | ") and row.endswith("| 04 |")


def test_a_part_of_a_word_shows_all_words_that_hold_it():
    assert len(rows(glossary("target"))) == 2  # target network, TD target


def test_a_unit_shows_the_words_that_it_explains():
    assert [row.split(" | ")[0][2:] for row in rows(glossary(unit=2))] == [
        name for name, word in WORDS.items() if 2 in word.units
    ]


def test_an_unknown_word_is_refused_with_what_is_near():
    with pytest.raises(ValueError, match="perhaps you mean 'bootstrapping'"):
        glossary("bootstraping")
    with pytest.raises(ValueError, match="glossary has no word of unit 9; glossary"):
        glossary(unit=9)


@pytest.mark.parametrize("number", range(1, 8))
def test_every_unit_shows_its_words_and_uses_each_of_them(number):
    cells = nbformat.read(layout.source_notebook(layout.UNITS[number - 1]), as_version=4).cells
    calls = [c.source for c in cells if c.id == "unit_words"]
    assert calls == ["glossary()" if number == 7 else f"glossary(unit={number})"]
    text = " ".join(c.source for c in cells if c.cell_type == "markdown").lower()
    text = re.sub(r"[\s*`-]+", " ", text)
    for name, word in WORDS.items():
        if number in word.units:
            assert re.sub("-", " ", name.lower()) in text, name
