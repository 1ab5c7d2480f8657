"""The help is the command line's documentation: complete, and true."""

import json
import pathlib
import re
import subprocess
import unittest

from support import PTTestCase

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include" / "papertrade.h"


class Help(PTTestCase):
    def setUp(self):
        super().setUp()
        self.root = self.done("--experimental-dump-help").json["command"]

    def commands(self, command=None, path=()):
        """Those that are shown: pt starts a hidden one for itself."""
        command = command or self.root
        path = (*path, command["commandName"])
        yield path, command
        for subcommand in command.get("subcommands", []):
            if subcommand["commandName"] != "help" and subcommand["shouldDisplay"]:
                yield from self.commands(subcommand, path)

    def test_every_command_is_there(self):
        self.assertEqual(
            sorted(" ".join(path[1:]) for path, _ in self.commands()),
            sorted([
                "", "init", "status", "buy", "sell", "deposit", "withdraw", "split", "dividend", "write-off", "queue", "queue add",
                "queue list", "queue clear", "history", "verify", "recover", "backup", "import", "reset", "config", "config init",
                "config check", "config show", "market", "monitor", "trade", "run", "replay", "cycles", "signals"]))

    def test_every_command_and_every_option_has_a_sentence(self):
        for path, command in self.commands():
            with self.subTest(" ".join(path)):
                self.assertTrue(command.get("abstract"))
                for argument in command.get("arguments", []):
                    self.assertTrue(argument.get("abstract"), argument.get("valueName"))

    def test_every_command_has_help_that_fits_a_terminal(self):
        for path, _ in self.commands():
            with self.subTest(" ".join(path)):
                help = self.done(*path[1:], "--help").out
                self.assertEqual(self.done("help", *path[1:]).out, help)
                for line in help.splitlines():
                    self.assertLessEqual(len(line) if not line.startswith("USAGE: ") else 0, 80)

    def test_the_help_lists_the_exit_codes_and_what_an_error_looks_like(self):
        help = self.done("--help").out
        for code in (0, 1, 2, 3, 4, 5, 6, 130, 143):
            self.assertRegex(help, rf"(?m)^ +{code}  \S")
        self.assertIn('"PT_INSUFFICIENT_FUNDS"', help)
        self.assertIn("PAPERTRADE_ACCOUNT", help)

    def test_the_example_in_the_help_works(self):
        example = re.search(r"(?s)A first account:\n(.*?)\n\n", self.done("--help").out).group(1)
        script = "set -e\n" + "\n".join(re.sub(r"^ *pt ", '"$PT" ', line) for line in example.splitlines())
        outcome = subprocess.run(
            ["sh", "-c", script], cwd=self.directory, env={**self.environment, "PT": self.pt_path}, capture_output=True, text=True)
        self.assertEqual((outcome.returncode, outcome.stderr), (0, ""), outcome.stdout)
        self.assertRegex(outcome.stdout, r"(?m)^Total value +10,038\.00$")

    def test_the_version_is_the_librarys(self):
        text = HEADER.read_text()
        numbers = [re.search(rf"#define PT_VERSION_{part} (\d+)", text).group(1) for part in ("MAJOR", "MINOR", "PATCH")]
        self.assertEqual(self.done("--version").out, ".".join(numbers) + "\n")

    def test_without_arguments_the_help_is_shown(self):
        self.assertEqual(self.done().out, self.done("--help").out)


if __name__ == "__main__":
    unittest.main()
