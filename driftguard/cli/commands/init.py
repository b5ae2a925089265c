"""Write a configuration file by asking."""

import click

command = click.Command("init", help=__doc__)
