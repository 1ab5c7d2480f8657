"""The README's examples, run as they stand there."""

import json
import os
import re
import subprocess
import sys
import unittest

from support import LIBRARY, PT, ROOT, DirectoryTest, blocks

sys.path.append(str(ROOT / "Tests" / "System"))  # behind: it has a support.py of its own

from files import crc32c  # noqa: E402


class ReadmeTest(DirectoryTest):
    def test_the_c_example_compiles_with_one_line_and_buys(self):
        (source,) = blocks("README.md", "c")
        (self.directory / "trade.c").write_text(source)
        self.run_here(
            ["cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{ROOT / 'include'}", "trade.c",
             f"-L{LIBRARY.parent}", "-lpapertrade", "-o", "trade"])
        self.assertEqual(self.run_here(["./trade"]), "bought; cash is now 4000.00\n")

    def test_the_c_example_is_that_of_the_header_and_of_the_examples(self):
        (source,) = blocks("README.md", "c")
        header = (ROOT / "include" / "papertrade.h").read_text()
        quoted = "\n".join(line[7:] if line.startswith(" *     ") else "" for line in header.splitlines())
        for line in filter(None, map(str.strip, source.splitlines())):
            self.assertIn(line, quoted)

    def test_the_python_example_buys_once_however_often_it_runs(self):
        (source,) = blocks("README.md", "python")
        for _ in range(2):
            self.assertEqual(self.run_here([sys.executable, "-c", source]), "bought; cash is now 6995\n")

    def test_the_swift_example_is_the_sample_package(self):
        (source,) = blocks("README.md", "swift")
        self.assertEqual(source, (ROOT / "Tests/Package/sample/Sources/sample/main.swift").read_text())

    def test_the_commands_run_and_end_with_the_proof(self):
        source = next(block for block in blocks("README.md", "sh") if "pt init" in block)
        output = self.run_here(["sh", "-e", "-c", source])
        self.assertIn("NVDA", output)
        self.assertEqual(json.loads(self.run_here(["pt", "status", "--json", "-a", "my-account"]))["cash"], 4000.0)

    def test_a_backup_is_restored_as_it_says(self):
        using, restoring = (
            next(block for block in blocks("README.md", "sh") if word in block) for word in ("pt init", "pt backup"))
        output = self.run_here(["sh", "-e", "-c", using + restoring.replace("# Later", "pt deposit 5\n# Later")])
        self.assertEqual(output.count("verified: "), 2)
        cash = [json.loads(self.run_here(["pt", "status", "--json", "-a", name]))["cash"] for name in ("my-account", "my-account.away")]
        self.assertEqual(cash, [4000, 4005])

    def test_what_may_be_deleted_is_not_missed(self):
        self.run_here(["pt", "init", "-a", "x"])
        kept = ("portfolio.json.edited-t", "portfolio.json.recovered-t", "journal-1-damaged.jsonl-t")
        text = (ROOT / "README.md").read_text()
        for name in kept:
            self.assertIn(f"`{re.sub('(edited-|recovered-|damaged).*', lambda found: found[1] + '…', name)}`", text)
            (self.directory / "x" / name).write_text("{}")
        self.run_here(["pt", "verify", "-a", "x"])
        for name in kept:
            (self.directory / "x" / name).unlink()
        self.run_here(["pt", "deposit", "1", "-a", "x"])
        self.run_here(["pt", "verify", "-a", "x"])

    def test_the_line_of_the_journal_has_the_members_of_a_real_one(self):
        (line,) = blocks("README.md", "json")
        self.run_here(["pt", "init", "-a", "x"])
        self.run_here(["pt", "buy", "AAPL", "40", "150", "-a", "x"])
        real = (self.directory / "x" / "journal.jsonl").read_text().splitlines()[2]
        self.assertEqual(list(json.loads(line)), list(json.loads(real)))

    def test_the_line_of_the_journal_has_the_checksum_that_the_paragraph_below_it_defines(self):
        (line,) = blocks("README.md", "json")
        self.assertIn("`crc` is the CRC-32C of the line before its own comma", (ROOT / "README.md").read_text())
        before, comma, _ = line.partition(',"crc":')
        self.assertEqual(line, f'{before}{comma}"{crc32c(before.encode()):08x}"}}\n')

    def test_the_table_of_events_names_every_type_that_is_written(self):
        source = (ROOT / "Sources/Storage/EventCoding.swift").read_text()
        written = set(re.findall(r'case \.\w+: "(\w+)"', source)) | {"open", "reset", "recover", "import"}
        table = (ROOT / "README.md").read_text().split("| type | what happened")[1].split("\n\n")[0]
        named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
        self.assertEqual(named, written)

    def test_the_commands_that_the_readme_names_are_in_the_makefile(self):
        makefile = (ROOT / "Makefile").read_text()
        for target in re.findall(r"`?make (\w+)", (ROOT / "README.md").read_text()):
            self.assertRegex(makefile, rf"(?m)^{target}:", target)


