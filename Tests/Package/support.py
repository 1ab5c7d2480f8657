"""What the tests of documents and packages share."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(os.environ.get("PAPERTRADE_LIBRARY", ROOT / "build" / "libpapertrade.so"))
PT = Path(os.environ.get("PT", ROOT / "build" / "pt"))


def blocks(document, language):
    """The fenced blocks of a Markdown document in one language."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


class DirectoryTest(unittest.TestCase):
    """A test with a fresh directory of its own, in which its commands run."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="papertrade-package-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def run_here(self, command, timeout=900, **options):
        """Runs a command in the directory; fails the test with its output unless it succeeds."""
        environment = dict(
            os.environ, PATH=f"{PT.parent}:{os.environ['PATH']}", LD_LIBRARY_PATH=str(LIBRARY.parent),
            PAPERTRADE_LIBRARY=str(LIBRARY), PYTHONPATH=str(ROOT / "Python"))
        done = subprocess.run(
            command, cwd=self.directory, env=environment, text=True, timeout=timeout,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.assertEqual(done.returncode, 0, f"{command}:\n{done.stdout}")
        return done.stdout
