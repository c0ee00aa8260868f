"""What the user did wrong, or what their file holds, in one line."""


class UserError(Exception):
    """A message for standard error; the command ends with exit code 2."""