class InstallTest(DirectoryTest):
    def make(self, target, *variables):
        """Runs make with what is built, and an ldconfig that only notes that it was run; whether it was."""
        tools = self.directory / "tools"
        tools.mkdir(exist_ok=True)
        for name, text in (("ldconfig", f"touch {self.directory}/refreshed"), ("id", "echo ${FAKE_ID:-0}")):
            (tools / name).write_text(f"#!/bin/sh\n{text}\n")
            (tools / name).chmod(0o755)
        refreshed = self.directory / "refreshed"
        refreshed.unlink(missing_ok=True)
        self.run_here(
            ["env", f"PATH={tools}:{os.environ['PATH']}", "make", "-C", ROOT, "-o", "all", target, f"BUILD={PT.parent}",
             f"LIBRARY={LIBRARY}", *variables])
        return refreshed.exists()

    def files(self, prefix):
        return sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir())

    def test_a_program_that_is_linked_as_it_says_finds_the_library_and_uninstall_leaves_nothing(self):
        prefix = self.directory / ".local"
        self.assertTrue(self.make("install", f"PREFIX={prefix}"))
        self.assertEqual(self.files(prefix), ["bin/pt", "include/papertrade.h", "lib/libpapertrade.so", "lib/libpapertrade.so.0"])
        (source,) = blocks("README.md", "c")
        (self.directory / "trade.c").write_text(source)
        (command,) = re.findall(r"`(cc trade\.c -I[^`]*)`", (ROOT / "README.md").read_text())
        bought = self.run_here(["env", "-u", "LD_LIBRARY_PATH", f"HOME={self.directory}", "sh", "-c", f"{command} -o trade && ./trade"])
        self.assertEqual(bought, "bought; cash is now 4000.00\n")
        self.assertTrue(self.make("uninstall", f"PREFIX={prefix}"))
        self.assertEqual(self.files(prefix), [])

    def test_the_loader_is_left_alone_for_a_staging_directory_and_without_the_right(self):
        self.assertFalse(self.make("install", f"DESTDIR={self.directory}/staging", "PREFIX=/usr"))
        self.assertEqual(len(self.files(self.directory / "staging" / "usr")), 4)
        self.assertFalse(self.make("install", f"PREFIX={self.directory}/mine", "--eval=export FAKE_ID := 1000"))


class LibraryTest(unittest.TestCase):
    def test_it_needs_nothing_but_jansson_and_the_c_and_cpp_libraries(self):
        listed = subprocess.run(["readelf", "-d", LIBRARY], check=True, text=True, stdout=subprocess.PIPE).stdout
        needed = {name.split(".so")[0] for name in re.findall(r"\(NEEDED\).*\[(.*)\]", listed)}
        self.assertLessEqual(needed, {"libjansson", "libstdc++", "libm", "libc", "ld-linux-x86-64", "ld-linux-aarch64"})
        self.assertIn("[libpapertrade.so.0]", listed)
        self.assertIn("NODELETE", listed)


if __name__ == "__main__":
    unittest.main()
