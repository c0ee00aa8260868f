"""Messages on standard error."""

import sys

from esnkit.cli._errors import say


def test_messages_carry_the_name_of_the_program(capsys):
    say("done")
    assert capsys.readouterr() == ("", "esnkit: done\n")


def test_control_characters_are_escaped(capsys):
    say("größe \x1b[31m\0")
    assert capsys.readouterr().err == "esnkit: größe \\x1b[31m\\x00\n"


def test_a_closed_stream_is_left_alone(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    say("done")
    assert capsys.readouterr() == ("", "")
