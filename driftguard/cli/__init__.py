"""The command line: parse, call, print, exit.

A command is a file in ``cli/commands/``: its module name is the command's name (``_`` becomes ``-``), its
docstring's first line the short help, its ``command`` the click command.  Nothing else has to be edited.
Modules are imported only when their command runs, so that ``driftguard --help`` stays fast.
"""

from driftguard.cli.root import main

__all__ = ["main"]
