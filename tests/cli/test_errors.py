"""Messages on standard error."""

import sys

import pytest

from esnkit.cli._errors import GuardedOutput, OutputError, say


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


class Broken:
    encoding = "utf-8"

    def write(self, text):
        raise OSError(28, "No space left on device")

    flush = None

    def fileno(self):
        raise OSError


def test_a_stream_that_breaks_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Broken())
    say("done")


def test_errors_of_standard_output_are_told_apart():
    output = GuardedOutput(Broken())
    with pytest.raises(OutputError):
        output.write("text")
    assert output.encoding == "utf-8"
